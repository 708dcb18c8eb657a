"""The boundary of a part as a picture needs it: of a mesh of quadratic tetrahedra, or the surface in a grid."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from solvers.tet10.faces import boundary_facets
from twin.geometry.subdivision import six_node_faces, subdivide
from twin.results.grid import GridInterpolator
from twin.results.outcome import Mesh, Outcome

Floats = NDArray[np.floating]
Indices = NDArray[np.int64]

# A six-node triangle as four flat ones.
_SPLIT = ((0, 3, 5), (3, 1, 4), (5, 4, 2), (3, 4, 5))


@dataclass(frozen=True, eq=False)
class Skin:
    """points: (k, 3) [m]; faces: (f, 6) of them, corners and midsides, oriented outward.

    nodes, weights: (k, a) nodes of the volume mesh that make up the value at each point.
    """

    points: Floats
    faces: Indices
    nodes: Indices
    weights: Floats

    def at(self, values: Floats) -> Floats:
        """Nodal values (n, ...) at the points (k, ...)."""
        found: Floats = np.einsum("ka,ka...->k...", self.weights, values[self.nodes])
        return found

    @cached_property
    def triangles(self) -> Indices:
        """(4 f, 3) flat triangles, every face split at its midside nodes."""
        return self.faces[:, np.asarray(_SPLIT)].reshape(-1, 3)

    @cached_property
    def edges(self) -> tuple[Indices, Indices]:
        """Edges (e, 3) as corner, midside node, corner, and the two faces (e, 2) that meet there."""
        sides = self.faces[:, [[0, 3, 1], [1, 4, 2], [2, 5, 0]]].reshape(-1, 3)
        owner = np.repeat(np.arange(len(self.faces)), 3)
        order = np.argsort(sides[:, 1], kind="stable")  # a midside node names its edge
        sides, owner = sides[order], owner[order]
        paired = np.flatnonzero(sides[:-1, 1] == sides[1:, 1])
        return sides[paired], np.stack([owner[paired], owner[paired + 1]], axis=1)


def skin(mesh: Mesh | Outcome) -> Skin:
    """What is seen of a result."""
    if len(mesh.hexahedra):
        return _surface_in_grid(mesh)
    if len(mesh.faces):
        return Skin(mesh.points, mesh.faces.astype(np.int64), *_themselves(len(mesh.points)))
    return _boundary(mesh.points, mesh.tets)


def _surface_in_grid(mesh: Mesh | Outcome) -> Skin:
    """The uploaded surface, as fine as the grid."""
    grid = GridInterpolator(mesh.points, mesh.hexahedra)
    vertices, triangles, _ = subdivide(mesh.surface_vertices, mesh.surface_triangles, 2.0 * grid.edge)
    points, faces = six_node_faces(vertices, triangles)
    nodes, weights, _ = grid.locate(points)
    return Skin(points, faces, nodes, weights)


def _boundary(points: Floats, tets: NDArray[np.integer]) -> Skin:
    """tets: (m, 10)."""
    faces, _ = boundary_facets(tets)
    nodes, local = np.unique(faces, return_inverse=True)
    return Skin(
        points[nodes], local.reshape(-1, 6), nodes[:, None].astype(np.int64), np.ones((len(nodes), 1))
    )


def _themselves(count: int) -> tuple[Indices, Floats]:
    return np.arange(count)[:, None], np.ones((count, 1))


def face_normals(points: Floats, triangles: Indices) -> Floats:
    """(t, 3) normals of length twice the area."""
    a, b, c = (points[triangles[:, k]] for k in range(3))
    return np.cross(b - a, c - a)


def nodal_normals(part: Skin, points: Floats) -> tuple[Floats, Floats]:
    """Area (k,) and outward unit normal (k, 3) of each node of the skin."""
    flat = face_normals(points, part.triangles)
    corners = part.triangles.ravel()
    normals = np.stack(
        [np.bincount(corners, np.repeat(flat[:, k], 3), len(points)) for k in range(3)], axis=1
    )
    area = np.bincount(corners, np.repeat(np.linalg.norm(flat, axis=1) / 6.0, 3), len(points))
    unit: Floats = normals / np.maximum(np.linalg.norm(normals, axis=1), 1e-300)[:, None]
    return area.astype(np.float64), unit


def edge_normals(skin_: Skin, points: Floats) -> tuple[Floats, Floats]:
    """Unit normals (e, 3) of the two faces at each edge of `Skin.edges`, taken at its midside node.

    Curved faces are evaluated there, so that a coarse fillet shows no edges of its own.
    """
    edges, owners = skin_.edges
    normals = []
    for side in range(2):
        face = skin_.faces[owners[:, side]]
        position = np.argmax(face[:, 3:] == edges[:, 1, None], axis=1)
        start, end, opposite = position, (position + 1) % 3, (position + 2) % 3
        rows = np.arange(len(face))
        along = points[face[rows, end]] - points[face[rows, start]]
        # d/d(eta) of the quadratic shape functions at the middle of an edge, from the edge inward
        far = points[face[rows, opposite]]
        mids = points[face[rows, 3 + end]] + points[face[rows, 3 + opposite]]
        ends = points[face[rows, start]] + points[face[rows, end]]
        inward = 2.0 * mids - far - 2.0 * points[face[rows, 3 + position]] - 0.5 * ends
        normal = np.cross(along, inward)
        normals.append(normal / np.maximum(np.linalg.norm(normal, axis=1), 1e-300)[:, None])
    return normals[0], normals[1]
