"""Better tetrahedra by moving vertices: those of the boundary stay on the surface and slide along its sharp edges."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solvers.tet10.element import EDGES
from twin.meshing.stuffing.features import Features
from twin.meshing.volume_mesh import Ints, quality

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
Bools = NDArray[np.bool_]

POOR = 0.3  # quality below which a tetrahedron is worked on
_ALLOWED = 0.12  # quality that may be given up for a vertex to lie on the surface
_SWEEPS = 30
_STEPS = (1.0, 0.5, 0.25)


@dataclass(frozen=True, eq=False)
class _Stars:
    """The tetrahedra around each vertex: those of vertex i stand from start[i] to start[i + 1]."""

    start: Int64
    tet: Int64
    local: Int64

    @staticmethod
    def of(count: int, tets: Ints) -> _Stars:
        node = tets.reshape(-1)
        order = np.argsort(node, kind="stable")
        start = np.concatenate([[0], np.cumsum(np.bincount(node, minlength=count))])
        return _Stars(start, order // 4, order % 4)

    def around(self, vertices: Int64) -> tuple[Int64, Int64, Int64]:
        """Row of `vertices`, tetrahedron and local corner of every incidence, in the order of the rows."""
        count = self.start[vertices + 1] - self.start[vertices]
        row = np.repeat(np.arange(len(vertices)), count)
        offset = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
        place = self.start[vertices][row] + offset
        return row, self.tet[place], self.local[place]


def improve(points: Float64, tets: Ints, features: Features) -> Float64:
    """Pull vertices onto their place on the surface, and away from poor tetrahedra: points (n, 3) [m].

    tets: (m, 4), positive; no step makes the worst tetrahedron around a vertex poorer than it was or than is
    allowed.
    """
    stars = _Stars.of(len(points), tets)
    random = np.random.default_rng(0)
    points = points.copy()
    target = features.targets(points)
    off = np.linalg.norm(target - points, axis=1)
    tolerance = 1e-9 * features.scale
    tired = np.zeros(len(points), dtype=np.int8)
    shapes = quality(points, tets)
    for sweep in range(_SWEEPS):
        poor = np.zeros(len(points), dtype=bool)
        poor[tets[shapes < POOR]] = True
        wanted = np.flatnonzero(((off > tolerance) | poor) & (tired < 4))
        if len(wanted) == 0:
            break
        chosen = _independent(tets, wanted, len(points), random)
        tried = _trials(points, tets, shapes, stars, chosen, features, target, off > tolerance)
        moved, position = _best(points, tets, stars, chosen, tried, off[chosen] > tolerance)
        tired[chosen[~moved]] += 1
        tired[chosen[moved]] = 0
        where = chosen[moved]
        if len(where) == 0 and sweep > 3:
            break
        points[where] = position[moved]
        changed = stars.around(where)[1]  # no two of them share a tetrahedron
        shapes[changed] = quality(points, tets[changed])
        target[where] = features.targets(points, where)
        off[where] = np.linalg.norm(target[where] - points[where], axis=1)
    return points


def _independent(tets: Ints, wanted: Int64, count: int, random: np.random.Generator) -> Int64:
    """Vertices of `wanted` of which no two share a tetrahedron."""
    rank = np.full(count, -1, dtype=np.int64)
    rank[wanted] = random.permutation(len(wanted))
    ranks = rank[tets]
    highest = ranks.max(axis=1)
    beaten = np.zeros(count, dtype=bool)
    beaten[tets[(ranks < highest[:, None]) & (ranks >= 0)]] = True
    return wanted[~beaten[wanted]]


def _trials(
    points: Float64,
    tets: Ints,
    shapes: Float64,
    stars: _Stars,
    chosen: Int64,
    features: Features,
    target: Float64,
    off: Bools,
) -> list[Float64]:
    """Places to try for each of the chosen vertices: towards the surface, the middle, and uphill in quality."""
    row, tet, local = stars.around(chosen)
    here = points[chosen]
    pulled = [here + step * (target[chosen] - here) for step in _STEPS]
    others = points[tets[tet]].sum(axis=1) - here[row]
    count = np.bincount(row, minlength=len(chosen))
    middle = np.stack([np.bincount(row, others[:, i], len(chosen)) for i in range(3)], axis=1)
    middle = middle / (3 * np.maximum(count, 1)[:, None])
    # of each star its worst tetrahedron, first in the order of rows, then of quality
    order = np.lexsort((shapes[tet], row))
    worst = order[np.searchsorted(row[order], np.arange(len(chosen)))]
    uphill, length = _gradient(points[tets[tet[worst]]], local[worst])
    moves = [step * (middle - here) for step in (1.0, 0.4)]
    moves += [share * length[:, None] * uphill for share in (0.3, 0.1, 0.03)]
    trials = []
    for move in moves:
        place = here + move
        bound = features.bound[chosen]
        place[bound] = features.targets(place[bound], chosen[bound])
        trials.append(np.where(off[chosen][:, None], here, place))
    return [*pulled, *trials]


def _gradient(corners: Float64, local: Int64) -> tuple[Float64, Float64]:
    """Direction (k, 3) in which a corner's motion betters its tetrahedron (k, 4, 3) most, its rms edge (k,) [m]."""
    rows = np.arange(len(corners))
    a, b, c, d = (corners[:, i] for i in range(4))
    faces = np.stack(
        [np.cross(d - b, c - b), np.cross(c - a, d - a), np.cross(d - a, b - a), np.cross(b - a, c - a)],
        axis=1,
    )[rows, local]
    six_volumes = np.einsum("ij,ij->i", np.cross(b - a, c - a), d - a)
    squares = np.mean([((corners[:, i] - corners[:, j]) ** 2).sum(axis=1) for i, j in EDGES], axis=0)
    here = corners[rows, local]
    mean = (4 * here - corners.sum(axis=1)) / 3  # gradient of the mean square of the edges
    direction = faces - 1.5 * (six_volumes / squares)[:, None] * mean
    norm = np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-300)
    return direction / norm, np.sqrt(squares)


def _best(
    points: Float64, tets: Ints, stars: _Stars, chosen: Int64, trials: list[Float64], off: Bools
) -> tuple[Bools, Float64]:
    """The best trial of each vertex that may be taken: whether there is one (k,), and where (k, 3) [m]."""
    row, tet, local = stars.around(chosen)
    corners = points[tets[tet]]
    incidence = np.arange(len(tet))
    edge_list = EDGES

    def worst(place: Float64) -> Float64:
        at = corners.copy()
        at[incidence, local] = place[row]
        a, b, c, d = (at[:, i] for i in range(4))
        volume = np.einsum("ij,ij->i", np.cross(b - a, c - a), d - a)
        edges = at[:, edge_list[:, 0]] - at[:, edge_list[:, 1]]
        squares = np.einsum("ijk,ijk->i", edges, edges) / 6
        shapes = np.sqrt(2.0) * volume / np.maximum(squares, 1e-300) ** 1.5
        result = np.full(len(chosen), np.inf)
        np.minimum.at(result, row, shapes)
        return result

    before = worst(points[chosen])
    moved = np.zeros(len(chosen), dtype=bool)
    position = points[chosen].copy()
    best = before.copy()
    for number, trial in enumerate(trials):
        found = worst(trial)
        if number < len(_STEPS):  # towards the surface, as far as the elements bear it
            taken = off & ~moved & (found >= np.minimum(before, _ALLOWED)) & (found > 0.02)
        else:
            taken = ~off & (found > best + 1e-3)
        best = np.where(taken, found, best)
        position[taken] = trial[taken]
        moved |= taken
    return moved, position
