"""What every reader returns: triangles as the file has them, good or bad."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Soup:
    """vertices: (n, 3) in the file's unit, may hold NaN; triangles: (m, 3) valid vertex indices, not merged.

    groups: names in the file -> triangle indices. part: (m,) number of the solid that each triangle bounds,
    where the file says so; parts share no vertices. unit: what the file says of its lengths, None if nothing;
    metres: in that unit, None if its name says so; scale: metres per unit of `vertices`, None if the declared
    unit decides. chord_error: distance of the
    facets from the CAD surface in units of `vertices`. warnings: sentences.
    """

    vertices: Float64
    triangles: Int64
    groups: Mapping[str, Int64] = field(default_factory=dict)
    unit: str | None = None
    metres: float | None = None
    scale: float | None = None
    chord_error: float = 0.0
    warnings: tuple[str, ...] = ()
    part: Int64 | None = None
