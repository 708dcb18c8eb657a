"""Who is whose neighbour on a triangulated surface."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Int64 = NDArray[np.int64]


def edges(triangles: Int64) -> Int64:
    """(3 m, 2) directed edges; edge i belongs to triangle i // 3."""
    return np.asarray(triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), dtype=np.int64)


def edge_codes(triangles: Int64) -> Int64:
    """(3 m,) one number per directed edge, the same for both directions."""
    ends = np.sort(edges(triangles), axis=1)
    return np.asarray(ends[:, 0] * (int(triangles.max(initial=0)) + 1) + ends[:, 1])


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


def unmatched_edges(triangles: Int64) -> Int64:
    """Directed edges that are not one of two, whatever the directions."""
    _, inverse, counts = np.unique(edge_codes(triangles), return_inverse=True, return_counts=True)
    return np.flatnonzero(counts[inverse] != 2)


def components(triangles: Int64, pairs: Int64 | None = None) -> tuple[int, Int64]:
    """Number of pieces and the piece (m,) of each triangle; joined by `pairs`, by default all of
    `neighbours`.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    joined = (neighbours(triangles) if pairs is None else pairs) // 3
    size = len(triangles)
    graph = coo_array((np.ones(len(joined), dtype=np.int8), (joined[:, 0], joined[:, 1])), shape=(size, size))
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
