"""What is asked of a field, as the load of its dual problem.

The value at a point has a dual solution without bound there, which no mesh follows; the mean over a few elements
around it has one. What the error at the point differs by from that of the mean is made by the elements next to it.
The largest value is looked for at nodes; between them the field may be larger, which no dual solution tells.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solvers.law import Law
from solvers.precision import float64
from solvers.tet10.element import EDGES, TETS_PER_CUBE
from twin.analyses.resolution import element_sizes
from twin.meshing import VolumeMesh

Floats = NDArray[np.float64]

TOLERANCE = 1e-4  # that a dual problem is solved to
AROUND = 2.0  # elements: how far the mean reaches

# The p-mean of the von Mises stress that stands for its largest value where that is differentiated. On the example
# bracket the relative slopes of the mean along motions of its faces are within 2.5 % of those for p = 120 and 400,
# those for p = 30 up to 20 % off; the mean itself is about a quarter below the largest value. A slope holds for changes
# of the stress up to about 1/p.
EXPONENT = 60.0


@dataclass(frozen=True)
class GoalError:
    """Of a number, by its dual solution.

    contributions: of each element (m,) to the error of the mean; beside: what the value at the point may differ by,
        and what is larger between nodes
    """

    contributions: Floats
    beside: float

    @property
    def size(self) -> float:
        """Of both: what elements add may cancel."""
        return abs(float(self.contributions.sum())) + self.beside


def around(mesh: VolumeMesh, node: int) -> Floats:
    """Weights (n,) of the nodes in a mean around one of them."""
    size = element_sizes(mesh.points, mesh.tets)
    own = float(size[(mesh.tets == node).any(1)].mean())
    distance = np.linalg.norm(mesh.points - mesh.points[node], axis=1) / (AROUND * own)
    shares = np.bincount(mesh.tets.ravel(), weights=np.repeat(size**3, 10), minlength=len(mesh.points))
    weights = shares * np.maximum(1 - distance**2, 0)
    return np.asarray(weights / weights.sum())


@float64
def beside(mesh: VolumeMesh, law: Law, node: int, energy_error: Floats) -> float:
    """How far the field at a node may be off beside its mean: the error of its slope there, over half an element.

    energy_error: of the elements (m,)
    """
    at = (mesh.tets == node).any(1)
    size = element_sizes(mesh.points, mesh.tets[at])
    modulus = np.broadcast_to(law.largest_modulus, len(mesh.tets))[at].min()
    slope = np.sqrt(energy_error[at].sum() * TETS_PER_CUBE / (size**3).sum() / modulus)
    return float(slope * size.mean() / 2)


def between(mesh: VolumeMesh, values: Floats, node: int) -> float:
    """How much larger than at a node the parabolas are that a quadratic field (n,) makes of the edges around it."""
    edges = np.concatenate(
        [mesh.tets[:, [start, middle, end]] for middle, (start, end) in enumerate(EDGES, 4)]
    )
    start, middle, end = values[edges[(edges == node).any(1)]].T
    bend, slope = 2 * (start - 2 * middle + end), 4 * middle - 3 * start - end
    inside = (bend < 0) & (slope > 0) & (slope < -2 * bend)
    higher = start[inside] - slope[inside] ** 2 / (4 * bend[inside]) - values[node]
    return float(higher.max(initial=0.0))
