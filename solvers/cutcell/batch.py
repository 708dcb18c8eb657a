"""Many designs by one compiled program, each on cells of its own with its own grids beneath.

It runs over the whole solution of a design, its multigrid included. Designs of one bucket have arrays of the same
lengths mostly; where they have not, the shorter ones are filled up, with cells and nodes that weigh nothing.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Float

from solvers import iteration, members
from solvers.buckets import pad
from solvers.cutcell.immersed import ImmersedProblem, QuadraticStiffness
from solvers.iteration import TOLERANCE, Ended, Solution, SolveError
from solvers.multigrid.grid import Grid
from solvers.operator import LinearOperator, Preconditioner
from solvers.precision import float64

AT_ONCE = 64

System = tuple[LinearOperator, Preconditioner, Array]  # and the forces
Sized = Grid | QuadraticStiffness


@float64
def solve(
    problems: Sequence[ImmersedProblem],
    loads: Sequence[Float[np.ndarray, "n k"]],
    *,
    tolerance: float = TOLERANCE,
    at_once: int = AT_ONCE,
    together: bool | None = None,
    progress: Callable[[int], None] | None = None,
) -> list[Solution]:
    """The field of each design under its nodal forces.

    Designs that differ in more than lengths (the number of grids, or the cycle that they need) are solved one kind
    after the other.

    Args:
        loads: of each design, in the order of its nodes
        tolerance: relative residual
        at_once: designs to one program, at most
        together: as of `members.each`
        progress: called with the number of designs solved so far; what it raises ends the solve

    Raises:
        SolveError: designs have no solution; it names each by its position, and why
    """
    systems = [_system(problem, load) for problem, load in zip(problems, loads, strict=True)]
    solutions: dict[int, Solution] = {}
    failures = []
    for group in _groups(systems, at_once):
        stacked = _stacked([systems[place] for place in group])
        ended = jax.device_get(_solve(stacked, jax.device_put(np.float64(tolerance)), together))
        for row, place in enumerate(group):
            one = jax.tree.map(lambda leaf, row=row: leaf[row], ended)
            failure = one.failure()
            if failure:
                failures.append(f"design {place}: {failure}")
            field = one.solution[: len(loads[place])]
            solutions[place] = Solution(field, int(one.iterations), float(one.residual))
        if progress is not None:
            progress(len(solutions))
    if failures:
        raise SolveError("; ".join(failures))
    return [solutions[place] for place in range(len(systems))]


@eqx.filter_jit
def _solve(systems: System, tolerance: Float[Array, ""], together: bool | None) -> Ended:
    def one(system: System) -> Ended:
        return iteration.to_the_end(*system, tolerance)

    return members.each(one, systems, together)


def _system(problem: ImmersedProblem, load: Float[np.ndarray, "n k"]) -> System:
    padded = pad(load, problem.operator.node_count)
    return problem.operator, problem.preconditioner, jax.device_put(padded)


def _groups(systems: Sequence[System], at_once: int) -> Iterator[list[int]]:
    """Positions of systems of one kind, at most so many together."""
    alike = defaultdict(list)
    for place, system in enumerate(systems):
        alike[jax.tree.structure(_of_size(system, [0] * len(_sizes(system))))].append(place)
    for places in alike.values():
        yield from (places[first : first + at_once] for first in range(0, len(places), at_once))


def _stacked(systems: Sequence[System]) -> System:
    """Along a new leading axis, the shorter ones filled up."""
    sizes = np.max([_sizes(system) for system in systems], axis=0).tolist()
    alike = [_of_size(system, sizes) for system in systems]

    def stack(*leaves: Array) -> Array:
        longest = np.max([leaf.shape for leaf in leaves], axis=0).tolist()

        def filled(leaf: Array) -> np.ndarray:
            ends = [(0, most - own) for most, own in zip(longest, leaf.shape, strict=True)]
            return np.pad(np.asarray(leaf), ends) if ends else np.asarray(leaf)

        return jax.device_put(np.stack([filled(leaf) for leaf in leaves]))

    operator, preconditioner, load = jax.tree.map(stack, *alike)
    return operator, preconditioner, load


def _sizes(system: System) -> list[int]:
    """Numbers of nodes, which are part of a compiled program, of all that has one."""
    leaves = jax.tree.leaves(system, is_leaf=lambda node: isinstance(node, Sized))
    return [node.node_count for node in leaves if isinstance(node, Sized)]


def _of_size(system: System, sizes: Sequence[int]) -> System:
    """The same with other numbers of nodes."""
    left = iter(sizes)

    def resized(node: Sized | Array) -> Sized | Array:
        return dataclasses.replace(node, node_count=next(left)) if isinstance(node, Sized) else node

    operator, preconditioner, load = jax.tree.map(
        resized, system, is_leaf=lambda node: isinstance(node, Sized)
    )
    return operator, preconditioner, load
