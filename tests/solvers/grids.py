"""Blocks in a grid, with quadrature on their faces, made without a surface."""

import numpy as np

from solvers.hex8 import element
from solvers.hex8.cells import FilledCells, Lattice
from solvers.quadrature import FacetQuadrature

NOTHING = FacetQuadrature(
    np.zeros(0, int), np.zeros((0, 8), int), np.zeros((0, 8)), *np.zeros((2, 0, 3)), np.zeros(0)
)


def block(size, edge, shift=(0.0, 0.0, 0.0)):
    """Cells of a block with a corner at the origin, in a grid that lies `shift` cells off it."""
    origin = -np.array(shift) * edge
    shape = np.ceil((np.array(size) - origin) / edge - 1e-9).astype(int)
    index = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1).reshape(-1, 3)
    lower = np.clip((0 - origin) / edge - index, 0, 1)
    upper = np.clip((np.array(size) - origin) / edge - index, 0, 1)
    moments = element.box_moments(lower, upper)
    return FilledCells(Lattice(origin, edge, shape, index), moments)


def face(cells, size, axis, at, per_cell=4):
    """Quadrature on the block's face that is normal to an axis."""
    others = [k for k in range(3) if k != axis]
    counts = [max(2, round(per_cell * size[k] / cells.lattice.edge)) for k in others]
    grids = np.meshgrid(*((np.arange(n) + 0.5) / n * size[k] for n, k in zip(counts, others, strict=True)))
    points = np.zeros((grids[0].size, 3))
    points[:, axis] = at
    points[:, others[0]], points[:, others[1]] = grids[0].ravel(), grids[1].ravel()
    normal = np.zeros_like(points)
    normal[:, axis] = 1.0 if at else -1.0
    cell, local = cells.lattice.locate(points, -normal)
    area = size[others[0]] * size[others[1]] / len(points)
    corners = cells.lattice.nodes[1]
    return FacetQuadrature(
        cell, corners[cell], element.shape(local), points, normal, np.full(len(points), area)
    )
