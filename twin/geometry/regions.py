"""What a selector says of triangles and of points: two answers for points, three for triangles that it may
cut.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin import select
from twin.errors import SelectionError
from twin.geometry.surface import Surface

Float64 = NDArray[np.float64]
Int8 = NDArray[np.int8]
Int32 = NDArray[np.int32]
Mask = NDArray[np.bool_]
Volume = select.Box | select.Sphere | select.Cylinder

TOLERANCE = 1e-5  # of the diagonal: a selector as large as the face it is meant for includes it
OUTSIDE, CUT, INSIDE = -1, 0, 1


def excess(volume: Volume, points: Float64) -> Float64:
    """How far points (..., 3) lie outside a volume [m], or a bit less; negative inside."""
    match volume:
        case select.Box(low, high):
            return np.asarray(np.maximum(np.array(low) - points, points - np.array(high)).max(axis=-1))
        case select.Sphere(center, radius):
            return np.asarray(np.linalg.norm(points - np.array(center), axis=-1) - radius)
        case select.Cylinder(point, axis, radius, length):
            along, across = _about(point, axis, points)
            wall = across - radius
            return np.asarray(wall if length is None else np.maximum(wall, np.abs(along) - length / 2))


def flat_sides(volume: Volume) -> list[tuple[Float64, float]]:
    """Planar parts of a volume's border: (outward normal, offset), outside is normal . x > offset."""
    match volume:
        case select.Box(low, high):
            unit = np.eye(3)
            return [(unit[i], high[i]) for i in range(3)] + [(-unit[i], -low[i]) for i in range(3)]
        case select.Cylinder(point, axis, _, length) if length is not None:
            direction = _unit(axis)
            middle = float(direction @ np.array(point))
            return [(direction, middle + length / 2), (-direction, -middle + length / 2)]
        case _:
            return []


def round_excess(volume: Volume, points: Float64) -> Float64 | None:
    """How far points (..., 3) lie outside the curved part of a volume's border [m]; None if it has none."""
    match volume:
        case select.Box():
            return None
        case select.Sphere():
            return excess(volume, points)
        case select.Cylinder(point, axis, radius, _):
            return _about(point, axis, points)[1] - radius


def volumes(selector: select.Selector) -> list[Volume]:
    """All boxes, spheres and cylinders in a selector."""
    match selector:
        case select.And(parts) | select.Or(parts):
            return [volume for part in parts for volume in volumes(part)]
        case select.Not(part):
            return volumes(part)
        case select.Box() | select.Sphere() | select.Cylinder():
            return [selector]
        case _:
            return []


def of_triangles(surface: Surface, selector: select.Selector) -> Mask | None:
    """(m,) which triangles a selector takes as a whole; None for a volume or a combination."""
    match selector:
        case select.Plane(point, normal, tolerance):
            direction = _unit(normal)
            allowed = TOLERANCE * surface.diagonal if tolerance is None else tolerance
            height = np.abs((surface.vertices - np.array(point)) @ direction)
            flat = (height <= allowed)[surface.triangles].all(axis=1)
            return np.asarray(flat & (np.abs(surface.normals @ direction) > 0.98))
        case select.Facing(direction, max_angle):
            return np.asarray(surface.normals @ _unit(direction) >= np.cos(max_angle) - 1e-12)
        case select.Patch(ids):
            return _patches(surface, ids)
        case select.Group(name):
            return _group(surface, name)
        case select.All():
            return np.ones(len(surface.triangles), dtype=bool)
        case _:
            return None


def of_points(surface: Surface, selector: select.Selector, points: Float64, triangle: Int32) -> Mask:
    """(p,) whether points (p, 3) on the given triangles (p,) are selected."""
    match selector:
        case select.And(parts):
            return np.asarray(np.all([of_points(surface, part, points, triangle) for part in parts], axis=0))
        case select.Or(parts):
            return np.asarray(np.any([of_points(surface, part, points, triangle) for part in parts], axis=0))
        case select.Not(part):
            return ~of_points(surface, part, points, triangle)
        case select.Box() | select.Sphere() | select.Cylinder():
            return np.asarray(excess(selector, points) <= TOLERANCE * surface.diagonal)
        case _:
            whole = of_triangles(surface, selector)
            assert whole is not None
            return np.asarray(whole[triangle])


def of_pieces(surface: Surface, selector: select.Selector, corners: Float64, triangle: Int32) -> Int8:
    """(p,) INSIDE, OUTSIDE or CUT for pieces (p, 3, 3) of the given triangles; CUT where that isn't sure."""
    match selector:
        case select.And(parts):
            return np.asarray(np.min([of_pieces(surface, part, corners, triangle) for part in parts], axis=0))
        case select.Or(parts):
            return np.asarray(np.max([of_pieces(surface, part, corners, triangle) for part in parts], axis=0))
        case select.Not(part):
            return np.asarray(-of_pieces(surface, part, corners, triangle), dtype=np.int8)
        case select.Box() | select.Sphere() | select.Cylinder():
            return _cut(selector, corners, TOLERANCE * surface.diagonal)
        case _:
            whole = of_triangles(surface, selector)
            assert whole is not None
            return np.where(whole[triangle], INSIDE, OUTSIDE).astype(np.int8)


def _cut(volume: Volume, corners: Float64, tolerance: float) -> Int8:
    """Volumes are convex: a piece is inside with its corners, and outside if its circle round the middle
    is.
    """
    inside = (excess(volume, corners) <= tolerance).all(axis=1)
    middle = corners.mean(axis=1)
    reach = np.linalg.norm(corners - middle[:, None], axis=2).max(axis=1)
    outside = excess(volume, middle) > reach + tolerance
    for normal, offset in flat_sides(volume):  # pieces were cut there, but a face in the border stays
        height = corners @ normal - offset
        outside |= (height >= -1e-4 * tolerance).all(axis=1) & (height > tolerance).any(axis=1)
    return np.where(inside, INSIDE, np.where(outside, OUTSIDE, CUT)).astype(np.int8)


def _patches(surface: Surface, ids: tuple[int, ...]) -> Mask:
    last = int(surface.patch.max())
    unknown = [number for number in ids if number > last]
    if unknown:
        raise SelectionError(
            f"There is no patch {unknown[0]}: this part has the patches 0 to {last}. part.report.patches "
            f"lists them.",
            {"patch": unknown[0], "patches": last + 1},
        )
    return np.isin(surface.patch, ids)


def _group(surface: Surface, name: str) -> Mask:
    if name not in surface.groups:
        names = ", ".join(f"'{known}'" for known in list(surface.groups)[:20])
        known = f"its groups are {names}" if names else "its file names no groups"
        raise SelectionError(f"There is no group '{name}' in this part: {known}.", {"group": name})
    mask = np.zeros(len(surface.triangles), dtype=bool)
    mask[surface.groups[name]] = True
    return mask


def _about(point: select.Point, axis: select.Direction, points: Float64) -> tuple[Float64, Float64]:
    """Of points (..., 3): place along an axis through `point`, and distance from it."""
    direction = _unit(axis)
    relative = points - np.array(point)
    along = relative @ direction
    return np.asarray(along), np.asarray(np.linalg.norm(relative - along[..., None] * direction, axis=-1))


def _unit(direction: tuple[float, ...]) -> Float64:
    vector = np.array(direction, dtype=np.float64)
    return np.asarray(vector / np.linalg.norm(vector))
