"""Faces of tetrahedra: which two share one, and which lie on the boundary.

Face i of tetrahedron j, corners in the order of `element.FACES`, is known by the number 4 j + i.
"""

import numpy as np
from jaxtyping import Int

from solvers.tet10.element import FACES


def shared_faces(tets: Int[np.ndarray, "m a"]) -> Int[np.ndarray, "k 2"]:
    """Faces that two tetrahedra have in common, as the numbers of the two."""
    corners = np.sort(tets[:, FACES[:, :3]].reshape(-1, 3), axis=1).astype(np.int64)
    width = int(tets.max(initial=0)) + 1
    first, last = corners[:, 0] * width + corners[:, 1], corners[:, 2]
    order = np.lexsort((last, first))
    same = (first[order][1:] == first[order][:-1]) & (last[order][1:] == last[order][:-1])
    return np.stack([order[:-1][same], order[1:][same]], axis=1)


def boundary_faces(tets: Int[np.ndarray, "m a"]) -> Int[np.ndarray, " f"]:
    """Numbers of the faces that belong to one tetrahedron only, ascending."""
    single = np.ones(4 * len(tets), dtype=bool)
    single[shared_faces(tets)] = False
    return np.flatnonzero(single)


def boundary_facets(
    tets: Int[np.ndarray, "m 10"],
) -> tuple[Int[np.ndarray, "f 6"], Int[np.ndarray, " f"]]:
    """Six nodes of the faces on the boundary, ordered outwards, and the element of each."""
    element, face = np.divmod(boundary_faces(tets), 4)
    return tets[element[:, None], FACES[face]], element
