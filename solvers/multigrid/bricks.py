"""Multiples of the unit cell, in bricks of four along each edge.

The nodes that cells share are read and added to once for a brick, not once for each of their eight cells, which is what
the product with their stiffness costs on any machine; within a brick everything is a shift.
"""

import functools
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Int

from solvers.buckets import companion, evenly, pad
from solvers.cutcell.cells import linear
from solvers.cutcell.element import CORNERS

EDGE = 4  # cells
CHUNK = 128  # bricks per step of a scan, so that a step's arrays stay in cache
LONG_CHUNK = 128 * CHUNK  # on a GPU, where each step costs the launch of its kernels
_NODES = np.stack(np.meshgrid(*[np.arange(EDGE + 1)] * 3, indexing="ij"), -1).reshape(-1, 3)


class Bricks(eqx.Module):
    """nodes: of each brick, x slowest; where a brick has no cell, any node
    scale: of each of its cells, the multiple of the unit cell, 0 where there is none
    """

    nodes: Int[Array, "chunk 125 brick"]
    scale: Float[Array, "chunk 4 4 4 brick"]


def bricks(
    index: Int[np.ndarray, "c 3"],
    scale: Float[np.ndarray, " c"],
    keys: Int[np.ndarray, " n"],
    shape: Int[np.ndarray, "3"],
    dtype: type,
    usual: float,
) -> Bricks | None:
    """Group cells, None where there are none.

    Args:
        index: cells in a grid of `shape`
        keys: linear indices of its nodes in use, sorted
        usual: number of bricks in parts of this bucket
    """
    if len(index) == 0:
        return None
    across = -(-shape // EDGE)
    used, brick = np.unique(linear(index // EDGE, across), return_inverse=True)
    first = EDGE * np.stack(np.unravel_index(used, tuple(across)), axis=1)
    # bricks may reach beyond the grid, where they have no cells
    nodes = linear(np.minimum(first[:, None] + _NODES, shape).reshape(-1, 3), shape + 1)
    nodes = np.searchsorted(keys, nodes).clip(0, len(keys) - 1).reshape(-1, len(_NODES))
    multiples: Float[np.ndarray, "b 4 4 4"] = np.zeros((len(used), EDGE, EDGE, EDGE), dtype)
    multiples[brick, *(index % EDGE).T] = scale
    count = companion(len(used), usual, CHUNK)
    longest = CHUNK if jax.default_backend() == "cpu" else LONG_CHUNK
    chunks, length = evenly(count, longest, CHUNK)

    def chunked(rows: np.ndarray) -> Array:
        rows = pad(rows, chunks * length)
        return jax.device_put(np.moveaxis(rows.reshape(chunks, length, *rows.shape[1:]), 1, -1).copy())

    return Bricks(chunked(nodes.astype(np.int32)), chunked(multiples))


def add_force(
    bricks: Bricks,
    unit_stiffness: Float[Array, "rows rows"],
    field: Float[Array, "node k"],
    force: Float[Array, "node k"],
) -> Float[Array, "node k"]:
    """`force` and what the cells resist `field` with."""
    components = field.shape[-1]
    of_cells = _by_product if bricks.nodes.shape[-1] <= CHUNK else _by_sums

    def add_chunk(force: Array, chunk: tuple[Array, Array]) -> tuple[Array, None]:
        nodes, scale = chunk
        at_nodes = field.at[nodes].get(mode="promise_in_bounds", wrap_negative_indices=False)
        local = jnp.moveaxis(at_nodes, -1, 0).reshape(components, *[EDGE + 1] * 3, -1)
        own = of_cells(unit_stiffness, scale, local).reshape(components, *nodes.shape)
        own = jnp.moveaxis(own, 0, -1)
        return force.at[nodes].add(own, mode="promise_in_bounds", wrap_negative_indices=False), None

    return lax.scan(add_chunk, force, (bricks.nodes, bricks.scale))[0]


def _by_product(
    unit_stiffness: Float[Array, "rows rows"],
    scale: Float[Array, "4 4 4 brick"],
    field: Float[Array, "k 5 5 5 brick"],
) -> Float[Array, "k 5 5 5 brick"]:
    """Forces at the nodes of bricks, with one matrix product for all cells: for a CPU's cores."""
    corners = jnp.stack([field[:, *_cells_with_corner(corner)] for corner in CORNERS])
    product = (unit_stiffness @ corners.reshape(len(unit_stiffness), -1)).reshape(8, -1, *scale.shape)
    return _add_corners(product * scale)


def _by_sums(
    unit_stiffness: Float[Array, "rows rows"],
    scale: Float[Array, "4 4 4 brick"],
    field: Float[Array, "k 5 5 5 brick"],
) -> Float[Array, "k 5 5 5 brick"]:
    """The same as sums, which a GPU's compiler fuses with what goes before and after: half the traffic."""
    field = _once(field)
    corners = jnp.stack([field[:, *_cells_with_corner(corner)] for corner in CORNERS])
    sums = (unit_stiffness[:, :, None] * corners.reshape(1, len(unit_stiffness), -1)).sum(axis=1)
    product = _once(sums.reshape(8, -1, *scale.shape) * scale)
    sides = [[(0, 0), *((int(step), 1 - int(step)) for step in corner), (0, 0)] for corner in CORNERS]
    return functools.reduce(jnp.add, (jnp.pad(product[a], sides[a]) for a in range(8)))


_once: Callable[[Array], Array] = lax.optimization_barrier


def add_diagonal(
    bricks: Bricks, unit_stiffness: Float[Array, "rows rows"], diagonal: Float[Array, "node k k"]
) -> Float[Array, "node k k"]:
    """`diagonal` and the cells' diagonal blocks."""
    k = diagonal.shape[-1]
    unit = jnp.einsum("aiaj->aij", unit_stiffness.reshape(8, k, 8, k)).reshape(8, k * k)

    def add_chunk(diagonal: Array, chunk: tuple[Array, Array]) -> tuple[Array, None]:
        nodes, scale = chunk
        own = _add_corners(jnp.einsum("ab,...->ab...", unit, scale))
        own = jnp.moveaxis(own.reshape(k * k, *nodes.shape), 0, -1)
        return diagonal.at[nodes].add(own.reshape(*nodes.shape, k, k)), None

    return lax.scan(add_chunk, diagonal, (bricks.nodes, bricks.scale))[0]


def _cells_with_corner(corner: Int[np.ndarray, "3"]) -> tuple[slice, ...]:
    """Of a brick's nodes those that are this corner of its cells."""
    return tuple(slice(first, first + EDGE) for first in corner)


def _add_corners(values: Float[Array, "8 k 4 4 4 brick"]) -> Float[Array, "k 5 5 5 brick"]:
    """Sum at the nodes of a brick what its cells have at their corners, an axis at a time."""
    for axis in (4, 3, 2):
        lower, upper = values[0::2], values[1::2]
        edge = jnp.zeros_like(lax.slice_in_dim(lower, 0, 1, axis=axis))
        values = jnp.concatenate([lower, edge], axis) + jnp.concatenate([edge, upper], axis)
    return values[0]
