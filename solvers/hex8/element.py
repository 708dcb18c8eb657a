"""The trilinear hexahedron, and integrals over the filled part of its cell.

Every integrand of the stiffness and of body loads is a polynomial of degree two in each coordinate, so 27 moments of
the filled part are all that is needed: integrals of x^p y^q z^r for p, q, r = 0, 1, 2, at the index 9 p + 3 q + r.
"""

import numpy as np
from jaxtyping import Float, Int

CORNERS: Int[np.ndarray, "8 3"] = np.stack(np.meshgrid([0, 1], [0, 1], [0, 1], indexing="ij"), -1).reshape(
    8, 3
)
# Where VTK's hexahedron has its corners, as positions in CORNERS.
VTK_ORDER: Int[np.ndarray, "8"] = np.array([0, 4, 6, 2, 1, 5, 7, 3])

Polynomial = Float[np.ndarray, "... 2 2 2"]  # coefficients of x^p y^q z^r, p, q, r = 0, 1


def _along_axes(first: np.ndarray, second: np.ndarray, third: np.ndarray) -> Polynomial:
    return np.einsum("...p,...q,...r->...pqr", first, second, third)


def _shape_polynomials() -> tuple[Polynomial, Polynomial]:
    """Shape functions (8,) and their slopes (8, 3)."""
    value = np.where(
        CORNERS[:, :, None] == 1, np.array([0.0, 1.0]), np.array([1.0, -1.0])
    )  # (8, axis, power)
    slope = np.where(CORNERS[:, :, None] == 1, np.array([1.0, 0.0]), np.array([-1.0, 0.0]))
    slopes = [
        _along_axes(*((slope if axis == along else value)[:, axis] for axis in range(3)))
        for along in range(3)
    ]
    return _along_axes(*value.swapaxes(0, 1)), np.stack(slopes, axis=1)


def _product(first: Polynomial, second: Polynomial) -> Float[np.ndarray, "... 27"]:
    """Product of polynomials, as weights of the moments; leading axes broadcast."""
    shape = np.broadcast_shapes(first.shape[:-3], second.shape[:-3])
    product = np.zeros((*shape, 3, 3, 3))
    for p, q, r in CORNERS:
        product[..., p : p + 2, q : q + 2, r : r + 2] += first[..., p, q, r, None, None, None] * second
    return product.reshape(*shape, 27)


_SHAPE, _SLOPE = _shape_polynomials()
_COORDINATE = np.zeros((3, 2, 2, 2))
_COORDINATE[[0, 1, 2], [1, 0, 0], [0, 1, 0], [0, 0, 1]] = 1
_ONE = np.zeros((2, 2, 2))
_ONE[0, 0, 0] = 1

SLOPE_SLOPE_MOMENTS = _product(_SLOPE[:, :, None, None], _SLOPE)  # (a, i, b, j, 27)
SLOPE_MOMENTS = _product(_SLOPE, _ONE)  # (a, k, 27)
SLOPE_COORDINATE_MOMENTS = _product(_SLOPE[:, :, None], _COORDINATE)  # (a, k, i, 27)
COORDINATE_MOMENTS = _product(_COORDINATE, _ONE)  # (i, 27)
COORDINATES_MOMENTS = _product(_COORDINATE[:, None], _COORDINATE)  # (i, j, 27)
SHAPE_MOMENTS: Float[np.ndarray, "8 27"] = _product(_SHAPE, _ONE)
SHAPE_COORDINATE_MOMENTS: Float[np.ndarray, "8 3 27"] = _product(_SHAPE[:, None], _COORDINATE)


def box_moments(
    lower: Float[np.ndarray, "... 3"], upper: Float[np.ndarray, "... 3"]
) -> Float[np.ndarray, "... 27"]:
    """Moments of boxes in a cell's own coordinates."""
    power = np.arange(1, 4)
    along = (upper[..., None] ** power - lower[..., None] ** power) / power  # (..., axis, power)
    moments = np.einsum("...p,...q,...r->...pqr", *np.moveaxis(along, -2, 0))
    return moments.reshape(*moments.shape[:-3], 27)


FULL: Float[np.ndarray, "27"] = box_moments(np.zeros(3), np.ones(3))


def centroids(moments: Float[np.ndarray, "c 27"]) -> Float[np.ndarray, "c 3"]:
    """Centroid of what is filled."""
    return moments @ COORDINATE_MOMENTS.T / moments[:, :1]


def shape(points: Float[np.ndarray, "p 3"]) -> Float[np.ndarray, "p 8"]:
    """Shape functions at points in a cell's coordinates, outside the cell too."""
    return np.where(CORNERS, points[:, None], 1 - points[:, None]).prod(2)


def shape_gradient(points: Float[np.ndarray, "p 3"]) -> Float[np.ndarray, "p 8 3"]:
    """Slopes of `shape` in a cell's coordinates."""
    x, y, z = np.moveaxis(np.where(CORNERS, points[:, None], 1 - points[:, None]), 2, 0)
    return (2.0 * CORNERS - 1) * np.stack([y * z, z * x, x * y], axis=2)
