"""What is asked of a field, as the load of its dual problem.

The value at a point has a dual solution without bound there, which no mesh follows; the mean over a few elements
around it has one, and nearly the same error.
"""

import numpy as np
from numpy.typing import NDArray

from twin.analyses.resolution import element_sizes
from twin.meshing import VolumeMesh

Floats = NDArray[np.float64]

TOLERANCE = 1e-4  # that a dual problem is solved to
AROUND = 2.0  # elements: how far the mean reaches


def around(mesh: VolumeMesh, node: int) -> Floats:
    """Weights (n,) of the nodes in a mean around one of them."""
    size = element_sizes(mesh.points, mesh.tets)
    own = float(size[(mesh.tets == node).any(1)].mean())
    distance = np.linalg.norm(mesh.points - mesh.points[node], axis=1) / (AROUND * own)
    shares = np.bincount(mesh.tets.ravel(), weights=np.repeat(size**3, 10), minlength=len(mesh.points))
    weights = shares * np.maximum(1 - distance**2, 0)
    return np.asarray(weights / weights.sum())
