"""How fast laminar flow is at each place of a duct's section, once it has developed."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates
from scipy.sparse import coo_array
from scipy.sparse.linalg import spsolve

from twin.geometry.projection import Projection
from twin.geometry.topology import edges, unmatched_edges

Floats = NDArray[np.float64]

_ACROSS: Final = 64  # points along the hydraulic diameter
_MOST: Final = 200_000  # points of the rectangle around the section
_NEAREST: Final = 0.05  # that the rim may be to a point, in spacings
_INSIDE: Final = 1e-6  # of the hydraulic diameter, from the section's plane


def developed(corners: Floats, width: float, places: Floats) -> Floats:
    """Velocity at places (k, 3) [m] of a flat section, in its mean: that of Poiseuille flow along a duct of this shape.

    corners: of the section's triangles (t, 3, 3) [m]; width: its hydraulic diameter [m]

    The Laplacian of the velocity is the same everywhere, and it is zero at the rim: differences of second order on a
    square grid, the rim between points (Gibou, Fedkiw, Cheng & Kang 2002, J. Comput. Phys. 176:205).
    """
    axes = _in_plane(corners)
    middle = corners.reshape(-1, 3).mean(axis=0)
    flat = (corners.reshape(-1, 3) - middle) @ axes.T
    low, high = flat.min(axis=0), flat.max(axis=0)
    spacing = max(width / _ACROSS, float(np.prod(high - low) / _MOST) ** 0.5)
    shape = np.ceil((high - low) / spacing).astype(int) + 3
    start = 0.5 * (low + high - spacing * (shape - 1))
    grid = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1).reshape(-1, 2)
    points = middle + (start + spacing * grid) @ axes
    vertices, number = np.unique(corners.reshape(-1, 3), axis=0, return_inverse=True)
    triangles = number.reshape(-1, 3)
    away, _, _ = Projection(vertices, triangles.astype(np.int32))(points)
    rim = edges(triangles)[unmatched_edges(triangles)].astype(np.int32)
    to_rim, _, _ = Projection(vertices, rim)(points)
    depth = np.where(away < _INSIDE * width, to_rim, -to_rim).reshape(shape)
    velocity = np.zeros(shape)
    velocity[depth > 0] = _poisson(depth)
    sides = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    velocity *= 0.5 * np.linalg.norm(sides, axis=1).sum() / (velocity.sum() * spacing**2)
    at = ((places - middle) @ axes.T - start) / spacing
    found: Floats = map_coordinates(velocity, at.T, order=1, mode="nearest")
    return found


def _in_plane(corners: Floats) -> Floats:
    """Two unit vectors along the plane of triangles, in rows."""
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]).sum(axis=0)
    _, _, rows = np.linalg.svd(normal[None])
    found: Floats = rows[1:]
    return found


def _poisson(depth: Floats) -> Floats:
    """At the points inside, where the sum of slopes to four neighbours is one; it is zero at the rim.

    depth: distance of each point to the rim, below zero outside (m, n)
    """
    inside = depth > 0
    count = int(inside.sum())
    number = np.full(inside.shape, -1)
    number[inside] = np.arange(count)
    diagonal, rows, columns = np.zeros(count), [], []
    for axis in range(2):
        for step in (1, -1):
            beside, beyond = (
                np.roll(of, step, axis)[inside] for of in (number, depth)
            )  # none is at the edge
            near = np.maximum(depth[inside] / (depth[inside] - np.minimum(beyond, 0)), _NEAREST)
            diagonal += np.where(beside < 0, 1 / near, 1)
            rows.append(np.flatnonzero(beside >= 0))
            columns.append(beside[beside >= 0])
    row, column, own = np.concatenate(rows), np.concatenate(columns), np.arange(count)
    values = np.concatenate([diagonal, np.full(len(row), -1.0)])
    places = np.concatenate([own, row]), np.concatenate([own, column])
    found: Floats = spsolve(coo_array((values, places), (count, count)).tocsc(), np.ones(count))
    return found
