"""The field of a law on a mesh: set up a model once, then solve any number of load cases on it."""

from dataclasses import dataclass, field
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from solvers import iteration
from solvers.buckets import pad
from solvers.cutcell.stiffness import unit_stiffness
from solvers.earlier import Earlier
from solvers.iteration import TOLERANCE, Progress, Solution
from solvers.law import Law
from solvers.multigrid import auxiliary, cycle
from solvers.multigrid.auxiliary import AuxiliaryGrid
from solvers.multigrid.beneath import cells_beneath
from solvers.multigrid.grid import hierarchy
from solvers.precision import float64
from solvers.tet10 import stiffness
from solvers.tet10.element import TETS_PER_CUBE
from solvers.tet10.mesh import tet_mesh
from solvers.tet10.model import Model, springs


@dataclass(frozen=True)
class Problem:
    """A model with its preconditioner, ready for load cases.

    count: number of mesh nodes without padding; prescribed: field in held directions
    earlier: load cases that were solved, which others start from
    """

    model: Model
    preconditioner: AuxiliaryGrid
    prescribed: Float[np.ndarray, "node k"]
    count: int
    earlier: Earlier = field(default_factory=Earlier)


@eqx.filter_jit
def _diagonal_blocks(model: Model) -> Float[Array, "node k k"]:
    return stiffness.diagonal_blocks(model)


_auxiliary_grid = eqx.filter_jit(auxiliary.auxiliary_grid)
_grid_cycle = eqx.filter_jit(cycle.grid_cycle)


@eqx.filter_jit
def _internal_force(model: Model, field: Float[Array, "node k"]) -> Float[Array, "node k"]:
    return stiffness.apply(model, field)


@float64
def prepare(
    points: Float[np.ndarray, "n 3"],
    tets: Int[np.ndarray, "m 10"],
    law: Law,
    held: Float[np.ndarray, "n k k"],
    prescribed: Float[np.ndarray, "n k"],
    foundation: tuple[Int[np.ndarray, "f 6"], Float[np.ndarray, "f 6 6 k k"]] | None = None,
) -> Problem:
    """Set up a model and its preconditioner.

    Args:
        points: node positions [m]
        tets: elements in VTK order
        law: its parameters are numbers, or one for each element (m,)
        held: per node, the projector onto the directions in which its field is given
        prescribed: the field along the held directions
        foundation: facets and their stiffness from `loads.foundation`
    """
    mesh = tet_mesh(points, tets)
    unit, relative = law.stiffest()
    free = jax.device_put(pad(np.eye(law.components) - held, mesh.node_count))
    model = Model(mesh, mesh.spread(law), free, springs(*foundation) if foundation else None)
    diagonal = _diagonal_blocks(model)
    stiff = np.trace(np.asarray(diagonal)[: len(points)], axis1=1, axis2=2)[:, None, None] / law.components
    grounded = stiff * held
    if foundation:
        own = np.einsum("fabij->faij", foundation[1])
        for i in range(law.components):
            for j in range(law.components):
                grounded[:, i, j] += np.bincount(
                    foundation[0].ravel(), own[..., i, j].ravel(), minlength=len(points)
                )
    # cells of the mean size of the elements
    cell_size = float(TETS_PER_CUBE * np.sum(mesh.weight) / len(tets)) ** (1 / 3)
    most = round(mesh.capacity / TETS_PER_CUBE)
    cells, from_mesh = cells_beneath(points, tets, relative, grounded, cell_size, mesh.node_count, most)
    grids = cycle.strengthened(_grid_cycle(hierarchy(cells, unit_stiffness(unit))))
    preconditioner = _auxiliary_grid(stiffness.FreeStiffness(model), diagonal, free, from_mesh, grids)
    return Problem(model, preconditioner, pad(prescribed, mesh.node_count), len(points))


@float64
def solve(
    problem: Problem,
    load: Float[np.ndarray, "n k"],
    *,
    prescribed: Float[np.ndarray, "n k"] | None = None,
    tolerance: float = TOLERANCE,
    progress: Progress | None = None,
) -> Solution:
    """The field under nodal forces.

    Args:
        prescribed: the field in the held directions in place of the problem's own
        tolerance: relative residual
        progress: called every few iterations; what it raises ends the solve

    Raises:
        SolveError: the iteration broke down or did not converge
    """
    size = problem.model.mesh.node_count
    given = problem.prescribed if prescribed is None else pad(prescribed, size)
    forces = right_side(
        problem.model, jax.device_put(pad(load, size)), jax.device_put(given) if given.any() else None
    )
    solved = iteration.solve(
        stiffness.FreeStiffness(problem.model),
        problem.preconditioner,
        forces.forces,
        tolerance * float(forces.load_share),
        progress,
        problem.earlier,
    )
    found = given + np.asarray(solved.solution)
    return Solution(found[: problem.count], solved.iterations, solved.residual)


@dataclass(frozen=True)
class Approach:
    """A field near that of a load case.

    rest: nodal forces that it leaves unbalanced, along the free directions (n, k)
    distance: estimated, from the solution in the norm of energy, over that of the solution; energy: of the solution
    """

    field: Float[np.ndarray, "n k"]
    rest: Float[np.ndarray, "n k"]
    iterations: int
    distance: float
    energy: float

    @property
    def missing(self) -> float:
        """Estimated norm of energy of what is missing."""
        return self.distance * self.energy**0.5


@float64
def approach(
    problem: Problem, load: Float[np.ndarray, "n k"], distance: float, *, progress: Progress | None = None
) -> Approach:
    """A field within a relative distance of that under nodal forces, in the norm of energy; held at zero.

    It starts from what the problem's `earlier` knows. Raises SolveError.
    """
    forces = right_side(problem.model, jax.device_put(pad(load, problem.model.mesh.node_count)), None).forces
    found = iteration.approach(
        stiffness.FreeStiffness(problem.model),
        problem.preconditioner,
        forces,
        distance,
        problem.earlier,
        progress,
    )
    field, rest = (np.asarray(each)[: problem.count] for each in (found.solution, found.rest))
    return Approach(field, rest, found.iterations, found.distance, found.energy)


@float64
def expect(problem: Problem, load: Float[np.ndarray, "n k"], guess: Float[np.ndarray, "n k"]) -> None:
    """Have solutions start from a guess at the field under these nodal forces too: what is rough in it is taken out.

    Raises ValueError where it is not finite.
    """
    if not np.isfinite(guess).all():
        raise ValueError("what the field is expected to be is not finite")
    size = problem.model.mesh.node_count
    operator = stiffness.FreeStiffness(problem.model)
    forces = right_side(problem.model, jax.device_put(pad(load, size)), None).forces
    free = operator.project(jax.device_put(pad(guess, size)))
    problem.earlier.keep(operator, iteration.smoothed(operator, problem.preconditioner, forces, free))


class RightSide(NamedTuple):
    """Nodal forces along the free directions; how small a part of them the loads are."""

    forces: Float[Array, "node k"]
    load_share: Float[Array, ""]


@eqx.filter_jit
def right_side(
    model: Model, load: Float[Array, "node k"], prescribed: Float[Array, "node k"] | None
) -> RightSide:
    """Of loads, and of a prescribed field where there is one.

    Prescribed values may need forces far above the loads; the loads are still to be balanced.
    """
    rest = load if prescribed is None else load - stiffness.apply(model, prescribed)
    forces = stiffness.FreeStiffness(model).project(rest)
    size, total = jnp.linalg.norm(load), jnp.linalg.norm(forces)
    share = jnp.clip(size / jnp.where(total > 0, total, 1), 1e-3, 1.0)
    return RightSide(forces, jnp.where((size > 0) & (total > 0), share, 1.0))


@float64
def internal_force(problem: Problem, field: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "n k"]:
    """K u, springs included: with loads subtracted, the force of the supports on the part."""
    force = _internal_force(problem.model, jax.device_put(pad(field, problem.model.mesh.node_count)))
    return np.asarray(force)[: problem.count]


def devices() -> str:
    """What the solver runs on."""
    return ", ".join(sorted({device.device_kind for device in jax.devices()}))
