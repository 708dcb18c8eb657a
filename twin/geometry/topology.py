"""Who is whose neighbour on a triangulated surface."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

_SAME_ANGLE = 1e-6  # [rad]: triangles around an edge that lie on each other


def edges(triangles: Int64) -> Int64:
    """(3 m, 2) directed edges; edge i belongs to triangle i // 3."""
    return np.asarray(triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), dtype=np.int64)


def edge_codes(triangles: Int64) -> Int64:
    """(3 m,) one number per directed edge, the same for both directions."""
    ends = np.sort(edges(triangles), axis=1)
    return np.asarray(ends[:, 0] * (int(triangles.max(initial=0)) + 1) + ends[:, 1])


def edge_counts(triangles: Int64) -> Int64:
    """(3 m,) number of triangles at each directed edge, whatever the directions."""
    _, inverse, counts = np.unique(edge_codes(triangles), return_inverse=True, return_counts=True)
    return np.asarray(counts[inverse], dtype=np.int64)


def neighbours(triangles: Int64) -> Int64:
    """Pairs of directed edges (k, 2) which are the two sides of an edge with exactly two triangles."""
    codes = edge_codes(triangles)
    order = np.argsort(codes, kind="stable")
    sorted_codes = codes[order]
    new = np.concatenate([[True], sorted_codes[1:] != sorted_codes[:-1]])
    starts = np.flatnonzero(new)
    counts = np.diff(np.append(starts, len(codes)))
    pairs = starts[counts == 2]
    return np.stack([order[pairs], order[pairs + 1]], axis=1)


def wedges(vertices: Float64, triangles: Int64) -> Int64:
    """Pairs of directed edges (k, 2) at edges with more than two triangles: neighbours in the same material.

    Around such an edge the triangles bound wedges of material, one after the other: those of bodies that
    touch there. Edges where that does not come out even (inner walls, wrong normals) have no pairs.
    """
    ends = edges(triangles)
    codes = edge_codes(triangles)
    crowded = np.flatnonzero(edge_counts(triangles) > 2)
    if len(crowded) == 0:
        return np.zeros((0, 2), dtype=np.int64)
    _, first, fan = np.unique(codes[crowded], return_index=True, return_inverse=True)
    low, high = np.sort(ends[crowded], axis=1).T
    axis = vertices[high] - vertices[low]
    axis /= np.linalg.norm(axis, axis=1, keepdims=True)
    opposite = triangles.reshape(-1)[3 * (crowded // 3) + (crowded + 2) % 3]
    arm = vertices[opposite] - vertices[low]
    arm -= np.einsum("ij,ij->i", arm, axis)[:, None] * axis
    start = arm[first][fan]
    turn = np.einsum("ij,ij->i", np.cross(start, arm), axis), np.einsum("ij,ij->i", start, arm)
    # a little more than nothing, so that what lies on the first triangle stays beside it
    angle = np.mod(np.arctan2(*turn) + 10 * _SAME_ANGLE, 2 * np.pi)
    by_angle = np.lexsort((angle, fan))
    apart = np.diff(angle[by_angle], prepend=0.0) > _SAME_ANGLE
    place = np.empty(len(crowded), dtype=np.int64)
    place[by_angle] = np.cumsum(apart | (np.diff(fan[by_angle], prepend=-1) > 0))
    opens = ends[crowded, 0] == high  # material lies on the side of growing angles
    order = np.lexsort((opens, place, fan))  # where two touch, one body ends before the next begins
    fan, opens = fan[order], opens[order]
    following = np.arange(1, len(order) + 1)
    last = np.append(fan[1:] != fan[:-1], True)
    following[last] = np.flatnonzero(np.concatenate([[True], fan[1:] != fan[:-1]]))
    uneven = np.bincount(fan, weights=opens == opens[following]) > 0
    begins = np.flatnonzero(opens & ~uneven[fan])
    return np.stack([crowded[order[begins]], crowded[order[following[begins]]]], axis=1)


def unmatched_edges(triangles: Int64) -> Int64:
    """Directed edges that are not one of two, whatever the directions."""
    return np.flatnonzero(edge_counts(triangles) != 2)


def components(triangles: Int64, pairs: Int64 | None = None) -> tuple[int, Int64]:
    """Number of pieces and the piece (m,) of each triangle; joined by `pairs`, by default all of
    `neighbours`.
    """
    joined = (neighbours(triangles) if pairs is None else pairs) // 3
    return connected(len(triangles), joined)


def connected(size: int, links: Int64) -> tuple[int, Int64]:
    """Number of connected sets of 0 ... size-1 and the set (size,) of each, joined by links (k, 2)."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(links), dtype=np.int8), (links[:, 0], links[:, 1])), shape=(size, size))
    count, label = connected_components(graph, directed=False)
    return int(count), np.asarray(label, dtype=np.int64)


def boundary_loops(triangles: Int64) -> list[Int64]:
    """Closed chains of edges with one triangle, as vertices, so ordered that filling triangles fit the
    others.

    Where holes touch in a vertex, the chain is left at the first vertex that repeats.
    """
    _, inverse, counts = np.unique(edge_codes(triangles), return_inverse=True, return_counts=True)
    ends = edges(triangles)[counts[inverse] == 1]
    leaving: dict[int, list[int]] = {}
    for start, end in ends[:, ::-1].tolist():
        leaving.setdefault(start, []).append(end)
    loops: list[Int64] = []
    for first in list(leaving):
        while leaving.get(first):
            chain, place = [first], {first: 0}
            while leaving.get(chain[-1]):
                vertex = leaving[chain[-1]].pop()
                if vertex in place:
                    begin = place[vertex]
                    loops.append(np.array(chain[begin:], dtype=np.int64))
                    for gone in chain[begin + 1 :]:
                        del place[gone]
                    del chain[begin + 1 :]
                else:
                    place[vertex] = len(chain)
                    chain.append(vertex)
    return [loop for loop in loops if len(loop) >= 3]
