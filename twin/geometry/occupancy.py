"""Where material is, by the generalised winding number: holes, crossings and doubled faces do not upset it.

Jacobson et al. 2013, ACM Trans. Graph. 32:33; fast evaluation: Barill et al. 2018, ACM Trans. Graph. 37:43.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.geometry.subdivision import subdivide
from twin.geometry.surface import Surface, closest

Float64 = NDArray[np.float64]
Int32 = NDArray[np.int32]
Bools = NDArray[np.bool_]

_LONGEST = 0.05  # of the diagonal: the fast evaluation takes longer triangles for points, and errs


class Occupancy:
    """The inside of a surface."""

    def __init__(self, surface: Surface):
        self.surface = surface
        vertices, triangles, _ = subdivide(surface.vertices, surface.triangles, _LONGEST * surface.diagonal)
        self._vertices, self._triangles = np.array(vertices), np.array(triangles)

    def inside(self, points: Float64) -> Bools:
        """(n,) whether points (n, 3) [m] lie in the material."""
        import igl

        if len(points) == 0:
            return np.zeros(0, dtype=bool)
        winding = igl.fast_winding_number(self._vertices, self._triangles, np.ascontiguousarray(points))
        return np.asarray(winding).reshape(-1) > 0.5

    def closest(self, points: Float64) -> tuple[Float64, Int32, Float64]:
        """Distances (n,) [m] from the surface, its nearest triangles (n,) and nearest points (n, 3) [m]."""
        return closest(self.surface, points)
