"""What conjugate gradients and multigrid know of a physics."""

import abc

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float


class LinearOperator(eqx.Module):
    """A symmetric positive definite operator."""

    @abc.abstractmethod
    def apply(self, vector: Float[Array, "node k"]) -> Float[Array, "node k"]:
        """The operator's product with a vector."""

    @abc.abstractmethod
    def project(self, vector: Float[Array, "node k"]) -> Float[Array, "node k"]:
        """The part of a vector along the directions that are free."""


class ConstrainedOperator(LinearOperator):
    """An operator on the directions in which nodes are free: it takes vectors along them to vectors along them."""

    @abc.abstractmethod
    def single_precision(self) -> "ConstrainedOperator":
        """The same operator in float32."""


class Preconditioner(eqx.Module):
    """An approximate inverse of a `LinearOperator`."""

    @abc.abstractmethod
    def apply(self, residual: Float[Array, "node k"]) -> Float[Array, "node k"]:
        """Approximate solution for `residual`, in the residual's precision."""


def invert_blocks(blocks: Float[Array, "node k k"]) -> Float[Array, "node k k"]:
    """Inverses of 1 x 1 and, by their adjugates, of 3 x 3 blocks; zero for those of padding nodes, which are zero."""
    if blocks.shape[-1] == 1:
        return jnp.where(blocks == 0, 0, 1 / jnp.where(blocks == 0, 1, blocks))
    size = jnp.trace(blocks, axis1=1, axis2=2)[:, None, None]
    scale = jnp.where(size == 0, 1, size)
    # of size one: the determinant of stiff blocks leaves single precision
    a, b, c = jnp.moveaxis(blocks / scale, 1, 0)
    adjugate = jnp.stack([jnp.cross(b, c), jnp.cross(c, a), jnp.cross(a, b)], axis=2)
    determinant = jnp.sum(a * adjugate[:, :, 0], axis=1)[:, None, None]
    empty = determinant == 0
    return jnp.where(empty, 0, adjugate / jnp.where(empty, 1, determinant) / scale)
