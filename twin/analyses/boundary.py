"""The boundary of a volume mesh, in terms of the part's own faces.

A selector speaks of the uploaded surface. Every point on the mesh's boundary therefore knows the surface triangle
that it lies on; a facet belongs to one face of the part, because meshers keep sharp edges.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from solvers.quadrature import FacetQuadrature, join, scatter
from solvers.tet10 import element, loads
from solvers.tet10.faces import boundary_facets
from solvers.tet10.facets import facet_quadrature
from twin.analyses.checks import refuse_between_bodies
from twin.geometry.occupancy import Occupancy
from twin.geometry.selection import Selected
from twin.geometry.surface import Surface, closest
from twin.meshing import VolumeMesh
from twin.meshing.volume_mesh import volume
from twin.select import Selector

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Int32 = NDArray[np.int32]

# A facet that the border of a selector crosses is cut into 4**3 triangles for its quadrature.
BORDER_SUBDIVISIONS = 3
# A surface of one body that the mesh fills exactly does not overlap with itself.
SAME_VOLUME = 1e-3
# Of a facet's edge: of the pieces of the surface of which it is asked whether they bound material.
PIECE = 0.5
NODE_SLOPES = element.triangle_shape_gradient(element.TRIANGLE_NODES)


@dataclass(frozen=True)
class SelectedNodes:
    """Nodes of a selected region, once per facet that they belong to.

    nodes: (k,) numbers; normals: (k, 3) outward unit normals of the facet there; weights: (k,) share of its area
    """

    nodes: Ints
    normals: Floats
    weights: Floats

    @property
    def unique(self) -> Ints:
        """Each node once."""
        return np.unique(self.nodes)


class MeshBoundary:
    """Facets of a volume mesh and the faces of the part that they lie on."""

    def __init__(self, surface: Surface, mesh: VolumeMesh):
        self.surface = surface
        self.points, self._tets, self._material = mesh.points, mesh.tets, mesh.material
        self.facets, self._owner = boundary_facets(mesh.tets)
        self._side_tets = mesh.sides.tets
        self._exposed = self._bounding_material(mesh)
        self._all = facet_quadrature(mesh.points, self.facets, np.arange(len(self.facets)))
        self._triangle = self._one_face_per_facet(self._closest(self._all.position))
        self.deviation = self._deviation()
        self._node_triangle = self._on_own_face(np.arange(len(self.facets)), mesh.points[self.facets])

    def _bounding_material(self, mesh: VolumeMesh) -> tuple[Surface, Ints]:
        """Pieces of the surface that facets can lie on, and the triangles that they are of."""
        surface = self.surface
        whole = surface, np.arange(len(surface.triangles))
        if surface.is_one_body and abs(volume(mesh.points, mesh.tets) / surface.volume - 1) < SAME_VOLUME:
            return whole
        corners = self.points[self.facets[:, :3]]
        edge = float(np.linalg.norm(corners[:, 1] - corners[:, 0], axis=1).mean())
        pieces, source = Occupancy(surface).exposed(PIECE * edge)
        return (pieces, source) if len(source) else whole

    def _closest(self, points: Floats) -> Int32:
        """Triangles of the surface closest to points (p, 3), among those that bound material."""
        outside, source = self._exposed
        return source[closest(outside, points)[1]].astype(np.int32)

    def _one_face_per_facet(self, triangle: Int32) -> Int32:
        """Points near a sharp edge may have found the face beyond it: give them a triangle of their facet's face."""
        triangles = triangle.reshape(len(self.facets), -1)
        patch = self.surface.patch[triangles]
        votes = (patch[:, :, None] == patch[:, None, :]).sum(2)
        winner = votes.argmax(1)
        rows = np.arange(len(triangles))
        stray = patch != patch[rows, winner][:, None]
        return np.where(stray, triangles[rows, winner][:, None], triangles)

    def _deviation(self) -> float:
        """Largest distance of the facets from the planes of the triangles that they lie on [m]."""
        triangle = self._triangle.ravel()
        away = self._all.position - self.surface.corners[triangle, 0]
        return float(np.abs(np.einsum("pi,pi->p", away, self.surface.normals[triangle])).max())

    def quadrature(self, selector: Selector) -> FacetQuadrature:
        """Quadrature over the selected part of the boundary; facets that its border crosses are cut finely.

        Raises:
            SelectionError: all of it lies between bodies
        """
        inside, at_nodes = self._masks(selector)
        whole = inside.all(1) & at_nodes.all(1)
        border = self._border(inside, at_nodes)
        parts = [self._all[np.repeat(whole & ~border, inside.shape[1])]]
        crossed = np.flatnonzero(border)
        if len(crossed):
            fine = facet_quadrature(self.points, self.facets, crossed, BORDER_SUBDIVISIONS)
            triangle = self._on_own_face(crossed, fine.position.reshape(len(crossed), -1, 3))
            parts.append(fine[Selected(self.surface, selector).mask(fine.position, triangle.ravel())])
        found = join(parts)
        if len(found.weight) == 0:
            refuse_between_bodies(selector)
        return found

    def body_force(self, base: Floats, slope: Floats, times: Sequence[float] = (1.0,)) -> Floats:
        """Nodal forces (n, k) of a force per volume, base + slope @ x: heat [W] of a source, too.

        times: a factor of all elements, or one of each material
        """
        if len(times) == 1 or self._material is None:
            return times[0] * loads.body_force(self.points, self._tets, base, slope)
        parts = [self._tets[self._material == number] for number in range(len(times))]
        forces = [loads.body_force(self.points, tets, base, slope) for tets in parts]
        return np.tensordot(times, forces, 1)

    def nodes(self, selector: Selector) -> SelectedNodes:
        """Nodes of the selected part of the boundary."""
        inside, at_nodes = self._masks(selector)
        whole = inside.all(1)
        touched = inside.any(axis=1, keepdims=True)
        chosen = at_nodes & touched
        chosen[whole] = True
        if not chosen.any():
            # The region lies inside a few facets and holds none of their nodes: take those facets.
            region = np.unique(self.quadrature(selector).facet)
            chosen[region] = True
        facet, local = np.nonzero(chosen)
        area = self._all.weight.reshape(len(self.facets), -1).sum(1)
        return SelectedNodes(self.facets[facet, local], self._node_normals()[facet, local], area[facet] / 6)

    def _masks(self, selector: Selector) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Is a quadrature point, is a node of a facet selected?"""
        count = len(self.facets)
        selected = Selected(self.surface, selector)
        inside: NDArray[np.bool_] = selected.mask(self._all.position, self._triangle.ravel())
        at_nodes = selected.mask(self.points[self.facets].reshape(-1, 3), self._node_triangle.ravel())
        return inside.reshape(count, -1), at_nodes.reshape(count, 6)

    def _border(self, inside: NDArray[np.bool_], at_nodes: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Facets that the selector's border may cross: those of mixed answers, and their neighbours."""
        mixed = (inside.any(1) | at_nodes.any(1)) & ~(inside.all(1) & at_nodes.all(1))
        touched = np.zeros(len(self.points), bool)
        touched[self.facets[mixed]] = True
        return np.asarray(mixed | touched[self.facets].any(1))

    def _on_own_face(self, facets: Ints, points: Floats) -> Int32:
        """Surface triangles of points (f, k, 3) on facets (f,): the closest one, if it is of the facet's face."""
        found = self._closest(points.reshape(-1, 3)).reshape(points.shape[:2])
        known = self._triangle[facets]
        row, column = np.nonzero(self.surface.patch[found] != self.surface.patch[known[:, :1]])
        places = self._all.position.reshape(len(self.facets), -1, 3)[facets[row]]
        nearest = np.linalg.norm(places - points[row, column][:, None], axis=2).argmin(1)
        found[row, column] = known[row, nearest]
        return found

    def _node_normals(self) -> Floats:
        tangent = np.einsum("abr,fbi->fari", NODE_SLOPES, self.points[self.facets])
        vector = np.cross(tangent[:, :, 0], tangent[:, :, 1])
        return np.asarray(vector / np.linalg.norm(vector, axis=2, keepdims=True))

    @cached_property
    def nodes_on_surface(self) -> Ints:
        """Nodes of all facets (b,), ascending."""
        return np.unique(self.facets)

    @cached_property
    def _on_triangles(self) -> tuple[Int32, Floats]:
        """Of each node on the surface the vertices (b, 3) of the triangle that it lies on, and their weights (b, 3)."""
        surface, points = self.surface, self.points[self.nodes_on_surface]
        triangle = self._closest(points)
        corners = surface.corners[triangle]
        a, b, c = corners.transpose(1, 0, 2)
        edges = np.stack([b - a, c - a], axis=2)
        along = (np.linalg.pinv(edges) @ (points - a)[:, :, None])[:, :, 0]
        weights = np.clip(np.column_stack([1 - along.sum(1), along]), 0, None)
        return surface.triangles[triangle], weights / weights.sum(1, keepdims=True)

    def follow(self, velocities: Floats) -> Floats:
        """Motion of the nodes on the surface (b, 3), each with its triangle, from that of the vertices (v, 3)."""
        vertices, weights = self._on_triangles
        return np.asarray(np.einsum("ba,bai->bi", weights, velocities[vertices]))

    def onto_vertices(self, gradient: Floats) -> Floats:
        """Transpose of `follow`: derivatives with respect to vertices (v, 3) from those to nodes on the surface."""
        vertices, weights = self._on_triangles
        return scatter(vertices, weights[:, :, None] * gradient[:, None, :], len(self.surface.vertices))

    def interpolate(self, values: Floats, points: Floats) -> Floats:
        """Values (s, c) at the nodes of `mesh.sides`, at the points of its boundary closest to `points` (p, 3)."""
        corners = Surface(self.points, self.facets[:, :3], np.zeros(len(self.facets), np.int32))
        _, facet, position = closest(corners, points)
        a, b, c = corners.corners[facet].transpose(1, 0, 2)
        total = np.linalg.norm(np.cross(b - a, c - a), axis=1)
        along_ab = np.linalg.norm(np.cross(position - a, c - a), axis=1) / total
        along_ac = np.linalg.norm(np.cross(position - a, b - a), axis=1) / total
        shape = element.triangle_shape(np.stack([along_ab, along_ac], axis=1))
        own = self._owner[facet]
        local = (self._tets[own][:, None, :] == self.facets[facet][:, :, None]).argmax(2)
        return np.asarray(np.einsum("pa,pac->pc", shape, values[self._side_tets[own[:, None], local]]))
