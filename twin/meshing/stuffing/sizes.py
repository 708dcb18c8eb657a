"""How large elements may be: as asked for, and small enough for thin walls, narrow gaps and curved faces."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solvers.tet10.element import TETS_PER_CUBE
from twin.geometry.projection import Projection
from twin.geometry.surface import Surface
from twin.meshing.samples import radii, sample

Float64 = NDArray[np.float64]

SPACING = 0.35  # of the size asked for: of the points where the shape is looked at
FINEST = (
    1 / 16,
    1 / 10,
    1 / 7,
    1 / 5,
)  # of the size asked for: where walls are thin, as far as the budget goes
CURVED_FINEST = 1 / 4
ACROSS = 1.7  # elements through a wall
PER_GAP = 1.0  # elements through a gap
PER_RADIUS = 1.0  # elements on the radius of a curved face
_CLEAR = 1e-3  # of the size asked for
_BUDGET, _BUDGET_PER_TET = 120_000, 15
_BIN = np.sqrt(2.0)
_EPS = 0.2  # how much further than the nearest point one may be taken for it


@dataclass(frozen=True, eq=False)
class SizeField:
    """Edge lengths [m] asked for at points, growing away from them by `grading` per length up to `largest`.

    points: (k, 3) [m]; lengths: (k,) [m].
    """

    largest: float
    grading: float
    points: Float64
    lengths: Float64

    def __call__(self, positions: Float64) -> Float64:
        """Edge length [m] at positions (p, 3) [m], to a few percent."""
        result = np.full(len(positions), self.largest)
        for smallest, tree in self._bins:
            reach = (self.largest - smallest) / self.grading
            distance, _ = tree.query(positions, eps=_EPS, distance_upper_bound=reach)
            result = np.minimum(result, smallest + self.grading * distance)
        return result

    @cached_property
    def _bins(self) -> list[tuple[float, Any]]:
        """Points of about the same length: the length and a search tree; among them the nearest decides."""
        from scipy.spatial import KDTree

        number = np.floor(np.log(np.maximum(self.lengths, 1e-300)) / np.log(_BIN)).astype(np.int64)
        groups = [number == value for value in np.unique(number)]
        found = [(float(self.lengths[group].min()), KDTree(self.points[group])) for group in groups]
        return [(smallest, tree) for smallest, tree in found if smallest < self.largest]


def size_field(
    surface: Surface,
    on_surface: Projection,
    size: float,
    grading: float,
    points: Float64,
    lengths: Float64,
) -> SizeField:
    """The sizes asked for, (k, 3) and (k,) [m], with those that the shape needs."""
    at, triangle = sample(surface, SPACING * size)
    normal = surface.normals[triangle]
    local = np.maximum(radii(surface)[triangle] / PER_RADIUS, CURVED_FINEST * size)
    for direction, elements in ((-normal, ACROSS), (normal, PER_GAP)):
        start = at + _CLEAR * size * direction  # beyond the face itself, and one that lies on it
        local = np.minimum(local, on_surface.first_hit(start, direction, elements * size) / elements)
    local = np.maximum(local, _finest(surface, size, local))
    needed = local < 0.9 * size
    return SizeField(
        size,
        grading,
        np.concatenate([at[needed], points]),
        np.concatenate([local[needed], np.maximum(lengths, 1e-3 * size)]),
    )


def _finest(surface: Surface, size: float, local: Float64) -> float:
    """The smallest element [m] that can be afforded, where points of the surface need `local` (k,) [m]."""
    budget = _BUDGET + _BUDGET_PER_TET * TETS_PER_CUBE * abs(surface.volume) / size**3
    for share in FINEST[:-1]:
        # a layer of one element along all of the surface, which is what walls and gaps are made of
        wanted = np.clip(local, share * size, size)
        if TETS_PER_CUBE * surface.area * float((1 / wanted**2).mean()) < budget:
            return share * size
    return FINEST[-1] * size
