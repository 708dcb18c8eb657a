"""An answer of another code as a file: fields on the surface of a part, in NumPy's .npz.

points (n, 3) [m], triangles (t, 3), and of each load case "case/displacement" (n, 3) [m] and "case/stress" (n, 6) [Pa].
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twin.errors import InvalidInput
from twin.results import archive

Floats = NDArray[np.float64]

KINDS: Final[Mapping[str, int]] = {"displacement": 3, "stress": 6}
"""Fields of a case, and how many numbers each has at a point."""


@dataclass(frozen=True, eq=False)
class SurfaceFields:
    """points (n, 3) [m]; triangles (t, 3); cases: of each load case its displacement (n, 3) [m] and stress (n, 6) [Pa].

    Raises InvalidInput where shapes do not fit, or something is no number.
    """

    points: Floats
    triangles: NDArray[np.int64]
    cases: Mapping[str, Mapping[str, Floats]]

    def __post_init__(self) -> None:
        count = len(self.points)
        _check("points", self.points, 3)
        if self.triangles.ndim != 2 or self.triangles.shape[1] != 3 or self.triangles.dtype.kind not in "iu":
            raise InvalidInput("triangles are numbers of three points each")
        if len(self.triangles) == 0 or self.triangles.min() < 0 or self.triangles.max() >= count:
            raise InvalidInput(f"triangles name points from 0 to {count - 1}, and there is one at the least")
        if not self.cases:
            raise InvalidInput("there is no load case in it")
        for case, fields in self.cases.items():
            for kind, width in KINDS.items():
                if kind not in fields:
                    raise InvalidInput(f"load case {case} has no {kind}")
                _check(f"{kind} of load case {case}", fields[kind], width)
                if len(fields[kind]) != count:
                    raise InvalidInput(
                        f"{kind} of load case {case} has {len(fields[kind])} rows for {count} points"
                    )


def write(path: Path, fields: SurfaceFields) -> None:
    """Write it, compressed."""
    named: dict[str, Any] = {
        f"{case}/{kind}": values for case, of_case in fields.cases.items() for kind, values in of_case.items()
    }
    with path.open("wb") as file:
        np.savez_compressed(
            file, allow_pickle=False, points=fields.points, triangles=fields.triangles, **named
        )


def read(path: Path) -> SurfaceFields:
    """What `write` wrote. Raises InvalidInput for anything else."""
    arrays = archive.read(path)
    try:
        points, triangles = arrays.pop("points"), arrays.pop("triangles")
    except KeyError as missing:
        raise InvalidInput(f"there is no array {missing} in it") from None
    cases: dict[str, dict[str, Floats]] = {}
    for name, values in arrays.items():
        case, _, kind = name.rpartition("/")
        if not case or kind not in KINDS:
            raise InvalidInput(f"{name!r} is no field of a load case, such as 'default/stress'")
        cases.setdefault(case, {})[kind] = values
    return SurfaceFields(points, triangles, cases)


def _check(what: str, values: NDArray[Any], width: int) -> None:
    if values.ndim != 2 or values.shape[1] != width or values.dtype.kind != "f":
        raise InvalidInput(f"{what}: an array (n, {width}) of floating-point numbers, not {values.shape}")
    if not np.isfinite(values).all():
        rows = np.flatnonzero(~np.isfinite(values).all(axis=1))
        raise InvalidInput(
            f"{what}: {len(rows)} of {len(values)} are no finite numbers, the first at {rows[0]}"
        )
