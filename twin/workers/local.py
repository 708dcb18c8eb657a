"""Workers as processes of this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import final

from twin.store.workspace import Workspace
from twin.workers import launch, presence
from twin.workers.devices import Device
from twin.workers.executor import Executor, Place
from twin.workers.launch import Recipe
from twin.workers.lifeline import WAKE


@final
class LocalExecutor(Executor):
    """recipe.per_device workers on each of the devices."""

    def __init__(self, workspace: Workspace, recipe: Recipe, devices: Sequence[Device]) -> None:
        super().__init__(workspace, recipe)
        machine = presence.machine()
        self._places = [
            Place(label, machine, device) for device in devices for label in device.labels(recipe.per_device)
        ]

    async def places(self) -> Iterable[Place]:
        return self._places

    async def spawn(self, name: str, place: Place) -> LocalWorker:
        process = await launch.launch(self._recipe, name, place.label, place.device)
        return LocalWorker(self._recipe, name, process)


@final
class LocalWorker:
    """A child of this process."""

    def __init__(self, recipe: Recipe, name: str, process: asyncio.subprocess.Process) -> None:
        self._recipe, self._name, self._process = recipe, name, process

    def wake(self) -> None:
        pipe = self._process.stdin
        if pipe is not None and not pipe.is_closing():
            pipe.write(WAKE)

    async def wait(self) -> str:
        return f"status {await self._process.wait()}"

    async def end(self) -> None:
        await launch.end(self._recipe, self._name, self._process)
