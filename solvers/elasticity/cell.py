"""Stiffness of trilinear hexahedra with incompatible modes, integrated over the filled part of their cells.

Incompatible modes let a cell bend without shear, so that one cell across a wall already bends as a beam does (Wilson
1973; Taylor, Beresford & Wilson 1976, Int. J. Numer. Methods Eng. 10:1211). Taken about the centroid of what is
filled, they have no mean strain there, which is what the patch test asks for; and they vanish at that centroid.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from solvers.hex8 import element

# Of the mean stiffness of the incompatible modes: keeps those of a sliver solvable.
_MODE_FLOOR = 1e-9
_TINY = 1e-300


def stiffness(
    moments: Float[Array, "c 27"], first: float | Float[Array, ""], shear: float | Float[Array, ""]
) -> Float[Array, "c 24 24"]:
    """Stiffness of cells of unit edge, incompatible modes condensed; that of edge h is h times it.

    Args:
        first, shear: Lamé's parameters [Pa]
    """
    delta = jnp.eye(3, dtype=moments.dtype)
    slopes = jnp.einsum("aibjm,cm->caibj", jnp.asarray(element.SLOPE_SLOPE_MOMENTS, moments.dtype), moments)
    nodal = (
        first * slopes
        + shear * jnp.einsum("cajbi->caibj", slopes)
        + shear * jnp.einsum("cakbk,ij->caibj", slopes, delta)
    )
    centre = moments @ element.COORDINATE_MOMENTS.T / moments[:, :1]
    # of the slope of node a along k, with the distance to the centroid along i
    mixed = jnp.einsum("akim,cm->caki", element.SLOPE_COORDINATE_MOMENTS, moments) - jnp.einsum(
        "akm,cm,ci->caki", element.SLOPE_MOMENTS, moments, centre
    )
    spread = jnp.einsum("ijm,cm->cij", element.COORDINATES_MOMENTS, moments) - jnp.einsum(
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
    floor = _MODE_FLOOR * jnp.trace(modes, axis1=1, axis2=2)[:, None, None] + _TINY
    softened = jnp.linalg.solve(modes + floor * jnp.eye(9, dtype=moments.dtype), coupling.swapaxes(1, 2))
    return nodal - coupling @ softened
