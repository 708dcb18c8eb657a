"""Child processes for code that may hang, crash, eat memory or leave files: parsers of foreign files, mesh
generators.

A child is a module with `main(folder: Path) -> None`, run by `confined.py` under limits. It
works in a folder of its own, which holds what it is told (`job.json`, `input.npz`) and receives what it
answers (`answer.json`, `output.npz`); the caller owns the folder and removes it.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

import twin
from twin.errors import Internal, TwinError, from_record, to_record
from twin.sandbox import confined

Arrays = Mapping[str, NDArray[Any]]

_POLL = 0.02


@dataclass(frozen=True)
class Limits:
    """seconds: wall clock; memory: address space of each of its processes [bytes]; file_size: of anything that the
    child writes [bytes]; processes: with their threads, None where others of the same user would count.
    """

    seconds: float
    memory: int
    file_size: int
    processes: int | None = None


class ChildFailed(Exception):  # noqa: N818 - said from the caller's side: it becomes a TwinError there
    """A child did not answer. `cause`: ran past its time, was killed or crashed, or ran out of memory."""

    def __init__(self, cause: Literal["time", "crash", "memory"], detail: str) -> None:
        super().__init__(detail)
        self.cause = cause


def run(
    module: str,
    folder: Path,
    job: Mapping[str, Any],
    arrays: Arrays,
    limits: Limits,
    check: Callable[[], None] | None = None,
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Run `module`'s main in a child; return its answer and arrays.

    A TwinError that the child raises is raised here; others as of `execute`.
    """
    if arrays:
        np.savez(folder / "input.npz", **arrays)  # type: ignore[arg-type]
    execute(module, folder, job, limits, check)
    answer = json.loads((folder / "answer.json").read_text())
    if "error" in answer:
        raise from_record(answer["error"])
    output_file = folder / "output.npz"
    if not output_file.is_file():
        return answer["answer"], {}
    with np.load(output_file, allow_pickle=False) as output:
        return answer["answer"], dict(output)


def execute(
    module: str,
    folder: Path,
    job: Mapping[str, Any],
    limits: Limits,
    check: Callable[[], None] | None = None,
    walls: Sequence[str] = (),
) -> None:
    """Run `module`'s main in a child to its end, with an answer in its folder.

    `check` is called while waiting and may raise (a cancelled run): the child is killed then. walls: a command that
    runs it (enclosure.py). Raises ChildFailed where it gave no answer.
    """
    (folder / "job.json").write_text(json.dumps({"job": dict(job), "limits": vars(limits)}))
    with (folder / "log.txt").open("w+b") as log:
        process = subprocess.Popen(
            [*walls, sys.executable, "-P", confined.__file__, module],
            cwd=folder,
            env=_environment(folder),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that everything it starts dies with it
        )
        try:
            _wait(process, limits.seconds, check)
        finally:
            _kill(process)
        if process.returncode != 0 or not (folder / "answer.json").is_file():
            log.seek(max(0, log.seek(0, os.SEEK_END) - 2000))
            code = process.returncode
            by_signal = bool(walls) and code - 128 in set(signal.Signals)  # as those say it who run others
            raise _failure(128 - code if by_signal else code, log.read())


def read_job(folder: Path) -> dict[str, Any]:
    """In the child: what it is told."""
    job: dict[str, Any] = json.loads((folder / "job.json").read_text())["job"]
    return job


def read_arrays(folder: Path) -> dict[str, NDArray[Any]]:
    """In the child: the arrays it is given."""
    with np.load(folder / "input.npz", allow_pickle=False) as arrays:
        return dict(arrays)


def write_answer(folder: Path, answer: Mapping[str, Any], arrays: Arrays) -> None:
    """In the child: what it answers."""
    if arrays:
        np.savez(folder / "output.npz", **arrays)  # type: ignore[arg-type]
    (folder / "answer.json").write_text(json.dumps({"answer": dict(answer)}))


def _wait(process: subprocess.Popen[bytes], seconds: float, check: Callable[[], None] | None) -> None:
    deadline = time.monotonic() + seconds
    pause = _POLL
    while process.poll() is None:
        if time.monotonic() > deadline:
            raise ChildFailed("time", f"did not finish within {seconds:.3g} s")
        if check is not None:
            check()
        time.sleep(pause)
        pause = min(2 * pause, 0.2)


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):  # it has ended, and all that it started
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _failure(code: int, log: bytes) -> ChildFailed:
    tail = log.decode(errors="replace").strip()
    last = tail.splitlines()[-1][:200] if tail else ""
    if _out_of_memory(tail):
        return ChildFailed("memory", "needed more memory than it may have")
    if code < 0:
        return ChildFailed("crash", f"crashed ({signal.Signals(-code).name})")
    return ChildFailed("crash", f"failed: {last}" if last else f"ended with code {code}")


def _out_of_memory(text: str) -> bool:
    signs = ("MemoryError", "bad_alloc", "failed to map segment", "Cannot allocate")
    return any(sign in text for sign in signs)


def _environment(folder: Path) -> dict[str, str]:
    """Little of ours: a child needs no secrets. HOME and TMPDIR are its folder, so that nothing is left
    elsewhere.
    """
    kept = {
        name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL") if name in os.environ
    }
    package = str(Path(twin.__file__).parents[1])
    path = os.pathsep.join([package, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))])
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(os.cpu_count() or 1))
    return {**kept, **threads, "PYTHONPATH": path, "HOME": str(folder), "TMPDIR": str(folder)}


def answer(module: str) -> None:
    """In the child: run a module's main in the folder that this process works in."""
    folder = Path.cwd()
    try:
        importlib.import_module(module).main(folder)
    except TwinError as error:
        _write_error(folder, error)
    except ImportError as error:
        if _out_of_memory(str(error)):
            raise
        _write_error(folder, Internal(f"The server's installation is incomplete: {error}."))


def _write_error(folder: Path, error: TwinError) -> None:
    (folder / "answer.json").write_text(json.dumps({"error": to_record(error)}))
