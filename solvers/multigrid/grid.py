"""Cartesian grids over a part, from the mesh's own size to a handful of cells.

Only cells that the part touches exist (four fifths of a bounding box are void); each is weighted by how full it
is. A coarse cell is eight fine ones. Springs that hold the part (constrained directions, foundations) are
lumped to the grid's nodes, so that every level knows where the part is held.
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import scipy.linalg
import scipy.sparse as sparse
from jaxtyping import Array, Float, Int

from solvers.buckets import bucket, pad

CORNERS = np.stack(np.meshgrid([0, 1], [0, 1], [0, 1], indexing="ij"), -1).reshape(8, 3)
# A cell that is barely touched still carries its nodes; below this they would upset single precision.
SMALLEST_FRACTION = 1e-3
# The coarsest grid is solved by a dense inverse of three times as many rows.
COARSEST_NODES = 448
# Sampling points of a tetrahedron, barycentric: the inner lattice of order three.
SAMPLES = np.array(
    [(i, j, k, 3 - i - j - k) for i in range(4) for j in range(4 - i) for k in range(4 - i - j)]
) / 4 + 1 / 16


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
    """One level.

    cells: nodes of each cell, in the order of `CORNERS`
    scale: fraction of the cell that is full, times its edge length [m]
    springs: [N/m]
    to_coarser: interpolation from the next level; None on the coarsest
    """

    cells: Int[Array, "cell 8"]
    scale: Float[Array, "cell"]
    springs: Float[Array, "node 3 3"]
    to_coarser: Interpolation | None


class GridHierarchy(eqx.Module):
    """Levels from fine to coarse, the stiffness of a full cell of unit edge, the inverse on the coarsest."""

    levels: tuple[Grid, ...]
    unit_stiffness: Float[Array, "24 24"]
    coarsest_inverse: Float[Array, "rows rows"]
    from_mesh: Interpolation


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
    points: Float[np.ndarray, "n 3"], tets: Int[np.ndarray, "m 4"], origin: Float[np.ndarray, "3"],
    edge: float, shape: Int[np.ndarray, "3"],
) -> tuple[Int[np.ndarray, "c 3"], Float[np.ndarray, " c"]]:
    corners = points[tets]
    volume = np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1])) / 6
    samples = np.einsum("sk,ekd->esd", SAMPLES, corners).reshape(-1, 3)
    weight = np.repeat(volume / len(SAMPLES) / edge**3, len(SAMPLES))
    touched = np.vstack([samples, points])
    weight = np.concatenate([weight, np.full(len(points), 1e-12)])
    key = _linear(np.clip(((touched - origin) / edge).astype(int), 0, shape - 1), shape)
    filled, position = np.unique(key, return_inverse=True)
    fraction = np.clip(np.bincount(position, weight), SMALLEST_FRACTION, 1)
    return np.stack(np.unravel_index(filled, tuple(shape)), 1), fraction


def _interpolate_points(
    points: Float[np.ndarray, "n 3"], keys: Int[np.ndarray, " g"], origin: Float[np.ndarray, "3"],
    edge: float, shape: Int[np.ndarray, "3"],
) -> tuple[Int[np.ndarray, "n 8"], Float[np.ndarray, "n 8"]]:
    scaled = (points - origin) / edge
    cell = np.clip(scaled.astype(int), 0, shape - 1)
    offset = (scaled - cell)[:, None]
    weights = np.where(CORNERS, offset, 1 - offset).prod(2)
    wanted = _linear((cell[:, None] + CORNERS).reshape(-1, 3), shape + 1)
    nodes = np.searchsorted(keys, wanted).clip(0, len(keys) - 1)
    weights = weights * (keys[nodes] == wanted).reshape(-1, 8)
    return nodes.reshape(-1, 8), weights


def _interpolation(nodes: Int[np.ndarray, "n 8"], weights: Float[np.ndarray, "n 8"], length: int) -> Interpolation:
    return Interpolation(
        jnp.asarray(pad(nodes.astype(np.int32), length)), jnp.asarray(pad(weights.astype(np.float32), length))
    )


def _transfer(nodes: Int[np.ndarray, "n 8"], weights: Float[np.ndarray, "n 8"], count: int) -> sparse.csr_array:
    rows = np.repeat(np.arange(len(nodes)), 8)
    return sparse.csr_array((weights.ravel(), (rows, nodes.ravel())), shape=(len(nodes), count))


def grid_hierarchy(
    points: Float[np.ndarray, "n 3"],
    tets: Int[np.ndarray, "m 4"],
    held: Float[np.ndarray, "n 3 3"],
    edge: float,
    unit_stiffness: Float[np.ndarray, "24 24"],
    point_count: int,
) -> GridHierarchy:
    """Lay grids over a mesh.

    Args:
        points: mesh nodes [m]
        held: stiffness that holds each mesh node, lumped [N/m]
        edge: cell size of the finest grid [m]
        unit_stiffness: `unit_cell_stiffness` of the material
        point_count: rows of a nodal array of the mesh, padding included
    """
    origin = points.min(0) - 1e-6 * edge
    shape = np.maximum(np.ceil((points.max(0) - origin) / edge).astype(int), 1)
    cells, fraction = _filled_cells(points, tets, origin, edge, shape)
    keys, corners = _number_nodes(cells, shape)
    nodes, weights = _interpolate_points(points, keys, origin, edge, shape)
    from_mesh = _interpolation(nodes, weights, point_count)
    springs = (_transfer(nodes, weights, len(keys)).T @ held.reshape(len(held), 9)).reshape(-1, 3, 3)

    levels = []
    while True:
        coarsest = len(keys) <= COARSEST_NODES
        count = COARSEST_NODES if coarsest else bucket(len(keys), 1024)
        cell_count = bucket(len(cells), 256, growth=1.5)
        interpolation, coarse = None, None
        if not coarsest:
            coarse_shape = (shape + 1) // 2
            parent, position = np.unique(_linear(cells // 2, coarse_shape), return_inverse=True)
            coarse_cells = np.stack(np.unravel_index(parent, tuple(coarse_shape)), 1)
            coarse_fraction = np.bincount(position, fraction) / 8
            coarse_keys, coarse_corners = _number_nodes(coarse_cells, coarse_shape)
            place = np.stack(np.unravel_index(keys, tuple(shape + 1)), 1)
            nodes, weights = _interpolate_points(
                place * 0.5, coarse_keys, np.zeros(3), 1.0, coarse_shape
            )
            interpolation = _interpolation(nodes, weights, count)
            coarse_springs = _transfer(nodes, weights, len(coarse_keys)).T @ springs.reshape(-1, 9)
            coarse = (coarse_cells, coarse_fraction, coarse_keys, coarse_corners, coarse_springs.reshape(-1, 3, 3))
        levels.append(
            Grid(
                cells=jnp.asarray(pad(corners.astype(np.int32), cell_count)),
                scale=jnp.asarray(pad((fraction * edge).astype(np.float32), cell_count)),
                springs=jnp.asarray(pad(springs.astype(np.float32), count)),
                to_coarser=interpolation,
            )
        )
        if coarse is None:
            break
        cells, fraction, keys, corners, springs = coarse
        shape, edge = (shape + 1) // 2, 2 * edge

    inverse = _coarsest_inverse(corners, fraction * edge, springs, unit_stiffness)
    return GridHierarchy(
        levels=tuple(levels),
        unit_stiffness=jnp.asarray(unit_stiffness, jnp.float32),
        coarsest_inverse=jnp.asarray(inverse, jnp.float32),
        from_mesh=from_mesh,
    )


def _coarsest_inverse(
    corners: Int[np.ndarray, "c 8"], scale: Float[np.ndarray, " c"], springs: Float[np.ndarray, "n 3 3"],
    unit_stiffness: Float[np.ndarray, "24 24"],
) -> Float[np.ndarray, "rows rows"]:
    size = 3 * COARSEST_NODES
    rows = (3 * corners[:, :, None] + np.arange(3)).reshape(-1, 24)
    values = (scale[:, None, None] * unit_stiffness).ravel()
    index = (np.repeat(rows, 24, 1).ravel(), np.tile(rows, (1, 24)).ravel())
    matrix = sparse.coo_array((values, index), shape=(size, size)).toarray()
    for axis in range(3):
        for other in range(3):
            node = np.arange(len(springs))
            matrix[3 * node + axis, 3 * node + other] += springs[:, axis, other]
    used = np.flatnonzero(matrix.diagonal())
    inverse = np.zeros((size, size))
    block = scipy.linalg.inv(matrix[np.ix_(used, used)])
    inverse[np.ix_(used, used)] = (block + block.T) / 2
    return inverse
