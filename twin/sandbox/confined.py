"""Run a module in a child process under limits: `python confined.py MODULE`, in the folder that holds its job.

A script that imports nothing of ours before the limits hold: leaving the network needs a process of one thread, and
numpy starts more.
"""

import ctypes
import json
import os
import resource
import signal
import sys
from pathlib import Path

_CLONE_NEWUSER, _CLONE_NEWNET, _PR_SET_PDEATHSIG = 0x10000000, 0x40000000, 1


def confine(seconds: float, memory: int, file_size: int, processes: int | None = None) -> None:
    """Limits on this process, which it can't lift; without a network where the kernel lets us."""
    processor = int(seconds * max(2, os.cpu_count() or 1)) + 2  # CPU time, in case the caller dies
    limits = {
        resource.RLIMIT_CPU: processor,
        resource.RLIMIT_AS: memory,
        resource.RLIMIT_FSIZE: file_size,
        resource.RLIMIT_CORE: 0,
        **({} if processes is None else {resource.RLIMIT_NPROC: processes}),
    }
    for kind, value in limits.items():
        _, hard = resource.getrlimit(kind)
        least = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (least, least))
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)  # refused in some containers: best effort


if __name__ == "__main__":
    confine(**json.loads(Path("job.json").read_text())["limits"])
    from twin.sandbox.child import answer

    answer(sys.argv[1])
