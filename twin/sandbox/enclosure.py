"""Walls around a child process that runs foreign code: bubblewrap, by namespaces of the kernel.

What is within sees the system's programs and this installation, read-only, and its own folder; no other file, process
or network.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import twin
from twin.errors import Unavailable

_WALLS: Final = (
    "bwrap --unshare-all --unshare-user --disable-userns --die-with-parent --cap-drop ALL --proc /proc --dev /dev "
    "--size 268435456 --tmpfs /dev/shm --remount-ro /dev --size 1073741824 --tmpfs /tmp"
)
_SYSTEM: Final = (
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/ld.so.cache", "/etc/alternatives", "/etc/fonts",
)  # fmt: skip
_PACKAGES: Final = ("twin", "protos", "solvers", "surrogates")


def enclosed(folder: Path, hidden: Path) -> tuple[str, ...]:
    """The command that runs another one in walls. folder: what it may write; hidden: what it must not see."""
    installation = Path(twin.__file__).parents[1]
    shown = [*_SYSTEM, sys.base_prefix, sys.prefix, *(str(installation / name) for name in _PACKAGES)]
    command = _WALLS.split()
    for path in dict.fromkeys(shown):
        command += ["--ro-bind-try", path, path]
    folder, hidden = folder.resolve(), hidden.resolve()
    if any(hidden.is_relative_to(Path(path).resolve()) for path in shown):
        command += ["--tmpfs", str(hidden)]
    return (*command, "--bind", str(folder), str(folder), "--chdir", str(folder), "--")


def require(home: Path) -> None:
    """Raise Unavailable where no walls can be put up around a folder of this one."""
    if shutil.which("bwrap") is None:
        raise Unavailable(
            "scripts of users need bubblewrap: install it (apt install bubblewrap), or don't allow them"
        )
    with tempfile.TemporaryDirectory(prefix="script-", dir=home) as folder:
        tried = subprocess.run(
            [*enclosed(Path(folder), home), sys.executable, "-c", ""],
            capture_output=True, text=True,
        )  # fmt: skip
    if tried.returncode:
        said = tried.stderr.splitlines()
        raise Unavailable(
            f"scripts of users can't be enclosed on this machine: {said[-1] if said else 'bwrap does not say why'}"
        )
