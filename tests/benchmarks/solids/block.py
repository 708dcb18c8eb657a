"""A bent block of quadratic tetrahedra of any size, made without a mesher: for machines that have none."""

from __future__ import annotations

import numpy as np

from solvers.tet10.element import EDGES
from tests.benchmarks.solids.case import Case, Floats

LENGTHS = np.array([4.0, 2.0, 1.0])  # [m]
BEND = 0.15  # [1/m], of its axis
TRACTION = np.array([0.0, 0.5e6, -1e6])  # [Pa] on the far end
# The six tetrahedra of a cube along its diagonal (Kuhn): corners as steps along x, y, z.
_ORDERS = np.array([(0, 1, 2), (1, 2, 0), (2, 0, 1), (0, 2, 1), (2, 1, 0), (1, 0, 2)])


def case(unknowns: float) -> Case:
    """Held at one end, pulled at the other; of about so many unknowns."""
    # a cube has eight nodes of its own
    cells = np.maximum(np.rint(LENGTHS * (unknowns / 24 / LENGTHS.prod()) ** (1 / 3)), 1).astype(int)
    lattice = 2 * cells + 1
    place = np.stack(np.unravel_index(np.arange(lattice.prod()), tuple(lattice)), axis=1)
    points = bent(place / (2 * cells) * LENGTHS)
    force = np.zeros_like(points)
    end = place[:, 0] == 2 * cells[0]
    force[end] = TRACTION * LENGTHS[1] * LENGTHS[2] / end.sum()
    return Case(points, _tets(cells, lattice), place[:, 0] == 0, force)


def bent(points: Floats, bend: float = BEND) -> Floats:
    """Points of a straight block on a circular arc."""
    x, y, z = points.T
    return np.stack(
        [np.sin(bend * x) * (1 / bend + z), y, np.cos(bend * x) * (1 / bend + z) - 1 / bend], axis=1
    )


def _tets(cells: np.ndarray, lattice: np.ndarray) -> np.ndarray:
    """Nodes in VTK order; midsides are places of the lattice too."""
    steps = np.zeros((6, 4, 3), int)
    for tet, order in enumerate(_ORDERS):
        steps[tet, 1:] = np.cumsum(np.eye(3, dtype=int)[order], axis=0)
    steps[3:, [1, 2]] = steps[3:, [2, 1]]  # odd orders are inside out
    local = np.concatenate([2 * steps, steps[:, EDGES].sum(axis=2)], axis=1)
    stride = np.array([lattice[1] * lattice[2], lattice[2], 1])
    corner = 2 * np.stack(np.meshgrid(*map(np.arange, cells), indexing="ij"), -1).reshape(-1, 3)
    nodes = (corner @ stride)[:, None, None] + (local @ stride)
    return nodes.reshape(-1, 10).astype(np.int32)
