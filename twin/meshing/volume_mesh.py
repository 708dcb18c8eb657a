"""Quadratic tetrahedra and what can be measured on them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solvers.tet10 import element
from solvers.tet10.element import EDGES, shape_gradient
from solvers.tet10.faces import boundary_faces, shared_faces
from twin.meshing.sides import Sides, sides

Float64 = NDArray[np.float64]
Int32 = NDArray[np.int32]
Ints = NDArray[np.integer[Any]]

FACES = element.FACES[:, :3]  # corners, normals outwards; face i lies across from corner i
FACE_EDGES = element.FACES[:, 3:] - 4  # the edges after each corner of a face

_CHUNK = 1 << 15
_GAUSS = 0.1381966011250105, 0.5854101966249685


@dataclass(frozen=True, eq=False)
class VolumeMesh:
    """points: (n, 3) [m]; tets: (m, 10) point indices, corners first, then mids of `EDGES`, positively
    oriented.

    mesher: who made it; seconds: how long that took, failed attempts included; notes: all attempts and
    checks. material: (m,) number of each element's material, where they are not all of one.
    """

    points: Float64
    tets: Int32
    mesher: str
    seconds: float
    notes: tuple[str, ...]
    material: Int32 | None = None

    @cached_property
    def sides(self) -> Sides:
        """The mesh in which each material has nodes of its own: what results are given on."""
        return sides(self.points, self.tets, self.material)

    @property
    def volumes(self) -> Float64:
        """Of each material, as far as one with a higher number is there [m^3]."""
        if self.material is None:
            return np.array([volume(self.points, self.tets)])
        own = [self.tets[self.material == number] for number in range(int(self.material.max()) + 1)]
        return np.array([volume(self.points, tets) for tets in own])


def jacobians(points: Float64, tets: Ints, barycentric: Float64) -> Float64:
    """Determinants of the element maps: (m, p) [m^3], six times the volume where an element is straight."""
    gradients = shape_gradient(barycentric[:, 1:])
    flat = gradients.transpose(0, 2, 1).reshape(-1, 10)
    result = np.empty((len(tets), len(barycentric)))
    for start in range(0, len(tets), _CHUNK):
        corners = points[tets[start : start + _CHUNK]]
        maps = np.matmul(flat, corners).reshape(len(corners), len(barycentric), 3, 3)
        result[start : start + _CHUNK] = np.linalg.det(maps)
    return result


def check_points() -> Float64:
    """(14, 4): corners, mids and the four Gauss points, where an element must be positively oriented."""
    corners = np.eye(4)
    mids = np.array([(corners[a] + corners[b]) / 2 for a, b in EDGES])
    inner, outer = _GAUSS
    return np.concatenate([corners, mids, np.full((4, 4), inner) + (outer - inner) * corners])


def volume(points: Float64, tets: Ints) -> float:
    """Volume of the curved elements [m^3], exact (Keast's rule of degree 3)."""
    sixth = np.full((4, 4), 1 / 6) + (1 / 2 - 1 / 6) * np.eye(4)
    values = jacobians(points, tets, np.concatenate([np.full((1, 4), 0.25), sixth]))
    return float((values @ np.array([-4 / 5, *[9 / 20] * 4])).sum() / 6)


def straight_jacobians(points: Float64, tets: Ints) -> Float64:
    """(m,) determinants of the tetrahedra through the corners [m^3]."""
    a, b, c, d = (points[tets[:, i]] for i in range(4))
    return np.asarray(np.einsum("ij,ij->i", np.cross(b - a, c - a), d - a))


def quality(points: Float64, tets: Ints) -> Float64:
    """(m,) shape of the corner tetrahedra: 1 is regular, 0 is flat (volume against the cube of the rms
    edge).
    """
    corners = points[tets[:, :4]]
    squares = np.stack([((corners[:, a] - corners[:, b]) ** 2).sum(axis=1) for a, b in EDGES])
    return np.asarray(
        np.sqrt(2.0) * straight_jacobians(points, tets) / np.maximum(squares.mean(axis=0), 1e-300) ** 1.5
    )


def boundary(tets: Ints) -> tuple[Int32, Int32]:
    """Faces that belong to one tetrahedron: corner nodes (f, 3), normals outwards, and (f, 2) of tet and
    local face.
    """
    owner = np.stack(np.divmod(boundary_faces(tets), 4), axis=1).astype(np.int32)
    return tets[owner[:, :1], FACES[owner[:, 1]]].astype(np.int32), owner


def hull(tets: Ints) -> Int32:
    """Boundary as flat triangles through corners and mids: (4 f, 3) nodes, normals outwards."""
    faces, owner = boundary(tets)
    edge = FACE_EDGES[owner[:, 1]]
    ab, bc, ca = (tets[owner[:, 0], 4 + edge[:, i]] for i in range(3))
    a, b, c = faces.T
    parts = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
    return np.concatenate([np.stack(part, axis=1) for part in parts]).astype(np.int32)


def pieces(tets: Ints) -> Int32:
    """(m,) which piece each tetrahedron belongs to, 0 ...; pieces are joined by whole faces."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    first, second = shared_faces(tets).T // 4
    graph = coo_array((np.ones(len(first), dtype=np.int8), (first, second)), shape=(len(tets), len(tets)))
    _, label = connected_components(graph, directed=False)
    return np.asarray(label, dtype=np.int32)


def bodies(tets: Ints) -> int:
    """How many pieces the mesh has, joined by whole faces."""
    return int(pieces(tets).max(initial=-1)) + 1


def dihedral_angles(points: Float64, tets: Ints) -> tuple[float, float]:
    """The smallest and the largest angle between faces of a tetrahedron [degrees]."""
    corners = points[tets[:, :4]]
    a, b, c = (corners[:, FACES[:, i]] for i in range(3))
    normals = np.cross(b - a, c - a)
    normals /= np.maximum(np.linalg.norm(normals, axis=2, keepdims=True), 1e-300)
    cosines = [-np.einsum("ij,ij->i", normals[:, i], normals[:, j]) for i in range(4) for j in range(i)]
    angles = np.degrees(np.arccos(np.clip(cosines, -1, 1)))
    return float(angles.min()), float(angles.max())
