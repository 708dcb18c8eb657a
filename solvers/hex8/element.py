"""The trilinear hexahedron with incompatible modes, integrated over the filled part of its cell.

Incompatible modes let a cell bend without shear, so that one cell across a wall already bends as a beam does (Wilson
1973; Taylor, Beresford & Wilson 1976, Int. J. Numer. Methods Eng. 10:1211). Taken about the centroid of what is
filled, they have no mean strain there, which is what the patch test asks for; and they vanish at that centroid.

Every integrand is a polynomial of degree two in each coordinate, so 27 moments of the filled part are all that is
needed: integrals of x^p y^q z^r for p, q, r = 0, 1, 2, at the index 9 p + 3 q + r.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

CORNERS: Int[np.ndarray, "8 3"] = np.stack(np.meshgrid([0, 1], [0, 1], [0, 1], indexing="ij"), -1).reshape(
    8, 3
)
# Of the mean stiffness of the incompatible modes: keeps those of a sliver solvable.
_MODE_FLOOR = 1e-9

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

_SLOPE_SLOPE = _product(_SLOPE[:, :, None, None], _SLOPE)  # (a, i, b, j, 27)
_SLOPE_ONE = _product(_SLOPE, _ONE)  # (a, k, 27)
_SLOPE_COORDINATE = _product(_SLOPE[:, :, None], _COORDINATE)  # (a, k, i, 27)
_COORDINATE_ONE = _product(_COORDINATE, _ONE)  # (i, 27)
_COORDINATES = _product(_COORDINATE[:, None], _COORDINATE)  # (i, j, 27)
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
    return moments @ _COORDINATE_ONE.T / moments[:, :1]


def shape(points: Float[np.ndarray, "p 3"]) -> Float[np.ndarray, "p 8"]:
    """Shape functions at points in a cell's coordinates, outside the cell too."""
    return np.where(CORNERS, points[:, None], 1 - points[:, None]).prod(2)


def shape_gradient(points: Float[np.ndarray, "p 3"]) -> Float[np.ndarray, "p 8 3"]:
    """Slopes of `shape` in a cell's coordinates."""
    factors = np.where(CORNERS, points[:, None], 1 - points[:, None])
    signs = 2.0 * CORNERS - 1
    return np.stack([signs[:, k] * np.delete(factors, k, axis=2).prod(2) for k in range(3)], axis=2)


def stiffness(
    moments: Float[Array, "c 27"], first: float | Float[Array, ""], shear: float | Float[Array, ""]
) -> Float[Array, "c 24 24"]:
    """Stiffness of cells of unit edge, incompatible modes condensed; that of edge h is h times it.

    Args:
        first, shear: Lamé's parameters [Pa]
    """
    delta = jnp.eye(3, dtype=moments.dtype)
    slopes = jnp.einsum("aibjm,cm->caibj", jnp.asarray(_SLOPE_SLOPE, moments.dtype), moments)
    nodal = (
        first * slopes
        + shear * jnp.einsum("cajbi->caibj", slopes)
        + shear * jnp.einsum("cakbk,ij->caibj", slopes, delta)
    )
    centre = moments @ _COORDINATE_ONE.T / moments[:, :1]
    # of the slope of node a along k, with the distance to the centroid along i
    mixed = jnp.einsum("akim,cm->caki", _SLOPE_COORDINATE, moments) - jnp.einsum(
        "akm,cm,ci->caki", _SLOPE_ONE, moments, centre
    )
    spread = jnp.einsum("ijm,cm->cij", _COORDINATES, moments) - jnp.einsum(
        "c,ci,cj->cij", moments[:, 0], centre, centre
    )
    coupling = (  # node a, component j; mode along i of component g
        first * jnp.einsum("caji,ig->cajig", mixed, delta)
        + shear * jnp.einsum("caii,jg->cajig", mixed, delta)
        + shear * jnp.einsum("cagi,ji->cajig", mixed, delta)
    )
    modes = (  # mode along i of component g; along j of component d
        first * jnp.einsum("cij,ig,jd->cigjd", spread, delta, delta)
        + shear * jnp.einsum("cii,ij,gd->cigjd", spread, delta, delta)
        + shear * jnp.einsum("cij,gj,id->cigjd", spread, delta, delta)
    )
    nodal, coupling, modes = nodal.reshape(-1, 24, 24), coupling.reshape(-1, 24, 9), modes.reshape(-1, 9, 9)
    floor = _MODE_FLOOR * jnp.trace(modes, axis1=1, axis2=2)[:, None, None] + jnp.finfo(moments.dtype).tiny
    softened = jnp.linalg.solve(modes + floor * jnp.eye(9, dtype=moments.dtype), coupling.swapaxes(1, 2))
    return nodal - coupling @ softened
