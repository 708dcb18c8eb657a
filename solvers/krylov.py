"""Preconditioned conjugate gradients, in steps of a few iterations so that the caller can watch and cancel."""

import enum
from collections.abc import Callable

import equinox as eqx
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int

Operator = Callable[[Float[Array, "node 3"]], Float[Array, "node 3"]]


class Outcome(enum.IntEnum):
    """How an iteration stands; the sentence is for the user."""

    RUNNING = 0
    CONVERGED = 1
    BREAKDOWN = 2

    @property
    def sentence(self) -> str:
        return {
            Outcome.RUNNING: "the iteration limit was reached before the tolerance",
            Outcome.CONVERGED: "converged",
            Outcome.BREAKDOWN: "the equations lost positive definiteness: the part is not held, "
            "or an element is degenerate",
        }[self]


class CGState(eqx.Module):
    """State of the iteration; `residual_norm` is relative to `scale`, the norm of the right-hand side."""

    solution: Float[Array, "node 3"]
    residual: Float[Array, "node 3"]
    direction: Float[Array, "node 3"]
    descent: Float[Array, ""]  # residual . preconditioned residual
    scale: Float[Array, ""]
    residual_norm: Float[Array, ""]
    iteration: Int[Array, ""]
    outcome: Int[Array, ""]


def cg_init(precondition: Operator, right_side: Float[Array, "node 3"]) -> CGState:
    """Start from zero."""
    scale = jnp.linalg.norm(right_side)
    preconditioned = precondition(right_side)
    descent = jnp.vdot(right_side, preconditioned)
    zero = scale == 0
    outcome = jnp.where(zero, Outcome.CONVERGED, jnp.where(descent > 0, Outcome.RUNNING, Outcome.BREAKDOWN))
    return CGState(
        solution=jnp.zeros_like(right_side),
        residual=right_side,
        direction=preconditioned,
        descent=descent,
        scale=jnp.where(zero, 1, scale),
        residual_norm=jnp.where(zero, 0.0, 1.0),
        iteration=jnp.asarray(0),
        outcome=outcome,
    )


def cg_steps(
    apply: Operator,
    precondition: Operator,
    state: CGState,
    tolerance: float | Float[Array, ""],
    steps: int | Int[Array, ""],
) -> CGState:
    """At most `steps` more iterations, fewer when the relative residual falls to `tolerance`.

    Polak-Ribière's form: the preconditioner may be slightly unsymmetric, as one in single precision is
    (Golub & Ye 1999, SIAM J. Sci. Comput. 21:1305).
    """
    last = state.iteration + steps

    def unfinished(state: CGState) -> Array:
        return (state.outcome == Outcome.RUNNING) & (state.iteration < last)

    def step(state: CGState) -> CGState:
        applied = apply(state.direction)
        curvature = jnp.vdot(state.direction, applied)
        length = state.descent / curvature
        solution = state.solution + length * state.direction
        residual = state.residual - length * applied
        preconditioned = precondition(residual)
        descent = jnp.vdot(residual, preconditioned)
        change = descent - jnp.vdot(state.residual, preconditioned)
        norm = jnp.linalg.norm(residual) / state.scale
        sound = (curvature > 0) & jnp.isfinite(norm) & ((descent > 0) | (norm <= tolerance))
        return CGState(
            solution=solution,
            residual=residual,
            direction=preconditioned + change / state.descent * state.direction,
            descent=descent,
            scale=state.scale,
            residual_norm=norm,
            iteration=state.iteration + 1,
            outcome=jnp.where(
                norm <= tolerance, Outcome.CONVERGED, jnp.where(sound, Outcome.RUNNING, Outcome.BREAKDOWN)
            ),
        )

    return lax.while_loop(unfinished, step, state)
