"""Fourier's law of isotropic solids."""

from typing import ClassVar

import jax.numpy as jnp
from jaxtyping import Array, Float

from solvers.cutcell.element import LINEAR
from solvers.law import Components, Law, Tensor


class Fourier(Law):
    """Thermal conductivity [W/(m K)]; the flux is conductivity times the slope of the temperature, which is heat flow
    [W/m^2] against its direction.
    """

    components: ClassVar[int] = 1
    conductivity: Float[Array, "..."]

    def flux(self, gradient: Tensor) -> Tensor:
        return [[self.conductivity * slope for slope in gradient[0]]]

    def independent(self, flux: Tensor) -> Float[Array, "... 3"]:
        return jnp.stack(flux[0], axis=-1)

    def magnitude(self, flux: Components) -> Components:
        """Its length [W/m^2]."""
        return (flux**2).sum(-1) ** 0.5

    def energy_density(self, flux: Components) -> Components:
        """flux . slope [W K/m^3]."""
        return (flux**2).sum(-1) / self.conductivity

    def block(self, outer: Float[Array, "... 3 3"]) -> Float[Array, "... 1 1"]:
        return (self.conductivity * jnp.trace(outer, axis1=-2, axis2=-1))[..., None, None]

    def cell_stiffness(self, weights: Float[Array, "c q"]) -> Float[Array, "c 8 8"]:
        gradients = jnp.asarray(LINEAR.gradients, weights.dtype)
        products = jnp.einsum("qai,qbi->qab", gradients, gradients)
        return self.conductivity * jnp.einsum("cq,qab->cab", weights, products)

    @property
    def largest_modulus(self) -> Float[Array, "..."]:
        return self.conductivity


def fourier(conductivity: float) -> Fourier:
    """The law of a thermal conductivity [W/(m K)]."""
    return Fourier(jnp.asarray(conductivity, jnp.float64))
