"""Geometry of quadratic tetrahedra at their Gauss points, from positions of nodes; elements run along the last axis."""

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from solvers.tet10 import element

# d(shape function of node a) / d(reference direction r) at Gauss point q, as a (12, 10) matrix of rows (r, q).
SHAPE_GRADIENT = element.shape_gradient(element.GAUSS_POINTS).transpose(2, 0, 1).reshape(12, 10)


def corners(
    points: Float[Array, "n 3"], nodes: Int[Array, "10 e"], real: Bool[Array, " e"]
) -> Float[Array, "10 e 3"]:
    """Nodes' positions; padding elements are the reference element, which has a volume."""
    return jnp.where(real[:, None], points[nodes], jnp.asarray(element.NODES, points.dtype)[:, None])


def inverse(jacobian: list[Float[Array, "3 q e"]]) -> tuple[Float[Array, "q e"], Float[Array, "3 3 q e"]]:
    """Determinant and inverse, indexed (r, j), of d(position j)/d(reference coordinate r) given as [j][r]."""
    x, y, z = jacobian
    rows = [
        jnp.stack([y[1] * z[2] - y[2] * z[1], z[1] * x[2] - z[2] * x[1], x[1] * y[2] - x[2] * y[1]]),
        jnp.stack([y[2] * z[0] - y[0] * z[2], z[2] * x[0] - z[0] * x[2], x[2] * y[0] - x[0] * y[2]]),
        jnp.stack([y[0] * z[1] - y[1] * z[0], z[0] * x[1] - z[1] * x[0], x[0] * y[1] - x[1] * y[0]]),
    ]
    determinant = x[0] * rows[0][0] + y[0] * rows[0][1] + z[0] * rows[0][2]
    return determinant, jnp.stack(rows) / determinant


def real(nodes: Int[Array, "... 10 e"]) -> Bool[Array, "... e"]:
    """Which elements are no padding, whose nodes are all the first."""
    return (nodes != 0).any(axis=-2)


def at_gauss_points(
    points: Float[Array, "n 3"], nodes: Int[Array, "chunk 10 e"]
) -> tuple[Float[Array, "chunk 3 3 4 e"], Float[Array, "chunk 4 e"]]:
    """d(reference coordinate r) / d(position j) [1/m] and weight times Jacobian determinant [m^3], zero of padding."""
    slope = jnp.asarray(SHAPE_GRADIENT, points.dtype)
    share = jnp.asarray(element.GAUSS_WEIGHTS, points.dtype)[:, None]

    def chunk(nodes: Int[Array, "10 e"]) -> tuple[Array, Array]:
        counts = real(nodes)
        at = corners(points, nodes, counts)
        determinant, inverse_jacobian = inverse([(slope @ at[:, :, i]).reshape(3, 4, -1) for i in range(3)])
        return jnp.where(counts, inverse_jacobian, 0), jnp.where(counts, share * determinant, 0)

    return lax.map(chunk, nodes)
