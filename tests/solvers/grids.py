"""Blocks in a grid, with quadrature on their faces, made without a surface."""

import numpy as np

from solvers.cutcell.cells import FilledCells, Lattice
from solvers.cutcell.element import BY_ORDER
from solvers.quadrature import FacetQuadrature


def block(size, edge, shift=(0.0, 0.0, 0.0), order=1):
    """Cells of a block with a corner at the origin, in a grid that lies `shift` cells off it."""
    origin = -np.array(shift) * edge
    shape = np.ceil((np.array(size) - origin) / edge - 1e-9).astype(int)
    index = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1).reshape(-1, 3)
    lower = np.clip((0 - origin) / edge - index, 0, 1)
    upper = np.clip((np.array(size) - origin) / edge - index, 0, 1)
    element = BY_ORDER[order]
    weights = element.products(*(element.integrals(lower[:, k], upper[:, k]) for k in range(3)))
    return FilledCells(Lattice(origin, edge, shape, index), weights, element)


def face(cells, size, axis, at):
    """Gauss's quadrature on the parts of the block's face, normal to an axis, that lie in the cells."""
    others = [k for k in range(3) if k != axis]
    edge, origin = cells.lattice.edge, cells.lattice.origin
    place, share = np.polynomial.legendre.leggauss(3)
    along = []
    for k in others:
        lines = origin[k] + edge * np.arange(cells.lattice.shape[k] + 1)
        ends = np.unique(np.concatenate([[0.0, size[k]], lines[(lines > 1e-9) & (lines < size[k] - 1e-9)]]))
        half = np.diff(ends)[:, None] / 2
        along.append((((ends[:-1, None] + half) + half * place).ravel(), (half * share).ravel()))
    grids = np.meshgrid(*(points for points, _ in along), indexing="ij")
    points = np.zeros((grids[0].size, 3))
    points[:, axis] = at
    points[:, others[0]], points[:, others[1]] = grids[0].ravel(), grids[1].ravel()
    normal = np.zeros_like(points)
    normal[:, axis] = 1.0 if at else -1.0
    cell, local = cells.lattice.locate(points, -normal)
    weight = np.outer(*(shares for _, shares in along)).ravel()
    return FacetQuadrature(cell, cells.nodes[cell], cells.element.shape(local), points, normal, weight)
