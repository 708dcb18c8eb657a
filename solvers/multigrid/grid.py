"""Grids from the finest to a handful of cells.

Only cells that the part touches exist (four fifths of a bounding box are void). A cell of the finest grid is a multiple
of the unit cell, has a stiffness of its own (the surface cuts it, or something holds it), or both. A coarse cell is
eight fine ones, its stiffness their Galerkin product, element by element: thin walls and small supports stay what they
are on every level.
"""

from dataclasses import dataclass
from functools import cached_property

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg
import scipy.sparse as sparse
from jaxtyping import Array, Float, Int

from solvers.buckets import companion, pad
from solvers.hex8.cells import linear, number_nodes
from solvers.hex8.element import CORNERS
from solvers.multigrid.bricks import EDGE, Bricks, bricks

# The coarsest grid is solved by a dense inverse of as many rows as it has unknowns.
COARSEST_NODES = 448
_AROUND = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij"), -1).reshape(-1, 3)


class Interpolation(eqx.Module):
    """Weights of some grid nodes at each point, mostly of eight; absent ones weigh nothing."""

    nodes: Int[Array, "point k"]
    weights: Float[Array, "point k"]

    def prolong(self, values: Float[Array, "grid k"]) -> Float[Array, "point k"]:
        """Values at the points."""
        return jnp.einsum("pa,pai->pi", self.weights, values[self.nodes])

    def restrict(self, forces: Float[Array, "point k"], count: int) -> Float[Array, "grid k"]:
        """The transpose: forces at the points carried to `count` grid nodes."""
        share = self.weights[:, :, None] * forces[:, None, :]
        return jnp.zeros((count, forces.shape[-1]), forces.dtype).at[self.nodes].add(share)


class Transfer(eqx.Module):
    """Between a level and the next coarser one; absent nodes weigh nothing.

    parents: the coarse nodes of the cell that each fine node lies in; children: the fine nodes about each coarse node,
    the same weights in the other direction, so that restriction reads where a transpose would scatter
    """

    parents: Interpolation
    children: Interpolation

    def prolong(self, values: Float[Array, "coarse k"]) -> Float[Array, "fine k"]:
        """Values at the fine nodes."""
        return self.parents.prolong(values)

    def restrict(self, forces: Float[Array, "fine k"]) -> Float[Array, "coarse k"]:
        """Forces carried to the coarse nodes."""
        return self.children.prolong(forces)


class Grid(eqx.Module):
    """One level. Nodes of a cell are in the order of `CORNERS`.

    bricks: cells that are multiples of the unit cell, the multiple being fraction times edge [m]; None without any
    stiff_cells, stiffness: nodes of cells with a stiffness of their own
    node_count: padding included (static); to_coarser: None on the coarsest
    """

    bricks: Bricks | None
    stiff_cells: Int[Array, "stiff 8"]
    stiffness: Float[Array, "stiff rows rows"]
    to_coarser: Transfer | None
    node_count: int = eqx.field(static=True)


class GridHierarchy(eqx.Module):
    """Levels from fine to coarse, the stiffness of a full cell of unit edge, the inverse on the coarsest."""

    levels: tuple[Grid, ...]
    unit_stiffness: Float[Array, "rows rows"]
    coarsest_inverse: Float[Array, "rows rows"]


@dataclass(frozen=True)
class Cells:
    """Cells of one level while it is set up.

    index: of each cell in a grid of `shape`; scale: multiple of the unit cell
    stiff, stiffness: cells with a stiffness of their own
    bucket: how many cells the largest part of this size fills
    """

    index: Int[np.ndarray, "c 3"]
    scale: Float[np.ndarray, " c"]
    stiff: Int[np.ndarray, " s"]
    stiffness: Float[np.ndarray, "s rows rows"]
    shape: Int[np.ndarray, "3"]
    bucket: float

    @cached_property
    def numbering(self) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, "c 8"]]:
        """Linear indices of the nodes, sorted, and each cell's corners as positions in them."""
        return number_nodes(self.index, self.shape)

    @property
    def usual_nodes(self) -> float:
        """Nodes that most parts of the bucket have: one to a cell in the depth, more towards the surface."""
        return 1.05 * self.bucket + 10 * self.bucket ** (2 / 3)

    @property
    def usual_bricks(self) -> float:
        """Bricks that most of them have."""
        return (0.85 * self.bucket + 12.5 * self.bucket ** (2 / 3)) / EDGE**3

    @property
    def usual_stiff(self) -> float:
        """Cells with a stiffness of their own that most of them have: some of the surface, or all."""
        return 2.5 * self.bucket ** (2 / 3) if self.scale.any() else 0.85 * self.usual_nodes

    @property
    def is_coarsest(self) -> bool:
        """Is it small enough for a dense inverse, for every part of the bucket alike?"""
        return max(len(self.numbering[0]), self.usual_nodes) <= COARSEST_NODES

    @property
    def node_count(self) -> int:
        """Rows of a nodal array, padding included."""
        return COARSEST_NODES if self.is_coarsest else companion(len(self.numbering[0]), self.usual_nodes)


def interpolate(
    points: Float[np.ndarray, "n 3"],
    keys: Int[np.ndarray, " g"],
    shape: Int[np.ndarray, "3"],
) -> tuple[Int[np.ndarray, "n 8"], Float[np.ndarray, "n 8"]]:
    """Nodes, of those with the linear indices `keys`, and their weights at points in units of the cell."""
    cell = np.clip(points.astype(int), 0, shape - 1)
    offset = (points - cell)[:, None]
    weights = np.where(CORNERS, offset, 1 - offset).prod(2)
    wanted = linear((cell[:, None] + CORNERS).reshape(-1, 3), shape + 1)
    nodes = np.searchsorted(keys, wanted).clip(0, len(keys) - 1)
    weights = weights * (keys[nodes] == wanted).reshape(-1, 8)
    return nodes.reshape(-1, 8), weights


def interpolation(
    nodes: Int[np.ndarray, "n k"], weights: Float[np.ndarray, "n k"], length: int
) -> Interpolation:
    """Padded to `length` points, in single precision."""
    return Interpolation(
        jax.device_put(pad(nodes.astype(np.int32), length)),
        jax.device_put(pad(weights, length, dtype=np.float32)),
    )


def hierarchy(cells: Cells, unit_stiffness: Float[np.ndarray, "rows rows"]) -> GridHierarchy:
    """Coarsen until the level is small enough for a dense inverse.

    Args:
        unit_stiffness: of a full cell of unit edge, as the law has it
    """
    levels = []
    while not cells.is_coarsest:
        coarse = _coarsen(cells, unit_stiffness)
        levels.append(grid(cells, _transfer(cells, coarse)))
        cells = coarse
    levels.append(grid(cells, None))
    return GridHierarchy(
        levels=tuple(levels),
        unit_stiffness=jax.device_put(unit_stiffness.astype(np.float32)),
        coarsest_inverse=jax.device_put(_inverse(cells, unit_stiffness).astype(np.float32)),
    )


def grid(cells: Cells, to_coarser: Transfer | None, dtype: type = np.float32) -> Grid:
    """One level, padded."""
    keys, corners = cells.numbering
    multiples = np.flatnonzero(cells.scale)
    stiff = companion(len(cells.stiff), cells.usual_stiff)
    return Grid(
        bricks=bricks(
            cells.index[multiples], cells.scale[multiples], keys, cells.shape, dtype, cells.usual_bricks
        ),
        stiff_cells=jax.device_put(pad(corners[cells.stiff].astype(np.int32), stiff)),
        stiffness=jax.device_put(pad(cells.stiffness, stiff, dtype=dtype)),
        to_coarser=to_coarser,
        node_count=cells.node_count,
    )


def _transfer(fine: Cells, coarse: Cells) -> Transfer:
    """Between the nodes of two levels."""
    (fine_keys, _), (coarse_keys, _) = fine.numbering, coarse.numbering
    place = np.stack(np.unravel_index(fine_keys, tuple(fine.shape + 1)), axis=1)
    parents, parent_weights = interpolate(place / 2, coarse_keys, coarse.shape)
    middle = 2 * np.stack(np.unravel_index(coarse_keys, tuple(coarse.shape + 1)), axis=1)
    around = middle[:, None] + _AROUND
    wanted = linear(around.reshape(-1, 3), fine.shape + 1)
    children = np.searchsorted(fine_keys, wanted).clip(0, len(fine_keys) - 1)
    present = (fine_keys[children] == wanted) & ((around >= 0) & (around <= fine.shape)).all(2).ravel()
    child_weights = present.reshape(-1, len(_AROUND)) * (1 - np.abs(_AROUND) / 2).prod(1)
    return Transfer(
        interpolation(parents, parent_weights, fine.node_count),
        interpolation(children.reshape(-1, len(_AROUND)), child_weights, coarse.node_count),
    )


def _coarsen(fine: Cells, unit_stiffness: Float[np.ndarray, "rows rows"]) -> Cells:
    """Eight cells to one, with their Galerkin product."""
    shape = (fine.shape + 1) // 2
    octant = fine.index % 2 @ np.array([4, 2, 1])
    parents, parent = np.unique(linear(fine.index // 2, shape), return_inverse=True)
    index = np.stack(np.unravel_index(parents, tuple(shape)), axis=1)
    rows = len(unit_stiffness)
    interpolate = np.array([np.kron(_within_parent(corner), np.eye(rows // 8)) for corner in CORNERS])
    unit = np.einsum("oAa,AB,oBb->oab", interpolate, unit_stiffness, interpolate)
    shares = sparse.csr_array((fine.scale, (parent, octant)), shape=(len(parents), 8)).toarray()
    stiffness = shares @ unit.reshape(8, -1)
    own = np.empty_like(fine.stiffness)
    for which in range(8):
        inside = octant[fine.stiff] == which
        own[inside] = _congruent(fine.stiffness[inside], interpolate[which])
    gather = sparse.csr_array(
        (np.ones(len(own)), (parent[fine.stiff], np.arange(len(own)))), shape=(len(parents), len(own))
    )
    stiffness += gather @ own.reshape(len(own), rows**2)
    own_stiffness = stiffness.reshape(-1, rows, rows)
    nothing, every = np.zeros(len(parents)), np.arange(len(parents))
    return Cells(index, nothing, every, own_stiffness, shape, fine.bucket / 8)


def _congruent(
    stiffness: Float[np.ndarray, "s rows rows"], basis: Float[np.ndarray, "rows rows"]
) -> Float[np.ndarray, "s rows rows"]:
    """basis^T K basis of symmetric matrices, by two large products instead of many small ones."""
    rows = len(basis)
    half = (stiffness.reshape(-1, rows) @ basis).reshape(-1, rows, rows)
    return (half.swapaxes(1, 2).reshape(-1, rows) @ basis).reshape(-1, rows, rows)


def _within_parent(octant: Int[np.ndarray, "3"]) -> Float[np.ndarray, "8 8"]:
    """Weights of a parent's corners at the corners of the child in an octant."""
    place = (octant + CORNERS)[:, None] / 2
    return np.where(CORNERS, place, 1 - place).prod(2)


def _inverse(cells: Cells, unit_stiffness: Float[np.ndarray, "rows rows"]) -> Float[np.ndarray, "rows rows"]:
    """Dense inverse of a level of at most `COARSEST_NODES` nodes."""
    rows = len(unit_stiffness)
    size = rows // 8 * COARSEST_NODES
    stiffness = cells.scale[:, None, None] * unit_stiffness
    stiffness[cells.stiff] += cells.stiffness
    unknowns = (rows // 8 * cells.numbering[1][:, :, None] + np.arange(rows // 8)).reshape(-1, rows)
    index = (np.repeat(unknowns, rows, 1).ravel(), np.tile(unknowns, (1, rows)).ravel())
    matrix = sparse.coo_array((stiffness.ravel(), index), shape=(size, size)).toarray()
    used = np.flatnonzero(matrix.diagonal())
    inverse = np.zeros((size, size))
    # A trace of extra stiffness, so that a part that is not held is told by the iteration, not by LAPACK.
    extra = 1e-9 * matrix.diagonal()[used].mean()
    block = matrix[np.ix_(used, used)] + extra * np.eye(len(used))
    inverse[np.ix_(used, used)] = scipy.linalg.cho_solve(scipy.linalg.cho_factor(block), np.eye(len(used)))
    return inverse
