"""The surface of a part: what every room of the house sees of a CAD file, in metres."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from twin.geometry.bodies import find_bodies
from twin.geometry.projection import Projection

Float64 = NDArray[np.float64]
Int32 = NDArray[np.int32]

_Array = TypeVar("_Array", bound=NDArray[Any])
_GROUP_PREFIX = "group:"

TRIANGLE_DEGREE_2 = np.array([(4, 1, 1), (1, 4, 1), (1, 1, 4)]) / 6
"""Barycentric coordinates of three points; the mean of their values integrates polynomials of degree 2."""


@dataclass(frozen=True, eq=False)
class Surface:
    """Triangles of a part's boundary, normals pointing out of the material.

    vertices: (n, 3) [m]; triangles: (m, 3) vertex indices; patch: (m,) the face (by feature angle) each
    triangle belongs to, 0 ... p-1; groups: named sets of triangle indices (k,): names of faces, solids,
    products, objects, nodes or materials in the file, and body_1 ... body_b for those of several bodies (see
    `body`) that the file gives no name; before: the same triangles where the part was before it was deformed, which is
    what selectors speak of.
    The arrays are read-only.
    """

    vertices: Float64
    triangles: Int32
    patch: Int32
    groups: Mapping[str, Int32] = field(default_factory=dict)
    before: Surface | None = None

    def __post_init__(self) -> None:
        vertices = np.ascontiguousarray(self.vertices, dtype=np.float64)
        triangles = np.ascontiguousarray(self.triangles, dtype=np.int32)
        patch = np.ascontiguousarray(self.patch, dtype=np.int32)
        if vertices.ndim != 2 or vertices.shape[1] != 3 or triangles.ndim != 2 or triangles.shape[1] != 3:
            raise ValueError(f"vertices (n, 3) and triangles (m, 3), not {vertices.shape}, {triangles.shape}")
        if patch.shape != (len(triangles),):
            raise ValueError(f"patch must have shape ({len(triangles)},), not {patch.shape}")
        if not np.isfinite(vertices).all():
            raise ValueError("vertices must be finite")
        if len(triangles) and not (triangles.min() >= 0 and triangles.max() < len(vertices)):
            raise ValueError("triangles name vertices that don't exist")
        groups = {name: _frozen(np.asarray(ids, dtype=np.int32)) for name, ids in self.groups.items()}
        object.__setattr__(self, "vertices", _frozen(vertices))
        object.__setattr__(self, "triangles", _frozen(triangles))
        object.__setattr__(self, "patch", _frozen(patch))
        object.__setattr__(self, "groups", groups)

    @cached_property
    def corners(self) -> Float64:
        """(m, 3, 3) corner points of every triangle [m]."""
        return _frozen(self.vertices[self.triangles])

    @cached_property
    def area_vectors(self) -> Float64:
        """(m, 3) outward normal times area [m^2]."""
        a, b, c = self.corners.transpose(1, 0, 2)
        return _frozen(0.5 * np.cross(b - a, c - a))

    @cached_property
    def areas(self) -> Float64:
        """(m,) area of each triangle [m^2]."""
        return _frozen(np.linalg.norm(self.area_vectors, axis=1))

    @cached_property
    def normals(self) -> Float64:
        """(m, 3) outward unit normals; zero where a triangle has no area."""
        return _frozen(self.area_vectors / np.maximum(self.areas, np.finfo(np.float64).tiny)[:, None])

    @cached_property
    def area(self) -> float:
        """Total area [m^2]."""
        return float(self.areas.sum())

    @cached_property
    def volume(self) -> float:
        """Enclosed volume by the divergence theorem [m^3]; meaningful for a closed surface."""
        origin = self.vertices.mean(axis=0)  # near the part: far-away coordinates would cancel
        a, b, c = (self.corners - origin).transpose(1, 0, 2)
        return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6.0)

    @cached_property
    def closed(self) -> bool:
        """Whether every edge is shared by two triangles that run along it in opposite directions."""
        ends = self.triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2).astype(np.int64)
        forward = np.sort(ends[:, 0] * len(self.vertices) + ends[:, 1])
        backward = np.sort(ends[:, 1] * len(self.vertices) + ends[:, 0])
        once = bool((forward[1:] != forward[:-1]).all())
        return once and len(forward) > 0 and bool((forward == backward).all())

    @cached_property
    def body(self) -> Int32:
        """(m,) body that each triangle belongs to, 0 ... b-1 by falling volume; a cavity belongs to the body
        around it. Of a closed surface with outward normals; open pieces are bodies of their own.
        """
        return _frozen(find_bodies(self.vertices, self.triangles.astype(np.int64)))

    def chosen(self, triangles: NDArray[np.bool_]) -> Surface:
        """The surface of the triangles that a mask (m,) chooses, without groups."""
        used, corners = np.unique(self.triangles[triangles], return_inverse=True)
        return Surface(self.vertices[used], corners.reshape(-1, 3).astype(np.int32), self.patch[triangles])

    @cached_property
    def projection(self) -> Projection:
        """The search tree for `closest`."""
        return Projection(self.vertices, self.triangles)

    @property
    def is_one_body(self) -> bool:
        """Whether it is closed and all of one piece, cavities included; it may still go through itself."""
        return self.closed and int(self.body.max()) == 0

    @cached_property
    def bounds(self) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
        """Corners of the bounding box [m]."""
        lower, upper = self.vertices.min(axis=0).tolist(), self.vertices.max(axis=0).tolist()
        return (lower[0], lower[1], lower[2]), (upper[0], upper[1], upper[2])

    @cached_property
    def diagonal(self) -> float:
        """Diagonal of the bounding box [m]."""
        lower, upper = self.bounds
        return float(np.linalg.norm(np.subtract(upper, lower)))

    def save(self, path: Path) -> None:
        """Write as npz (no pickle)."""
        groups = {f"{_GROUP_PREFIX}{name}": ids for name, ids in self.groups.items()}
        with path.open("wb") as file:  # given a name, numpy would append a suffix of its own
            np.savez(file, vertices=self.vertices, triangles=self.triangles, patch=self.patch, **groups)  # type: ignore[arg-type]

    @staticmethod
    def load(path: Path) -> Surface:
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as arrays:
            groups = {
                name.removeprefix(_GROUP_PREFIX): arrays[name]
                for name in arrays
                if name.startswith(_GROUP_PREFIX)
            }
            return Surface(arrays["vertices"], arrays["triangles"], arrays["patch"], groups)


@dataclass(frozen=True)
class Patch:
    """One face of the part, found by feature angle.

    area [m^2]; centroid [m]; normal: outward normal of a plane; radius [m], axis (unit vector) and center
    (a point on the axis, [m]) of a cylinder; None where they have no meaning.
    """

    id: int
    area: float
    centroid: tuple[float, float, float]
    kind: Literal["plane", "cylinder", "free"]
    normal: tuple[float, float, float] | None = None
    radius: float | None = None
    axis: tuple[float, float, float] | None = None
    center: tuple[float, float, float] | None = None


@dataclass(frozen=True)
class Report:
    """What was found in a geometry file and what was done to it.

    volume [m^3] (0 where the surface is open), area [m^2], bounds [m]; bodies: unconnected parts, which may
    touch, with their cavities; patches: the largest ones, where there are thousands; groups: names;
    repairs, warnings: sentences; unit: of the file's lengths; chord_error: largest distance of the facets
    from the CAD surface [m], 0 where the facets are all that is known.
    """

    triangles: int
    watertight: bool
    volume: float
    area: float
    bounds: tuple[tuple[float, float, float], tuple[float, float, float]]
    bodies: int
    patches: tuple[Patch, ...]
    groups: tuple[str, ...]
    repairs: tuple[str, ...]
    warnings: tuple[str, ...]
    unit: str
    chord_error: float


def closest(surface: Surface, points: Float64) -> tuple[Float64, Int32, Float64]:
    """Nearest point of the surface for each of `points` (p, 3) [m].

    Returns distance (p,) [m], triangle (p,) index, point (p, 3) [m].
    """
    return surface.projection(points)


def _frozen(array: _Array) -> _Array:
    array.flags.writeable = False
    return array
