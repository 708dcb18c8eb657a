"""Workers on the nodes of a Ray cluster (the extra `cluster`).

Ray places them and tells when a node is gone, no more. On each node an actor holds the lifeline of each worker, which
is the same process as anywhere else and leases its runs from the database: that Ray starts no more than tens of tasks a
second is no limit, and programs stay compiled. The nodes share the home.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import socket
from collections.abc import Iterable
from typing import Any, Final, final

from twin.errors import Unavailable
from twin.store.workspace import Workspace
from twin.workers.devices import CPU, Device
from twin.workers.executor import Executor, Place
from twin.workers.launch import Recipe
from twin.workers.local import LocalWorker

_LOG: Final = logging.getLogger(__name__)
_REACHABLE: Final = 5.0  # seconds
_PATIENCE: Final = 30.0  # seconds for an actor to start or to end its worker


@final
class RayExecutor(Executor):
    """recipe.per_device workers for each GPU of each node, or for the processors of a node without.

    address: of the cluster's head, "host:port", or "auto" for the cluster that this machine is part of
    """

    def __init__(self, workspace: Workspace, recipe: Recipe, address: str) -> None:
        super().__init__(workspace, recipe)
        self._address = address

    async def start(self) -> None:
        await asyncio.to_thread(_connect, self._address)
        await super().start()

    async def stop(self) -> None:
        await super().stop()
        import ray

        await asyncio.to_thread(ray.shutdown)

    async def places(self) -> Iterable[Place]:
        import ray

        try:
            nodes = await asyncio.to_thread(ray.nodes)
        except (ray.exceptions.RayError, RuntimeError) as error:
            raise OSError(f"the Ray cluster does not say what nodes it has: {error}") from error
        return [place for node in nodes if node["Alive"] for place in _places(node, self._recipe.per_device)]

    async def spawn(self, name: str, place: Place) -> RayWorker:
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        on_gpu = place.device.kind == "cuda"
        share = math.floor(1e4 / self._recipe.per_device) / 1e4  # as fine as Ray counts
        actor: Any = (
            ray.remote(Keeper)
            .options(
                num_cpus=0 if on_gpu else share,
                num_gpus=share if on_gpu else 0,
                scheduling_strategy=NodeAffinitySchedulingStrategy(place.node, soft=False),
            )
            .remote(self._recipe, name, place.label)
        )
        worker = RayWorker(actor)
        try:
            async with asyncio.timeout(_PATIENCE):
                await actor.launch.remote(place.device.kind)
        except (ray.exceptions.RayError, TimeoutError) as error:
            ray.kill(actor)
            raise OSError(f"no worker on node {place.node}: {error}") from error
        return worker


@final
class RayWorker:
    """A worker of a node, by its actor. No actor, no worker: the lifeline ends with it."""

    def __init__(self, actor: Any) -> None:
        self._actor = actor

    def wake(self) -> None:
        self._actor.wake.remote()

    async def wait(self) -> str:
        import ray

        try:
            return str(await self._actor.wait.remote())
        except ray.exceptions.RayError as error:
            return str(error).partition("\n")[0]

    async def end(self) -> None:
        import ray

        with contextlib.suppress(ray.exceptions.RayError, TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                await self._actor.end.remote()
        ray.kill(self._actor)


@final
class Keeper:
    """On a node: holds one worker. An actor's process ends with the front end and with the node, however they end."""

    def __init__(self, recipe: Recipe, name: str, label: str) -> None:
        self._recipe, self._name, self._label = recipe, name, label
        self._worker: LocalWorker | None = None

    async def launch(self, kind: str) -> None:
        import ray

        from twin.workers import launch

        device = Device("cuda", str(ray.get_gpu_ids()[0])) if kind == "cuda" else CPU
        process = await launch.launch(self._recipe, self._name, self._label, device)
        self._worker = LocalWorker(self._recipe, self._name, process)

    async def wake(self) -> None:
        if self._worker is not None:
            self._worker.wake()

    async def wait(self) -> str:
        return "never started" if self._worker is None else await self._worker.wait()

    async def end(self) -> None:
        if self._worker is not None:
            await self._worker.end()


def _connect(address: str) -> None:
    try:
        import ray
    except ImportError as error:
        raise Unavailable("workers on Ray need the extra `cluster`: pip install 'twin[cluster]'") from error
    try:
        host, separator, port = address.rpartition(":")
        if separator:  # Ray itself looks for minutes
            socket.create_connection((host.strip("[]"), int(port)), _REACHABLE).close()
        ray.init(address=address, namespace="twin", log_to_driver=False, configure_logging=False)
    except (ConnectionError, OSError, RuntimeError, ValueError) as error:
        raise Unavailable(
            f"there is no Ray cluster at {address!r} ({error}): start one with `ray start --head`"
        ) from error


def _places(node: dict[str, Any], per_device: int) -> list[Place]:
    gpus = int(node["Resources"].get("GPU", 0))
    # which of the node's GPUs is Ray's choice
    devices = [Device("cuda", str(index)) for index in range(gpus)] or [CPU]
    return [
        Place(f"{node['NodeID'][:8]}-{label}", node["NodeManagerHostname"], device, node["NodeID"])
        for device in devices
        for label in device.labels(per_device)
    ]
