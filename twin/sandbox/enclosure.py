"""Walls around a child process that runs foreign code: bubblewrap, by namespaces of the kernel.

What is within sees the system's programs and this installation, read-only, and its own folder; no other file, process
or network.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import twin
from twin.errors import Unavailable

_WALLS: Final = (
    "bwrap --unshare-all --unshare-user --disable-userns --die-with-parent --cap-drop ALL "
    "--dev /dev --proc /proc --tmpfs /tmp"
)
_SYSTEM: Final = (
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/ld.so.cache", "/etc/alternatives", "/etc/fonts",
)  # fmt: skip
_PACKAGES: Final = ("twin", "protos", "solvers", "surrogates")


def enclosed(folder: Path, hidden: Path) -> tuple[str, ...]:
    """The command that runs another one in walls. folder: what it may write; hidden: what it must not see."""
    installation = Path(twin.__file__).parents[1]
    shown = [sys.base_prefix, sys.prefix, *(str(installation / name) for name in _PACKAGES)]
    command = _WALLS.split()
    for path in dict.fromkeys((*_SYSTEM, *map(str, map(Path.absolute, map(Path, shown))))):
        command += ["--ro-bind-try", path, path]
    if any(hidden.is_relative_to(path) for path in (*_SYSTEM, *shown)):
        command += ["--tmpfs", str(hidden)]
    return (*command, "--bind", str(folder), str(folder), "--chdir", str(folder), "--")


def require() -> None:
    """Raise Unavailable where no walls can be put up."""
    if shutil.which("bwrap") is None:
        raise Unavailable(
            "scripts of users need bubblewrap: install it (apt install bubblewrap), or don't allow them"
        )
    tried = subprocess.run(
        [*enclosed(Path("/tmp"), Path("/nonexistent")), "true"], capture_output=True, text=True
    )
    if tried.returncode:
        raise Unavailable(
            f"scripts of users can't be enclosed on this machine: {_last(tried.stderr.splitlines())}"
        )


def _last(lines: Sequence[str]) -> str:
    return lines[-1] if lines else "bwrap says nothing"
