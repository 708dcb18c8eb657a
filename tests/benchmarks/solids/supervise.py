"""Child processes with a limit on time, and on the memory of all that they start."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_LOOK = 0.1  # [s] between two looks at the memory


@dataclass(frozen=True)
class Ended:
    """How a child ended. failure: None, or what went wrong; limit: it was one; peak_gb: the most that was seen."""

    failure: str | None
    limit: bool
    seconds: float
    peak_gb: float


def run(
    command: Sequence[str],
    environment: Mapping[str, str],
    log: Path,
    folder: Path,
    time_limit: float,
    memory_gb: float,
) -> Ended:
    """Run a command in `folder`, in a process group of its own, until it ends or reaches a limit."""
    begun = time.perf_counter()
    peak = 0.0
    failure = None
    with log.open("w") as output:
        process = subprocess.Popen(
            command, env=dict(environment), cwd=folder, stdout=output, stderr=output, start_new_session=True
        )
        try:
            while process.poll() is None:
                peak = max(peak, _resident(process.pid) / 1e9)
                if peak > memory_gb:
                    failure = f"more than {memory_gb:g} GB"
                elif time.perf_counter() - begun > time_limit:
                    failure = f"more than {time_limit:g} s"
                if failure:
                    break
                time.sleep(_LOOK)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    limit = failure is not None
    if failure is None and process.returncode:
        lines = log.read_text(errors="replace").strip().splitlines()
        failure = f"ended with {process.returncode}: {lines[-1] if lines else 'no message'}"
    return Ended(failure, limit, time.perf_counter() - begun, peak)


def _resident(pid: int) -> int:
    """Bytes in memory of a process and all below it; zero where /proc does not tell."""
    total = 0
    try:
        total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            total += sum(_resident(int(child)) for child in children.read_text().split())
    except (FileNotFoundError, ProcessLookupError):
        return total  # it has just ended
    return total
