"""Many solutions on one mesh by one compiled program: load cases, materials, morphed shapes.

It runs over the whole solution of a member: geometry, diagonal blocks, the smoother and its largest eigenvalue,
conjugate gradients. Only the grids beneath stay the problem's own, of its law and its shape, scaled to the member's
stiffness: a preconditioner has to be alike, not equal. Other materials then take as many iterations as on grids of
their own. A shape stretched by a tenth takes one or two more, by a third half as many again, by two thirds more than
twice as many: the base belongs into the middle of a family, and distant members want problems of their own.
"""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from solvers import iteration, members
from solvers.buckets import pad
from solvers.iteration import TOLERANCE, Ended, Solution, SolveError
from solvers.law import Law
from solvers.multigrid.auxiliary import AuxiliaryGrid, auxiliary_grid
from solvers.precision import float64
from solvers.tet10 import stiffness
from solvers.tet10.mesh import degenerate
from solvers.tet10.model import Model, Springs
from solvers.tet10.steady import Problem, right_side

AT_ONCE = 16


class _Own(eqx.Module):
    """What members have of their own, along a leading axis; None: as the problem has it."""

    load: Float[Array, "member node k"] | None
    prescribed: Float[Array, "member node k"] | None
    law: Law | None
    points: Float[Array, "member node 3"] | None
    springs: Float[Array, "member facet 6 6 k k"] | None


class _Shared(eqx.Module):
    """What they have in common."""

    model: Model
    preconditioner: AuxiliaryGrid
    load: Float[Array, "node k"] | None
    prescribed: Float[Array, "node k"] | None
    tolerance: Float[Array, ""]


class _Member(eqx.Module):
    """How a member ended, its field, and the `worst` element of its mesh with its weight."""

    ended: Ended
    field: Float[Array, "node k"]
    worst: tuple[Int[Array, ""], Float[Array, ""]]

    def failure(self) -> str | None:
        """Why it has no solution."""
        element, weight = (value.item() for value in self.worst)
        return self.ended.failure() if weight > 0 else degenerate(element, weight)


@float64
def solve(
    problem: Problem,
    loads: Float[np.ndarray, "b n k"] | Float[np.ndarray, "n k"],
    *,
    laws: Law | None = None,
    points: Float[np.ndarray, "b n 3"] | None = None,
    springs: Float[np.ndarray, "b f 6 6 k k"] | None = None,
    prescribed: Float[np.ndarray, "b n k"] | None = None,
    tolerance: float = TOLERANCE,
    at_once: int = AT_ONCE,
    together: bool | None = None,
    progress: Callable[[int], None] | None = None,
) -> list[Solution]:
    """The fields of b members, each with its own loads, law or shape, or several of these.

    A member takes about 0.15 GB per million unknowns, one with a shape of its own 0.9 GB.

    Args:
        loads: nodal forces of each member, or (n, k) of all
        laws: of the problem's kind, each parameter of shape (b,)
        points: node positions [m]; elements and held directions stay the problem's own
        springs: stiffness of the facets of the problem's foundation; its own, where they stay as they are
        prescribed: fields in the held directions in place of the problem's own
        tolerance: relative residual
        at_once: members to one program, at most
        together: as of `members.each`
        progress: called with the number of members solved so far; what it raises ends the solve

    Raises:
        SolveError: members have no solution; it names each by its position, and why
        ValueError: members are of different number, or have springs where the problem has none
    """
    if springs is not None and problem.model.springs is None:
        raise ValueError("members have springs where the problem has none")
    own = (loads if loads.ndim == 3 else None, prescribed, laws, points, springs)
    counts = {len(leaf) for leaf in jax.tree.leaves(own)}
    if len(counts) != 1:
        raise ValueError(f"what members have of their own is of {sorted(counts)} members")
    (count,) = counts
    size = problem.model.mesh.node_count
    given = problem.prescribed if prescribed is None and problem.prescribed.any() else None
    shared = _Shared(
        problem.model,
        problem.preconditioner,
        jax.device_put(pad(loads, size)) if loads.ndim == 2 else None,
        None if given is None else jax.device_put(given),
        jax.device_put(np.float64(tolerance)),
    )
    length = -(-count // -(-count // at_once))
    solutions, failures = [], []
    for first in range(0, count, length):
        # the last group is filled up with the last member, so that all groups share one program
        rows = np.arange(first, first + length).clip(max=count - 1)
        group = jax.device_get(_solve(shared, _members(rows, problem.model, *own), together))
        for member in range(first, min(first + length, count)):
            one = jax.tree.map(lambda leaf, place=member - first: leaf[place], group)
            failure = one.failure()
            if failure:
                failures.append(f"member {member}: {failure}")
            field = one.field[: problem.count]
            solutions.append(Solution(field, int(one.ended.iterations), float(one.ended.residual)))
        if progress is not None:
            progress(min(first + length, count))
    if failures:
        raise SolveError("; ".join(failures))
    return solutions


def _members(
    rows: Int[np.ndarray, " b"],
    model: Model,
    load: np.ndarray | None,
    prescribed: np.ndarray | None,
    law: Law | None,
    points: np.ndarray | None,
    springs: np.ndarray | None,
) -> _Own:
    """Some members, on the device, padded as the problem is."""

    def put(values: np.ndarray | None, length: int) -> Array | None:
        if values is None:
            return None
        padded = np.zeros((len(rows), length, *values.shape[2:]))
        padded[:, : values.shape[1]] = values[rows]
        return jax.device_put(padded)

    nodes = model.mesh.node_count
    facets = 0 if model.springs is None else len(model.springs.nodes)
    laws = jax.tree.map(lambda values: jax.device_put(np.asarray(values, np.float64)[rows]), law)
    return _Own(put(load, nodes), put(prescribed, nodes), laws, put(points, nodes), put(springs, facets))


@eqx.filter_jit
def _solve(shared: _Shared, own: _Own, together: bool | None) -> _Member:
    return members.each(lambda member: _solve_one(shared, member), own, together)


def _solve_one(shared: _Shared, own: _Own) -> _Member:
    model, preconditioner = _system(shared, own)
    given = shared.prescribed if own.prescribed is None else own.prescribed
    load = shared.load if own.load is None else own.load
    assert load is not None
    forces, load_share = right_side(model, load, given)
    operator = stiffness.FreeStiffness(model)
    ended = iteration.to_the_end(operator, preconditioner, forces, shared.tolerance * load_share)
    field = ended.solution if given is None else given + ended.solution
    return _Member(ended, field, model.mesh.worst())


def _system(shared: _Shared, own: _Own) -> tuple[Model, AuxiliaryGrid]:
    """A member's model, and its preconditioner."""
    base, grids = shared.model, shared.preconditioner
    if own.law is None and own.points is None and own.springs is None:
        return base, grids
    springs = base.springs
    if springs is not None and own.springs is not None:
        springs = Springs(springs.nodes, own.springs)
    mesh = base.mesh if own.points is None else base.mesh.moved(own.points)
    model = Model(mesh, base.law if own.law is None else own.law, base.free, springs)
    diagonal = stiffness.diagonal_blocks(model)
    size = jnp.trace(diagonal, axis1=1, axis2=2).sum()
    relative = size / jnp.trace(stiffness.diagonal_blocks(base), axis1=1, axis2=2).sum()
    operator = stiffness.FreeStiffness(model)
    return model, auxiliary_grid(operator, diagonal, base.free, grids.from_mesh, grids.grids, relative)
