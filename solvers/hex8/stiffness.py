"""Stiffness of a grid's cells, compiled."""

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Float

from solvers.hex8.element import FULL
from solvers.law import Law


@eqx.filter_jit
def cell_stiffness(law: Law, moments: Float[Array, "c 27"]) -> Float[Array, "c rows rows"]:
    """Compiled `Law.cell_stiffness`."""
    return law.cell_stiffness(moments)


def unit_stiffness(law: Law) -> Float[np.ndarray, "rows rows"]:
    """Stiffness of a full grid cell of unit edge; that of edge h is h times it."""
    return np.asarray(cell_stiffness(law, jax.device_put(FULL[None]))[0])
