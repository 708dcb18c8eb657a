"""Nearest points of triangles or of edges, and what rays hit first, asked for many times."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Int32 = NDArray[np.int32]


_CHUNK = 100_000  # points at a time: libigl keeps the interpreter to itself, and other threads have deadlines


def by_chunks(points: Float64) -> Iterator[Float64]:
    """Points (p, 3), so many at a time as libigl may be asked for at once; at least one chunk."""
    for start in range(0, max(len(points), 1), _CHUNK):
        yield np.ascontiguousarray(points[start : start + _CHUNK], dtype=np.float64)


class Projection:
    """A search tree over triangles (m, 3) or edges (m, 2) of vertices (n, 3) [m]."""

    def __init__(self, vertices: Float64, elements: Int32):
        import igl

        self._vertices = np.array(vertices, dtype=np.float64)
        self._elements = np.array(elements, dtype=np.int64)
        self._tree = igl.AABB()
        if len(elements):
            self._tree.init(self._vertices, self._elements)

    def __call__(self, points: Float64) -> tuple[Float64, Int32, Float64]:
        """Of points (p, 3) [m]: distance (p,) [m], inf without elements; element (p,); nearest point (p, 3) [m]."""
        if len(points) == 0 or len(self._elements) == 0:
            return np.full(len(points), np.inf), np.zeros(len(points), dtype=np.int32), points.copy()
        found = [
            self._tree.squared_distance(self._vertices, self._elements, chunk) for chunk in by_chunks(points)
        ]
        squared, element, nearest = map(np.concatenate, zip(*found, strict=True))
        return np.sqrt(np.maximum(squared, 0.0)), element.astype(np.int32).reshape(-1), nearest

    def first_hit(self, origins: Float64, directions: Float64, far: float) -> Float64:
        """How far rays go from origins (p, 3) [m] along unit directions (p, 3) to a triangle: (p,) [m], inf beyond
        `far` [m].
        """
        if len(origins) == 0:
            return np.zeros(0)
        element, distance, _ = self._tree.intersect_ray_first(
            self._vertices,
            self._elements,
            np.ascontiguousarray(origins, dtype=np.float64),
            np.ascontiguousarray(directions, dtype=np.float64),
            far,
        )
        return np.where(element < 0, np.inf, distance)
