"""Solve a linear system by preconditioned conjugate gradients, watched and cancelled by the caller."""

from collections.abc import Callable
from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from solvers import krylov
from solvers.earlier import NEW, Earlier
from solvers.operator import LinearOperator, Preconditioner

STEPS = 5  # iterations between two looks at the caller
MOST_ITERATIONS = 2000
TOLERANCE = 1e-8  # relative residual that an answer is solved to

Progress = Callable[[int, float], None]  # iterations so far, relative residual


class SolveError(RuntimeError):
    """The iteration ended without a solution; the sentence says why."""


class Solved(eqx.Module):
    """solution of the system; residual relative, recomputed."""

    solution: Float[Array, "node k"]
    iterations: int
    residual: float


@dataclass(frozen=True)
class Solution:
    """field per mesh node; residual relative, of the true equations in double precision."""

    field: Float[np.ndarray, "n k"]
    iterations: int
    residual: float


class Ended(eqx.Module):
    """How one of many solutions ended: residual as the iteration has it, and recomputed; relative both."""

    solution: Float[Array, "node k"]
    iterations: Int[Array, ""]
    outcome: Int[Array, ""]
    reached: Float[Array, ""]
    residual: Float[Array, ""]

    def failure(self) -> str | None:
        """Why there is no solution."""
        outcome = krylov.Outcome(int(self.outcome))
        if outcome == krylov.Outcome.CONVERGED and np.isfinite(self.residual):
            return None
        return _unsolved(outcome, int(self.iterations), float(self.reached))


def _unsolved(outcome: krylov.Outcome, iterations: int, residual: float) -> str:
    """Why there is no solution, for the user."""
    return f"{outcome.sentence} (after {iterations} iterations, relative residual {residual:.1e})"


_start = eqx.filter_jit(krylov.cg_init)


@eqx.filter_jit
def _go_on(
    operator: LinearOperator, right_side: Float[Array, "node k"], start: Float[Array, "node k"]
) -> krylov.CGState:
    """The iteration for what is to be added to `start`; its residual is relative to the whole right-hand side."""
    state = krylov.cg_init(right_side - operator.apply(start))
    scale = jnp.linalg.norm(right_side)
    left = jnp.where(scale > 0, state.scale / jnp.where(scale > 0, scale, 1), 0.0)
    return eqx.tree_at(lambda at: (at.scale, at.residual_norm), state, (scale, left))


@eqx.filter_jit(donate="all-except-first")
def _advance(
    system: tuple[LinearOperator, Preconditioner, Array, Array], state: krylov.CGState
) -> krylov.CGState:
    return _steps(*system, state)


def _steps(
    operator: LinearOperator,
    preconditioner: Preconditioner,
    tolerance: Float[Array, ""],
    steps: int | Int[Array, ""],
    state: krylov.CGState,
) -> krylov.CGState:
    def precondition(residual: Array) -> Array:
        # single precision in there lets a trace of what is held in, which the operator would take for prescribed
        return operator.project(preconditioner.apply(residual))

    return krylov.cg_steps(operator.apply, precondition, state, tolerance, steps)


def to_the_end(
    operator: LinearOperator,
    preconditioner: Preconditioner,
    right_side: Float[Array, "node k"],
    tolerance: Float[Array, ""],
) -> Ended:
    """Solve operator x = right_side within one compiled program, as one of many: nobody watches."""
    state = _steps(operator, preconditioner, tolerance, MOST_ITERATIONS, krylov.cg_init(right_side))
    residual = relative_residual(operator, right_side, state.solution)
    return Ended(state.solution, state.iteration, state.outcome, state.residual_norm, residual)


@eqx.filter_jit
def relative_residual(
    operator: LinearOperator, right_side: Float[Array, "node k"], solution: Float[Array, "node k"]
) -> Float[Array, ""]:
    """Of operator x = right_side, computed anew; zero where there is nothing to solve."""
    rest = jnp.linalg.norm(right_side - operator.apply(solution))
    scale = jnp.linalg.norm(right_side)
    return jnp.where(scale > 0, rest / jnp.where(scale > 0, scale, 1), 0.0)


def solve(
    operator: LinearOperator,
    preconditioner: Preconditioner,
    right_side: Float[Array, "node k"],
    tolerance: float,
    progress: Progress | None = None,
    earlier: Earlier | None = None,
) -> Solved:
    """Solve operator x = right_side.

    Args:
        tolerance: relative residual
        progress: called every few iterations; what it raises ends the solve
        earlier: solutions of this operator to start from, which this one joins

    Raises:
        SolveError: the iteration broke down or did not converge
    """
    start = None if earlier is None else earlier.start(right_side)
    if start is None:
        state, left = _start(right_side), 1.0
    else:
        state = _go_on(operator, right_side, start)
        if (left := float(state.residual_norm)) <= tolerance:
            return Solved(start, 0, left)
    system = (operator, preconditioner, jax.device_put(np.float64(tolerance)), jax.device_put(STEPS))
    while int(state.outcome) == krylov.Outcome.RUNNING and int(state.iteration) < MOST_ITERATIONS:
        state = _advance(system, state)
        if progress is not None:
            progress(int(state.iteration), float(state.residual_norm))
    outcome = krylov.Outcome(int(state.outcome))
    if outcome != krylov.Outcome.CONVERGED:
        raise SolveError(_unsolved(outcome, int(state.iteration), float(state.residual_norm)))
    if earlier is not None and left > NEW:
        earlier.keep(operator, state.solution)
    solution = state.solution if start is None else start + state.solution
    residual = float(relative_residual(operator, right_side, solution))
    return Solved(solution, int(state.iteration), residual)
