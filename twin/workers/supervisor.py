"""Keeps one worker process per device running. In the front end, so without jax."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Final, final

from sqlalchemy.exc import SQLAlchemyError

from twin.store.workspace import Workspace
from twin.workers import presence
from twin.workers.devices import Device
from twin.workers.lifeline import WAKE

COMMAND: Final = (sys.executable, "-P", "-m", "twin.workers")  # -P: never import from the current folder

_LOG: Final = logging.getLogger(__name__)
_SOUND: Final = 30.0  # seconds after which a worker's death is no sign of trouble at its start
_DELAYS: Final = (0.1, 30.0)  # seconds before a worker is replaced, first and longest
_SWEEP: Final = 1.0  # seconds between looks for runs whose worker is gone
_LOG_LIMIT: Final = 16 << 20  # bytes after which a worker's log is begun anew at its next start


@final
class Supervisor:
    """Starts, wakes, replaces and stops the workers of one front end."""

    def __init__(
        self,
        workspace: Workspace,
        devices: Sequence[Device],
        worker_options: Sequence[str] = (),
        command: Sequence[str] = COMMAND,
    ) -> None:
        self._workspace = workspace
        self._devices = devices
        self._options = worker_options
        self._command = command
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def pids(self) -> list[int]:
        """Of the workers that run now."""
        return [process.pid for process in self._processes.values()]

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._sweep(), name="sweep")]
        for device in self._devices:
            self._tasks.append(asyncio.create_task(self._keep(device), name=f"worker {device.name}"))

    def wake(self) -> None:
        """There is something to do."""
        for process in self._processes.values():
            if process.stdin is not None and not process.stdin.is_closing():
                process.stdin.write(WAKE)

    async def stop(self) -> None:
        """End the workers with all they have started; what they computed starts again with the next
        service.
        """
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for name, process in list(self._processes.items()):
            await _end(process)
            await self._bury(name, blame=False)
        self._processes.clear()

    async def _keep(self, device: Device) -> None:
        shortest, longest = _DELAYS
        delay = shortest
        while True:
            name = presence.new_name(device.name)
            try:
                process = await self._spawn(name, device)
            except OSError:  # out of processes, of memory, of disk
                _LOG.exception("a worker could not be started; trying again")
                await asyncio.sleep(longest)
                continue
            born = time.monotonic()
            self._processes[name] = process
            status = await process.wait()
            await _end(process)
            del self._processes[name]
            delay = shortest if time.monotonic() - born > _SOUND else min(2 * delay, longest)
            _LOG.warning("worker %s ended with status %d; another starts in %.1f s", name, status, delay)
            await self._bury(name, blame=True)
            await asyncio.sleep(delay)

    async def _bury(self, name: str, *, blame: bool) -> None:
        await asyncio.to_thread(shutil.rmtree, self._workspace.home.scratch_of(name), ignore_errors=True)
        try:
            await asyncio.to_thread(self._workspace.leases.release, name, blame=blame)
        except SQLAlchemyError:
            _LOG.exception("what %s computed stays with it until its lease ends", name)

    async def _spawn(self, name: str, device: Device) -> asyncio.subprocess.Process:
        home = self._workspace.home
        arguments = [
            "--home", str(home.root.absolute()), "--name", name,
            "--device-kind", device.kind, "--device-identifier", device.identifier, *self._options,
        ]  # fmt: skip
        environment = {
            **os.environ,
            **device.environment(),
            "JAX_COMPILATION_CACHE_DIR": str(home.compile_cache),
            # Else the folder's path is part of a program's key, and a home that moves compiles everything again.
            "JAX_PERSISTENT_CACHE_ENABLE_XLA_CACHES": "none",
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",  # by default hundreds of small ones stay out
            "TMPDIR": str(home.scratch_of(name)),
            "PYTHONUNBUFFERED": "1",
        }
        with _log_file(home.logs / f"worker-{device.name}.log") as log:
            return await asyncio.create_subprocess_exec(
                *self._command, *arguments,
                stdin=asyncio.subprocess.PIPE, stdout=log, stderr=log,
                env=environment, cwd=home.root, start_new_session=True,
            )  # fmt: skip

    async def _sweep(self) -> None:
        while True:
            try:
                await asyncio.to_thread(sweep, self._workspace)
            except SQLAlchemyError:
                _LOG.exception("the database does not answer; trying again")
            await asyncio.sleep(_SWEEP)


def sweep(workspace: Workspace) -> None:
    """Give back the runs of workers that are gone: of this machine at once, of others when their lease
    ends.
    """
    folder = workspace.home.workers
    for holder in workspace.leases.holders():
        if presence.of_this_machine(holder) and not presence.alive(folder, holder):
            workspace.leases.release(holder, blame=True)
    workspace.leases.expire()


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill the worker and its group. Nothing is lost: what isn't committed is computed again."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def _log_file(path: Path) -> IO[bytes]:
    fresh = path.exists() and path.stat().st_size > _LOG_LIMIT
    return path.open("wb" if fresh else "ab")
