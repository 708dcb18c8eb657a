"""A linear material law, which is all that the engine knows of a physics.

A field of k components (three displacements, one temperature) has slopes; the law makes a flux of them (stress, heat
flow with its sign reversed), and the equations are Galerkin's: the work of the flux on the slopes of each shape
function.
"""

import abc
from dataclasses import dataclass
from typing import ClassVar, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

Components = TypeVar("Components", np.ndarray, Array)
Tensor = list[list[Array]]  # [i][j], of component i of the field along axis j; each of one shape


class Law(eqx.Module):
    """components: of the field.

    A parameter is a number, or one for each element along the last axis, as the slopes and fluxes of elements have it.
    """

    components: ClassVar[int]

    @abc.abstractmethod
    def flux(self, gradient: Tensor) -> Tensor:
        """Of the slopes d(component i)/d(axis j)."""

    @abc.abstractmethod
    def independent(self, flux: Tensor) -> Float[Array, "... s"]:
        """The components of a flux that are kept: six of a stress."""

    @abc.abstractmethod
    def magnitude(self, flux: Components) -> Components:
        """How large a flux (..., s) is: what errors of fluxes are measured in."""

    @abc.abstractmethod
    def energy_density(self, flux: Components) -> Components:
        """Work per volume of a flux (..., s) on the slopes that belong to it."""

    @abc.abstractmethod
    def block(self, outer: Float[Array, "... 3 3"]) -> Float[Array, "... k k"]:
        """Stiffness between the components of two nodes: of the products of slope i of the first one's shape function
        with slope j of the second's.
        """

    @abc.abstractmethod
    def cell_stiffness(self, weights: Float[Array, "c q"]) -> Float[Array, "c rows rows"]:
        """Stiffness (8 k rows) of grid cells of unit edge and first order, of the weights of their quadrature."""

    @property
    @abc.abstractmethod
    def largest_modulus(self) -> Float[Array, "..."]:
        """Of any slope: what stiff springs are measured against."""

    def astype(self, dtype: jnp.dtype) -> "Law":
        """The same law in another precision."""
        return jax.tree.map(lambda parameter: parameter.astype(dtype), self)

    def parted(self) -> tuple["Law", "Law"]:
        """Its numbers, and what differs from element to element, which scans go over; `eqx.combine` joins them."""
        numbers, of_elements = eqx.partition(self, lambda parameter: jnp.ndim(parameter) == 0)
        return numbers, of_elements

    def stiffest(self) -> tuple["Law", Float[np.ndarray, "..."]]:
        """The law of the stiffest element, and how stiff each is beside it."""
        modulus = np.asarray(self.largest_modulus)
        first = modulus.argmax()
        numbers, of_elements = self.parted()
        return eqx.combine(
            numbers, jax.tree.map(lambda values: values[first], of_elements)
        ), modulus / modulus.max()


@dataclass(frozen=True)
class Recovered:
    """A flux and its estimated error.

    nodal: recovered flux, in the law's independent components
    nodal_error: root mean square difference to the discrete flux in the elements around a node, in the law's magnitude
    element_error: energy of the error of each element; energy: of the solution's flux, twice
        the strain energy of an elastic part
    """

    nodal: Float[np.ndarray, "n s"]
    nodal_error: Float[np.ndarray, " n"]
    element_error: Float[np.ndarray, " m"]
    energy: float

    @property
    def relative_energy_error(self) -> float:
        """Energy norm of the error over that of the solution."""
        return float(np.sqrt(self.element_error.sum() / self.energy)) if self.energy > 0 else 0.0
