"""The part's surface in a grid of filled cells: where supports and loads act, and values on it."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from solvers.cutcell import immersed
from solvers.cutcell.cells import FilledCells
from solvers.cutcell.element import CORNERS, VTK_ORDER
from solvers.quadrature import FacetQuadrature
from twin.analyses.checks import refuse_between_bodies
from twin.errors import GeometryError
from twin.geometry.occupancy import Occupancy
from twin.geometry.selection import select
from twin.geometry.subdivision import subdivide
from twin.geometry.surface import TRIANGLE_DEGREE_2, Surface
from twin.select import Selector, describe

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

PIECES_PER_CELL = 1.0  # along an edge: pieces that loads and supports are summed over
MARGIN = 0.5  # cells: so far outside of the nearest one a point of the surface may lie
MOST_MISSED = 0.05  # of an area may be without cells


class UnresolvedError(GeometryError):
    """The cells are too coarse for the part."""


class ImmersedBoundary:
    """A surface that cuts the cells of a grid. Only what of it bounds material counts: not the faces between bodies
    that touch or overlap, nor sheets.
    """

    def __init__(self, surface: Surface, cells: FilledCells):
        self.surface, self.cells = surface, cells
        self._occupancy = Occupancy(surface)

    @property
    def points(self) -> Floats:
        """Nodes (n, 3) [m]."""
        return self.cells.points

    @cached_property
    def hexahedra(self) -> tuple[Ints, Ints]:
        """Corners (m, 8), in VTK's order, of the hexahedra that the result is given on, and the cell of each (m,):
        the cells, or where those have nodes inside them their eighths, if there may be material in them.
        """
        cells, order = self.cells, self.cells.element.order
        steps = cells.element.steps
        lower = steps[(steps < order).all(axis=1)]
        corners = (lower[:, None] + CORNERS[VTK_ORDER]) @ (order + 1) ** np.arange(2, -1, -1)
        edge = cells.lattice.edge / order
        middle = cells.lattice.origin + edge * (order * cells.lattice.index[:, None] + lower + 0.5)
        kept = np.ones(middle.shape[:2], dtype=bool)
        if order > 1:
            cut = middle[~cells.whole].reshape(-1, 3)
            near = self._occupancy.closest(cut)[0] < np.sqrt(3) / 2 * edge
            kept[~cells.whole] = (near | self._occupancy.inside(cut)).reshape(-1, len(lower))
        return cells.nodes[:, corners][kept], np.nonzero(kept)[0]

    def quadrature(self, selector: Selector) -> FacetQuadrature:
        """Quadrature over the selected part of the surface; `facet` is the cell, `nodes` are its nodes.

        Raises:
            SelectionError: all of it lies between bodies; UnresolvedError: there are no cells beneath it
        """
        longest = self.cells.lattice.edge / PIECES_PER_CELL
        selection = select(self.surface, selector, longest)
        soup = np.arange(3 * len(selection.triangles)).reshape(-1, 3)
        vertices, triangles, _ = subdivide(selection.triangles.reshape(-1, 3), soup, longest)
        corners = vertices[triangles]
        vector = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        length = np.linalg.norm(vector, axis=1)
        sound = np.flatnonzero(length > 0)
        share = np.abs(
            self._occupancy.bounding(corners[sound].mean(axis=1), vector[sound] / length[sound, None])
        )
        bounding, share = sound[share > 0], share[share > 0]
        if len(bounding) == 0:
            refuse_between_bodies(selector)
        normal = np.repeat(vector[bounding] / length[bounding, None], len(TRIANGLE_DEGREE_2), axis=0)
        position = np.einsum("qa,kad->kqd", TRIANGLE_DEGREE_2, corners[bounding]).reshape(-1, 3)
        weight = np.repeat(share * length[bounding] / (2 * len(TRIANGLE_DEGREE_2)), len(TRIANGLE_DEGREE_2))
        cell, local, inside = self._locate(position, -normal)
        missed = float(weight[~inside].sum() / weight.sum())
        if missed > MOST_MISSED:
            raise self._unresolved(f"{100 * missed:.2g} % of {describe(selector)}")
        shape = self.cells.element.shape(local)
        return FacetQuadrature(cell, self.cells.nodes[cell], shape, position, normal, weight)

    def _locate(self, points: Floats, inward: Floats | None = None) -> tuple[Ints, Floats, Bools]:
        """Cells (p,), coordinates in them (p, 3) of at most `MARGIN` outside, and which points are within that."""
        cell, local = self.cells.lattice.locate(points, inward)
        held = np.clip(local, -MARGIN, 1 + MARGIN)
        return cell, held, (held == local).all(axis=1)

    def _unresolved(self, what: str) -> UnresolvedError:
        size = f"{1e3 * self.cells.lattice.edge:.3g} mm"
        return UnresolvedError(
            f"{what} lies on walls that are too thin for the cells of the grid, {size} large.",
            {"cell size": size},
        )

    def inside(self, points: Floats) -> Bools:
        """(p,) whether points (p, 3) of the surface lie in the cells, or within `MARGIN` of them."""
        return self._locate(points)[2]

    def missed(self, corners: Floats) -> float:
        """Share of the area of triangles (k, 3, 3) of the surface that no cells lie beneath.

        Raises:
            UnresolvedError: it is too large for an answer
        """
        area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
        missed = float(area[~self.inside(corners.mean(axis=1))].sum() / area.sum())
        if missed > MOST_MISSED:
            raise self._unresolved(f"{100 * missed:.2g} % of the surface")
        return missed

    def body_force(self, base: Floats, slope: Floats, times: Sequence[float] = (1.0,)) -> Floats:
        """Nodal forces (n, k) of a force per volume, base + slope @ x, times a factor: heat [W] of a source, too."""
        (factor,) = times
        return factor * immersed.body_force(self.cells, base, slope)

    def interpolate(self, values: Floats, points: Floats) -> Floats:
        """Nodal values (n, c) at points (p, 3) of the surface."""
        cell, local, _ = self._locate(points)
        return np.asarray(
            np.einsum("pa,pac->pc", self.cells.element.shape(local), values[self.cells.nodes[cell]])
        )
