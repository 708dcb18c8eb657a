"""Untrusted files are read in a child process with limits on time, memory and what it may write."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from twin.errors import GeometryError
from twin.geometry.surface import Patch, Report, Surface
from twin.sandbox import child
from twin.units import length_unit

VERSION = 3
"""Of what `parse` makes of a file. Count up when it makes something else of the same bytes."""

LIMITS = child.Limits(seconds=120.0, memory=8 << 30, file_size=2 << 30)

_Triple = tuple[float, float, float]


def parse(
    path: Path,
    unit: str | None,
    filename: str,
    *,
    limits: child.Limits = LIMITS,
    check: Callable[[], None] | None = None,
) -> tuple[Surface, Report]:
    """Read the geometry file at `path`, which was called `filename` when it was sent.

    unit: of its lengths where the file names none (mm, cm, m, in, inch, ft, um). check: called while
    waiting; what it raises ends the work. Raises GeometryError and UnitError, which say what is wrong and
    what to do.
    """
    if unit is not None:
        length_unit(unit)
    job = {"path": str(path.resolve()), "unit": unit, "filename": filename}
    with tempfile.TemporaryDirectory(prefix="twin-parse-") as name:
        folder = Path(name)
        try:
            answer, _ = child.run("twin.geometry.reader", folder, job, {}, limits, check)
        except child.ChildFailed as failure:
            raise _unreadable(filename, failure) from failure
        return Surface.load(folder / "surface.npz"), report_from_dict(answer["report"])


def report_from_dict(record: Mapping[str, Any]) -> Report:
    """The inverse of dataclasses.asdict, also after a way through JSON."""
    lower, upper = record["bounds"]
    changes = {
        "bounds": (_triple(lower), _triple(upper)),
        "patches": tuple(_patch(patch) for patch in record["patches"]),
        **{name: tuple(record[name]) for name in ("groups", "repairs", "warnings")},
    }
    return Report(**{**record, **changes})


def _patch(record: Mapping[str, Any]) -> Patch:
    points = ("centroid", "normal", "axis", "center")
    return Patch(
        **{**record, **{name: None if record[name] is None else _triple(record[name]) for name in points}}
    )


def _triple(values: Any) -> _Triple:
    x, y, z = values
    return float(x), float(y), float(z)


def _unreadable(filename: str, failure: child.ChildFailed) -> GeometryError:
    advice = {
        "time": "It may be far more detailed than needed: export it coarser, or remove small features.",
        "memory": "It may be far more detailed than needed: export it coarser, or remove small features.",
        "crash": "The file is probably damaged: export it again, or as another format.",
    }[failure.cause]
    return GeometryError(
        f"'{filename}' can't be read: the reader {failure}. {advice}",
        {"filename": filename, "cause": failure.cause},
    )
