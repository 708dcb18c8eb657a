"""What this machine offers twin, what is wrong with it, and how to mend that."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final, Literal, final

from twin.cli import probes
from twin.errors import TwinError
from twin.sdk.embedded import default_home

Verdict = Literal["ok", "note", "wrong"]

_DISK_NEEDED: Final = 2 << 30
_MEMORY_NEEDED: Final = 4 << 30


@final
@dataclass(frozen=True)
class Finding:
    """One line of the examination.

    "note": works, but something is missing that could help; remedy: what to do.
    """

    subject: str
    verdict: Verdict
    detail: str
    remedy: str = ""


def examine() -> list[Finding]:
    """Every check, in a fixed order; those that need a child process side by side."""
    with ThreadPoolExecutor(max_workers=max(2, _cores() // 2)) as pool:
        return [finding for part in pool.map(lambda check: check(), CHECKS) for finding in part]


def _python() -> list[Finding]:
    detail = f"{platform.python_version()}, {sys.executable}, twin {version('twin')}, {platform.platform()}"
    return [Finding("python", "ok", detail)]


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _machine() -> list[Finding]:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    small = total < _MEMORY_NEEDED
    return [
        Finding("cores", "ok", f"{_cores()}"),
        Finding(
            "memory",
            "note" if small else "ok",
            _gigabytes(total),
            "fine meshes may not fit: limit them with max_unknowns" if small else "",
        ),
    ]


def _home() -> list[Finding]:
    home = default_home()
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            pass
    except OSError as error:
        remedy = "make it writable, or set TWIN_HOME to a folder that is"
        return [Finding("home", "wrong", f"{home} can't be written: {error.strerror}", remedy)]
    free = shutil.disk_usage(home).free
    scarce = free < _DISK_NEEDED
    return [
        Finding("home", "ok", str(home)),
        Finding(
            "disk",
            "wrong" if scarce else "ok",
            f"{_gigabytes(free)} free in the home folder",
            f"a run writes up to {_gigabytes(_DISK_NEEDED)}: free some, or set TWIN_HOME to a larger disk"
            if scarce
            else "",
        ),
    ]


def _jax() -> list[Finding]:
    answer = probes.ask(probes.JAX)
    if answer.failure is not None:
        return [
            Finding("jax", "wrong", answer.failure, "reinstall it: pip install --force-reinstall jax jaxlib")
        ]
    devices, facts = answer.facts["devices"], answer.facts
    assert isinstance(devices, list)
    lone = facts["backend"] == "cpu" and _nvidia() is not None
    return [
        Finding(
            "jax",
            "note" if lone else "ok",
            f"{facts['version']} on {', '.join(map(str, devices))}",
            "there is an NVIDIA GPU that jax doesn't use: pip install 'twin[cuda]'" if lone else "",
        )
    ]


def _nvidia() -> tuple[str, bool] | None:
    """Name of the first NVIDIA GPU, and whether it counts energy; None without one."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return None
    try:
        device = pynvml.nvmlDeviceGetHandleByIndex(0)
        name = pynvml.nvmlDeviceGetName(device)
        try:
            pynvml.nvmlDeviceGetTotalEnergyConsumption(device)
        except pynvml.NVMLError:
            return str(name), False
        return str(name), True
    except pynvml.NVMLError:
        return None
    finally:
        pynvml.nvmlShutdown()


def _energy() -> list[Finding]:
    gpu = _nvidia()
    if gpu is None:
        return [Finding("energy", "note", "no counter here: runs report no joules")]
    name, counts = gpu
    return [
        Finding(
            "energy", "ok" if counts else "note", f"{name}: {'counter found' if counts else 'no counter'}"
        )
    ]


def _library(subject: str, program: str, package: str, does: str) -> list[Finding]:
    """A library that runs need."""
    answer = probes.ask(program)
    if answer.failure is not None:
        remedy = f"reinstall it: pip install --force-reinstall {package}"
        return [Finding(subject, "wrong", answer.failure, remedy)]
    return [Finding(subject, "ok", f"{answer.facts['version']}, {does}")]


def _off_screen() -> list[Finding]:
    answer = probes.ask(probes.OFF_SCREEN)
    if answer.failure is not None:
        remedy = "only your own PyVista scripts need it; on Debian: apt install libgl1 libegl1"
        return [Finding("off-screen", "note", f"PyVista can't draw: {answer.failure}", remedy)]
    return [Finding("off-screen", "ok", f"PyVista {answer.facts['version']} draws without a display")]


def _service() -> list[Finding]:
    import twin

    start = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="twin-doctor-") as home:
        try:
            with twin.local(home=Path(home)):
                seconds = time.perf_counter() - start
        except TwinError as error:
            return [Finding("service", "wrong", error.message, "mend what its log complains about")]
    return [Finding("service", "ok", f"an embedded server answers after {seconds:.1f} s")]


def _gigabytes(size: float) -> str:
    return f"{size / 2**30:.1f} GiB"


CHECKS: Final[tuple[Callable[[], list[Finding]], ...]] = (
    _python,
    _machine,
    _home,
    _jax,
    _energy,
    lambda: _library("netgen", probes.NETGEN, "netgen-mesher", "meshes a cube"),
    lambda: _library("manifold", probes.MANIFOLD, "manifold3d", "joins two cubes"),
    lambda: _library("vtk", probes.VTK, "vtk pyvista", "writes a file and reads it"),
    lambda: _library("pictures", probes.PICTURES, "matplotlib", "draws without a display"),
    _off_screen,
    _service,
)
