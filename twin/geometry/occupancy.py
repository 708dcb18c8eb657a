"""Where material is, by the generalised winding number: holes, crossings and doubled faces do not upset it.

Jacobson et al. 2013, ACM Trans. Graph. 32:33; fast evaluation: Barill et al. 2018, ACM Trans. Graph. 37:43.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.geometry.surface import Surface, closest

Float64 = NDArray[np.float64]
Int32 = NDArray[np.int32]
Bools = NDArray[np.bool_]

_LONGEST = 0.05  # of the diagonal: the fast evaluation takes longer triangles for points, and errs


class Occupancy:
    """The inside of a surface."""

    def __init__(self, surface: Surface):
        self.surface = surface
        corners = _halved(surface.corners, _LONGEST * surface.diagonal)
        self._vertices = np.ascontiguousarray(corners.reshape(-1, 3))
        self._triangles = np.arange(3 * len(corners), dtype=np.int64).reshape(-1, 3)

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


def _halved(corners: Float64, longest: float) -> Float64:
    """Triangles (m, 3, 3) halved in the middle of their longest edge until no edge is longer."""
    done = []
    while len(corners):
        lengths = np.linalg.norm(corners - np.roll(corners, -1, axis=1), axis=2)
        long = lengths.max(axis=1) > longest
        done.append(corners[~long])
        turn = (lengths[long].argmax(axis=1)[:, None] + np.arange(3)) % 3
        a, b, c = np.take_along_axis(corners[long], turn[:, :, None], axis=1).transpose(1, 0, 2)
        middle = (a + b) / 2
        corners = np.concatenate([np.stack((a, middle, c), axis=1), np.stack((middle, b, c), axis=1)])
    return np.concatenate(done)
