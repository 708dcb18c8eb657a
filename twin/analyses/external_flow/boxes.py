"""Boxes of cells inside each other, around a part: each with cells of half the size of those around it."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from solvers.lattice_boltzmann.grid import Grid, Kind
from twin.analyses.external_flow.setting import FAR_GROUND, Setting
from twin.analyses.flow.lattice import MULTIPLE, Box, between

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Between the part and the sides of each box, innermost first, of the part's size: ahead and beside it, and behind it.
ROOM: Final = ((0.6, 1.2), (1.2, 2.5), (2.5, 5.0), (FAR_GROUND, 16.0))
_APART: Final = 3  # cells, from the sides of a box to those of the one inside it, at least


@dataclass(frozen=True)
class _Extent:
    """Of a box: where it begins, in cells of the innermost one; its own cells, each of so many innermost ones."""

    first: Ints
    counts: Ints
    cell: int

    @property
    def last(self) -> Ints:
        return self.first + self.cell * self.counts


def boxes(setting: Setting, spacing: float) -> tuple[Box, ...]:
    """Outermost first, the innermost with cells of this size [m]. Where there is ground, all of them stand on it."""
    lower, upper = (np.array(bound) for bound in setting.surface.bounds)
    base = _base(setting, lower, upper, spacing)
    extents: list[_Extent] = []
    for level, (beside, behind) in enumerate(ROOM):
        cell = 2**level
        begin = (lower - base - beside * setting.size) / spacing
        end = (upper - base + np.array([behind, beside, beside]) * setting.size) / spacing
        if extents:
            begin = np.minimum(begin, extents[-1].first - _APART * cell)
            end = np.maximum(end, extents[-1].last + _APART * cell)
        around = 2 * cell  # a box begins where a cell of the one around it does
        first = around * np.floor(begin / around).astype(np.int64)
        if setting.ground is not None:
            first[2] = 0
        counts = MULTIPLE * np.ceil((end - first) / cell / MULTIPLE).astype(np.int64)
        spare = (first + cell * counts - end) / 2  # on either side
        if setting.ground is not None:
            spare[2] = 0
        first -= around * np.floor(spare / around).astype(np.int64)
        extents.append(_Extent(first, counts, cell))
    extents.reverse()
    corners = [np.zeros(3, np.int64)] + [(one.first - of.first) // of.cell for of, one in pairwise(extents)]
    return tuple(
        Box(
            Grid(_three(of.counts), _faces(setting, outermost=of is extents[0])),
            _three(base + spacing * (of.first + 0.5 * of.cell)),
            of.cell * spacing,
            _three(corner),
        )
        for of, corner in zip(extents, corners, strict=True)
    )


def _base(setting: Setting, lower: Floats, upper: Floats, spacing: float) -> Floats:
    """A point between cells [m], from which they are counted: on the ground, where there is one."""
    found = between(lower, upper, spacing)
    if setting.ground is not None:
        found[2] = setting.ground
    return found


def _faces(setting: Setting, outermost: bool) -> tuple[Kind, Kind, Kind, Kind, Kind, Kind]:
    low: Kind = "wall" if setting.ground is not None else "slip" if outermost else "nested"
    if outermost:
        return "velocity", "pressure", "slip", "slip", low, "slip"
    return "nested", "nested", "nested", "nested", low, "nested"


def _three(of: NDArray[Any]) -> tuple[Any, Any, Any]:
    x, y, z = of.tolist()
    return x, y, z
