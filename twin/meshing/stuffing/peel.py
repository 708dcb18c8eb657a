"""Flat tetrahedra on the boundary, which no motion of vertices mends, are taken off."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.meshing.stuffing.edges import encode
from twin.meshing.volume_mesh import Ints, boundary, quality

Float64 = NDArray[np.float64]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]

_ROUNDS = 6


def peel(points: Float64, tets: Ints, flat: float) -> Ints:
    """Drop boundary tetrahedra of a quality below `flat` where the boundary stays a manifold: tets (k, 4)."""
    for _ in range(_ROUNDS):
        shapes = quality(points, tets)
        faces, owner = boundary(tets)
        exposed = np.zeros((len(tets), 4), dtype=bool)
        exposed[owner[:, 0], owner[:, 1]] = True
        on_boundary = np.unique(encode(faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)))
        touched = np.zeros(len(points), dtype=bool)
        touched[faces] = True
        removable = np.zeros(len(tets), dtype=bool)
        for tet in np.flatnonzero((shapes < flat) & exposed.any(axis=1)).tolist():
            corners = tets[tet]
            apexes = np.flatnonzero(exposed[tet])  # corners across from the exposed faces
            if len(apexes) == 1:
                removable[tet] = not touched[corners[apexes[0]]]
            elif len(apexes) == 2:
                code = encode(corners[apexes])  # the edge that comes to light
                place = int(np.searchsorted(on_boundary, code))
                removable[tet] = place == len(on_boundary) or on_boundary[place] != code
            else:
                removable[tet] = len(apexes) == 3
        removable[_beaten(tets, removable)] = False
        if not removable.any():
            break
        tets = tets[~removable]
    return tets


def _beaten(tets: Ints, chosen: NDArray[np.bool_]) -> Int64:
    """Of the chosen tetrahedra those that share a corner with one before them: they wait for the next round."""
    index = np.flatnonzero(chosen)
    first = np.full(int(tets.max()) + 1, len(tets), dtype=np.int64)
    np.minimum.at(first, tets[index].reshape(-1), np.repeat(index, 4))
    return index[(first[tets[index]] < index[:, None]).any(axis=1)]
