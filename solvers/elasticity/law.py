"""Hooke's law of isotropic solids."""

from typing import ClassVar

import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Float

from solvers.elasticity.cell import stiffness
from solvers.elasticity.invariants import von_mises
from solvers.law import Components, Law, Tensor

VOIGT = ((0, 0), (1, 1), (2, 2), (0, 1), (1, 2), (2, 0))


class Lame(Law):
    """Lamé's first parameter and the shear modulus [Pa]; the flux is stress, kept as xx yy zz xy yz zx."""

    components: ClassVar[int] = 3
    first: Float[Array, "..."]
    shear: Float[Array, "..."]

    def flux(self, gradient: Tensor) -> Tensor:
        """Cauchy stress [Pa] of a displacement gradient du_i/dx_j."""
        pressure = self.first * (gradient[0][0] + gradient[1][1] + gradient[2][2])
        shear = [[self.shear * (gradient[i][j] + gradient[j][i]) for j in range(3)] for i in range(3)]
        return [[shear[i][j] + pressure if i == j else shear[i][j] for j in range(3)] for i in range(3)]

    def independent(self, flux: Tensor) -> Float[Array, "... 6"]:
        return jnp.stack([flux[i][j] for i, j in VOIGT], axis=-1)

    def magnitude(self, flux: Components) -> Components:
        """Von Mises stress [Pa]."""
        return von_mises(flux)

    def energy_density(self, flux: Components) -> Components:
        """stress : compliance : stress [J/m^3], twice the strain energy density."""
        poisson = self.first / (2 * (self.first + self.shear))
        young = 2 * self.shear * (1 + poisson)
        trace = flux[..., :3].sum(-1)
        square = (flux[..., :3] ** 2).sum(-1) + 2 * (flux[..., 3:] ** 2).sum(-1)
        return ((1 + poisson) * square - poisson * trace**2) / young

    def block(self, outer: Float[Array, "... 3 3"]) -> Float[Array, "... 3 3"]:
        laplace = jnp.trace(outer, axis1=-2, axis2=-1)[..., None, None] * jnp.eye(3, dtype=outer.dtype)
        first, shear = self.first[..., None, None], self.shear[..., None, None]
        return first * outer + shear * (jnp.swapaxes(outer, -1, -2) + laplace)

    def cell_stiffness(self, weights: Float[Array, "c q"]) -> Float[Array, "c 24 24"]:
        return stiffness(weights, self.first, self.shear)

    @property
    def largest_modulus(self) -> Float[Array, "..."]:
        return self.first + 2 * self.shear


def lame(youngs_modulus: ArrayLike, poissons_ratio: ArrayLike) -> Lame:
    """Lamé parameters from Young's modulus [Pa] and Poisson's ratio in (-1, 0.5): numbers, or of elements (m,)."""
    modulus, ratio = jnp.asarray(youngs_modulus, jnp.float64), jnp.asarray(poissons_ratio, jnp.float64)
    return Lame(modulus * ratio / ((1 + ratio) * (1 - 2 * ratio)), modulus / (2 * (1 + ratio)))
