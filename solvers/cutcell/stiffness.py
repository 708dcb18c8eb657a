"""Stiffness of a grid's cells, compiled."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from solvers.buckets import pad
from solvers.cutcell.element import LINEAR, Element
from solvers.law import Law

_CHUNK = {1: 4096, 2: 256}  # cells at a time, by their order, to bound memory


@eqx.filter_jit
def _cell_stiffness(law: Law, element: Element, weights: Float[Array, "c q"]) -> Float[Array, "c rows rows"]:
    if element == LINEAR:
        return law.cell_stiffness(weights)
    gradients = jnp.asarray(element.gradients)
    outer = jnp.einsum("qai,qbj->qabij", gradients, gradients)
    blocks = law.block(jnp.einsum("cq,qabij->cabij", weights, outer))
    cells, nodes, _, components, _ = blocks.shape
    return blocks.swapaxes(2, 3).reshape(cells, nodes * components, nodes * components)


def cell_stiffness(
    law: Law, element: Element, weights: Float[np.ndarray, "c q"]
) -> Float[np.ndarray, "c rows rows"]:
    """Stiffness of cells of unit edge, of the quadrature weights of what is filled; of edge h it is h times that."""
    rows = len(element.steps) * law.components
    stiffness = np.empty((len(weights), rows, rows))
    length = _CHUNK[element.order]
    for start in range(0, len(weights), length):
        own = slice(start, start + length)
        chunk = pad(weights[own], length)
        chunk[len(weights[own]) :] = element.full
        stiffness[own] = np.asarray(_cell_stiffness(law, element, jax.device_put(chunk)))[: len(weights[own])]
    return stiffness


def unit_stiffness(law: Law, element: Element = LINEAR) -> Float[np.ndarray, "rows rows"]:
    """Stiffness of a full cell of unit edge."""
    return np.asarray(_cell_stiffness(law, element, jax.device_put(element.full[None]))[0])
