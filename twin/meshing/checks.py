"""A mesh is believed only after it has been measured against its surface, whoever made it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.errors import MeshingFailed
from twin.geometry.occupancy import Occupancy
from twin.geometry.projection import Projection
from twin.geometry.surface import Surface
from twin.meshing import curve
from twin.meshing.samples import sample
from twin.meshing.volume_mesh import bodies, boundary, check_points, hull, jacobians, quality, volume

Float64 = NDArray[np.float64]
Int32 = NDArray[np.int32]

_MOST_VOLUME_ERROR = 0.02
_LEAST_QUALITY = 1e-4
_MOST_BEYOND = 0.005  # of the surface may be further from the mesh than half an element: corners cut off
_SAMPLES = 30_000  # points of the surface that the mesh must be near to


def verify(
    points: Float64, tets: Int32, surface: Surface, size: float, *, sound: bool = True, pieces: int = 1
) -> tuple[str, ...]:
    """Check a mesh against its surface; return what was found as notes.

    size: of the elements that were asked for [m]. sound: whether the surface is closed and each of its
    `pieces` a solid; where it is not, material is where the winding number says so. Raises MeshingFailed if
    the mesh can't be used.
    """
    least = jacobians(points, tets, check_points()).min()
    if least <= 0:
        raise MeshingFailed("some tetrahedra are inverted")
    shapes = quality(points, tets)
    if shapes.min() < _LEAST_QUALITY:
        raise MeshingFailed(f"the worst tetrahedron is all but flat (quality {shapes.min():.1e})")
    notes = [f"element quality: worst {shapes.min():.3f}, mean {shapes.mean():.3f}"]
    told, crosses = _check_volume(volume(points, tets), surface, sound)
    notes += told
    sound = sound and not crosses
    notes += _check_pieces(tets, sound, pieces)
    notes += _check_distance(points, tets, surface, size, sound)
    straight = curve.count_straight(points, tets, surface)
    if straight.mids:
        notes.append(f"{straight.mids} of {straight.of} boundary mids lie off the surface's triangles")
    return tuple(notes)


def _check_pieces(tets: Int32, sound: bool, expected: int) -> list[str]:
    count = bodies(tets)
    if sound and count != expected:
        raise MeshingFailed(
            f"the mesh has {count} pieces that are not joined by faces instead of {expected}: where they part, "
            "a wall is too thin for elements of this size"
        )
    return [] if count == 1 else [f"the mesh has {count} pieces that are not joined by faces"]


def _check_volume(found: float, surface: Surface, sound: bool) -> tuple[list[str], bool]:
    """Against the surface's volume, or that of where its winding number says there is material.

    Returns notes, and whether a closed surface crosses itself, so that its volume counts what it encloses twice.
    """
    difference = found / surface.volume - 1.0 if sound else np.inf
    if abs(difference) <= _MOST_VOLUME_ERROR:
        return [f"volume differs from the surface's by {100 * difference:+.3f} %"], False
    material, deviation = Occupancy(surface).volume
    crosses = sound and abs(material / surface.volume - 1.0) > _MOST_VOLUME_ERROR
    if crosses or not sound:
        difference = found / material - 1.0 if material else np.inf
    if abs(difference) > _MOST_VOLUME_ERROR + (3 * deviation / material if material else 0.0):
        raise MeshingFailed(f"the mesh's volume differs from the surface's by {100 * difference:+.1f} %")
    by_winding = (
        f"volume differs by {100 * difference:+.1f} % from that of where the winding number says is material"
    )
    return [
        by_winding,
        *["the surface crosses itself: what it encloses twice is there once"] * crosses,
    ], crosses


def _check_distance(points: Float64, tets: Int32, surface: Surface, size: float, sound: bool) -> list[str]:
    """Both ways: no part of the surface may be without mesh, nor the mesh have a face far from the surface."""
    most = max(0.5 * size, 2e-3 * surface.diagonal)
    at, triangle = sample(surface, np.sqrt(surface.area / _SAMPLES))
    notes = []
    if not sound:
        bounds = Occupancy(surface).bounding(at, surface.normals[triangle]) != 0
        if not bounds.all():
            notes.append(
                f"{100 * (1 - bounds.mean()):.2g} % of the surface bounds no material (sheets without thickness, "
                "walls inside) and was left out"
            )
        at = at[bounds]
    distance, _, _ = Projection(points, hull(tets))(at)
    off = float(distance.max(initial=0.0))
    beyond = float((distance > most).mean()) if len(distance) else 0.0
    if off > 2 * most or beyond > _MOST_BEYOND:
        x, y, z = 1e3 * at[distance.argmax()]
        raise MeshingFailed(
            f"the mesh misses {100 * beyond:.2g} % of the surface, by up to {1e3 * off:.3g} mm at "
            f"({x:.4g}, {y:.4g}, {z:.4g}) mm: walls are too thin there for elements of {1e3 * size:.3g} mm"
        )
    back, _, _ = Projection(surface.vertices, surface.triangles)(points[np.unique(boundary(tets)[0])])
    notes.append(
        f"distance of the surface from the mesh's hull: at most {1e3 * off:.3g} mm, "
        f"mean {1e3 * distance.mean():.2g} mm; of the hull's corners from the surface: at most "
        f"{1e3 * back.max():.3g} mm"
    )
    if sound and (back.max() > 2 * most or (back > most).mean() > _MOST_BEYOND):
        raise MeshingFailed(f"the mesh reaches {1e3 * back.max():.3g} mm away from the surface")
    return notes
