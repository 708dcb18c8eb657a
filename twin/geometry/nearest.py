"""What lies nearest to a selector that selects nothing: the sentence that saves an engineer half an hour."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from twin import select
from twin.geometry.regions import excess
from twin.geometry.surface import Surface, closest

Float64 = NDArray[np.float64]


Selects = Callable[[select.Selector], bool]


def nearest(surface: Surface, selector: select.Selector, selects: Selects) -> str:
    """Sentences on the patch that lies nearest, and how far away it is. selects: whether a part selects anything."""
    match selector:
        case select.Box() | select.Sphere() | select.Cylinder():
            return _near_volume(surface, selector)
        case select.Plane(point, normal, _):
            return _near_plane(surface, np.array(point), np.array(normal))
        case select.Facing(direction, _):
            return _near_direction(surface, np.array(direction))
        case select.And(parts):
            return _near_parts(surface, parts, selects)
        case select.Or(parts):
            return nearest(surface, parts[0], selects)
        case _:
            return f"The part spans {_box(surface)}."


def _near_volume(surface: Surface, volume: select.Box | select.Sphere | select.Cylinder) -> str:
    _, of_anchor, by_anchor = closest(surface, _anchors(volume, surface.diagonal))
    points = np.concatenate([surface.corners.reshape(-1, 3), by_anchor])
    triangle = np.concatenate([np.repeat(np.arange(len(surface.triangles)), 3), of_anchor])
    outside = excess(volume, points)
    best = int(outside.argmin())
    return (
        f"Nearest is {_patch(surface, int(triangle[best]))} at {_mm(points[best])}, "
        f"{_length(float(outside[best]))} outside of it. The part spans {_box(surface)}; are the units right?"
    )


def _anchors(volume: select.Box | select.Sphere | select.Cylinder, reach: float) -> Float64:
    """Points in the volume, from which the surface is looked for."""
    match volume:
        case select.Box(low, high):
            sides = np.linspace(np.array(low), np.array(high), 5).T
            return np.stack(np.meshgrid(*sides, indexing="ij"), axis=-1).reshape(-1, 3)
        case select.Sphere(center, _):
            return np.array([center])
        case select.Cylinder(point, axis, _, length):
            half = reach if length is None else length / 2
            direction = np.array(axis) / np.linalg.norm(axis)
            return np.asarray(np.array(point) + np.linspace(-half, half, 101)[:, None] * direction)


def _near_plane(surface: Surface, point: Float64, normal: Float64) -> str:
    normal = normal / np.linalg.norm(normal)
    parallel = np.abs(surface.normals @ normal) > 0.98
    if not parallel.any():
        return f"No face is parallel to it. The part spans {_box(surface)}."
    height = (surface.corners.mean(axis=1) - point) @ normal
    triangle = int(np.where(parallel, np.abs(height), np.inf).argmin())
    return (
        f"The nearest face parallel to it is {_patch(surface, triangle)}, "
        f"{_length(abs(float(height[triangle])))} away at {_mm(surface.corners[triangle].mean(axis=0))}."
    )


def _near_direction(surface: Surface, direction: Float64) -> str:
    cosine = surface.normals @ (direction / np.linalg.norm(direction))
    triangle = int(cosine.argmax())
    angle = np.degrees(np.arccos(np.clip(cosine[triangle], -1.0, 1.0)))
    return f"The face nearest to that direction is {_patch(surface, triangle)}, {angle:.3g} degrees off."


def _near_parts(surface: Surface, parts: tuple[select.Selector, ...], selects: Selects) -> str:
    """Say which part of a combination is empty, or that they have nothing in common."""
    for part in parts:
        if not selects(part):
            return f"Already its part '{select.describe(part)}' selects nothing. {nearest(surface, part, selects)}"
    return "Each of its parts selects something, but they have no area in common."


def _patch(surface: Surface, triangle: int) -> str:
    return f"patch {int(surface.patch[triangle])}"


def _mm(point: Float64) -> str:
    x, y, z = 1e3 * point
    return f"({x:.4g}, {y:.4g}, {z:.4g}) mm"


def _box(surface: Surface) -> str:
    lower, upper = (np.array(corner) for corner in surface.bounds)
    return f"{_mm(lower)} to {_mm(upper)}"


def _length(metres: float) -> str:
    return f"{1e3 * metres:.3g} mm"
