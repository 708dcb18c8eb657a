"""The field of a law on a grid that the part is immersed in: no mesh follows its surface, cells are cut by it."""

from dataclasses import dataclass, field

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from solvers import iteration, quadrature
from solvers.buckets import bucket, companion, pad
from solvers.cutcell import ghost
from solvers.cutcell.cells import FilledCells
from solvers.cutcell.element import LINEAR, QUADRATIC
from solvers.cutcell.stiffness import cell_stiffness, unit_stiffness
from solvers.cutcell.supports import Supports
from solvers.earlier import Earlier
from solvers.iteration import TOLERANCE, Progress, Solution
from solvers.law import Law
from solvers.multigrid import auxiliary, cycle
from solvers.multigrid.grid import (
    Cells,
    Grid,
    Interpolation,
    grid,
    hierarchy,
    interpolate,
    interpolation,
)
from solvers.operator import ConstrainedOperator, LinearOperator, Preconditioner
from solvers.precision import float64
from solvers.quadrature import FacetQuadrature

# Of a whole cell's stiffness, what a cut cell of first order has at least: slivers of material hold their nodes.
SOFTEST = 1e-3
_LEAST_BUCKET = 1024  # cells


class GridStiffness(LinearOperator):
    """The stiffness of a grid's cells of first order, and of what holds them; every node is free."""

    grid: Grid
    unit_stiffness: Float[Array, "rows rows"]

    def apply(self, vector: Float[Array, "node k"]) -> Float[Array, "node k"]:
        return cycle.apply_grid(self.grid, self.unit_stiffness, vector)

    def project(self, vector: Float[Array, "node k"]) -> Float[Array, "node k"]:
        return vector

    @property
    def node_count(self) -> int:
        """Padding included."""
        return self.grid.node_count


class QuadraticStiffness(ConstrainedOperator):
    """The stiffness of cells of second order, and of what holds them; every node is free.

    nodes, scale: of all cells, and the multiple of the unit cell that each has
    stiff_cells, stiffness: nodes of cells with a stiffness of their own besides
    faces, face_scale, face_stiffness: of `ghost`
    """

    nodes: Int[Array, "cell 27"]
    scale: Float[Array, " cell"]
    unit_stiffness: Float[Array, "rows rows"]
    stiff_cells: Int[Array, "stiff 27"]
    stiffness: Float[Array, "stiff rows rows"]
    faces: Int[Array, "face 45"]
    face_scale: Float[Array, " face"]
    face_stiffness: Float[Array, "45 45"]
    node_count: int = eqx.field(static=True)

    def apply(self, vector: Float[Array, "node k"]) -> Float[Array, "node k"]:
        own = vector[self.nodes].reshape(len(self.nodes), -1) @ self.unit_stiffness
        local = jnp.einsum(
            "cij,cj->ci", self.stiffness, vector[self.stiff_cells].reshape(len(self.stiff_cells), -1)
        )
        across = jnp.einsum("ab,fbk->fak", self.face_stiffness, vector[self.faces])
        force = (
            jnp.zeros_like(vector)
            .at[self.nodes]
            .add((self.scale[:, None] * own).reshape(*self.nodes.shape, -1))
        )
        force = force.at[self.stiff_cells].add(local.reshape(*self.stiff_cells.shape, -1))
        return force.at[self.faces].add(self.face_scale[:, None, None] * across)

    def project(self, vector: Float[Array, "node k"]) -> Float[Array, "node k"]:
        return vector

    def single_precision(self) -> "QuadraticStiffness":
        return jax.tree.map(
            lambda a: a.astype(jnp.float32) if jnp.issubdtype(a.dtype, jnp.floating) else a, self
        )

    def diagonal_blocks(self) -> Float[Array, "node k k"]:
        """Of each node."""
        k = len(self.unit_stiffness) // 27
        own = jnp.einsum("aiaj->aij", self.unit_stiffness.reshape(27, k, 27, k))
        stiff = jnp.einsum("caiaj->caij", self.stiffness.reshape(-1, 27, k, 27, k))
        blocks = jnp.zeros((self.node_count, k, k), own.dtype)
        blocks = blocks.at[self.nodes].add(self.scale[:, None, None, None] * own)
        blocks = blocks.at[self.stiff_cells].add(stiff)
        across = self.face_scale[:, None] * jnp.diagonal(self.face_stiffness)
        return blocks.at[self.faces].add(across[:, :, None, None] * jnp.eye(k, dtype=own.dtype))


@dataclass(frozen=True)
class ImmersedProblem:
    """A grid with its preconditioner, ready for load cases. earlier: those that were solved, which others start from"""

    cells: FilledCells
    operator: GridStiffness | QuadraticStiffness
    preconditioner: Preconditioner
    earlier: Earlier = field(default_factory=Earlier)


_grid_cycle = eqx.filter_jit(cycle.grid_cycle)


@float64
def prepare(cells: FilledCells, law: Law, held: Supports) -> ImmersedProblem:
    """Set up a grid of cells of either order, and its preconditioner."""
    linear, edge = cells.linear, cells.lattice.edge
    scale = edge * np.where(cells.whole, 1.0, SOFTEST)
    cut = np.flatnonzero(~cells.whole)
    holding, extra = held.stiffness()
    stiff = np.union1d(cut, holding)

    def stiffness(of: FilledCells, own: Float[np.ndarray, "h rows rows"]) -> Float[np.ndarray, "s rows rows"]:
        found = np.zeros((len(stiff), *own.shape[1:]))
        found[np.searchsorted(stiff, cut)] = edge * cell_stiffness(law, of.element, of.weights[cut])
        found[np.searchsorted(stiff, holding)] += own
        return found

    size = bucket(len(cells), _LEAST_BUCKET)
    unit = unit_stiffness(law)
    on_corners = extra if cells.element == LINEAR else _restricted(extra, law.components)
    level = Cells(cells.lattice, scale, stiff, stiffness(linear, on_corners), size, multiples_coarsen=True)
    if cells.element == LINEAR:
        finest = grid(level, np.float64)
        grids = cycle.strengthened(_grid_cycle(hierarchy(level, unit, finest)))
        return ImmersedProblem(cells, GridStiffness(finest, jax.device_put(unit)), grids)
    quadratic = _quadratic(cells, law, stiff, stiffness(cells, extra), level)
    from_corners = interpolation(*interpolate(cells.places / 2, cells.lattice), quadratic.node_count)
    grids = cycle.strengthened(_grid_cycle(hierarchy(level, unit)))
    return ImmersedProblem(cells, quadratic, _around(quadratic, from_corners, grids))


def _quadratic(
    cells: FilledCells,
    law: Law,
    stiff: Int[np.ndarray, " s"],
    stiffness: Float[np.ndarray, "s rows rows"],
    level: Cells,
) -> QuadraticStiffness:
    nodes, edge, length = cells.nodes.astype(np.int32), cells.lattice.edge, int(level.bucket)
    whole, faces = np.flatnonzero(cells.whole), ghost.faces(cells).astype(np.int32)
    count, face_count = companion(len(stiff), level.usual_stiff), companion(len(faces), 3 * level.usual_stiff)
    return QuadraticStiffness(
        jax.device_put(pad(nodes[whole], length)),
        jax.device_put(pad(np.full(len(whole), edge), length)),
        jax.device_put(unit_stiffness(law, cells.element)),
        jax.device_put(pad(nodes[stiff], count)),
        jax.device_put(pad(stiffness, count)),
        jax.device_put(pad(faces, face_count)),
        jax.device_put(pad(np.full(len(faces), float(law.largest_modulus) * edge), face_count)),
        jax.device_put(ghost.face_stiffness()),
        companion(len(cells.points), 8 * level.usual_nodes),
    )


def _restricted(stiffness: Float[np.ndarray, "h r r"], components: int) -> Float[np.ndarray, "h s s"]:
    """Of cells of second order, on their functions of first order."""
    basis = np.kron(LINEAR.shape(QUADRATIC.steps / 2), np.eye(components))
    return basis.T @ stiffness @ basis


@eqx.filter_jit
def _around(
    operator: QuadraticStiffness, from_corners: Interpolation, grids: cycle.GridCycle
) -> auxiliary.AuxiliaryGrid:
    diagonal = operator.diagonal_blocks()
    free = jnp.broadcast_to(jnp.eye(diagonal.shape[-1]), diagonal.shape)
    return auxiliary.auxiliary_grid(operator, diagonal, free, from_corners, grids)


@float64
def solve(
    problem: ImmersedProblem,
    load: Float[np.ndarray, "n k"],
    *,
    tolerance: float = TOLERANCE,
    progress: Progress | None = None,
) -> Solution:
    """The field under nodal forces, those of what holds it (`Supports.force` on a field of zero) included.

    Raises:
        SolveError: the iteration broke down or did not converge
    """
    right_side = jax.device_put(pad(load, problem.operator.node_count))
    solved = iteration.solve(
        problem.operator, problem.preconditioner, right_side, tolerance, progress, problem.earlier
    )
    return Solution(np.asarray(solved.solution)[: len(load)], solved.iterations, solved.residual)


def at_points(where: FacetQuadrature, values: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "p k"]:
    """Nodal values at the points of a quadrature."""
    return np.einsum("pa,pak->pk", where.shape, values[where.nodes])


def body_force(
    cells: FilledCells, base: Float[np.ndarray, " k"], slope: Float[np.ndarray, "k 3"]
) -> Float[np.ndarray, "n k"]:
    """Nodal forces of a force per volume that is linear in position, base + slope @ x."""
    lattice, element = cells.lattice, cells.element
    at_corner = base + (lattice.origin + lattice.edge * lattice.index) @ slope.T
    shape = element.shape(element.points)
    share = cells.weights @ shape
    along = cells.weights @ (shape[:, :, None] * element.points[:, None]).reshape(len(shape), -1)
    force = share[:, :, None] * at_corner[:, None] + lattice.edge * along.reshape(*share.shape, 3) @ slope.T
    return quadrature.scatter(cells.nodes, lattice.edge**3 * force, len(cells.points))
