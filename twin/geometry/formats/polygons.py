"""Polygons of files that have them, cut into triangles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]

_MOST_CORNERS = 4096


def triangulate(corners: Float64) -> list[tuple[int, int, int]]:
    """Triangles of one simple polygon (n, 3) as corner indices: a fan if it is convex, else by cutting ears.

    A polygon that is not flat is seen along its mean normal. Raises ValueError above 4096 corners.
    """
    count = len(corners)
    if count > _MOST_CORNERS:
        raise ValueError(f"a face has {count} corners")
    if count < 3:
        return []
    if count == 3:
        return [(0, 1, 2)]
    flat = _project(corners)
    if _is_convex(flat):
        return [(0, i, i + 1) for i in range(1, count - 1)]
    return _cut_ears(flat)


def _project(corners: Float64) -> Float64:
    """Coordinates in the plane of the polygon, counter-clockwise."""
    centred = corners - corners.mean(axis=0)
    normal = np.cross(centred, np.roll(centred, -1, axis=0)).sum(axis=0)  # Newell
    length = np.linalg.norm(normal)
    if not length > 0:
        return np.asarray(centred[:, :2])
    normal = normal / length
    first = np.cross(normal, np.eye(3)[np.argmin(np.abs(normal))])
    first /= np.linalg.norm(first)
    return np.asarray(centred @ np.stack([first, np.cross(normal, first)], axis=1))


def _turn(a: Float64, b: Float64, c: Float64) -> Float64:
    return np.asarray(
        (b[..., 0] - a[..., 0]) * (c[..., 1] - a[..., 1]) - (b[..., 1] - a[..., 1]) * (c[..., 0] - a[..., 0])
    )


def _is_convex(flat: Float64) -> bool:
    """Turns left everywhere and only once around: a star turns left everywhere, too."""
    before, after = np.roll(flat, 1, axis=0), np.roll(flat, -1, axis=0)
    if (_turn(before, flat, after) < 0).any():
        return False
    return bool((_turn(flat[0], flat[1:-1], flat[2:]) >= 0).all())


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
