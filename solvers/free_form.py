"""Free-form deformation of space within a box, by Bernstein polynomials on a lattice of control points.

Sederberg & Parry, Free-form deformation of solid geometric models, SIGGRAPH 1986.
"""

from math import comb
from typing import Final

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

_ROUNDING: Final = 1e-6  # of the box


def inside(points: Float[Array, "n 3"], low: Float[Array, "3"], high: Float[Array, "3"]) -> Bool[Array, " n"]:
    """Which points the box holds, its sides included, to the seven digits that coordinates have in many files."""
    slack = _ROUNDING * (high - low)
    return ((points >= low - slack) & (points <= high + slack)).all(axis=1)


def displacement(
    points: Float[Array, "n 3"],
    low: Float[Array, "3"],
    high: Float[Array, "3"],
    moves: Float[Array, "i j k 3"],
) -> Float[Array, "n 3"]:
    """How far points within the box go, linear in the moves of its control points [m].

    A point outside goes as far as the nearest one of the box: whoever moves only the box leaves those out (`inside`).
    """
    place = jnp.clip((points - low) / (high - low), 0.0, 1.0)
    weights = [_bernstein(place[:, axis], moves.shape[axis]) for axis in range(3)]
    return jnp.einsum("ni,nj,nk,ijkc->nc", *weights, moves)


def least_stretch(
    low: Float[Array, "3"], high: Float[Array, "3"], moves: Float[Array, "i j k 3"], samples: int = 9
) -> Float[Array, ""]:
    """Smallest volume of a deformed volume element relative to its own, over a lattice of points in the box.

    Zero or less where the box folds over.
    """
    axes = [jnp.linspace(low[axis], high[axis], samples) for axis in range(3)]
    points = jnp.stack(jnp.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)

    def one(point: Float[Array, "3"]) -> Float[Array, "3"]:
        return point + displacement(point[None], low, high, moves)[0]

    return jnp.linalg.det(jax.vmap(jax.jacfwd(one))(points)).min()


def _bernstein(share: Float[Array, " n"], count: int) -> Float[Array, "n count"]:
    degree = count - 1
    terms = [comb(degree, i) * share**i * (1.0 - share) ** (degree - i) for i in range(count)]
    return jnp.stack(terms, axis=1)
