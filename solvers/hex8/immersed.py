"""The field of a law on a grid that the part is immersed in: no mesh follows its surface, cells are cut by it.

Supports are springs on the surface, stiff ones where it is held (a penalty), so faces need not follow the grid.
"""

from dataclasses import dataclass

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Float, Int

from solvers import iteration, quadrature
from solvers.buckets import bucket, pad
from solvers.hex8 import element
from solvers.hex8.cells import FilledCells
from solvers.hex8.stiffness import cell_stiffness, unit_stiffness
from solvers.iteration import TOLERANCE, Progress, Solution
from solvers.law import Law
from solvers.multigrid import cycle
from solvers.multigrid.beneath import spring_stiffness
from solvers.multigrid.grid import Cells, Grid, grid, hierarchy
from solvers.operator import LinearOperator
from solvers.precision import float64
from solvers.quadrature import FacetQuadrature

# Where a face is held, it is by springs so many times as stiff as the material is through the depth of a cell.
PENALTY = 20.0
# Of a whole cell's stiffness, what a cut cell has at least: slivers of material hold their nodes.
SOFTEST = 1e-3
_CHUNK = 4096
_LEAST_BUCKET = 1024  # cells


class GridStiffness(LinearOperator):
    """The stiffness of a grid's cells and springs; every node is free."""

    grid: Grid
    unit_stiffness: Float[Array, "rows rows"]

    def apply(self, vector: Float[Array, "node k"]) -> Float[Array, "node k"]:
        return cycle.apply_grid(self.grid, self.unit_stiffness, vector)

    def project(self, vector: Float[Array, "node k"]) -> Float[Array, "node k"]:
        return vector


@dataclass(frozen=True)
class ImmersedProblem:
    """A grid with its preconditioner, ready for load cases.

    points: nodes [m]; corners: nodes of each cell, in the order of `element.CORNERS`
    """

    cells: FilledCells
    points: Float[np.ndarray, "n 3"]
    corners: Int[np.ndarray, "c 8"]
    law: Law
    operator: GridStiffness
    preconditioner: cycle.GridCycle


@float64
def penalty(law: Law, edge: float) -> float:
    """Stiffness per area of a face that is held."""
    return PENALTY * float(law.largest_modulus) / edge


_grid_cycle = eqx.filter_jit(cycle.grid_cycle)


@float64
def prepare(
    cells: FilledCells, law: Law, held: FacetQuadrature, springs: Float[np.ndarray, "p k k"]
) -> ImmersedProblem:
    """Set up a grid and its preconditioner.

    Args:
        held: points where springs act, `facet` being the cell and `nodes` its nodes
        springs: their stiffness per area
    """
    unit = unit_stiffness(law)
    lattice = cells.lattice
    points, corners = lattice.nodes
    cut = np.flatnonzero(~cells.whole)
    springy, extra = spring_stiffness(held.facet, held.shape, held.weight[:, None, None] * springs)
    stiff = np.union1d(cut, springy)
    stiffness = _stiffness(lattice.edge * cells.moments[stiff], law)
    stiffness[cells.whole[stiff]] = 0  # that of whole cells is a multiple of the unit cell's
    stiffness[np.searchsorted(stiff, springy)] += extra
    scale = lattice.edge * np.where(cells.whole, 1.0, SOFTEST)
    size = bucket(len(cells), _LEAST_BUCKET)
    level = Cells(lattice, scale, stiff, stiffness, size, multiples_coarsen=True)
    finest = grid(level, np.float64)
    preconditioner = cycle.strengthened(_grid_cycle(hierarchy(level, unit, finest)))
    operator = GridStiffness(finest, jax.device_put(unit))
    return ImmersedProblem(cells, points, corners, law, operator, preconditioner)


def _stiffness(moments: Float[np.ndarray, "c 27"], law: Law) -> Float[np.ndarray, "c rows rows"]:
    stiffness = np.empty((len(moments), 8 * law.components, 8 * law.components))
    for start in range(0, len(moments), _CHUNK):
        rows = slice(start, start + _CHUNK)
        chunk = pad(moments[rows], _CHUNK)
        chunk[len(moments[rows]) :] = element.FULL
        stiffness[rows] = np.asarray(cell_stiffness(law, jax.device_put(chunk)))[: len(moments[rows])]
    return stiffness


@float64
def solve(
    problem: ImmersedProblem,
    load: Float[np.ndarray, "n k"],
    *,
    tolerance: float = TOLERANCE,
    progress: Progress | None = None,
) -> Solution:
    """The field under nodal forces, those of moved springs included.

    Raises:
        SolveError: the iteration broke down or did not converge
    """
    right_side = jax.device_put(pad(load, problem.operator.grid.node_count))
    solved = iteration.solve(problem.operator, problem.preconditioner, right_side, tolerance, progress)
    return Solution(np.asarray(solved.solution)[: len(load)], solved.iterations, solved.residual)


def spring_force(
    held: FacetQuadrature,
    springs: Float[np.ndarray, "p k k"],
    stretch: Float[np.ndarray, "p k"],
    count: int,
) -> Float[np.ndarray, "n k"]:
    """Nodal forces of springs per area that are stretched."""
    return quadrature.traction(held, np.einsum("pij,pj->pi", springs, stretch), count)


def at_points(where: FacetQuadrature, values: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "p k"]:
    """Nodal values at the points of a quadrature."""
    return np.einsum("pa,pak->pk", where.shape, values[where.nodes])


def body_force(
    cells: FilledCells,
    corners: Int[np.ndarray, "c 8"],
    base: Float[np.ndarray, " k"],
    slope: Float[np.ndarray, "k 3"],
    count: int,
) -> Float[np.ndarray, "n k"]:
    """Nodal forces of a force per volume that is linear in position, base + slope @ x."""
    lattice = cells.lattice
    at_corner = base + (lattice.origin + lattice.edge * lattice.index) @ slope.T
    share = cells.moments @ element.SHAPE_MOMENTS.T
    along = np.einsum("ajm,cm->caj", element.SHAPE_COORDINATE_MOMENTS, cells.moments)
    force = share[:, :, None] * at_corner[:, None] + lattice.edge * along @ slope.T
    return quadrature.scatter(corners, lattice.edge**3 * force, count)
