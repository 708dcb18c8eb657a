"""A linear material law, which is all that the engine knows of a physics.

A field of k components (three displacements, one temperature) has slopes; the law makes a flux of them (stress, heat
flow), and the equations are those of Galerkin: the work of the flux on the slopes of every shape function.
"""

import abc
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

Tensor = list[list[Array]]  # [i][j], of component i of the field along axis j; each of one shape


class Law(eqx.Module):
    """components: of the field."""

    components: ClassVar[int]

    @abc.abstractmethod
    def flux(self, gradient: Tensor) -> Tensor:
        """Of the slopes d(component i)/d(axis j)."""

    @abc.abstractmethod
    def independent(self, flux: Tensor) -> Float[Array, "... s"]:
        """The components of a flux that are kept: six of a stress."""

    @abc.abstractmethod
    def magnitude(self, flux: Float[Array, "... s"]) -> Float[Array, "..."]:
        """How large a flux is: what errors of fluxes are measured in."""

    @abc.abstractmethod
    def energy_density(self, flux: Float[Array, "... s"]) -> Float[Array, "..."]:
        """Work per volume of a flux on the slopes that belong to it."""

    @abc.abstractmethod
    def block(self, outer: Float[Array, "... 3 3"]) -> Float[Array, "... k k"]:
        """Stiffness between the components at a node, of the products of its shape function's slopes."""

    @abc.abstractmethod
    def cell_stiffness(self, moments: Float[Array, "c 27"]) -> Float[Array, "c n n"]:
        """Stiffness (8 k rows) of grid cells of unit edge, filled as the moments say; of edge h it is h times that."""

    @property
    @abc.abstractmethod
    def largest_modulus(self) -> Float[Array, ""]:
        """Of any slope: what stiff springs are measured against."""

    def astype(self, dtype: jnp.dtype) -> "Law":
        """The same law in another precision."""
        return jax.tree.map(lambda parameter: parameter.astype(dtype), self)
