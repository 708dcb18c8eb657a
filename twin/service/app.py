"""One server, from start to stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import logging.handlers
import os
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from sqlalchemy.exc import SQLAlchemyError

from protos.twin.v1 import (
    array_pb2,
    array_pb2_grpc,
    geometry_pb2,
    geometry_pb2_grpc,
    material_pb2,
    material_pb2_grpc,
    result_pb2,
    result_pb2_grpc,
    run_pb2,
    run_pb2_grpc,
    surrogate_pb2,
    surrogate_pb2_grpc,
    sweep_pb2,
    sweep_pb2_grpc,
)
from twin.errors import Unavailable
from twin.geometry.parse import parse
from twin.sandbox import enclosure
from twin.service.arrays import ArrayServicer
from twin.service.feed import Feed
from twin.service.geometries import GeometryServicer
from twin.service.interceptors.chain import Chain
from twin.service.interceptors.errors import Errors
from twin.service.interceptors.log import Log
from twin.service.interceptors.tenant import Tenant
from twin.service.interceptors.validation import Validation
from twin.service.materials import MaterialServicer
from twin.service.parts import Parts
from twin.service.results import ResultServicer
from twin.service.runs import RunServicer
from twin.service.scripts import Scripts
from twin.service.settings import Settings
from twin.service.surrogates import SurrogateServicer
from twin.service.sweeps import SweepServicer
from twin.store.collect import collect
from twin.store.workspace import Workspace
from twin.workers.devices import parse_devices
from twin.workers.executor import Executor
from twin.workers.launch import COMMAND, Recipe
from twin.workers.local import LocalExecutor
from twin.workers.on_ray import RayExecutor
from twin.workers.scratch import clear_checkpoints, clear_scratch

_LOG: Final = logging.getLogger("twin")
_THREADS: Final = 16  # for the database and the blobs
_HOUSEKEEPING: Final = 3600.0  # seconds
_SERVICES: Final = tuple(
    file.DESCRIPTOR.services_by_name[name].full_name
    for file, name in (
        (geometry_pb2, "GeometryService"),
        (run_pb2, "RunService"),
        (result_pb2, "ResultService"),
        (array_pb2, "ArrayService"),
        (material_pb2, "MaterialService"),
        (sweep_pb2, "SweepService"),
        (surrogate_pb2, "SurrogateService"),
    )
)
_OPTIONS: Final = (
    ("grpc.max_receive_message_length", 2 << 20),
    ("grpc.max_send_message_length", 2 << 20),
    ("grpc.so_reuseport", 0),  # else a second server on the same port would silently share it
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
)


async def serve(
    settings: Settings,
    ready: Callable[[str], None] | None = None,
    worker_command: Sequence[str] = COMMAND,
) -> None:
    """Serve until SIGTERM or SIGINT, then stop within a few seconds and leave no process behind.

    ready: called with the address, as a gRPC target, once it answers. worker_command: what a worker is
    started with. Raises Unavailable where the address or the database can't be had.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(_THREADS, thread_name_prefix="store"))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    workspace = Workspace.open(
        settings.home, lease_seconds=settings.lease_seconds, max_attempts=settings.max_attempts
    )
    async with AsyncExitStack() as stack:
        stack.callback(workspace.close)
        if settings.scripts:
            await asyncio.to_thread(enclosure.require, workspace.home.scratch)
        stack.enter_context(_log_to(workspace.home.logs / "service.log", settings.log_level))
        executor = await stack.enter_async_context(_computing(settings, workspace, worker_command))
        feed, parts = Feed(workspace.events), Parts(workspace, parse, settings.parsers)
        scripts = Scripts(workspace, parts, settings.parsers, executor.wake, allowed=settings.scripts)
        await stack.enter_async_context(
            _background(feed.follow(), _keep_house(workspace), scripts.build_all())
        )
        address = await stack.enter_async_context(_server(settings, workspace, executor, feed, parts))
        _LOG.info("serving %s at %s", settings.home, address)
        if ready is not None:
            ready(address)
        await stop.wait()
        _LOG.info("asked to stop")


@asynccontextmanager
async def _server(
    settings: Settings, workspace: Workspace, executor: Executor, feed: Feed, parts: Parts
) -> AsyncIterator[str]:
    server = grpc.aio.server(
        interceptors=[Chain((Log(), Errors(), Tenant(), Validation()))], options=_OPTIONS
    )
    geometries = GeometryServicer(workspace, parts)
    runs = RunServicer(workspace, feed, executor.wake, settings.heartbeat_seconds)
    geometry_pb2_grpc.add_GeometryServiceServicer_to_server(geometries, server)
    run_pb2_grpc.add_RunServiceServicer_to_server(runs, server)
    result_pb2_grpc.add_ResultServiceServicer_to_server(ResultServicer(workspace), server)
    array_pb2_grpc.add_ArrayServiceServicer_to_server(ArrayServicer(workspace), server)
    material_pb2_grpc.add_MaterialServiceServicer_to_server(MaterialServicer(), server)
    sweeps = SweepServicer(workspace, executor.wake, settings.heartbeat_seconds, scripts=settings.scripts)
    sweep_pb2_grpc.add_SweepServiceServicer_to_server(sweeps, server)
    surrogate_pb2_grpc.add_SurrogateServiceServicer_to_server(SurrogateServicer(workspace), server)
    status = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(status, server)
    reflection.enable_server_reflection((*_SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
    address = _bind(server, settings.listen)
    await server.start()
    for name in ("", *_SERVICES):
        await status.set(name, health_pb2.HealthCheckResponse.SERVING)
    try:
        yield address
    finally:
        await status.enter_graceful_shutdown()
        await server.stop(settings.stop_seconds)


def _bind(server: grpc.aio.Server, listen: str) -> str:
    """Listen there; returns the address as a gRPC target."""
    if listen.startswith("unix:"):
        path = Path(listen.removeprefix("unix:"))
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    mask = os.umask(0o177)  # the socket is this user's alone
    try:
        port = server.add_insecure_port(listen)
    except RuntimeError as error:
        raise Unavailable(f"can't listen at {listen}: {error}") from error
    finally:
        os.umask(mask)
    return listen if listen.startswith("unix:") else f"{listen.rpartition(':')[0]}:{port}"


@asynccontextmanager
async def _computing(
    settings: Settings, workspace: Workspace, command: Sequence[str]
) -> AsyncIterator[Executor]:
    options = (
        f"--lease-seconds={settings.lease_seconds}",
        f"--max-attempts={settings.max_attempts}",
    )
    recipe = Recipe(workspace.home.root.absolute(), options, tuple(command), settings.workers_per_device)
    executor: Executor = (
        RayExecutor(workspace, recipe, settings.cluster)
        if settings.cluster
        else LocalExecutor(workspace, recipe, parse_devices(settings.devices))
    )
    await executor.start()
    try:
        yield executor
    finally:
        await executor.stop()


@asynccontextmanager
async def _background(*work: Any) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(one) for one in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _keep_house(workspace: Workspace) -> None:
    while True:
        try:
            removed = await asyncio.to_thread(collect, workspace.database, workspace.blobs)
            await asyncio.to_thread(clear_scratch, workspace.home)
            await asyncio.to_thread(clear_checkpoints, workspace.home, workspace.runs)
        except (SQLAlchemyError, OSError, RecursionError):
            _LOG.exception("could not tidy up; trying again later")
        else:
            _LOG.info("collected %d blobs", removed)
        await asyncio.sleep(_HOUSEKEEPING)


@contextlib.contextmanager
def _log_to(path: Path, level: str) -> Any:
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=16 << 20, backupCount=2)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    _LOG.addHandler(handler)
    _LOG.setLevel(level)
    try:
        yield
    finally:
        _LOG.removeHandler(handler)
        handler.close()
