"""Which workers of this machine are alive: each holds a lock on a file that bears its name.

The kernel lets go of the lock when the process ends, however it ends; a process id would say less, it is
used again.
"""

from __future__ import annotations

import fcntl
import os
import platform
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def new_name(machine: str, label: str) -> str:
    """A name that no other worker ever has. It begins with the machine's."""
    return f"{_word(machine)}.{label}.{secrets.token_hex(4)}"


def of_this_machine(name: str) -> bool:
    return name.startswith(f"{_word(machine())}.")


@contextmanager
def announced(folder: Path, name: str) -> Iterator[None]:
    """Be seen as alive within the block."""
    path = folder / name
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def alive(folder: Path, name: str) -> bool:
    """Does a process on this machine go by `name`?"""
    try:
        descriptor = os.open(folder / name, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        (folder / name).unlink(missing_ok=True)
        return False
    finally:
        os.close(descriptor)


def machine() -> str:
    """The host name of this one."""
    return platform.node() or "machine"


def _word(name: str) -> str:
    return name.replace("/", "-").replace(".", "-")
