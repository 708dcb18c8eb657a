"""Grids from the finest to a handful of cells.

Only cells that the part touches exist (four fifths of a bounding box are void). A cell of the finest grid is a multiple
of the unit cell, has a stiffness of its own (the surface cuts it, or something holds it), or both. A coarse cell is
eight fine ones, its stiffness their Galerkin product, element by element: thin walls and small supports stay what they
are on every level.
"""

import dataclasses
import functools
from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg
import scipy.sparse as sparse
from jaxtyping import Array, Float, Int

from solvers.buckets import companion, pad
from solvers.cutcell.cells import Lattice, linear
from solvers.cutcell.element import CORNERS
from solvers.multigrid.bricks import CHUNK, EDGE, Bricks, bricks

# The coarsest grid is solved by a dense inverse of as many rows as it has unknowns.
COARSEST_NODES = 448
# Fewer cells are not worth bricks, of which there are always whole chunks.
LEAST_IN_BRICKS = 2 * CHUNK * EDGE**3
_AROUND = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij"), -1).reshape(-1, 3)


class Interpolation(eqx.Module):
    """Weights of some grid nodes at each point, mostly of eight; absent ones weigh nothing."""

    nodes: Int[Array, "point k"]
    weights: Float[Array, "point k"]

    def prolong(self, values: Float[Array, "grid k"]) -> Float[Array, "point k"]:
        """Values at the points."""
        # term by term: a CPU's compiler makes ten times as fast a program of it as of a product of gathered rows
        terms = [self.weights[:, k, None] * values[self.nodes[:, k]] for k in range(self.nodes.shape[1])]
        return functools.reduce(jnp.add, terms)

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

    def single_precision(self) -> "Grid":
        """The same level in float32."""
        return jax.tree.map(
            lambda a: a.astype(jnp.float32) if jnp.issubdtype(a.dtype, jnp.floating) else a, self
        )


class GridHierarchy(eqx.Module):
    """Levels from fine to coarse, the stiffness of a full cell of unit edge, the inverse on the coarsest."""

    levels: tuple[Grid, ...]
    unit_stiffness: Float[Array, "rows rows"]
    coarsest_inverse: Float[Array, "rows rows"]


@dataclass(frozen=True)
class Cells:
    """Cells of one level while it is set up.

    scale: of each cell, the multiple of the unit cell
    stiff, stiffness: cells with a stiffness of their own
    bucket: how many cells the largest part of this size fills
    multiples_coarsen: whether most multiples lie beside seven of the same scale, so that coarser ones are made of them
    """

    lattice: Lattice
    scale: Float[np.ndarray, " c"]
    stiff: Int[np.ndarray, " s"]
    stiffness: Float[np.ndarray, "s rows rows"]
    bucket: float
    multiples_coarsen: bool = False

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
        return max(len(self.lattice.numbering[0]), self.usual_nodes) <= COARSEST_NODES

    @property
    def node_count(self) -> int:
        """Rows of a nodal array, padding included."""
        if self.is_coarsest:
            return COARSEST_NODES
        return companion(len(self.lattice.numbering[0]), self.usual_nodes)


def interpolate(
    points: Float[np.ndarray, "n 3"], lattice: Lattice
) -> tuple[Int[np.ndarray, "n 8"], Float[np.ndarray, "n 8"]]:
    """Nodes of a lattice and their weights at points in units of the cell."""
    keys, shape = lattice.numbering[0], lattice.shape
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


def hierarchy(
    cells: Cells, unit_stiffness: Float[np.ndarray, "rows rows"], finest: Grid | None = None
) -> GridHierarchy:
    """Coarsen until the level is small enough for a dense inverse.

    Args:
        unit_stiffness: of a full cell of unit edge, as the law has it
        finest: `grid(cells)`, where it is there already
    """
    levels: list[Grid] = []
    while not cells.is_coarsest:
        coarse = _coarsen(cells, unit_stiffness)
        level = grid(cells, np.float32) if finest is None or levels else finest.single_precision()
        levels.append(dataclasses.replace(level, to_coarser=_transfer(cells, coarse)))
        cells = coarse
    levels.append(grid(cells, np.float32))
    return GridHierarchy(
        levels=tuple(levels),
        unit_stiffness=jax.device_put(unit_stiffness.astype(np.float32)),
        coarsest_inverse=jax.device_put(_inverse(cells, unit_stiffness).astype(np.float32)),
    )


def grid(cells: Cells, dtype: type) -> Grid:
    """A level by itself, padded."""
    lattice = cells.lattice
    keys, corners = lattice.numbering
    multiples = np.flatnonzero(cells.scale)
    stiff = companion(len(cells.stiff), cells.usual_stiff)
    return Grid(
        bricks=bricks(
            lattice.index[multiples], cells.scale[multiples], keys, lattice.shape, dtype, cells.usual_bricks
        ),
        stiff_cells=jax.device_put(pad(corners[cells.stiff].astype(np.int32), stiff)),
        stiffness=jax.device_put(pad(cells.stiffness, stiff, dtype=dtype)),
        to_coarser=None,
        node_count=cells.node_count,
    )


def _transfer(fine: Cells, coarse: Cells) -> Transfer:
    """Between the nodes of two levels."""
    parents, parent_weights = interpolate(fine.lattice.places / 2, coarse.lattice)
    fine_keys, fine_shape = fine.lattice.numbering[0], fine.lattice.shape
    around = 2 * coarse.lattice.places[:, None] + _AROUND
    wanted = linear(around.reshape(-1, 3), fine_shape + 1)
    children = np.searchsorted(fine_keys, wanted).clip(0, len(fine_keys) - 1)
    present = (fine_keys[children] == wanted) & ((around >= 0) & (around <= fine_shape)).all(2).ravel()
    child_weights = present.reshape(-1, len(_AROUND)) * (1 - np.abs(_AROUND) / 2).prod(1)
    return Transfer(
        interpolation(parents, parent_weights, fine.node_count),
        interpolation(children.reshape(-1, len(_AROUND)), child_weights, coarse.node_count),
    )


def _coarsen(fine: Cells, unit_stiffness: Float[np.ndarray, "rows rows"]) -> Cells:
    """Eight cells to one, with their Galerkin product."""
    lattice = fine.lattice
    shape = (lattice.shape + 1) // 2
    octant = lattice.index % 2 @ np.array([4, 2, 1])
    parents, parent = np.unique(linear(lattice.index // 2, shape), return_inverse=True)
    index = np.stack(np.unravel_index(parents, tuple(shape)), axis=1)
    shares = np.zeros((len(parents), 8))
    shares[parent, octant] = fine.scale
    # Eight multiples of the unit cell of one and the same scale make a unit cell of twice the edge. For a law whose
    # cells have no modes of their own that is the Galerkin product; with such modes the coarse cell bends as freely.
    multiples = fine.multiples_coarsen and fine.bucket / 8 > LEAST_IN_BRICKS
    alike = multiples & (shares == shares[:, :1]).all(axis=1)
    alike[parent[fine.stiff]] = False
    stiff = np.flatnonzero(~alike)
    rows = len(unit_stiffness)
    interpolate = np.array([np.kron(_within_parent(corner), np.eye(rows // 8)) for corner in CORNERS])
    unit = np.einsum("oAa,AB,oBb->oab", interpolate, unit_stiffness, interpolate)
    stiffness = (shares[stiff] @ unit.reshape(8, -1)).reshape(-1, rows, rows)
    place = np.searchsorted(stiff, parent[fine.stiff])
    for which in range(8):
        inside = octant[fine.stiff] == which  # no two with one parent
        stiffness[place[inside]] += _congruent(fine.stiffness[inside], interpolate[which])
    return Cells(
        Lattice(lattice.origin, 2 * lattice.edge, shape, index),
        np.where(alike, 2 * shares[:, 0], 0.0),
        stiff,
        stiffness,
        fine.bucket / 8,
        multiples,
    )


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
    unknowns = (rows // 8 * cells.lattice.numbering[1][:, :, None] + np.arange(rows // 8)).reshape(-1, rows)
    index = (np.repeat(unknowns, rows, 1).ravel(), np.tile(unknowns, (1, rows)).ravel())
    matrix = sparse.coo_array((stiffness.ravel(), index), shape=(size, size)).toarray()
    used = np.flatnonzero(matrix.diagonal())
    inverse = np.zeros((size, size))
    # A trace of extra stiffness, so that a part that is not held is told by the iteration, not by LAPACK.
    extra = 1e-9 * matrix.diagonal()[used].mean()
    block = matrix[np.ix_(used, used)] + extra * np.eye(len(used))
    inverse[np.ix_(used, used)] = scipy.linalg.cho_solve(scipy.linalg.cho_factor(block), np.eye(len(used)))
    return inverse
