"""The field of a law on a grid that the part is immersed in: no mesh follows its surface, cells are cut by it.

Supports are springs on the surface, stiff ones where it is held (a penalty), so faces need not follow the grid.
"""

from dataclasses import dataclass

import equinox as eqx
import jax
import numpy as np
import scipy.sparse as sparse
from jaxtyping import Array, Float, Int
from scipy.spatial import cKDTree

from solvers import iteration, quadrature
from solvers.buckets import bucket, pad
from solvers.hex8 import element
from solvers.hex8.cells import FilledCells
from solvers.hex8.stiffness import cell_stiffness, unit_stiffness
from solvers.iteration import TOLERANCE, Progress, Solution
from solvers.law import Law, Recovered
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
# Nodes whose cells hold less than so many cells' worth of material take their flux from a neighbour.
LEAST_PATCH = 3.0
_SLOPE_DAMPING = 1e-3  # of the fit of a node's flux, in units of the cell
_CHUNK = 4096
_LEAST_BUCKET = 1024  # cells


class GridStiffness(LinearOperator):
    """The stiffness of a grid's cells and springs; every node is free."""

    grid: Grid
    unit_stiffness: Float[Array, "rows rows"]

    def apply(self, vector: Float[Array, "node k"]) -> Float[Array, "node k"]:
        return cycle.apply_grid(self.grid, self.unit_stiffness, vector)


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
    own = lattice.edge * _stiffness(cells.moments[cut], law)
    springy, extra = spring_stiffness(held.facet, held.shape, held.weight[:, None, None] * springs)
    stiff = np.union1d(cut, springy)
    stiffness = np.zeros((len(stiff), *unit.shape))
    stiffness[np.searchsorted(stiff, cut)] = own
    stiffness[np.searchsorted(stiff, springy)] += extra
    scale = lattice.edge * np.where(cells.whole, 1.0, SOFTEST)
    level = Cells(lattice.index, scale, stiff, stiffness, lattice.shape, bucket(len(cells), _LEAST_BUCKET))
    operator = GridStiffness(grid(level, None, np.float64), jax.device_put(unit))
    return ImmersedProblem(cells, points, corners, law, operator, _grid_cycle(hierarchy(level, unit)))


def _stiffness(moments: Float[np.ndarray, "c 27"], law: Law) -> Float[np.ndarray, "c rows rows"]:
    stiffness = np.zeros((len(moments), 8 * law.components, 8 * law.components))
    for start in range(0, len(moments), _CHUNK):
        rows = slice(start, start + _CHUNK)
        chunk = pad(moments[rows], _CHUNK)
        chunk[len(moments[rows]) :] = element.FULL
        found = cell_stiffness(law, jax.device_put(chunk))
        stiffness[rows] = np.asarray(found)[: len(moments[rows])]
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


@float64
def recover(problem: ImmersedProblem, field: Float[np.ndarray, "n k"]) -> Recovered:
    """Nodal flux: around each node a linear function, fitted to the flux at the centroids of the cells there.

    The error at a node is what the fit misses and what the flux changes within half a cell.
    """
    cells, corners, lattice = problem.cells, problem.corners, problem.cells.lattice
    local = element.centroids(cells.moments)
    gradient = np.einsum("cak,cai->cik", element.shape_gradient(local), field[corners]) / lattice.edge
    law = jax.tree.map(float, problem.law)  # all in numpy: shapes differ from part to part
    slopes = [[gradient[:, i, j] for j in range(3)] for i in range(law.components)]
    flux = np.asarray(law.independent(law.flux(slopes)))
    place = lattice.index + local
    own = np.rint((problem.points - lattice.origin) / lattice.edge)
    coefficients = _fit(corners, cells.fraction, place, flux, own)
    spread = coefficients[:, 1:]
    miss = _misfit(law, corners, cells.fraction, place, flux, own, coefficients)
    change = np.sqrt((law.magnitude(spread) ** 2).sum(1)) / 2
    volume = cells.fraction * lattice.edge**3
    energy = float(law.energy_density(flux) @ volume)
    rough = law.energy_density(spread / np.sqrt(12)).sum(1)
    return Recovered(
        coefficients[:, 0], np.sqrt(miss**2 + change**2), rough[corners].mean(1) * volume, energy
    )


def _incidence(
    corners: Int[np.ndarray, "c 8"], weight: Float[np.ndarray, " c"], count: int
) -> sparse.csr_array:
    """Weights of the cells around each node."""
    index = (corners.ravel(), np.repeat(np.arange(len(corners)), 8))
    return sparse.csr_array((np.repeat(weight, 8), index), shape=(count, len(corners)))


def _fit(
    corners: Int[np.ndarray, "c 8"],
    weight: Float[np.ndarray, " c"],
    place: Float[np.ndarray, "c 3"],
    flux: Float[np.ndarray, "c s"],
    own: Float[np.ndarray, "n 3"],
) -> Float[np.ndarray, "n 4 s"]:
    """Flux at each node and its slope along x, y, z, per cell. Places are in units of the cell."""
    centre = own.mean(0)
    place, own = place - centre, own - centre
    basis = np.concatenate([np.ones((len(place), 1)), place], axis=1)
    features = np.concatenate(
        [
            np.einsum("ci,cj->cij", basis, basis).reshape(-1, 16),
            np.einsum("ci,cs->cis", basis, flux).reshape(len(basis), -1),
        ],
        axis=1,
    )
    sums = _incidence(corners, weight, len(own)) @ features
    shift = np.tile(np.eye(4), (len(own), 1, 1))  # to coordinates about the node
    shift[:, 1:, 0] = -own
    matrix = shift @ sums[:, :16].reshape(-1, 4, 4) @ shift.swapaxes(1, 2)
    right = shift @ sums[:, 16:].reshape(len(own), 4, -1)
    total = matrix[:, :1, :1]
    damping = np.diag([0.0] + [_SLOPE_DAMPING] * 3)
    coefficients = np.linalg.solve(matrix / total + damping, right / total)
    rich = total[:, 0, 0] >= min(LEAST_PATCH, total.max())
    poor = np.flatnonzero(~rich)
    if len(poor):
        neighbour = np.flatnonzero(rich)[cKDTree(own[rich]).query(own[poor])[1]]
        step = own[poor] - own[neighbour]
        borrowed = coefficients[neighbour]
        coefficients[poor] = borrowed
        coefficients[poor, 0] += np.einsum("nk,nks->ns", step, borrowed[:, 1:])
    return coefficients


def _misfit(
    law: Law,
    corners: Int[np.ndarray, "c 8"],
    weight: Float[np.ndarray, " c"],
    place: Float[np.ndarray, "c 3"],
    flux: Float[np.ndarray, "c s"],
    own: Float[np.ndarray, "n 3"],
    coefficients: Float[np.ndarray, "n 4 s"],
) -> Float[np.ndarray, " n"]:
    """Root mean square difference of the fit and the cells around a node, in the law's magnitude."""
    square, total = np.zeros(len(own)), np.zeros(len(own))
    for corner in range(8):
        node = corners[:, corner]
        fitted = coefficients[node, 0] + np.einsum("ck,cks->cs", place - own[node], coefficients[node, 1:])
        off = weight * law.magnitude(fitted - flux) ** 2
        square += np.bincount(node, off, minlength=len(own))
        total += np.bincount(node, weight, minlength=len(own))
    return np.sqrt(square / total)
