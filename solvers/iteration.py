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
CLOSE_STEPS = 2  # likewise, where an iteration ends as soon as it is near enough
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


class Approached(eqx.Module):
    """A vector on the way to the solution.

    rest: what the equations leave of the right-hand side; energy: of the solution, as far as it is known
    missing: estimated energy of what is still to be added
    """

    solution: Float[Array, "node k"]
    rest: Float[Array, "node k"]
    iterations: int
    energy: float
    missing: float

    @property
    def distance(self) -> float:
        """From the solution, in the norm of energy, over the norm of the solution."""
        return (self.missing / self.energy) ** 0.5 if self.energy > 0 else 0.0


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


def approach(
    operator: LinearOperator,
    preconditioner: Preconditioner,
    right_side: Float[Array, "node k"],
    distance: float,
    earlier: Earlier,
    progress: Progress | None = None,
) -> Approached:
    """Come near the solution of operator x = right_side, but no nearer than it takes.

    Each step takes from the energy of what is missing exactly what it adds to -2 (x . A x / 2 - b . x). What the steps
    after the last one would add is told by how fast that falls: an estimate (Strakoš & Tichý, ETNA 13, 2002, bound it
    from below by the steps that were done).

    Args:
        distance: from the solution in the norm of energy, relative, at which to stop
        earlier: solutions, or what is near them, to start from; the result joins them

    Raises:
        SolveError: the iteration broke down or did not converge
    """
    start = earlier.start(right_side)
    if start is None:
        start, state = jnp.zeros_like(right_side), _start(right_side)
    else:
        state = _go_on(operator, right_side, start)
    system = (operator, preconditioner, jax.device_put(np.float64(TOLERANCE)), jax.device_put(CLOSE_STEPS))
    known = [float(_energy(right_side, start, state))]
    missing = np.inf
    while int(state.outcome) == krylov.Outcome.RUNNING and int(state.iteration) < MOST_ITERATIONS:
        state = _advance(system, state)
        if progress is not None:
            progress(int(state.iteration), float(state.residual_norm))
        known.append(float(_energy(right_side, start, state)))
        missing = _missing(known)
        if missing <= distance**2 * known[-1]:
            break
    outcome = krylov.Outcome(int(state.outcome))
    if outcome == krylov.Outcome.BREAKDOWN or int(state.iteration) >= MOST_ITERATIONS:
        raise SolveError(_unsolved(outcome, int(state.iteration), float(state.residual_norm)))
    if outcome == krylov.Outcome.CONVERGED and not np.isfinite(missing):
        missing = 0.0
    if int(state.iteration):
        earlier.keep(operator, state.solution)
    solution = start + state.solution
    rest = _rest(operator, right_side, solution)
    return Approached(solution, rest, int(state.iteration), known[-1], missing)


# Of what was added last, that the next two iterations add: conjugate gradients begin faster than they go on, and where
# they hardly go on nothing is known.
FALLS = (0.1, 0.9)


def _missing(known: list[float]) -> float:
    """Energy still to come, of energies after equally many steps each: what is added falls on as it did."""
    steps = np.maximum(np.diff(known[-4:]), 0.0)
    if len(steps) < 2:
        return np.inf
    falls = steps[1:] / np.where(steps[:-1] > 0, steps[:-1], np.inf)
    slowest = float(np.clip(falls.max(), *FALLS))
    return float(steps[-1]) * slowest / (1 - slowest)


@eqx.filter_jit
def _energy(
    right_side: Float[Array, "node k"], start: Float[Array, "node k"], state: krylov.CGState
) -> Float[Array, ""]:
    """x . (b + r), where r = b - A x: twice what the potential energy has fallen by since x = 0."""
    return jnp.vdot(start + state.solution, right_side + state.residual)


@eqx.filter_jit
def _rest(
    operator: LinearOperator, right_side: Float[Array, "node k"], solution: Float[Array, "node k"]
) -> Float[Array, "node k"]:
    return right_side - operator.apply(solution)


@eqx.filter_jit
def smoothed(
    operator: LinearOperator,
    preconditioner: Preconditioner,
    right_side: Float[Array, "node k"],
    guess: Float[Array, "node k"],
) -> Float[Array, "node k"]:
    """A guess without most of what is rough in it."""
    rest = right_side - operator.apply(guess)
    return guess + operator.project(preconditioner.apply(rest))
