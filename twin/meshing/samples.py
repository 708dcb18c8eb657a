"""Points spread over a surface."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.geometry.surface import Surface
from twin.geometry.topology import neighbours

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

_FLAT = np.deg2rad(2.0)  # a smaller turn between triangles is no curvature
_SHARP = np.deg2rad(30.0)
_MOST = 2_000_000


def sample(surface: Surface, spacing: float) -> tuple[Float64, Int64]:
    """Points (k, 3) [m] on the surface, one per cell of `spacing` [m] that it crosses, and their triangles (k,)."""
    area = surface.areas
    spacing = max(spacing, float(np.sqrt(4 * area.sum() / _MOST)))
    count = np.maximum(np.ceil(4 * area / spacing**2), 1).astype(np.int64)
    random = np.random.default_rng(0)
    triangle = np.repeat(np.arange(len(area)), count)
    u, v = np.sqrt(random.random((len(triangle), 1))), random.random((len(triangle), 1))
    a, b, c = surface.corners[triangle].transpose(1, 0, 2)
    points = (1 - u) * a + u * (1 - v) * b + u * v * c
    cell = np.floor((points - points.min(axis=0)) / spacing).astype(np.int64)
    width = cell.max(axis=0) + 1
    _, first = np.unique((cell[:, 0] * width[1] + cell[:, 1]) * width[2] + cell[:, 2], return_index=True)
    return points[first], triangle[first]


def radii(surface: Surface) -> Float64:
    """(m,) smallest radius of curvature [m] towards the neighbours of each triangle, inf where flat or sharp."""
    triangles = surface.triangles.astype(np.int64)
    pairs = neighbours(triangles)
    first, second = pairs[:, 0] // 3, pairs[:, 1] // 3
    normals, areas = surface.normals, surface.areas
    angle = np.arccos(np.clip(np.einsum("ij,ij->i", normals[first], normals[second]), -1, 1))
    ends = triangles[first[:, None], np.stack([pairs[:, 0] % 3, (pairs[:, 0] + 1) % 3], axis=1)]
    length = np.linalg.norm(surface.vertices[ends[:, 0]] - surface.vertices[ends[:, 1]], axis=1)
    across = (areas[first] + areas[second]) / np.maximum(length, 1e-300)  # mean of both heights
    curved = (angle > _FLAT) & (angle < _SHARP)
    radius = np.full(len(areas), np.inf)
    for side in (first, second):
        np.minimum.at(radius, side[curved], across[curved] / angle[curved])
    return radius
