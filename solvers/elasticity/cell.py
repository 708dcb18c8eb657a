"""Stiffness of trilinear hexahedra with incompatible modes, integrated over the filled part of their cells.

Incompatible modes let a cell bend without shear, so that one cell across a wall already bends as a beam does (Wilson
1973; Taylor, Beresford & Wilson 1976, Int. J. Numer. Methods Eng. 10:1211). Taken about the centroid of what is
filled, they have no mean strain there, which is what the patch test asks for; and they vanish at that centroid.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from solvers.cutcell.element import LINEAR

# Of the mean stiffness of the incompatible modes: keeps those of a sliver solvable.
_MODE_FLOOR = 1e-9
_TINY = 1e-300


def stiffness(
    weights: Float[Array, "c q"], first: float | Float[Array, ""], shear: float | Float[Array, ""]
) -> Float[Array, "c 24 24"]:
    """Stiffness of cells of unit edge, incompatible modes condensed; that of edge h is h times it.

    Args:
        weights: of the quadrature over what is filled
        first, shear: Lamé's parameters [Pa]
    """
    dtype = weights.dtype
    delta = jnp.eye(3, dtype=dtype)
    points, gradients = (jnp.asarray(values, dtype) for values in (LINEAR.points, LINEAR.gradients))
    slopes = jnp.einsum("cq,qaibj->caibj", weights, jnp.einsum("qai,qbj->qaibj", gradients, gradients))
    nodal = (
        first * slopes
        + shear * jnp.einsum("cajbi->caibj", slopes)
        + shear * jnp.einsum("cakbk,ij->caibj", slopes, delta)
    )
    centre = weights @ points / weights.sum(axis=1)[:, None]
    # of the slope of node a along k, with the distance to the centroid along i
    mixed = jnp.einsum("cq,qaki->caki", weights, jnp.einsum("qak,qi->qaki", gradients, points)) - jnp.einsum(
        "cak,ci->caki", jnp.einsum("cq,qak->cak", weights, gradients), centre
    )
    spread = jnp.einsum("cq,qij->cij", weights, jnp.einsum("qi,qj->qij", points, points)) - jnp.einsum(
        "c,ci,cj->cij", weights.sum(axis=1), centre, centre
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
    softened = jnp.linalg.solve(modes + floor * jnp.eye(9, dtype=dtype), coupling.swapaxes(1, 2))
    return nodal - coupling @ softened
