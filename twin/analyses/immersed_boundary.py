"""The part's surface in a grid of filled cells: where supports and loads act, and values on it."""

import numpy as np
from numpy.typing import NDArray

from solvers.elasticity import immersed
from solvers.hex8 import element
from solvers.hex8.cells import FilledCells
from solvers.tet10.facets import FacetQuadrature
from twin.geometry.selection import select
from twin.geometry.subdivision import subdivide
from twin.geometry.surface import Surface
from twin.select import Selector

Floats = NDArray[np.float64]

PIECES_PER_CELL = 1.0  # along an edge: pieces of the surface that loads and supports are summed over
# Degree 2 on a triangle.
POINTS = np.array([(4, 1, 1), (1, 4, 1), (1, 1, 4)]) / 6


class ImmersedBoundary:
    """A surface that cuts the cells of a grid."""

    def __init__(self, surface: Surface, cells: FilledCells):
        self.surface, self.cells = surface, cells
        self.points, self.corners = cells.lattice.nodes

    def quadrature(self, selector: Selector) -> FacetQuadrature:
        """Quadrature over the selected part of the surface; `facet` is the cell, `nodes` are its nodes."""
        edge = self.cells.lattice.edge
        selection = select(self.surface, selector, edge / PIECES_PER_CELL)
        soup = np.arange(3 * len(selection.triangles)).reshape(-1, 3)
        vertices, triangles, _ = subdivide(selection.triangles.reshape(-1, 3), soup, edge / PIECES_PER_CELL)
        corners = vertices[triangles]
        vector = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        length = np.linalg.norm(vector, axis=1)
        sound = length > 0
        normal = np.repeat(vector[sound] / length[sound, None], len(POINTS), axis=0)
        position = np.einsum("qa,kad->kqd", POINTS, corners[sound]).reshape(-1, 3)
        cell, local = self.cells.lattice.locate(position, -normal)
        return FacetQuadrature(
            cell,
            self.corners[cell],
            element.shape(local),
            position,
            normal,
            np.repeat(length[sound] / (2 * len(POINTS)), len(POINTS)),
        )

    def body_force(self, base: Floats, slope: Floats) -> Floats:
        """Nodal forces (n, 3) [N] of a force per volume, base + slope @ x [N/m^3]."""
        return immersed.body_force(self.cells, self.corners, base, slope, len(self.points))

    def interpolate(self, values: Floats, points: Floats) -> Floats:
        """Nodal values (n, c) at points (p, 3) of the surface."""
        cell, local = self.cells.lattice.locate(points)
        return np.asarray(np.einsum("pa,pac->pc", element.shape(local), values[self.corners[cell]]))
