"""Preconditioned conjugate gradients, in steps of a few iterations so that the caller can watch and cancel."""

import enum
from collections.abc import Callable

import equinox as eqx
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int

Operator = Callable[[Float[Array, "node k"]], Float[Array, "node k"]]


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

    solution: Float[Array, "node k"]
    residual: Float[Array, "node k"]
    last_residual: Float[Array, "node k"]
    direction: Float[Array, "node k"]
    descent: Float[Array, ""]  # last residual . what the preconditioner made of it
    scale: Float[Array, ""]
    residual_norm: Float[Array, ""]
    iteration: Int[Array, ""]
    outcome: Int[Array, ""]


def cg_init(right_side: Float[Array, "node k"]) -> CGState:
    """Start from zero."""
    scale = jnp.linalg.norm(right_side)
    zero = scale == 0
    one, nothing = jnp.ones_like(scale), jnp.zeros_like(right_side)
    return CGState(
        solution=nothing,
        residual=right_side,
        last_residual=nothing,
        direction=nothing,
        descent=one,
        scale=jnp.where(zero, one, scale),
        residual_norm=jnp.where(zero, 0 * one, one),
        iteration=jnp.asarray(0),
        outcome=jnp.where(zero, Outcome.CONVERGED, jnp.asarray(Outcome.RUNNING)),
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
        preconditioned = precondition(state.residual)
        descent = jnp.vdot(state.residual, preconditioned)
        change = descent - jnp.vdot(state.last_residual, preconditioned)
        direction = preconditioned + change / state.descent * state.direction
        applied = apply(direction)
        curvature = jnp.vdot(direction, applied)
        length = jnp.vdot(state.residual, direction) / curvature
        residual = state.residual - length * applied
        norm = jnp.linalg.norm(residual) / state.scale
        sound = (descent > 0) & (curvature > 0) & jnp.isfinite(norm)
        return CGState(
            solution=state.solution + length * direction,
            residual=residual,
            last_residual=state.residual,
            direction=direction,
            descent=descent,
            scale=state.scale,
            residual_norm=norm,
            iteration=state.iteration + 1,
            outcome=jnp.where(
                sound, jnp.where(norm <= tolerance, Outcome.CONVERGED, Outcome.RUNNING), Outcome.BREAKDOWN
            ),
        )

    return lax.while_loop(unfinished, step, state)
