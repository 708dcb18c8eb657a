"""The field of a law on a mesh: set up a model once, then solve any number of load cases on it."""

from dataclasses import dataclass

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Float, Int

from solvers import iteration
from solvers.buckets import pad
from solvers.cutcell.stiffness import unit_stiffness
from solvers.iteration import TOLERANCE, Progress, Solution
from solvers.law import Law
from solvers.multigrid import auxiliary
from solvers.multigrid.auxiliary import AuxiliaryGrid
from solvers.multigrid.beneath import cells_beneath
from solvers.multigrid.cycle import strengthened
from solvers.multigrid.grid import hierarchy
from solvers.precision import float64
from solvers.tet10 import stiffness
from solvers.tet10.element import TETS_PER_CUBE
from solvers.tet10.mesh import tet_mesh
from solvers.tet10.model import Model, springs


@dataclass(frozen=True)
class Problem:
    """A model with its preconditioner, ready for load cases.

    count: number of mesh nodes without padding; free: projectors of the model; prescribed: field in held directions
    """

    model: Model
    preconditioner: AuxiliaryGrid
    free: Float[np.ndarray, "node k k"]
    prescribed: Float[np.ndarray, "node k"]
    count: int


@eqx.filter_jit
def _diagonal_blocks(model: Model) -> Float[Array, "node k k"]:
    return stiffness.diagonal_blocks(model)


_auxiliary_grid = eqx.filter_jit(auxiliary.auxiliary_grid)


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
        held: per node, the projector onto the directions in which its field is given
        prescribed: the field along the held directions
        foundation: facets and their stiffness from `loads.foundation`
    """
    mesh = tet_mesh(points, tets)
    free = pad(np.eye(law.components) - held, mesh.node_count)
    model = Model(mesh, law, jax.device_put(free), springs(*foundation) if foundation else None)
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
    cells, from_mesh = cells_beneath(points, tets, grounded, cell_size, mesh.node_count, most)
    grids = hierarchy(cells, unit_stiffness(law))
    plain = _auxiliary_grid(stiffness.FreeStiffness(model), diagonal, model.free, grids, from_mesh)
    preconditioner = eqx.tree_at(lambda p: p.grids, plain, strengthened(plain.grids))
    return Problem(model, preconditioner, free, pad(prescribed, mesh.node_count), len(points))


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
    model = problem.model
    size = model.mesh.node_count
    given = problem.prescribed if prescribed is None else pad(prescribed, size)
    rest = pad(load, size)
    if given.any():
        rest = rest - np.asarray(_internal_force(model, jax.device_put(given)))
    right_side = np.einsum("nij,nj->ni", problem.free, rest)
    tolerance = tolerance * _share_of_load(load, right_side)
    solved = iteration.solve(
        stiffness.FreeStiffness(model),
        problem.preconditioner,
        jax.device_put(right_side),
        tolerance,
        progress,
    )
    field = given + np.asarray(solved.solution)
    return Solution(field[: problem.count], solved.iterations, solved.residual)


def _share_of_load(load: Float[np.ndarray, "n k"], right_side: Float[np.ndarray, "node k"]) -> float:
    """Prescribed values may need forces far above the loads; the loads are still to be balanced."""
    size, total = float(np.linalg.norm(load)), float(np.linalg.norm(right_side))
    return float(np.clip(size / total, 1e-3, 1.0)) if size and total else 1.0


@float64
def internal_force(problem: Problem, field: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "n k"]:
    """K u, springs included: with loads subtracted, the force of the supports on the part."""
    force = _internal_force(problem.model, jax.device_put(pad(field, problem.model.mesh.node_count)))
    return np.asarray(force)[: problem.count]


def devices() -> str:
    """What the solver runs on."""
    return ", ".join(sorted({device.device_kind for device in jax.devices()}))
