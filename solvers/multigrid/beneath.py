"""The grid beneath a mesh: which of its cells the elements fill, and what holds them.

What holds the part (constrained directions, foundations) acts on the grid through the interpolation to the nodes of the
mesh.
"""

import numpy as np
from jaxtyping import Float, Int

from solvers.cutcell.cells import Lattice, linear
from solvers.multigrid.grid import Cells, Interpolation, interpolate, interpolation
from solvers.tet10 import element

# A cell that is barely touched still carries nodes of the mesh: softer than this, the grid would let them go
SMALLEST_FRACTION = 0.03
_CHUNK = 8192  # nodes at a time, to bound memory
# Sampling points of a tetrahedron, barycentric: the inner lattice of order three.
SAMPLES = (
    np.array([(i, j, k, 3 - i - j - k) for i in range(4) for j in range(4 - i) for k in range(4 - i - j)]) / 4
    + 1 / 16
)


def cells_beneath(
    points: Float[np.ndarray, "n 3"],
    tets: Int[np.ndarray, "m 10"],
    relative: Float[np.ndarray, "..."],
    held: Float[np.ndarray, "n k k"],
    edge: float,
    point_count: int,
    bucket: float,
) -> tuple[Cells, Interpolation]:
    """Lay a grid beneath a mesh; also the interpolation from its nodes to those of the mesh.

    Args:
        points: mesh nodes [m]
        relative: how stiff each element is (m,), or () all are, beside the unit cell
        held: stiffness that holds each mesh node
        edge: of a cell [m]
        point_count: rows of a nodal array of the mesh, padding included
        bucket: how many cells the largest part of this size fills
    """
    origin = points.min(0) - 1e-6 * edge
    shape = np.maximum(np.ceil((points.max(0) - origin) / edge).astype(int), 1)
    index, scale = _filled_cells(points, tets, relative, origin, edge, shape)
    lattice = Lattice(origin, edge, shape, index)
    nodes, weights = interpolate((points - origin) / edge, lattice)
    cells = Cells(lattice, scale * edge, *_held_cells(nodes, weights, held, lattice.numbering[1]), bucket)
    return cells, interpolation(nodes, weights, point_count)


def _filled_cells(
    points: Float[np.ndarray, "n 3"],
    tets: Int[np.ndarray, "m 10"],
    relative: Float[np.ndarray, "..."],
    origin: Float[np.ndarray, "3"],
    edge: float,
    shape: Int[np.ndarray, "3"],
) -> tuple[Int[np.ndarray, "c 3"], Float[np.ndarray, " c"]]:
    """Cells with something in them, and how stiff each is beside a full unit cell."""
    corners = points[tets[:, :4]]
    volume = np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1])) / 6
    # On the curved elements: their midsides may reach into cells that the straight ones do not touch.
    samples = np.einsum("sa,ead->esd", element.shape(SAMPLES[:, 1:]), points[tets]).reshape(-1, 3)
    weight = np.repeat(volume / len(SAMPLES) / edge**3, len(SAMPLES))
    touched = np.vstack([samples, points])
    weight = np.concatenate([weight, np.full(len(points), 1e-12)])
    key = linear(np.clip(((touched - origin) / edge).astype(int), 0, shape - 1), shape)
    every = np.bincount(
        key, weight, minlength=int(shape.prod())
    )  # many cells are void, but a sort costs more
    filled = np.flatnonzero(every)
    scale: Float[np.ndarray, " c"] = np.clip(every[filled], SMALLEST_FRACTION, 1)
    if relative.ndim:
        at_nodes = np.zeros(len(points))
        np.maximum.at(at_nodes, tets, relative[:, None])
        stiff = np.bincount(key, weight * np.concatenate([np.repeat(relative, len(SAMPLES)), at_nodes]))
        scale = scale * stiff[filled] / every[filled]
    return np.stack(np.unravel_index(filled, tuple(shape)), 1), scale


def _held_cells(
    nodes: Int[np.ndarray, "n 8"],
    weights: Float[np.ndarray, "n 8"],
    held: Float[np.ndarray, "n k k"],
    corners: Int[np.ndarray, "c 8"],
) -> tuple[Int[np.ndarray, " s"], Float[np.ndarray, "s rows rows"]]:
    """Cells in which mesh nodes are held, and the stiffness of that."""
    chosen = np.flatnonzero(held.any((1, 2)))
    # A cell is known by its first and its last corner.
    own = corners[:, 0].astype(np.int64) << 32 | corners[:, 7]
    order = np.argsort(own)
    wanted = nodes[chosen, 0].astype(np.int64) << 32 | nodes[chosen, 7]
    cell = order[np.searchsorted(own[order], wanted)]
    return spring_stiffness(cell, weights[chosen], held[chosen])


def spring_stiffness(
    cell: Int[np.ndarray, " p"], weights: Float[np.ndarray, "p 8"], springs: Float[np.ndarray, "p k k"]
) -> tuple[Int[np.ndarray, " s"], Float[np.ndarray, "s rows rows"]]:
    """Cells that springs at points pull at, and the stiffness that this gives them: the sum of w w^T x spring."""
    stiff, position = np.unique(cell, return_inverse=True)
    order = np.argsort(position, kind="stable")
    rows_per_cell = 8 * springs.shape[-1]
    total = np.zeros((len(stiff), rows_per_cell, rows_per_cell))
    for start in range(0, len(cell), _CHUNK):
        rows = order[start : start + _CHUNK]
        weight = weights[rows]
        local = (weight[:, :, None, None, None] * springs[rows][:, None, :, None]) * weight[
            :, None, None, :, None
        ]
        first = np.flatnonzero(np.diff(position[rows], prepend=-1))
        total[position[rows[first]]] += np.add.reduceat(
            local.reshape(-1, rows_per_cell, rows_per_cell), first
        )
    return stiff, total
