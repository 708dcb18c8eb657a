"""Small meshes of quadratic tetrahedra."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_EDGES = ((0, 1), (1, 2), (2, 0), (0, 3), (1, 3), (2, 3))
_PATHS = ((0, 4, 6, 7), (0, 6, 2, 7), (0, 2, 3, 7), (0, 3, 1, 7), (0, 1, 5, 7), (0, 5, 4, 7))


def cube_mesh(bulge: float = 0.0) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """A unit cube in six tetrahedra along its diagonal; `bulge` bends it. Its corners come first."""
    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], dtype=np.float64)
    points, tets = list(corners), []
    middles: dict[frozenset[int], int] = {}
    for path in _PATHS:
        nodes = list(path)
        if np.linalg.det(corners[nodes[1:]] - corners[nodes[0]]) < 0:
            nodes[1], nodes[2] = nodes[2], nodes[1]
        for a, b in _EDGES:
            key = frozenset((nodes[a], nodes[b]))
            if key not in middles:
                middles[key] = len(points)
                points.append((corners[nodes[a]] + corners[nodes[b]]) / 2)
            nodes.append(middles[key])
        tets.append(nodes)
    mesh = np.array(points)
    mesh[:, 2] += bulge * (mesh[:, 0] - 0.5) ** 2
    return mesh, np.array(tets, dtype=np.int32)
