"""Parts that the service builds by scripts of users: foreign code, in a child process within walls.

Nothing that it leaves is trusted: what it answers is read as text of some length, what it built as a plain file.
"""

from __future__ import annotations

import json
import os
import re
import runpy
import shutil
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO, Final

from twin.errors import GeometryError, ResourceExhausted
from twin.geometry.script import BUILD, Script
from twin.sandbox import child
from twin.sandbox.child import read_job, write_answer
from twin.sandbox.enclosure import enclosed

LIMITS: Final = child.Limits(seconds=120.0, memory=8 << 30, file_size=512 << 20, processes=1024)
_SOURCE: Final = "script.py"
_REASON: Final = 1000  # characters of what a script raises
_SUFFIX: Final = re.compile(r"(\.[a-z0-9]{1,8})?")
_ANSWER: Final = 1 << 16  # bytes
_FREE: Final = 2 << 30  # bytes that are to stay free on the disk


def build(
    source: str,
    values: Mapping[str, float | str],
    folder: Path,
    hidden: Path,
    *,
    limits: child.Limits = LIMITS,
    check: Callable[[], None] = lambda: None,
) -> Path:
    """The file of the part that a script builds of these parameters, in an empty folder.

    hidden: what the script must not see; check: called while waiting, what it raises ends the work. Raises
    GeometryError where it builds none, and ResourceExhausted where it came to no end, which may be otherwise another
    time.
    """
    within = folder.resolve() / "within"
    within.mkdir()
    (within / _SOURCE).write_text(source, encoding="utf-8")

    def watch() -> None:
        check()
        if shutil.disk_usage(folder).free < _FREE:
            raise ResourceExhausted("the disk is nearly full: the script was ended")

    try:
        child.execute(
            "twin.geometry.built", within, {"values": dict(values)}, limits, watch, enclosed(within, hidden)
        )
    except child.ChildFailed as failure:
        raise ResourceExhausted(f"the script {failure}", {"cause": failure.cause}) from failure
    try:
        with _plain(within / "answer.json", _ANSWER) as file:
            answer = json.loads(file.read(_ANSWER))["answer"]
        reason, suffix = str(answer["reason"]), str(answer["suffix"])
        if not _SUFFIX.fullmatch(suffix):  # a path in its place could lead out of the walls
            raise ValueError(suffix)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise GeometryError("the script spoiled its answer") from error
    if reason:
        raise GeometryError(reason[:_REASON])
    path = folder / f"part{suffix}"
    with _plain(within / f"built{suffix}", limits.file_size) as built, path.open("wb") as copy:
        shutil.copyfileobj(built, copy)
    return path


def _plain(path: Path, most: int) -> BinaryIO:
    """A file of so many bytes at most; no link, which could lead out of the walls, and no pipe, which never ends."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except (OSError, ValueError) as error:
        raise GeometryError("the script left no file") from error
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or not 0 < found.st_size <= most:
        os.close(descriptor)
        raise GeometryError(f"the script left no file of 1 to {most:,} bytes")
    return os.fdopen(descriptor, "rb")


def main(folder: Path) -> None:
    """In the child: run the script, and say where the part is, or why there is none."""
    values = read_job(folder)["values"]
    reason, suffix = "", ""
    try:
        made = Script(runpy.run_path(str(folder / _SOURCE))[BUILD]).write(values, folder)
        suffix = made.suffix.lower()
        if made.absolute() != folder / f"built{suffix}":
            shutil.copyfile(made, folder / f"built{suffix}")
    except MemoryError:
        raise
    except GeometryError as error:
        reason = error.message
    except Exception as error:  # noqa: BLE001, whatever the script does is its design's own
        reason = f"{type(error).__name__}: {error}"
    write_answer(folder, {"reason": reason[:_REASON], "suffix": suffix}, {})
