"""Triangles that cross each other: watertight is not yet valid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

_MOST_TRIANGLES = 500_000
_MOST_PAIRS = 8_000_000  # of boxes that overlap: seconds and a few hundred MB
_SAMPLES = 200  # points of a body that are looked for in another one
_MOST_WORK = 100_000_000  # of points times triangles
_SURELY_INSIDE = 0.9
_INSIDE = 1e-7  # barycentric: what only touches doesn't cross
_APART = 1e-5  # of the part: what is less deep touches, within the digits of a file


def find_crossings(vertices: Float64, triangles: Int64) -> tuple[Int64, Float64] | None:
    """Pairs (k, 2) of triangles without a common vertex of which one pierces the other, and where (k, 3).

    An edge that runs exactly through an edge counts as touching. None where there are too many triangles, or
    too many close together, to look at each pair.
    """
    if len(triangles) > _MOST_TRIANGLES:
        return None
    corners = vertices[triangles]
    pairs = _near(corners.min(axis=1), corners.max(axis=1))
    if pairs is None:
        return None
    first, second = triangles[pairs[:, 0]], triangles[pairs[:, 1]]
    touching = (first[:, :, None] == second[:, None, :]).any(axis=(1, 2))
    pairs = pairs[~touching]
    size = float(np.linalg.norm(np.ptp(vertices, axis=0)))
    found: list[Int64] = []
    places: list[Float64] = []
    for chunk in np.array_split(pairs, len(pairs) // 500_000 + 1):
        for piercing, pierced in (chunk.T, chunk.T[::-1]):
            hit, place = _pierced(corners[piercing], corners[pierced], _APART * size)
            found.append(chunk[hit])
            places.append(place[hit])
    crossing, where = np.concatenate(found), np.concatenate(places)
    unique, index = np.unique(crossing, axis=0, return_index=True)
    return unique, where[index]


def find_overlaps(vertices: Float64, triangles: Int64, body: Int64) -> Int64:
    """Pairs (k, 2) of closed bodies of which one has corners or middles of faces in the other.

    Sees what no edge pierces: boxes that overlap with their sides in the same planes.
    """
    import igl

    count = int(body.max()) + 1
    corners = vertices[triangles]
    order = np.argsort(body, kind="stable")
    members = np.split(order, np.cumsum(np.bincount(body, minlength=count))[:-1])
    lower = np.array([corners[ids].min(axis=(0, 1)) for ids in members])
    upper = np.array([corners[ids].max(axis=(0, 1)) for ids in members])
    size = float(np.linalg.norm(np.ptp(vertices, axis=0)))
    found: list[tuple[int, int]] = []
    work = 0
    for one in range(count):
        meets = ((lower < upper[one] - _APART * size) & (upper > lower[one] + _APART * size)).all(axis=1)
        for other in np.flatnonzero(meets & (np.arange(count) != one)).tolist():
            ids = members[other]
            samples = corners[ids[:: len(ids) // _SAMPLES + 1]].mean(axis=1)
            work += len(samples) * len(members[one])
            if work > _MOST_WORK:
                return np.unique(np.sort(np.array(found, dtype=np.int64).reshape(-1, 2), axis=1), axis=0)
            shell = np.ascontiguousarray(triangles[members[one]])
            inside = np.asarray(igl.winding_number(vertices, shell, samples)).reshape(-1) > _SURELY_INSIDE
            if inside.any():
                deep, _, _ = igl.point_mesh_squared_distance(samples[inside], vertices, shell)
                if (np.asarray(deep) > (_APART * size) ** 2).any():
                    found.append((one, other))
    return np.unique(np.sort(np.array(found, dtype=np.int64).reshape(-1, 2), axis=1), axis=0)


def _pierced(piercing: Float64, pierced: Float64, apart: float) -> tuple[NDArray[np.bool_], Float64]:
    """(k,) whether an edge of the first triangles (k, 3, 3) goes through the second; and where (k, 3)."""
    a, b, c = pierced.transpose(1, 0, 2)
    normal = np.cross(b - a, c - a)
    twice = np.linalg.norm(normal, axis=1)
    sound = twice > 0
    normal = normal / np.where(sound, twice, 1.0)[:, None]
    height = np.einsum("kij,kj->ki", piercing - a[:, None], normal)
    hit = np.zeros(len(a), dtype=bool)
    place = np.zeros((len(a), 3))
    for i, j in ((0, 1), (1, 2), (2, 0)):
        low, high = np.minimum(height[:, i], height[:, j]), np.maximum(height[:, i], height[:, j])
        through = np.flatnonzero(sound & (low < -apart) & (high > apart))
        hi, hj = height[through, i], height[through, j]
        point = piercing[through, i] + (hi / (hi - hj))[:, None] * (
            piercing[through, j] - piercing[through, i]
        )
        inside = np.ones(len(through), dtype=bool)
        for start, end in ((a, b), (b, c), (c, a)):
            edge = (end - start)[through]
            area = np.einsum("ij,ij->i", np.cross(edge, point - start[through]), normal[through])
            inside &= area > _INSIDE * twice[through]
        hit[through[inside]] = True
        place[through[inside]] = point[inside]
    return hit, place


def _near(lower: Float64, upper: Float64) -> Int64 | None:
    """Pairs (k, 2) of boxes that overlap: down a binary tree of boxes, both sides at once."""
    count = len(lower)
    order = _along_curve((lower + upper) / 2)
    levels = [(lower[order], upper[order])]
    while len(levels[-1][0]) > 1:
        low, high = levels[-1]
        if len(low) % 2:  # an empty box, which meets none
            low, high = np.vstack([low, np.full(3, np.inf)]), np.vstack([high, np.full(3, -np.inf)])
        levels.append((np.minimum(low[::2], low[1::2]), np.maximum(high[::2], high[1::2])))
    pairs = np.zeros((1, 2), dtype=np.int64)
    for low, high in levels[-2::-1]:
        left, right = pairs.T
        children = [np.stack([2 * left + i, 2 * right + j], axis=1) for i in (0, 1) for j in (0, 1)]
        pairs = np.concatenate(children)
        pairs = pairs[(pairs[:, 0] <= pairs[:, 1]) & (pairs[:, 1] < len(low))]
        one, other = pairs.T
        pairs = pairs[((low[one] <= high[other]) & (low[other] <= high[one])).all(axis=1)]
        if len(pairs) > _MOST_PAIRS:
            return None
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    return np.sort(order[pairs], axis=1) if count > 1 else np.zeros((0, 2), dtype=np.int64)


def _along_curve(points: Float64) -> Int64:
    """Order along Morton's curve, where neighbours are near each other."""
    span = np.ptp(points, axis=0)
    cells = ((points - points.min(axis=0)) / np.where(span > 0, span, 1.0) * 1023).astype(np.int64)
    code = np.zeros(len(points), dtype=np.int64)
    for bit in range(10):
        for axis in range(3):
            code |= (cells[:, axis] >> bit & 1) << (3 * bit + axis)
    return np.argsort(code, kind="stable")
