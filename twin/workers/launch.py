"""Starting and ending the process of one worker, on the machine where it computes. Without jax."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, final

from twin.store.home import Home
from twin.workers.devices import Device

COMMAND: Final = (sys.executable, "-P", "-m", "twin.workers")  # -P: never import from the current folder

_LOG_LIMIT: Final = 16 << 20  # bytes after which a worker's log is begun anew at its next start
_MEMORY: Final = 0.75  # of a GPU that jax takes, shared by the workers on it


@final
@dataclass(frozen=True)
class Recipe:
    """What all workers of one service are started with.

    home: absolute; options: of `python -m twin.workers`, for all; per_device: how many share a device
    """

    home: Path
    options: tuple[str, ...] = ()
    command: tuple[str, ...] = COMMAND
    per_device: int = 1


async def launch(recipe: Recipe, name: str, label: str, device: Device) -> asyncio.subprocess.Process:
    """A worker whose standard input is its lifeline (lifeline.py). label: of its log. Raises OSError."""
    home = Home(recipe.home).create()
    arguments = [
        "--home", str(home.root), "--name", name,
        "--device-kind", device.kind, "--device-identifier", device.identifier, *recipe.options,
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
    if device.kind == "cuda" and recipe.per_device > 1:
        environment["XLA_PYTHON_CLIENT_MEM_FRACTION"] = f"{_MEMORY / recipe.per_device:.3f}"
    with _log_file(home.logs / f"worker-{label}.log") as log:
        return await asyncio.create_subprocess_exec(
            *recipe.command, *arguments,
            stdin=asyncio.subprocess.PIPE, stdout=log, stderr=log,
            env=environment, cwd=home.root, start_new_session=True,
        )  # fmt: skip


async def end(recipe: Recipe, name: str, process: asyncio.subprocess.Process) -> None:
    """Kill the worker and its group. Nothing is lost: what isn't committed is computed again."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
    await asyncio.to_thread(shutil.rmtree, Home(recipe.home).scratch_of(name), ignore_errors=True)


def _log_file(path: Path) -> IO[bytes]:
    fresh = path.exists() and path.stat().st_size > _LOG_LIMIT
    return path.open("wb" if fresh else "ab")
