"""Open edges that only look open: T-junctions, where a vertex lies on the edge of a neighbour, and slivers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.geometry.mesh import Mesh, areas
from twin.geometry.topology import edge_counts, edges

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

_ROUNDS = 8
_MOST = 20_000_000  # vertices near edges, all together
_SAMPLE = 200  # edges from which that is estimated


def close_seams(mesh: Mesh, tolerance: float) -> Mesh:
    """Split triangles where vertices of others lie on their open edges, and drop slivers that this replaces.

    tolerance: [m], how far from the edge. Undone if more edges are open than before.
    """
    heights = 2 * areas(mesh.vertices, mesh.triangles) / _longest(mesh)
    sliver = heights < 1e-3 * tolerance
    if 2 * sliver.sum() > len(sliver):  # that is no surface with slivers, but one that has collapsed
        return mesh
    mended, split = _split(mesh.keep(~sliver) if sliver.any() else mesh, tolerance)
    if _open(mended) > _open(mesh) or (split == 0 and not sliver.any()):
        sliver = np.zeros(len(sliver), dtype=bool)
        mended, split = _split(mesh, tolerance)
        if split == 0 or _open(mended) >= _open(mesh):
            return mesh
    told = []
    if sliver.any():
        told.append(f"replaced {int(sliver.sum())} triangles without height")
    if split:
        told.append(f"split {split} triangles along whose edges vertices of others lie (T-junctions)")
    return mended.repaired(", ".join(told))


def _open(mesh: Mesh) -> int:
    return int((edge_counts(mesh.triangles) == 1).sum())


def _longest(mesh: Mesh) -> Float64:
    corners = mesh.vertices[mesh.triangles]
    lengths = np.linalg.norm(corners - np.roll(corners, -1, axis=1), axis=2).max(axis=1)
    return np.asarray(np.maximum(lengths, np.finfo(np.float64).tiny))


def _split(mesh: Mesh, tolerance: float) -> tuple[Mesh, int]:
    """With triangles split; also how many were."""
    total = 0
    for _ in range(_ROUNDS):  # a triangle is split along one of its edges at a time
        edge, vertex = _on_open_edges(mesh, tolerance)
        if len(edge) == 0:
            break
        first = np.full(len(mesh.triangles), -1)
        first[edge[::-1] // 3] = edge[::-1]
        mine = first[edge // 3] == edge
        mesh = _fan(mesh, edge[mine], vertex[mine])
        total += len(np.unique(edge[mine]))
    return mesh, total


def _on_open_edges(mesh: Mesh, tolerance: float) -> tuple[Int64, Int64]:
    """Open directed edges and vertices that lie within them, by edge and along it."""
    from scipy.spatial import KDTree

    nothing = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    is_open = np.flatnonzero(edge_counts(mesh.triangles) == 1)
    if len(is_open) == 0:
        return nothing
    ends = edges(mesh.triangles)[is_open]
    rim = np.unique(ends)
    start, end = mesh.vertices[ends[:, 0]], mesh.vertices[ends[:, 1]]
    length = np.linalg.norm(end - start, axis=1)
    tree = KDTree(mesh.vertices[rim])
    around = {"x": (start + end) / 2, "r": length / 2 + tolerance}
    sample = slice(None, None, len(ends) // _SAMPLE + 1)
    if (
        tree.query_ball_point(around["x"][sample], around["r"][sample], return_length=True).mean() * len(ends)
        > _MOST
    ):
        return nothing  # a heap of triangles: seams are not what it lacks
    near = tree.query_ball_point(**around, return_length=True)
    edge = np.repeat(np.arange(len(ends)), near)
    vertex = rim[np.concatenate(tree.query_ball_point(**around)).astype(np.int64)]
    part = mesh.part_of_vertex
    relative = mesh.vertices[vertex] - start[edge]
    along = (end - start)[edge] / np.maximum(length, np.finfo(np.float64).tiny)[edge, None]
    place = np.einsum("ij,ij->i", relative, along)
    off = np.linalg.norm(relative - place[:, None] * along, axis=1)
    within = (off <= tolerance) & (place > tolerance) & (place < length[edge] - tolerance)
    own = (mesh.triangles[is_open[edge] // 3] == vertex[:, None]).any(axis=1)
    chosen = within & ~own & (part[vertex] == part[ends[edge, 0]])
    order = np.lexsort((place[chosen], edge[chosen]))
    return is_open[edge[chosen][order]], vertex[chosen][order]


def _fan(mesh: Mesh, edge: Int64, vertex: Int64) -> Mesh:
    """Split the triangles of directed edges at vertices, which come by edge and along it."""
    count = np.bincount(edge // 3, minlength=len(mesh.triangles))
    whole = np.flatnonzero(count == 0)
    ends = edges(mesh.triangles)
    starts_new = np.concatenate([[True], edge[1:] != edge[:-1]])
    ends_new = np.concatenate([edge[1:] != edge[:-1], [True]])
    apex = mesh.triangles.reshape(-1)[3 * (edge // 3) + (edge + 2) % 3]
    before = np.where(starts_new, ends[edge, 0], np.roll(vertex, 1))
    pieces = np.stack([before, vertex, apex], axis=1)
    last = np.stack([vertex, ends[edge, 1], apex], axis=1)[ends_new]
    triangles = np.concatenate([mesh.triangles[whole], pieces, last])
    return mesh.exchange(triangles, np.concatenate([whole, edge // 3, edge[ends_new] // 3]))
