"""Chebyshev smoothing on block Jacobi."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

Operator = Callable[[Float[Array, "node k"]], Float[Array, "node k"]]
Blocks = Float[Array, "node k k"]

# The part of the spectrum that the smoother damps, as shares of the largest eigenvalue.
LOWEST_SHARE = 0.1
LANCZOS_STEPS = 12
# Lanczos approaches the largest eigenvalue from below, and beyond it the smoother would amplify.
LANCZOS_MARGIN = 1.08


def times(blocks: Blocks, vector: Float[Array, "node k"]) -> Float[Array, "node k"]:
    """Block-diagonal product."""
    return jnp.einsum("nij,nj->ni", blocks, vector)


def largest_eigenvalue(apply: Operator, inverse_diagonal: Blocks) -> Float[Array, ""]:
    """Upper estimate of the largest eigenvalue of (inverse diagonal) x (operator)."""
    shape, dtype = inverse_diagonal.shape[:2], inverse_diagonal.dtype
    used = jnp.any(inverse_diagonal != 0, axis=2)
    start = jnp.where(used, jax.random.normal(jax.random.key(0), shape, dtype), 0)
    return LANCZOS_MARGIN * spectrum(apply, lambda residual: times(inverse_diagonal, residual), start)[1]


def spectrum(
    apply: Operator, precondition: Operator, start: Float[Array, "node k"]
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Estimates, from within, of the ends of the spectrum of a preconditioned operator.

    The tridiagonal matrix of Lanczos from the coefficients of conjugate gradients (Saad, section 6.7.3): a few
    distorted elements own the top of the spectrum, and a power iteration takes hundreds of steps to find them.
    """
    preconditioned = precondition(start)
    carry = (start, preconditioned, jnp.vdot(start, preconditioned))

    def step(
        carry: tuple[Array, Array, Array], _: None
    ) -> tuple[tuple[Array, Array, Array], tuple[Array, Array]]:
        residual, direction, descent = carry
        applied = apply(direction)
        length = descent / jnp.vdot(direction, applied)
        residual = residual - length * applied
        preconditioned = precondition(residual)
        next_descent = jnp.vdot(residual, preconditioned)
        ratio = next_descent / descent
        return (residual, preconditioned + ratio * direction, next_descent), (length, ratio)

    _, (lengths, ratios) = lax.scan(step, carry, None, length=LANCZOS_STEPS)
    none = jnp.zeros(1, start.dtype)
    main = 1 / lengths + jnp.concatenate([none, ratios[:-1] / lengths[:-1]])
    beside = jnp.sqrt(ratios[:-1]) / lengths[:-1]
    # A part of few unknowns is exhausted early: what follows is not of its spectrum.
    alive = jnp.cumprod(jnp.isfinite(main) & (ratios > 1e-10))
    main = jnp.where(alive, main, main[0])
    beside = jnp.where(alive[1:] & alive[:-1], beside, 0)
    values = jnp.linalg.eigvalsh(jnp.diag(main) + jnp.diag(beside, 1) + jnp.diag(beside, -1))
    return values[0], values[-1]


def smooth(
    apply: Operator,
    inverse_diagonal: Blocks,
    top: Float[Array, ""],
    residual: Float[Array, "node k"],
    degree: int,
) -> Float[Array, "node k"]:
    """Correction for `residual`: a polynomial of `degree` - 1 in the operator, `degree` - 1 applications.

    Saad, Iterative Methods for Sparse Linear Systems, 2nd ed., algorithm 12.1.
    """
    centre, radius = (1 + LOWEST_SHARE) / 2 * top, (1 - LOWEST_SHARE) / 2 * top
    sigma = centre / radius
    direction = times(inverse_diagonal, residual) / centre

    def step(_: int, carry: tuple[Array, Array, Array, Array]) -> tuple[Array, Array, Array, Array]:
        correction, residual, direction, rho = carry
        residual = residual - apply(direction)
        next_rho = 1 / (2 * sigma - rho)
        direction = next_rho * rho * direction + 2 * next_rho / radius * times(inverse_diagonal, residual)
        return correction + direction, residual, direction, next_rho

    carry = (direction, residual, direction, 1 / sigma)
    return lax.fori_loop(0, degree - 1, step, carry)[0]


def solve(
    apply: Operator,
    precondition: Operator,
    ends: tuple[float, float],
    residual: Float[Array, "node k"],
    count: int,
) -> Float[Array, "node k"]:
    """`count` steps of the same iteration with any preconditioner, between the ends of their spectrum.

    The preconditioner stands in the loop once: a cycle in it may hold such loops in turn.
    """
    lowest, highest = ends
    centre, radius = (highest + lowest) / 2, (highest - lowest) / 2
    rho, gains = radius / centre, [(0.0, 1 / centre)]
    for _ in range(count - 1):
        rho, before = 1 / (2 * centre / radius - rho), rho
        gains.append((rho * before, 2 * rho / radius))

    def step(carry: tuple[Array, Array, Array], gain: Array) -> tuple[tuple[Array, Array, Array], None]:
        correction, residual, direction = carry
        residual = residual - apply(direction)
        direction = gain[0] * direction + gain[1] * precondition(residual)
        return (correction + direction, residual, direction), None

    nothing = jnp.zeros_like(residual)
    start = (nothing, residual, nothing)
    return lax.scan(step, start, jnp.asarray(gains, residual.dtype))[0][0]
