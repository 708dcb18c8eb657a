"""Elasticity on a grid that the part is immersed in: no mesh follows its surface, cells are cut by it.

Supports are springs on the surface, stiff ones where it is held (a penalty), so faces need not follow the grid.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import scipy.sparse as sparse
from jaxtyping import Array, Float, Int
from scipy.spatial import cKDTree

from solvers import iteration
from solvers.buckets import bucket, pad
from solvers.elasticity import loads
from solvers.elasticity.invariants import von_mises
from solvers.elasticity.model import Lame, cell_stiffness, unit_stiffness
from solvers.elasticity.recovery import RecoveredStress, energy_density
from solvers.elasticity.static import TOLERANCE, Solution
from solvers.hex8 import element
from solvers.hex8.cells import FilledCells
from solvers.iteration import Progress
from solvers.multigrid import cycle
from solvers.multigrid.beneath import spring_stiffness
from solvers.multigrid.grid import Cells, Grid, grid, hierarchy
from solvers.operator import LinearOperator
from solvers.precision import float64
from solvers.tet10.facets import FacetQuadrature

# Where a face is held, it is by springs so many times as stiff as the material is through the depth of a cell.
PENALTY = 20.0
# Of a whole cell's stiffness, what a cut cell has at least: slivers of material hold their nodes.
SOFTEST = 1e-3
# Nodes whose cells hold less than so many cells' worth of material take their stress from a neighbour.
LEAST_PATCH = 3.0
_SLOPE_DAMPING = 1e-3  # of the fit of a node's stress, in units of the cell
_CHUNK = 4096
_LEAST_BUCKET = 1024  # cells


class GridStiffness(LinearOperator):
    """The stiffness of a grid's cells and springs; every node is free."""

    grid: Grid
    unit_stiffness: Float[Array, "24 24"]

    def apply(self, vector: Float[Array, "node 3"]) -> Float[Array, "node 3"]:
        return cycle.apply_grid(self.grid, self.unit_stiffness, vector)


@dataclass(frozen=True)
class ImmersedProblem:
    """A grid with its preconditioner, ready for load cases.

    points: nodes [m]; corners: nodes of each cell, in the order of `element.CORNERS`
    """

    cells: FilledCells
    points: Float[np.ndarray, "n 3"]
    corners: Int[np.ndarray, "c 8"]
    material: Lame
    operator: GridStiffness
    preconditioner: cycle.GridCycle


def penalty(material: Lame, edge: float) -> float:
    """Stiffness per area of a face that is held [N/m^3]."""
    return PENALTY * (float(material.first) + 2 * float(material.shear)) / edge


_grid_cycle = eqx.filter_jit(cycle.grid_cycle)


@float64
def prepare(
    cells: FilledCells, material: Lame, held: FacetQuadrature, springs: Float[np.ndarray, "p 3 3"]
) -> ImmersedProblem:
    """Set up a grid and its preconditioner.

    Args:
        held: points where springs act, `facet` being the cell and `nodes` its nodes
        springs: their stiffness per area [N/m^3]
    """
    unit = unit_stiffness(material)
    lattice = cells.lattice
    points, corners = lattice.nodes
    cut = np.flatnonzero(~cells.whole)
    own = lattice.edge * _stiffness(cells.moments[cut], material)
    springy, extra = spring_stiffness(held.facet, held.shape, held.weight[:, None, None] * springs)
    stiff = np.union1d(cut, springy)
    stiffness = np.zeros((len(stiff), 24, 24))
    stiffness[np.searchsorted(stiff, cut)] = own
    stiffness[np.searchsorted(stiff, springy)] += extra
    scale = lattice.edge * np.where(cells.whole, 1.0, SOFTEST)
    level = Cells(lattice.index, scale, stiff, stiffness, lattice.shape, bucket(len(cells), _LEAST_BUCKET))
    operator = GridStiffness(grid(level, None, np.float64), jax.device_put(unit))
    return ImmersedProblem(cells, points, corners, material, operator, _grid_cycle(hierarchy(level, unit)))


def _stiffness(moments: Float[np.ndarray, "c 27"], material: Lame) -> Float[np.ndarray, "c 24 24"]:
    stiffness = np.zeros((len(moments), 24, 24))
    for start in range(0, len(moments), _CHUNK):
        rows = slice(start, start + _CHUNK)
        chunk = pad(moments[rows], _CHUNK)
        chunk[len(moments[rows]) :] = element.FULL
        found = cell_stiffness(jax.device_put(chunk), material.first, material.shear)
        stiffness[rows] = np.asarray(found)[: len(moments[rows])]
    return stiffness


@float64
def solve(
    problem: ImmersedProblem,
    load: Float[np.ndarray, "n 3"],
    *,
    tolerance: float = TOLERANCE,
    progress: Progress | None = None,
) -> Solution:
    """Displacement under nodal forces [N], those of moved springs included.

    Raises:
        SolveError: the iteration broke down or did not converge
    """
    right_side = jax.device_put(pad(load, problem.operator.grid.node_count))
    solved = iteration.solve(problem.operator, problem.preconditioner, right_side, tolerance, progress)
    return Solution(np.asarray(solved.solution)[: len(load)], solved.iterations, solved.residual)


def spring_force(
    held: FacetQuadrature,
    springs: Float[np.ndarray, "p 3 3"],
    stretch: Float[np.ndarray, "p 3"],
    count: int,
) -> Float[np.ndarray, "n 3"]:
    """Nodal forces [N] of springs per area [N/m^3] that are stretched [m]."""
    return loads.traction(held, np.einsum("pij,pj->pi", springs, stretch), count)


def at_points(where: FacetQuadrature, values: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "p k"]:
    """Nodal values at the points of a quadrature."""
    return np.einsum("pa,pak->pk", where.shape, values[where.nodes])


def body_force(
    cells: FilledCells,
    corners: Int[np.ndarray, "c 8"],
    base: Float[np.ndarray, "3"],
    slope: Float[np.ndarray, "3 3"],
    count: int,
) -> Float[np.ndarray, "n 3"]:
    """Nodal forces [N] of a force per volume that is linear in position, base + slope @ x [N/m^3]."""
    lattice = cells.lattice
    at_corner = base + (lattice.origin + lattice.edge * lattice.index) @ slope.T
    share = cells.moments @ element.SHAPE_MOMENTS.T
    along = np.einsum("ajm,cm->caj", element.SHAPE_COORDINATE_MOMENTS, cells.moments)
    force = share[:, :, None] * at_corner[:, None] + lattice.edge * along @ slope.T
    return loads.scatter(corners, lattice.edge**3 * force, count)


class RigidRegions:
    """Regions of the surface that move as rigid bodies under a force and a moment each.

    They hang on stiff springs as supports do, from bodies whose six motions are unknowns of their own.
    """

    def __init__(
        self,
        problem: ImmersedProblem,
        regions: Sequence[tuple[FacetQuadrature, Float[np.ndarray, "p 3 3"], Float[np.ndarray, "p 3 6"]]],
        progress: Progress | None = None,
    ):
        """regions: points, springs per area [N/m^3], and displacement of the points in the six unit motions."""
        self._problem = problem
        count = len(problem.points)
        self._forces = [
            spring_force(where, springs, motions[:, :, k], count)
            for where, springs, motions in regions
            for k in range(6)
        ]
        solutions = [solve(problem, force, progress=progress) for force in self._forces]
        self.iterations = sum(solution.iterations for solution in solutions)
        self._displacements = np.array([solution.displacement for solution in solutions])
        stiffness = -np.array([[np.vdot(f, u) for u in self._displacements] for f in self._forces])
        for region, (where, springs, motions) in enumerate(regions):
            rows = slice(6 * region, 6 * region + 6)
            stiffness[rows, rows] += np.einsum("p,pik,pij,pjl->kl", where.weight, motions, springs, motions)
        self._stiffness = (stiffness + stiffness.T) / 2

    def solve(
        self,
        load: Float[np.ndarray, "n 3"],
        resultants: Float[np.ndarray, " k"],
        progress: Progress | None = None,
    ) -> tuple[Solution, float]:
        """Displacement under nodal forces [N] and the regions' forces [N] and moments [N m]; also their work [J]."""
        first = solve(self._problem, load, progress=progress)
        carried = np.array([np.vdot(force, first.displacement) for force in self._forces])
        motion = np.linalg.solve(self._stiffness, resultants + carried)
        displacement = first.displacement + np.einsum("k,kni->ni", motion, self._displacements)
        return Solution(displacement, first.iterations, first.residual), float(resultants @ motion)


@float64
def recover(problem: ImmersedProblem, displacement: Float[np.ndarray, "n 3"]) -> RecoveredStress:
    """Nodal stress: around each node a linear function, fitted to the stress at the centroids of the cells there.

    The error at a node is what the fit misses and what the stress changes within half a cell.
    """
    cells, corners, lattice = problem.cells, problem.corners, problem.cells.lattice
    local = element.centroids(cells.moments)
    gradient = np.einsum("cak,cai->cik", element.shape_gradient(local), displacement[corners]) / lattice.edge
    stress = _stress(gradient, problem.material)
    place = lattice.index + local
    own = np.rint((problem.points - lattice.origin) / lattice.edge)
    coefficients = _fit(corners, cells.fraction, place, stress, own)
    spread = coefficients[:, 1:]
    miss = _misfit(corners, cells.fraction, place, stress, own, coefficients)
    change = np.sqrt((von_mises(spread) ** 2).sum(1)) / 2
    volume = cells.fraction * lattice.edge**3
    energy = float(np.asarray(energy_density(jnp.asarray(stress), problem.material)) @ volume)
    rough = np.asarray(energy_density(jnp.asarray(spread / np.sqrt(12)), problem.material)).sum(1)
    return RecoveredStress(
        coefficients[:, 0], np.sqrt(miss**2 + change**2), rough[corners].mean(1) * volume, energy
    )


def _stress(gradient: Float[np.ndarray, "c 3 3"], material: Lame) -> Float[np.ndarray, "c 6"]:
    first, shear = float(material.first), float(material.shear)
    tensor = shear * (gradient + gradient.swapaxes(1, 2))
    tensor += first * np.trace(gradient, axis1=1, axis2=2)[:, None, None] * np.eye(3)
    return tensor[:, [0, 1, 2, 0, 1, 2], [0, 1, 2, 1, 2, 0]]


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
    stress: Float[np.ndarray, "c 6"],
    own: Float[np.ndarray, "n 3"],
) -> Float[np.ndarray, "n 4 6"]:
    """Stress at each node and its slope along x, y, z [Pa per cell]. Places are in units of the cell."""
    centre = own.mean(0)
    place, own = place - centre, own - centre
    basis = np.concatenate([np.ones((len(place), 1)), place], axis=1)
    features = np.concatenate(
        [
            np.einsum("ci,cj->cij", basis, basis).reshape(-1, 16),
            np.einsum("ci,cs->cis", basis, stress).reshape(-1, 24),
        ],
        axis=1,
    )
    sums = _incidence(corners, weight, len(own)) @ features
    shift = np.tile(np.eye(4), (len(own), 1, 1))  # to coordinates about the node
    shift[:, 1:, 0] = -own
    matrix = shift @ sums[:, :16].reshape(-1, 4, 4) @ shift.swapaxes(1, 2)
    right = shift @ sums[:, 16:].reshape(-1, 4, 6)
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
    corners: Int[np.ndarray, "c 8"],
    weight: Float[np.ndarray, " c"],
    place: Float[np.ndarray, "c 3"],
    stress: Float[np.ndarray, "c 6"],
    own: Float[np.ndarray, "n 3"],
    coefficients: Float[np.ndarray, "n 4 6"],
) -> Float[np.ndarray, " n"]:
    """Root mean square difference of the fit and the cells around a node, as von Mises stress [Pa]."""
    square, total = np.zeros(len(own)), np.zeros(len(own))
    for corner in range(8):
        node = corners[:, corner]
        fitted = coefficients[node, 0] + np.einsum("ck,cks->cs", place - own[node], coefficients[node, 1:])
        off = weight * von_mises(fitted - stress) ** 2
        square += np.bincount(node, off, minlength=len(own))
        total += np.bincount(node, weight, minlength=len(own))
    return np.sqrt(square / total)
