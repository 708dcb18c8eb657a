"""Edges as whole numbers, so that arrays of them can be sorted and looked up; and their bisection."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

_WIDTH = 1 << 31


def encode(ends: NDArray[np.integer]) -> Int64:
    """(...,) code of edges between vertices (..., 2), whichever comes first."""
    low, high = ends.min(axis=-1).astype(np.int64), ends.max(axis=-1).astype(np.int64)
    return np.asarray(low * _WIDTH + high)


def decode(codes: Int64) -> tuple[Int64, Int64]:
    """The vertices (...,) of edges, the lower number first."""
    return codes // _WIDTH, codes % _WIDTH


def middles(points: Float64, codes: Int64) -> Float64:
    """(k, 3) middles of edges [m]."""
    low, high = decode(codes)
    return (points[low] + points[high]) / 2


def halves(tets: NDArray[np.integer], codes: Int64, middle: Int64) -> NDArray[np.integer]:
    """(2k, 4): each tetrahedron (k, 4) cut at the vertex `middle` (k,) of its edge (k,)."""
    children = []
    for end in decode(codes):
        child = tets.copy()
        child[child == end[:, None]] = middle
        children.append(child)
    return np.concatenate(children)
