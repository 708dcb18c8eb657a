"""Hexahedra of first or second order along each axis, and quadrature over the filled part of their cell.

Quadrature is moment-fitted: at points that are the same in every cell, its weights are the integrals of the points'
Lagrange polynomials over what is filled (Müller, Kummer & Oberlack 2013, Int. J. Numer. Methods Eng. 96:512). Every
integrand of the stiffness and of body loads is of degree 2 p along each axis, p the order, and so integrated exactly.
"""

import itertools
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

CORNERS: Int[np.ndarray, "8 3"] = np.stack(np.meshgrid([0, 1], [0, 1], [0, 1], indexing="ij"), -1).reshape(
    8, 3
)
# Where VTK's hexahedron has its corners, as positions in CORNERS.
VTK_ORDER: Int[np.ndarray, "8"] = np.array([0, 4, 6, 2, 1, 5, 7, 3])

Polynomials = Float[np.ndarray, "n power"]  # of one coordinate: coefficients from the constant on


def _lagrange(places: Float[np.ndarray, " n"]) -> Polynomials:
    """Polynomials that are one at a place and zero at the others."""
    return np.asarray(np.linalg.inv(np.vander(places, increasing=True)).T)


@dataclass(frozen=True)
class Element:
    """A hexahedron of unit edge, Lagrange's of `order` along each axis; nodes by x, then y, then z."""

    order: int

    @cached_property
    def steps(self) -> Int[np.ndarray, "a 3"]:
        """Places of the nodes, in units of the edge over the order."""
        return np.array(list(itertools.product(range(self.order + 1), repeat=3)))

    @cached_property
    def _along(self) -> Float[np.ndarray, " n"]:
        """Gauss's points of one coordinate."""
        return np.polynomial.legendre.leggauss(2 * self.order + 1)[0] / 2 + 0.5

    @cached_property
    def points(self) -> Float[np.ndarray, "q 3"]:
        """Quadrature points in the cell's coordinates."""
        return np.array(list(itertools.product(self._along, repeat=3)))

    @cached_property
    def full(self) -> Float[np.ndarray, " q"]:
        """Quadrature weights of a whole cell."""
        return self.products(*[self.integrals(np.zeros(1), np.ones(1))] * 3)[0]

    @cached_property
    def _antiderivatives(self) -> Polynomials:
        basis = _lagrange(self._along)
        return np.pad(basis / np.arange(1, basis.shape[1] + 1), ((0, 0), (1, 0)))

    def integrals(
        self, lower: Float[np.ndarray, " n"], upper: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, "n w"]:
        """Of the Lagrange polynomials of one coordinate over intervals."""
        power = np.arange(self._antiderivatives.shape[1])
        return (upper[:, None] ** power - lower[:, None] ** power) @ self._antiderivatives.T

    def values(self, places: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n w"]:
        """Of the Lagrange polynomials of one coordinate."""
        return places[:, None] ** np.arange(len(self._along)) @ _lagrange(self._along).T

    @staticmethod
    def products(*factors: Float[np.ndarray, "n w"]) -> Float[np.ndarray, "n q"]:
        """Of what there is along x, y and z, in the order of the quadrature points."""
        return np.einsum("np,nq,nr->npqr", *factors).reshape(len(factors[0]), -1)

    @cached_property
    def _shape(self) -> Polynomials:
        return _lagrange(np.linspace(0, 1, self.order + 1))

    def _at(self, points: Float[np.ndarray, "p 3"], slope: int | None = None) -> Float[np.ndarray, "p a"]:
        """Shape functions, or their slopes along an axis."""
        power = np.arange(self.order + 1)
        factors = []
        for axis, x in enumerate(points.T):
            if axis == slope:
                factors.append(power * x[:, None] ** np.maximum(power - 1, 0) @ self._shape.T)
            else:
                factors.append(x[:, None] ** power @ self._shape.T)
        return self.products(*factors)

    def shape(self, points: Float[np.ndarray, "p 3"]) -> Float[np.ndarray, "p a"]:
        """Shape functions at points in the cell's coordinates, outside the cell too."""
        return self._at(points)

    def shape_gradient(self, points: Float[np.ndarray, "p 3"]) -> Float[np.ndarray, "p a 3"]:
        """Slopes of `shape` in the cell's coordinates."""
        return np.stack([self._at(points, axis) for axis in range(3)], axis=2)

    @cached_property
    def gradients(self) -> Float[np.ndarray, "q a 3"]:
        """Slopes of the shape functions at the quadrature points."""
        return self.shape_gradient(self.points)


LINEAR, QUADRATIC = Element(1), Element(2)
BY_ORDER = {element.order: element for element in (LINEAR, QUADRATIC)}
