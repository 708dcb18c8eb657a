"""Keeps workers running, wherever there is a place for one. In the front end, so without jax.

Workers lease their runs from the database themselves, one after the other: whoever starts them has no part in what is
computed, and holds nothing that could be lost.
"""

from __future__ import annotations

import asyncio
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol, final

from sqlalchemy.exc import SQLAlchemyError

from twin.store.workspace import Workspace
from twin.workers import presence
from twin.workers.devices import Device
from twin.workers.launch import Recipe

_LOG: Final = logging.getLogger(__name__)
_SOUND: Final = 30.0  # seconds after which a worker's death is no sign of trouble at its start
_DELAYS: Final = (0.1, 30.0)  # seconds before a worker is replaced, first and longest
_LOOK: Final = 1.0  # seconds between looks for places, and for runs whose worker is gone


@final
@dataclass(frozen=True)
class Place:
    """Where a worker can be. machine: its host name; label: tells it from other places; node: of a cluster."""

    label: str
    machine: str
    device: Device
    node: str = ""


class Worker(Protocol):
    """A worker that runs, seen from the front end."""

    def wake(self) -> None:
        """There is something to do."""

    async def wait(self) -> str:
        """Until it has ended; how."""

    async def end(self) -> None:
        """Kill it with all it has started."""


class Executor(ABC):
    """Starts, wakes, replaces and stops the workers of one front end."""

    def __init__(self, workspace: Workspace, recipe: Recipe) -> None:
        self._workspace = workspace
        self._recipe = recipe
        self._workers: dict[str, Worker] = {}
        self._keepers: dict[Place, asyncio.Task[None]] = {}
        self._burials: set[asyncio.Task[None]] = set()  # they go on where their keeper is cancelled
        self._tending: asyncio.Task[None] | None = None

    @abstractmethod
    async def places(self) -> Iterable[Place]:
        """Where there should be a worker now. Raises OSError where that can't be told."""

    @abstractmethod
    async def spawn(self, name: str, place: Place) -> Worker:
        """A worker by that name. Raises OSError where none can be started there."""

    async def start(self) -> None:
        """Raises Unavailable where no workers can be had."""
        self._reconcile(await self.places())
        self._tending = asyncio.create_task(self._tend(), name="tend workers")

    def wake(self) -> None:
        """There is something to do."""
        for worker in self._workers.values():
            worker.wake()

    async def stop(self) -> None:
        """End the workers with all they have started; what they computed starts again with the next
        service.
        """
        tasks = [*self._keepers.values(), *([] if self._tending is None else [self._tending])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*self._burials, return_exceptions=True)

    async def _tend(self) -> None:
        while True:
            try:
                await asyncio.to_thread(give_back, self._workspace)
                self._reconcile(await self.places())
            except (SQLAlchemyError, OSError):
                _LOG.exception("could not look after the workers; trying again")
            await asyncio.sleep(_LOOK)

    def _reconcile(self, places: Iterable[Place]) -> None:
        wanted = set(places)
        for place, keeper in list(self._keepers.items()):
            if keeper.done() and not keeper.cancelled():
                _LOG.error("nobody kept a worker on %s", place.label, exc_info=keeper.exception())
                del self._keepers[place]
        for place in wanted - self._keepers.keys():
            self._keepers[place] = asyncio.create_task(self._keep(place), name=f"keep {place.label}")
        for place in self._keepers.keys() - wanted:
            self._keepers.pop(place).cancel()

    async def _keep(self, place: Place) -> None:
        shortest, longest = _DELAYS
        delay = shortest
        while True:
            name = presence.new_name(place.machine, place.label)
            try:
                worker = await self.spawn(name, place)
            except OSError:  # out of processes, of memory, of disk
                _LOG.exception("a worker could not be started; trying again")
                await asyncio.sleep(longest)
                continue
            born = time.monotonic()
            self._workers[name] = worker
            blame = False  # a run has no part in it where the place is gone, or the service stops
            try:
                how = await worker.wait()
                blame = True
            finally:
                del self._workers[name]
                burial = asyncio.create_task(self._bury(name, worker, blame=blame), name=f"bury {name}")
                self._burials.add(burial)
                burial.add_done_callback(self._burials.discard)
                await asyncio.shield(burial)
            delay = shortest if time.monotonic() - born > _SOUND else min(2 * delay, longest)
            _LOG.warning("worker %s ended (%s); another starts in %.1f s", name, how, delay)
            await asyncio.sleep(delay)

    async def _bury(self, name: str, worker: Worker, *, blame: bool) -> None:
        try:
            await worker.end()
        finally:
            try:
                await asyncio.to_thread(self._workspace.leases.release, name, blame=blame)
            except SQLAlchemyError:
                _LOG.exception("what %s computed stays with it until its lease ends", name)


def give_back(workspace: Workspace) -> None:
    """Give back the runs of workers that are gone: of this machine at once, of others when their lease
    ends.
    """
    folder = workspace.home.workers
    for holder in workspace.leases.holders():
        if presence.of_this_machine(holder) and not presence.alive(folder, holder):
            workspace.leases.release(holder, blame=True)
    workspace.leases.expire()
