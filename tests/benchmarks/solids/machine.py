"""What a benchmark ran on, without names of hosts, users or folders."""

from __future__ import annotations

import itertools
import os
import platform
import re
import shlex
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path

import numpy as np

_DOUBLES = 16 << 20  # per array: 128 MB, beyond any cache
_REPEATS = 8


def facts() -> dict[str, object]:
    """Processor, cores that may be used, memory, load average, versions."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "load_average": os.getloadavg(),
        "python": platform.python_version(),
        "versions": versions(),
    }


def command(module: str, arguments: list[str] | None) -> str:
    """What was run, without the folders of this machine; arguments: None for those of the process."""
    given = sys.argv[1:] if arguments is None else arguments
    folders = [place for place, word in enumerate(given) if word in ("--out", "--work", "--home")]
    kept = [word for place, word in enumerate(given) if not {place, place - 1} & set(folders)]
    return f"python -m {module} {shlex.join(kept)}".strip()


def versions() -> dict[str, str]:
    """Of what took part, where it is installed."""
    found = {}
    for name in (
        "jax",
        "jaxlib",
        "numpy",
        "scipy",
        "scikit-fem",
        "pypardiso",
        "mkl",
        "pyamg",
        "netgen-mesher",
    ):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    try:
        told = subprocess.run(["ccx", "-v"], capture_output=True, text=True, check=False).stdout
        found["CalculiX"] = told.split()[-1]
    except (FileNotFoundError, IndexError):
        pass
    return found


def _processor() -> str:
    try:
        match = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    except FileNotFoundError:
        match = None
    return match.group(1).strip() if match else platform.processor() or platform.machine()


def resident_peak() -> int:
    """Bytes of this process at most. Not what getrusage tells: that begins with the size of the parent."""
    told = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())
    assert told is not None
    return int(told.group(1)) * 1024


def free_gb() -> float:
    """What the machine can still give."""
    told = re.search(r"MemAvailable:\s*(\d+) kB", Path("/proc/meminfo").read_text())
    assert told is not None
    return int(told.group(1)) * 1024 / 1e9


def bandwidth(threads: int | None = None) -> dict[str, float]:
    """GB/s of copy (a = b) and triad (a = b + s c) as STREAM counts them, best of several, all cores.

    numpy takes two passes for the triad; its third read and second write are counted too.
    """
    threads = threads or len(os.sched_getaffinity(0))
    a, b, c = (np.full(_DOUBLES, value) for value in (0.0, 1.0, 2.0))
    edges = np.linspace(0, _DOUBLES, threads + 1).astype(int)
    parts = [slice(*pair) for pair in itertools.pairwise(edges)]

    def copy(part: slice) -> None:
        np.copyto(a[part], b[part])

    def triad(part: slice) -> None:
        np.multiply(c[part], 3.0, out=a[part])
        np.add(a[part], b[part], out=a[part])

    result = {}
    with ThreadPoolExecutor(threads) as pool:
        for name, kernel, arrays in (("copy", copy, 2), ("triad", triad, 5)):
            best = np.inf
            for _ in range(_REPEATS):
                begun = time.perf_counter()
                list(pool.map(kernel, parts))
                best = min(best, time.perf_counter() - begun)
            result[name] = arrays * a.nbytes / best / 1e9
    return result
