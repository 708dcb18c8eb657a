"""What holds slivers of material: a penalty on the jumps of slopes and curvatures across the faces of cut cells.

A field that a cell with little in it can't tell then goes on as it is in the cells beside it, so that neither its
gradient nor the conditioning depend on how the surface cuts the grid, and a smooth field pays nothing (Burman 2010,
C. R. Math. 348:1217; of second order: Larson & Zahedi 2020, IMA J. Numer. Anal. 40:1702). Not for elements of first
order, whose bending is a jump of slopes.
"""

import numpy as np
from jaxtyping import Float, Int

from solvers.cutcell.cells import FilledCells

PENALTY = (0.001, 0.01)  # of slopes and of curvatures, times the modulus and the edge to make it an energy
_MASS = np.array([[4, 2, -1], [2, 16, 2], [-1, 2, 4]]) / 30  # of quadratics on a unit edge
_SLOPES = (np.array([-3, 4, -1]), np.array([1, -4, 3]))  # at the start and the end of a unit edge
_CURVATURE = np.array([4, -8, 4])


def _jump(first: Int[np.ndarray, "3"], second: Int[np.ndarray, "3"]) -> Int[np.ndarray, "5"]:
    """Of two edges in a row, with the node between them in common."""
    return np.concatenate([-first, [0, 0]]) + np.concatenate([[0, 0], second])


def face_stiffness() -> Float[np.ndarray, "45 45"]:
    """Between the nodes of two cells of unit edge with a common face, for a modulus of one: the nodes' layers along the
    face's normal first.
    """
    slopes = _jump(_SLOPES[1], _SLOPES[0])
    curvatures = _jump(_CURVATURE, _CURVATURE)
    along = PENALTY[0] * np.outer(slopes, slopes) + PENALTY[1] / 4 * np.outer(curvatures, curvatures)
    return np.asarray(np.kron(along, np.kron(_MASS, _MASS)))


def faces(cells: FilledCells) -> Int[np.ndarray, "f 45"]:
    """Nodes of the pairs of cells with a common face of which at least one is cut, as `face_stiffness` has them."""
    own = cells.nodes.reshape(-1, 3, 3, 3)
    found = []
    for axis, (first, second) in enumerate(cells.lattice.neighbours):
        chosen = ~(cells.whole[first] & cells.whole[second])
        layers = np.moveaxis(own, axis + 1, 1)
        pair = np.concatenate([layers[first[chosen]], layers[second[chosen]][:, 1:]], axis=1)
        found.append(pair.reshape(-1, 45))
    return np.concatenate(found)
