"""Polygons of files that have them, cut into triangles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
Bools = NDArray[np.bool_]

_MOST_CORNERS = 4096
_CHUNK = 400_000  # corners at a time, to bound memory


def triangulate(
    vertices: Float64, polygons: Sequence[Sequence[int]] | Sequence[Int64] | Int64
) -> tuple[Int64, Int64]:
    """Triangles (m, 3) of simple polygons, in their order, and how many each gave (p,): fans of convex ones, else by
    cutting ears.

    A polygon that is not flat is seen along its mean normal; one of fewer than three corners gives none. Raises
    ValueError above 4096 corners.
    """
    if isinstance(polygons, np.ndarray) and polygons.shape[1] == 3:
        return polygons, np.ones(len(polygons), dtype=np.int64)
    sizes = np.fromiter(map(len, polygons), np.int64, len(polygons))
    if sizes.max(initial=0) > _MOST_CORNERS:
        raise ValueError(f"a face has {sizes.max()} corners")
    counts = np.maximum(sizes - 2, 0)
    first = np.cumsum(counts) - counts
    triangles = np.empty((int(counts.sum()), 3), dtype=np.int64)
    for size in np.unique(sizes[sizes >= 3]).tolist():
        rows = np.flatnonzero(sizes == size)
        if isinstance(polygons, np.ndarray):
            corners = polygons
        else:
            corners = np.array([polygons[row] for row in rows.tolist()], dtype=np.int64)
        places = first[rows][:, None] + np.arange(size - 2)
        triangles[places] = corners[:, [(0, i, i + 1) for i in range(1, size - 1)]]
        if size == 3:
            continue
        with np.errstate(invalid="ignore", over="ignore"):  # places that are no numbers go later (repair.py)
            for start in range(0, len(rows), _CHUNK // size + 1):
                flat = _project(vertices[corners[start : start + _CHUNK // size + 1]])
                for row in np.flatnonzero(~_convex(flat)).tolist():
                    triangles[places[start + row]] = corners[start + row][np.array(_cut_ears(flat[row]))]
    return triangles, counts


def _project(corners: Float64) -> Float64:
    """Coordinates (p, n, 2) of polygons (p, n, 3) in their planes, counter-clockwise."""
    centred = corners - corners.mean(axis=1, keepdims=True)
    normal = np.cross(centred, np.roll(centred, -1, axis=1)).sum(axis=1)  # Newell
    length = np.linalg.norm(normal, axis=1, keepdims=True)
    known = length > 0
    normal = np.where(known, normal / np.where(known, length, 1.0), np.eye(3)[2])
    first = np.cross(normal, np.eye(3)[np.abs(normal).argmin(axis=1)])
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    return np.asarray(centred @ np.stack([first, np.cross(normal, first)], axis=2))


def _turn(a: Float64, b: Float64, c: Float64) -> Float64:
    return np.asarray(
        (b[..., 0] - a[..., 0]) * (c[..., 1] - a[..., 1]) - (b[..., 1] - a[..., 1]) * (c[..., 0] - a[..., 0])
    )


def _convex(flat: Float64) -> Bools:
    """(p,) whether polygons turn left everywhere and only once around: a star turns left everywhere, too."""
    before, after = np.roll(flat, 1, axis=1), np.roll(flat, -1, axis=1)
    left = (_turn(before, flat, after) >= 0).all(axis=1)
    return np.asarray(left & (_turn(flat[:, :1], flat[:, 1:-1], flat[:, 2:]) >= 0).all(axis=1))


def _cut_ears(flat: Float64) -> list[tuple[int, int, int]]:
    rest = list(range(len(flat)))
    triangles: list[tuple[int, int, int]] = []
    while len(rest) > 3:
        ear = _best_ear(flat, rest)
        triangles.append((rest[ear - 1], rest[ear], rest[(ear + 1) % len(rest)]))
        del rest[ear]
    return [*triangles, (rest[0], rest[1], rest[2])]


def _best_ear(flat: Float64, rest: Sequence[int]) -> int:
    """The first corner that can be cut off; where none can (a polygon that crosses itself) the sharpest
    left turn.
    """
    points = flat[list(rest)]
    before, after = np.roll(points, 1, axis=0), np.roll(points, -1, axis=0)
    turns = _turn(before, points, after)
    for corner in np.flatnonzero(turns > 0).tolist():
        a, b, c = before[corner], points[corner], after[corner]
        inside = (_turn(a, b, points) >= 0) & (_turn(b, c, points) >= 0) & (_turn(c, a, points) >= 0)
        inside[[corner - 1, corner, (corner + 1) % len(rest)]] = False
        if not inside.any():
            return int(corner)
    return int(np.argmax(turns))
