"""The faces of a part: patches between edges where the surface turns by more than the feature angle."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.geometry.surface import Patch, Surface
from twin.geometry.topology import components, neighbours

Float64 = NDArray[np.float64]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]

MOST_DESCRIBED = 2000
FEATURE_ANGLE = np.deg2rad(30.0)

_PLANE_ANGLE = np.deg2rad(1.0)
_ROUND = 0.01  # of the radius: how far a cylinder's vertices may lie from it
_AXIS = 0.03  # sine of the angle between a cylinder's normals and the plane across its axis


def find_patches(vertices: Float64, triangles: Int64) -> Int32:
    """(m,) patch of each triangle, numbered by falling area."""
    surface = Surface(vertices, triangles.astype(np.int32), np.zeros(len(triangles), dtype=np.int32))
    pairs = neighbours(triangles)
    normals = _sound_normals(surface, pairs)
    first, second = normals[pairs[:, 0] // 3], normals[pairs[:, 1] // 3]
    smooth = np.einsum("ij,ij->i", first, second) > np.cos(FEATURE_ANGLE)
    count, label = components(triangles, pairs[smooth])
    areas = np.bincount(label, weights=surface.areas, minlength=count)
    rank = np.empty(count, dtype=np.int32)
    rank[np.argsort(-areas, kind="stable")] = np.arange(count)
    return np.asarray(rank[label], dtype=np.int32)


def describe_patches(surface: Surface) -> tuple[Patch, ...]:
    """Area, place and kind of the patches: of the largest MOST_DESCRIBED, where there are more."""
    order = np.argsort(surface.patch, kind="stable")
    count = min(int(surface.patch.max()) + 1, MOST_DESCRIBED)
    starts = np.searchsorted(surface.patch[order], np.arange(count + 1))
    return tuple(
        _describe(surface, number, order[starts[number] : starts[number + 1]])
        for number in range(len(starts) - 1)
    )


def _sound_normals(surface: Surface, pairs: Int64) -> Float64:
    """Normals (m, 3); triangles too thin to have one take that of the neighbour across their longest edge."""
    lengths = np.linalg.norm(surface.corners - np.roll(surface.corners, -1, axis=1), axis=2)
    thin = surface.areas < 1e-7 * lengths.max(axis=1) ** 2
    normals = surface.normals.copy()
    if not thin.any():
        return normals
    longest = 3 * np.arange(len(lengths)) + lengths.argmax(axis=1)
    across = np.full(3 * len(lengths), -1)
    across[pairs[:, 0]], across[pairs[:, 1]] = pairs[:, 1] // 3, pairs[:, 0] // 3
    needles = np.flatnonzero(thin & (across[longest] >= 0))
    for _ in range(4):  # needles may lie side by side
        normals[needles] = normals[across[longest[needles]]]
    return normals


def _describe(surface: Surface, number: int, ids: Int64) -> Patch:
    areas, normals = surface.areas[ids], surface.normals[ids]
    area = float(areas.sum())
    weights = areas / area if area > 0 else np.full(len(ids), 1 / len(ids))
    centroid = _triple(weights @ surface.corners[ids].mean(axis=1))
    mean = weights @ normals
    size = float(np.linalg.norm(mean))
    points = surface.vertices[np.unique(surface.triangles[ids])]
    if size > 0 and _is_flat(points, normals[areas > 1e-6 * areas.max()], mean / size, surface.diagonal):
        return Patch(number, area, centroid, "plane", normal=_triple(mean / size))
    cylinder = _fit_cylinder(points, normals, weights)
    if cylinder is not None:
        axis, center, radius = cylinder
        return Patch(
            number, area, centroid, "cylinder", radius=radius, axis=_triple(axis), center=_triple(center)
        )
    return Patch(number, area, centroid, "free")


def _is_flat(points: Float64, normals: Float64, normal: Float64, diagonal: float) -> bool:
    if (normals @ normal < np.cos(_PLANE_ANGLE)).any():
        return False
    return float(np.ptp(points @ normal)) < 1e-4 * diagonal


def _fit_cylinder(
    points: Float64, normals: Float64, weights: Float64
) -> tuple[Float64, Float64, float] | None:
    """Axis, middle of the axis and radius, if the normals lie in a plane and the points on a circle."""
    spread, directions = np.linalg.eigh((normals * weights[:, None]).T @ normals)
    axis = directions[:, 0]
    if spread[1] < 1e-3 or float(np.sqrt(weights @ (normals @ axis) ** 2)) > _AXIS or len(points) < 6:
        return None
    axis = axis * np.sign(axis[np.argmax(np.abs(axis))])
    across = directions[:, 1:]
    flat = points @ across
    middle = flat.mean(axis=0)
    centred = flat - middle  # Kasa's fit: linear in the centre
    solution, *_ = np.linalg.lstsq(
        np.column_stack([2 * centred, np.ones(len(flat))]), (centred**2).sum(axis=1), rcond=None
    )
    radius = float(np.sqrt(max(solution[2] + solution[:2] @ solution[:2], 0.0)))
    center = middle + solution[:2]
    off = np.abs(np.linalg.norm(flat - center, axis=1) - radius)
    if not radius > 0 or float(off.max()) > _ROUND * radius:
        return None
    along = points @ axis
    return axis, across @ center + axis * float(along.min() + along.max()) / 2, radius


def _triple(values: Float64) -> tuple[float, float, float]:
    x, y, z = (np.asarray(values) + 0.0).tolist()
    return x, y, z
