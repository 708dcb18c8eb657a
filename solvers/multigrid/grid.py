"""Cartesian grids over a part, from the mesh's own size to a handful of cells.

Only cells that the part touches exist (four fifths of a bounding box are void); on the finest grid each is a
trilinear hexahedron weighted by how full it is. What holds the part (constrained directions, foundations) acts on
the grid through the interpolation to the mesh's nodes. A coarse cell is eight fine ones, its stiffness their
Galerkin product, element by element: thin walls and small supports stay what they are on every level.
"""

from dataclasses import dataclass

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import scipy.linalg
import scipy.sparse as sparse
from jaxtyping import Array, Float, Int

from solvers.buckets import bucket, pad
from solvers.tet10 import element

CORNERS = np.stack(np.meshgrid([0, 1], [0, 1], [0, 1], indexing="ij"), -1).reshape(8, 3)
# A cell that is barely touched still carries nodes of the mesh: softer than this, the grid would let them go
SMALLEST_FRACTION = 0.03
# The coarsest grid is solved by a dense inverse of three times as many rows.
COARSEST_NODES = 448
_CHUNK = 8192  # nodes at a time, to bound memory
# Sampling points of a tetrahedron, barycentric: the inner lattice of order three.
SAMPLES = (
    np.array([(i, j, k, 3 - i - j - k) for i in range(4) for j in range(4 - i) for k in range(4 - i - j)]) / 4
    + 1 / 16
)


class Interpolation(eqx.Module):
    """Weights of up to eight grid nodes at each point; absent ones weigh nothing."""

    nodes: Int[Array, "point 8"]
    weights: Float[Array, "point 8"]

    def prolong(self, values: Float[Array, "grid 3"]) -> Float[Array, "point 3"]:
        """Values at the points."""
        return jnp.einsum("pa,pai->pi", self.weights, values[self.nodes])

    def restrict(self, forces: Float[Array, "point 3"], count: int) -> Float[Array, "grid 3"]:
        """The transpose: forces at the points carried to `count` grid nodes."""
        share = self.weights[:, :, None] * forces[:, None, :]
        return jnp.zeros((count, 3), forces.dtype).at[self.nodes].add(share)


class Grid(eqx.Module):
    """One level. Nodes of a cell are in the order of `CORNERS`.

    cells, scale: nodes of cells that are multiples of the unit cell, and the multiple: fraction times edge [m]
    stiff_cells, stiffness: nodes of cells with a stiffness of their own [N/m]
    node_count: padding included (static); to_coarser: interpolation from the next level, None on the coarsest
    """

    cells: Int[Array, "cell 8"]
    scale: Float[Array, " cell"]
    stiff_cells: Int[Array, "stiff 8"]
    stiffness: Float[Array, "stiff 24 24"]
    to_coarser: Interpolation | None
    node_count: int = eqx.field(static=True)


class GridHierarchy(eqx.Module):
    """Levels from fine to coarse, the stiffness of a full cell of unit edge, the inverse on the coarsest."""

    levels: tuple[Grid, ...]
    unit_stiffness: Float[Array, "24 24"]
    coarsest_inverse: Float[Array, "rows rows"]
    from_mesh: Interpolation


@dataclass(frozen=True)
class _Cells:
    """Cells of one level while it is set up: index (c, 3), fraction full times edge (c,), own stiffness (s, 24, 24)
    of the cells `stiff` (s,), grid shape (3,)."""

    index: Int[np.ndarray, "c 3"]
    scale: Float[np.ndarray, " c"]
    stiff: Int[np.ndarray, " s"]
    stiffness: Float[np.ndarray, "s 24 24"]
    shape: Int[np.ndarray, "3"]


def unit_cell_stiffness(first: float, shear: float) -> Float[np.ndarray, "24 24"]:
    """Stiffness of a trilinear hexahedron of unit edge [N/m per m]; that of edge h is h times it."""
    elasticity = np.diag([2 * shear] * 3 + [shear] * 3)
    elasticity[:3, :3] += first
    signs = 2 * CORNERS - 1
    stiffness = np.zeros((24, 24))
    for point in signs / np.sqrt(3):
        factors = 1 + signs * point
        slope = np.stack([signs[:, a] * np.delete(factors, a, 1).prod(1) for a in range(3)], 1) / 4
        strain = np.zeros((6, 8, 3))
        strain[[0, 1, 2], :, [0, 1, 2]] = slope.T
        for row, (a, b) in enumerate([(0, 1), (1, 2), (2, 0)], start=3):
            strain[row, :, a], strain[row, :, b] = slope[:, b], slope[:, a]
        matrix = strain.reshape(6, 24)
        stiffness += matrix.T @ elasticity @ matrix / 8
    return stiffness


def _linear(index: Int[np.ndarray, "n 3"], shape: Int[np.ndarray, "3"]) -> Int[np.ndarray, " n"]:
    return (index[:, 0] * shape[1] + index[:, 1]) * shape[2] + index[:, 2]


def _number_nodes(
    cells: Int[np.ndarray, "c 3"], shape: Int[np.ndarray, "3"]
) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, "c 8"]]:
    """Sorted linear indices of the corners in use, and each cell's corners as positions in them."""
    corners = _linear((cells[:, None] + CORNERS).reshape(-1, 3), shape + 1)
    keys, position = np.unique(corners, return_inverse=True)
    return keys, position.reshape(-1, 8)


def _filled_cells(
    points: Float[np.ndarray, "n 3"],
    tets: Int[np.ndarray, "m 10"],
    origin: Float[np.ndarray, "3"],
    edge: float,
    shape: Int[np.ndarray, "3"],
) -> tuple[Int[np.ndarray, "c 3"], Float[np.ndarray, " c"]]:
    corners = points[tets[:, :4]]
    volume = np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1])) / 6
    # On the curved elements: their midsides may reach into cells that the straight ones do not touch.
    samples = np.einsum("sa,ead->esd", element.shape(SAMPLES[:, 1:]), points[tets]).reshape(-1, 3)
    weight = np.repeat(volume / len(SAMPLES) / edge**3, len(SAMPLES))
    touched = np.vstack([samples, points])
    weight = np.concatenate([weight, np.full(len(points), 1e-12)])
    key = _linear(np.clip(((touched - origin) / edge).astype(int), 0, shape - 1), shape)
    filled, position = np.unique(key, return_inverse=True)
    fraction = np.clip(np.bincount(position, weight), SMALLEST_FRACTION, 1)
    return np.stack(np.unravel_index(filled, tuple(shape)), 1), fraction


def _interpolate_points(
    points: Float[np.ndarray, "n 3"],
    keys: Int[np.ndarray, " g"],
    origin: Float[np.ndarray, "3"],
    edge: float,
    shape: Int[np.ndarray, "3"],
) -> tuple[Int[np.ndarray, "n 8"], Float[np.ndarray, "n 8"]]:
    scaled = (points - origin) / edge
    cell = np.clip(scaled.astype(int), 0, shape - 1)
    offset = (scaled - cell)[:, None]
    weights = np.where(CORNERS, offset, 1 - offset).prod(2)
    wanted = _linear((cell[:, None] + CORNERS).reshape(-1, 3), shape + 1)
    nodes = np.searchsorted(keys, wanted).clip(0, len(keys) - 1)
    weights = weights * (keys[nodes] == wanted).reshape(-1, 8)
    return nodes.reshape(-1, 8), weights


def _interpolation(
    nodes: Int[np.ndarray, "n 8"], weights: Float[np.ndarray, "n 8"], length: int
) -> Interpolation:
    return Interpolation(
        jnp.asarray(pad(nodes.astype(np.int32), length)), jnp.asarray(pad(weights.astype(np.float32), length))
    )


def _held_cells(
    nodes: Int[np.ndarray, "n 8"],
    weights: Float[np.ndarray, "n 8"],
    held: Float[np.ndarray, "n 3 3"],
    corners: Int[np.ndarray, "c 8"],
) -> tuple[Int[np.ndarray, " s"], Float[np.ndarray, "s 24 24"]]:
    """Cells in which mesh nodes are held, and the stiffness of that: the sum of w w^T x held."""
    chosen = np.flatnonzero(held.any((1, 2)))
    # A cell is known by its first and its last corner.
    own = corners[:, 0].astype(np.int64) << 32 | corners[:, 7]
    order = np.argsort(own)
    wanted = nodes[chosen, 0].astype(np.int64) << 32 | nodes[chosen, 7]
    cell = order[np.searchsorted(own[order], wanted)]
    stiff, position = np.unique(cell, return_inverse=True)
    total = np.zeros((len(stiff), 24, 24))
    for start in range(0, len(chosen), _CHUNK):
        rows = slice(start, start + _CHUNK)
        weight = weights[chosen[rows]]
        local = np.einsum("na,nb,nij->naibj", weight, weight, held[chosen[rows]])
        np.add.at(total, position[rows], local.reshape(-1, 24, 24))
    return stiff, total


def _coarsen(fine: _Cells, unit_stiffness: Float[np.ndarray, "24 24"]) -> _Cells:
    """Eight cells to one, with their Galerkin product."""
    shape = (fine.shape + 1) // 2
    octant = fine.index % 2 @ np.array([4, 2, 1])
    parents, parent = np.unique(_linear(fine.index // 2, shape), return_inverse=True)
    index = np.stack(np.unravel_index(parents, tuple(shape)), axis=1)
    interpolate = np.array([np.kron(_within_parent(corner), np.eye(3)) for corner in CORNERS])
    unit = np.einsum("oAa,AB,oBb->oab", interpolate, unit_stiffness, interpolate)
    shares = sparse.csr_array((fine.scale, (parent, octant)), shape=(len(parents), 8)).toarray()
    stiffness = shares @ unit.reshape(8, 576)
    own = np.empty_like(fine.stiffness)
    for which in range(8):
        inside = octant[fine.stiff] == which
        own[inside] = interpolate[which].T @ fine.stiffness[inside] @ interpolate[which]
    gather = sparse.csr_array(
        (np.ones(len(own)), (parent[fine.stiff], np.arange(len(own)))), shape=(len(parents), len(own))
    )
    stiffness = stiffness + gather @ own.reshape(-1, 576)
    return _Cells(
        index, np.zeros(len(parents)), np.arange(len(parents)), stiffness.reshape(-1, 24, 24), shape
    )


def _within_parent(octant: Int[np.ndarray, "3"]) -> Float[np.ndarray, "8 8"]:
    """Weights of a parent's corners at the corners of the child in an octant."""
    place = (octant + CORNERS)[:, None] / 2
    return np.where(CORNERS, place, 1 - place).prod(2)


def grid_hierarchy(
    points: Float[np.ndarray, "n 3"],
    tets: Int[np.ndarray, "m 10"],
    held: Float[np.ndarray, "n 3 3"],
    edge: float,
    unit_stiffness: Float[np.ndarray, "24 24"],
    point_count: int,
) -> GridHierarchy:
    """Lay grids over a mesh.

    Args:
        points: mesh nodes [m]
        held: stiffness that holds each mesh node [N/m]
        edge: cell size of the finest grid [m]
        unit_stiffness: `unit_cell_stiffness` of the material
        point_count: rows of a nodal array of the mesh, padding included
    """
    origin = points.min(0) - 1e-6 * edge
    shape = np.maximum(np.ceil((points.max(0) - origin) / edge).astype(int), 1)
    index, fraction = _filled_cells(points, tets, origin, edge, shape)
    keys, corners = _number_nodes(index, shape)
    nodes, weights = _interpolate_points(points, keys, origin, edge, shape)
    from_mesh = _interpolation(nodes, weights, point_count)
    cells = _Cells(index, fraction * edge, *_held_cells(nodes, weights, held, corners), shape)

    levels = []
    while True:
        coarsest = len(keys) <= COARSEST_NODES
        count = COARSEST_NODES if coarsest else bucket(len(keys), 1024)
        interpolation = None
        if not coarsest:
            coarse = _coarsen(cells, unit_stiffness)
            coarse_keys, coarse_corners = _number_nodes(coarse.index, coarse.shape)
            place = np.stack(np.unravel_index(keys, tuple(cells.shape + 1)), 1) / 2
            nodes, weights = _interpolate_points(place, coarse_keys, np.zeros(3), 1.0, coarse.shape)
            interpolation = _interpolation(nodes, weights, count)
        levels.append(_grid(cells, corners, interpolation, count))
        if coarsest:
            break
        cells, keys, corners = coarse, coarse_keys, coarse_corners
    return GridHierarchy(
        levels=tuple(levels),
        unit_stiffness=jnp.asarray(unit_stiffness, jnp.float32),
        coarsest_inverse=jnp.asarray(_inverse(cells, corners, unit_stiffness), jnp.float32),
        from_mesh=from_mesh,
    )


def _grid(
    cells: _Cells, corners: Int[np.ndarray, "c 8"], to_coarser: Interpolation | None, count: int
) -> Grid:
    uniform = cells.scale.any()
    nodes = corners.astype(np.int32)
    most = bucket(len(nodes), 256, growth=1.5) if uniform else 0
    stiff = bucket(len(cells.stiff), 256, growth=1.5)
    return Grid(
        cells=jnp.asarray(pad(nodes, most) if uniform else nodes[:0]),
        scale=jnp.asarray(
            pad(cells.scale.astype(np.float32), most) if uniform else cells.scale[:0], jnp.float32
        ),
        stiff_cells=jnp.asarray(pad(nodes[cells.stiff], stiff)),
        stiffness=jnp.asarray(pad(cells.stiffness.astype(np.float32), stiff)),
        to_coarser=to_coarser,
        node_count=count,
    )


def _inverse(
    cells: _Cells, corners: Int[np.ndarray, "c 8"], unit_stiffness: Float[np.ndarray, "24 24"]
) -> Float[np.ndarray, "rows rows"]:
    """Dense inverse of a level of at most `COARSEST_NODES` nodes."""
    size = 3 * COARSEST_NODES
    stiffness = cells.scale[:, None, None] * unit_stiffness
    stiffness[cells.stiff] += cells.stiffness
    rows = (3 * corners[:, :, None] + np.arange(3)).reshape(-1, 24)
    index = (np.repeat(rows, 24, 1).ravel(), np.tile(rows, (1, 24)).ravel())
    matrix = sparse.coo_array((stiffness.ravel(), index), shape=(size, size)).toarray()
    used = np.flatnonzero(matrix.diagonal())
    inverse = np.zeros((size, size))
    # A trace of extra stiffness, so that a part that is not held is told by the iteration, not by LAPACK.
    extra = 1e-9 * matrix.diagonal()[used].mean()
    block = scipy.linalg.inv(matrix[np.ix_(used, used)] + extra * np.eye(len(used)), assume_a="pos")
    inverse[np.ix_(used, used)] = (block + block.T) / 2
    return inverse
