"""Parts that the service builds by scripts of users: foreign code, in a child process within walls."""

from __future__ import annotations

import runpy
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from twin.errors import GeometryError
from twin.geometry.script import BUILD, Script
from twin.sandbox import child
from twin.sandbox.child import read_job, write_answer
from twin.sandbox.enclosure import enclosed

LIMITS: Final = child.Limits(seconds=120.0, memory=8 << 30, file_size=1 << 30)
_SOURCE: Final = "script.py"
_REASON: Final = 1000  # characters of what a script raises


def build(
    source: str,
    values: Mapping[str, float | str],
    folder: Path,
    hidden: Path,
    *,
    limits: child.Limits = LIMITS,
    check: Callable[[], None] | None = None,
) -> Path:
    """The file of the part that a script builds of these parameters, in an empty folder.

    hidden: what the script must not see; check: called while waiting, what it raises ends the work. Raises
    GeometryError where it builds none.
    """
    (folder / _SOURCE).write_text(source, encoding="utf-8")
    walls = enclosed(folder, hidden)
    try:
        answer, _ = child.run(
            "twin.geometry.built", folder, {"values": dict(values)}, {}, limits, check, walls
        )
    except child.ChildFailed as failure:
        raise GeometryError(f"the script {failure}", {"cause": failure.cause}) from failure
    path = (folder / Path(answer["file"]).name).absolute()
    if path.is_symlink() or not path.is_file():  # it could point to what the script does not see
        raise GeometryError("the script left no file")
    return path


def main(folder: Path) -> None:
    """In the child: run the script; answer with the file."""
    values = read_job(folder)["values"]
    try:
        made = Script(runpy.run_path(str(folder / _SOURCE))[BUILD]).write(values, folder)
    except (GeometryError, MemoryError):
        raise
    except Exception as error:  # whatever the script does is its design's own
        raise GeometryError(f"{type(error).__name__}: {error}"[:_REASON]) from error
    path = folder / f"built{made.suffix.lower()}"
    if made.absolute() != path:
        shutil.copyfile(made, path)
    write_answer(folder, {"file": path.name}, {})
