"""Body-centred cubic tetrahedra around a part, bisected until they are as small as asked for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from solvers.tet10.element import EDGES, TETS_PER_CUBE
from twin.errors import MeshingFailed
from twin.meshing.stuffing.edges import decode, encode, halves, middles

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
Bools = NDArray[np.bool_]

CUBE_PER_EDGE = 1.3  # edge of the lattice's cubes; a regular tetrahedron as large as theirs has 0.89 of it
_MOST_CELLS = 120_000
_MOST_TETS = 4_000_000
_COARSE = 1.3  # an element may be so much longer than asked for: bisection shortens it by 1.26


def lattice(
    lower: Float64, upper: Float64, size: float, near: Callable[[Float64, float], Bools]
) -> tuple[Float64, Int64]:
    """Tetrahedra of about `size` [m] over a box, or the smallest that are not too many: (n, 3) [m], (m, 4).

    near: whether cells with centres (k, 3) and a half diagonal [m] may hold material.
    """
    extent = upper - lower
    edge = max(CUBE_PER_EDGE * size, float((extent.prod() / _MOST_CELLS) ** (1 / 3)))
    cells = np.ceil(extent / edge + 2.0).astype(np.int64)
    shape = tuple(cells.tolist())
    origin = (lower + upper) / 2 - cells * edge / 2
    index = np.indices(shape).reshape(3, -1).T
    active = np.zeros(shape, dtype=bool)
    active.reshape(-1)[:] = near(origin + (index + 0.5) * edge, np.sqrt(0.75) * edge)
    corner_shape = cells + 1
    tets = []
    for axis in range(3):
        low = np.moveaxis(active, axis, 0)[:-1]
        high = np.moveaxis(active, axis, 0)[1:]
        faces = np.argwhere(np.moveaxis(low | high, 0, axis))
        step = np.eye(3, dtype=np.int64)[axis]
        one, two = np.eye(3, dtype=np.int64)[[(axis + 1) % 3, (axis + 2) % 3]]
        ring = [
            np.ravel_multi_index((faces + step + offset).T, tuple(corner_shape.tolist()))
            for offset in (0 * one, one, one + two, two)
        ]
        first, second = (
            corner_shape.prod() + np.ravel_multi_index(at.T, shape) for at in (faces, faces + step)
        )
        tets += [np.stack([first, second, ring[i], ring[(i + 1) % 4]], axis=1) for i in range(4)]
    corners = np.indices(tuple(corner_shape.tolist())).reshape(3, -1).T * edge
    points = origin + np.concatenate([corners, (index + 0.5) * edge])
    used, inverse = np.unique(np.concatenate(tets), return_inverse=True)
    return points[used], inverse.reshape(-1, 4).astype(np.int64)


def refine(points: Float64, tets: Int64, size: Callable[[Float64], Float64]) -> tuple[Float64, Int64]:
    """Bisect longest edges (Rivara 1984) until every tetrahedron is as small as `size` says at its centre."""
    longest = _longest(points, tets)
    marked = _too_large(points, tets, size)
    while marked.any():
        if len(tets) > _MOST_TETS:
            raise MeshingFailed(
                f"thin walls or the sizes asked for need more than {_MOST_TETS} lattice tetrahedra"
            )
        wanted = np.unique(longest[marked])
        ends = np.zeros(len(points), dtype=bool)
        ends[np.concatenate(decode(wanted))] = True
        around = np.flatnonzero(ends[tets].sum(axis=1) >= 2)
        codes = encode(tets[around][:, EDGES])
        place = np.minimum(np.searchsorted(wanted, codes), len(wanted) - 1)
        hit = wanted[place] == codes
        foreign = hit & (codes != longest[around][:, None])
        marked[around[foreign.any(axis=1)]] = True
        ready = np.ones(len(wanted), dtype=bool)
        ready[place[foreign]] = False  # a neighbour has to be bisected elsewhere first
        own = longest[around]
        place = np.minimum(np.searchsorted(wanted, own), len(wanted) - 1)
        split = (wanted[place] == own) & ready[place]
        parents, edge, at = around[split], own[split], place[split]
        number = len(points) + np.cumsum(ready) - 1
        points = np.concatenate([points, middles(points, wanted[ready])])
        fresh = halves(tets[parents], edge, number[at]).astype(np.int64)
        kept = np.ones(len(tets), dtype=bool)
        kept[parents] = False
        tets = np.concatenate([tets[kept], fresh])
        longest = np.concatenate([longest[kept], _longest(points, fresh)])
        marked = np.concatenate([marked[kept], _too_large(points, fresh, size)])
    return points, tets


def _longest(points: Float64, tets: Int64) -> Int64:
    """(m,) code of each tetrahedron's longest edge; of equal ones the one that all neighbours choose too."""
    codes = encode(tets[:, EDGES])
    low, high = decode(codes)
    squares = ((points[low] - points[high]) ** 2).sum(axis=2)
    equal = squares > (1 - 1e-9) * squares.max(axis=1, keepdims=True)
    return np.asarray(np.where(equal, codes, -1).max(axis=1))


def _too_large(points: Float64, tets: Int64, size: Callable[[Float64], Float64]) -> Bools:
    corners = points[tets]
    volume = np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1])) / 6
    edge = (TETS_PER_CUBE * volume) ** (1 / 3)
    return np.asarray(edge > _COARSE * size(corners.mean(axis=1)))
