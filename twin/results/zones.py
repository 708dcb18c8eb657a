"""The surroundings of singular places, in which the largest flux is not looked for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.results.outcome import Singularity

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_SPACING = 1 / 8  # of the radius, of the points that stand for an edge


class Zones:
    """All points nearer to an edge of a singular place than its radius."""

    def __init__(self, places: Sequence[Singularity]):
        self.places = tuple(places)
        # Load cases ask for the same points in turn.
        self._asked: tuple[NDArray[np.floating], Ints] | None = None

    def of(self, case: str) -> Zones:
        """Those of one load case."""
        if all(place.case in (None, case) for place in self.places):
            return self  # with its search trees
        return Zones([place for place in self.places if place.case in (None, case)])

    @cached_property
    def _trees(self) -> list[tuple[Any, float]]:
        from scipy.spatial import cKDTree

        return [(cKDTree(_along(p.segments, _SPACING * p.radius)), p.radius) for p in self.places]

    def at(self, points: NDArray[np.floating]) -> Ints:
        """(n,) the place in whose zone points (n, 3) [m] lie, the first of several, -1 for none."""
        if self._asked is None or self._asked[0] is not points:
            self._asked = points, self._at(points)
        return self._asked[1]

    def _at(self, points: NDArray[np.floating]) -> Ints:
        found = np.full(len(points), -1)
        for place, (tree, radius) in enumerate(self._trees):
            around = (points > tree.mins - radius) & (points < tree.maxes + radius)
            rest = np.flatnonzero((found < 0) & around.all(axis=1))
            distance, _ = tree.query(points[rest], distance_upper_bound=radius)
            found[rest[distance < radius]] = place
        return found

    def depth(self, points: NDArray[np.floating]) -> Floats:
        """(n,) distance of points (n, 3) [m] from the nearest place, over its radius: below 1 in a zone."""
        found = np.full(len(points), np.inf)
        for tree, radius in self._trees:
            found = np.minimum(found, tree.query(points)[0] / radius)
        return found


def _along(segments: Floats, step: float) -> Floats:
    """Points on segments (k, 2, 3), at most `step` [m] apart."""
    length = np.linalg.norm(segments[:, 1] - segments[:, 0], axis=1)
    count = np.ceil(length / step).astype(np.int64) + 1
    row = np.repeat(np.arange(len(segments)), count)
    place = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    share = (place / np.maximum(count[row] - 1, 1))[:, None]
    return np.asarray((1 - share) * segments[row, 0] + share * segments[row, 1])
