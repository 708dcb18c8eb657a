"""Triangles cut into smaller ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Indices = NDArray[np.integer]

# Pieces of a triangle (corners 0 1 2, middles 3 4 5 of 01 12 20) by which of its edges are cut, turned so that the cut
# ones come first.
_PIECES = {
    1: ((0, 3, 2), (3, 1, 2)),
    2: ((3, 1, 4), (0, 3, 4), (0, 4, 2)),
    3: ((0, 3, 5), (3, 1, 4), (5, 4, 2), (3, 4, 5)),
}


def subdivide(
    vertices: Float64, triangles: Indices, longest: float
) -> tuple[Float64, Indices, NDArray[np.int64]]:
    """Halve edges until none is longer than `longest` [m]; what shared an edge shares its halves.

    Returns vertices (n, 3), triangles (m, 3) and the triangle that each came from (m,).
    """
    triangles, source = triangles.astype(np.int64), np.arange(len(triangles))
    while True:
        sides = np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]], axis=2)
        length = np.linalg.norm(vertices[sides[..., 0]] - vertices[sides[..., 1]], axis=2)
        cut = length > longest
        if not cut.any():
            return vertices, triangles, source
        key = sides[..., 0] * len(vertices) + sides[..., 1]
        edges, which = np.unique(key[cut], return_inverse=True)
        middle = np.full(key.shape, -1)
        middle[cut] = len(vertices) + which
        ends = np.stack([edges // len(vertices), edges % len(vertices)], axis=1)
        vertices = np.concatenate([vertices, vertices[ends].mean(axis=1)])
        count = cut.sum(axis=1)
        made, origin = [triangles[count == 0]], [source[count == 0]]
        for cuts, pieces in _PIECES.items():
            rows = np.flatnonzero(count == cuts)
            turn = {1: cut[rows].argmax(axis=1), 2: (cut[rows].argmin(axis=1) + 1) % 3}.get(cuts, 0)
            turned = (np.broadcast_to(turn, len(rows))[:, None] + np.arange(3)) % 3
            six = np.concatenate(
                [np.take_along_axis(values[rows], turned, axis=1) for values in (triangles, middle)], axis=1
            )
            made.append(six[:, np.array(pieces)].reshape(-1, 3))
            origin.append(np.repeat(source[rows], len(pieces)))
        triangles, source = np.concatenate(made), np.concatenate(origin)


def six_node_faces(vertices: Float64, triangles: Indices) -> tuple[Float64, NDArray[np.int64]]:
    """Triangles with a point in the middle of every edge: points (n, 3), faces (m, 6), corners first."""
    sides = np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]].astype(np.int64), axis=2)
    key, middle = np.unique(sides[..., 0] * len(vertices) + sides[..., 1], return_inverse=True)
    ends = np.stack([key // len(vertices), key % len(vertices)], axis=1)
    points = np.concatenate([vertices, vertices[ends].mean(axis=1)])
    return points, np.concatenate([triangles, len(vertices) + middle.reshape(-1, 3)], axis=1)
