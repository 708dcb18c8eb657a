"""Chebyshev smoothing on block Jacobi."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

Operator = Callable[[Float[Array, "node 3"]], Float[Array, "node 3"]]
Blocks = Float[Array, "node 3 3"]

# The part of the spectrum that the smoother damps, as shares of the largest eigenvalue.
LOWEST_SHARE = 0.1
POWER_STEPS = 12
POWER_MARGIN = 1.1  # a power iteration approaches the largest eigenvalue from below


def times(blocks: Blocks, vector: Float[Array, "node 3"]) -> Float[Array, "node 3"]:
    """Block-diagonal product."""
    return jnp.einsum("nij,nj->ni", blocks, vector)


def largest_eigenvalue(apply: Operator, inverse_diagonal: Blocks) -> Float[Array, ""]:
    """Upper estimate of the largest eigenvalue of (inverse diagonal) x (operator)."""
    start = jax.random.normal(jax.random.key(0), inverse_diagonal.shape[:2], inverse_diagonal.dtype)
    start = times(inverse_diagonal, start)

    def step(_: int, pair: tuple[Array, Array]) -> tuple[Array, Array]:
        vector, _norm = pair
        vector = times(inverse_diagonal, apply(vector))
        norm = jnp.linalg.norm(vector)
        return vector / norm, norm

    start = start / jnp.linalg.norm(start)
    return POWER_MARGIN * lax.fori_loop(0, POWER_STEPS, step, (start, jnp.ones((), start.dtype)))[1]


def smooth(
    apply: Operator,
    inverse_diagonal: Blocks,
    top: Float[Array, ""],
    residual: Float[Array, "node 3"],
    degree: int,
) -> Float[Array, "node 3"]:
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
