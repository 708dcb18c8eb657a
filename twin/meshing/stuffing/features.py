"""Sharp edges and corners of the surface, and the boundary of the mesh made to run along them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from solvers.tet10.element import EDGES
from twin.geometry.projection import Projection
from twin.geometry.surface import Surface
from twin.meshing.curve import sharp_edges
from twin.meshing.stuffing.edges import encode, halves, middles
from twin.meshing.volume_mesh import Ints, boundary

Float64 = NDArray[np.float64]
Int8 = NDArray[np.int8]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Bools = NDArray[np.bool_]

FREE, FACE, EDGE, FIXED = 0, 1, 2, 3

_SNAP = 0.35  # of an edge of the mesh: a boundary vertex nearer to a sharp edge is moved onto it
_REACH = 0.7  # of an edge of the mesh: beyond, a sharp edge does not belong to it
_BEND = np.cos(np.deg2rad(40.0))  # where a sharp edge turns more than that it has a corner


@dataclass(frozen=True, eq=False)
class Features:
    """What each vertex of a mesh is bound to.

    kind: (n,) FREE inside, FACE, EDGE, or FIXED; place: (n, 3) [m] of the fixed ones.
    """

    on_surface: Projection
    on_sharp: Projection
    kind: Int8
    place: Float64
    scale: float

    @property
    def bound(self) -> Bools:
        """(n,) whether a vertex belongs to the boundary."""
        return self.kind != FREE

    def targets(self, points: Float64, vertices: Int64 | None = None) -> Float64:
        """Where points (k, 3) [m] of `vertices` (k,) belong; without vertices, all of them."""
        if vertices is None:
            kind, place, points = self.kind, self.place, points.copy()
        else:
            kind, place = self.kind[vertices], self.place[vertices]
            points = points[vertices] if len(points) == len(self.kind) else points.copy()
        face, edge, fixed = kind == FACE, kind == EDGE, kind == FIXED
        points[face] = self.on_surface(points[face])[2]
        points[edge] = self.on_sharp(points[edge])[2]
        points[fixed] = place[fixed]
        return points


def attach(
    points: Float64, tets: Ints, surface: Surface, on_surface: Projection
) -> tuple[Float64, Ints, Features]:
    """Bind boundary vertices to faces, sharp edges and corners; split boundary edges that run across sharp ones.

    Returns points (n, 3) [m], not yet moved, tets (m, 4), and what the points are bound to.
    """
    sharp = sharp_edges(surface)
    on_sharp = Projection(surface.vertices, sharp)
    faces, _ = boundary(tets)
    nodes = np.unique(faces)
    kind = np.zeros(len(points), dtype=np.int8)
    place = points.copy()
    local = _local_edge(points, faces)
    distance, triangle, _ = on_surface(points[nodes])
    kind[nodes] = np.where(distance < 0.9 * local[nodes], FACE, FIXED)  # far from it a hole is bridged
    patch = np.full(len(points), -1, dtype=np.int64)
    patch[nodes] = surface.patch[triangle]
    if len(sharp):
        corners = surface.vertices[corner_vertices(surface, sharp)]
        _to_corners(points, nodes[kind[nodes] == FACE], local, kind, place, corners)
        rest = nodes[kind[nodes] == FACE]
        away, _, _ = on_sharp(points[rest])
        kind[rest[away < _SNAP * local[rest]]] = EDGE
        ends = np.unique(np.sort(faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1), axis=0)
        across = (kind[ends] == FACE).all(axis=1) & (patch[ends[:, 0]] != patch[ends[:, 1]])
        ends = ends[across].astype(np.int64)
        middle = points[ends].mean(axis=1)
        length = np.linalg.norm(points[ends[:, 0]] - points[ends[:, 1]], axis=1)
        away, _, _ = on_sharp(middle)
        ends = ends[away < _REACH * length]
        first = len(points)
        points, tets = split(points, tets, encode(ends))
        kind = np.concatenate([kind, np.full(len(points) - first, EDGE, dtype=np.int8)])
        place = np.concatenate([place, points[first:]])
    return points, tets, Features(on_surface, on_sharp, kind, place, surface.diagonal)


def rebind(features: Features, points: Float64, tets: Ints) -> Features:
    """Bind vertices that have come to light to the surface, and those that could not get to a sharp edge too."""
    kind = features.kind.copy()
    nodes = np.unique(boundary(tets)[0])
    kind[nodes[kind[nodes] == FREE]] = FACE
    off = np.linalg.norm(features.targets(points) - points, axis=1) > 1e-9 * features.scale
    kind[off & (kind >= EDGE)] = FACE
    return replace(features, kind=kind)


def split(points: Float64, tets: Ints, edges: Int64) -> tuple[Float64, Ints]:
    """Bisect edges, given as codes, in all their tetrahedra."""
    edges = np.unique(edges)
    order = np.random.default_rng(0).permutation(len(edges))
    done = np.zeros(len(edges), dtype=bool)
    while not done.all():
        codes = encode(tets[:, EDGES])
        at = np.minimum(np.searchsorted(edges, codes), len(edges) - 1)
        rank = np.where((edges[at] == codes) & ~done[at], order[at], -1)
        highest = rank.max(axis=1)
        ready = ~done
        ready[at[(rank >= 0) & (rank < highest[:, None])]] = False
        chosen = np.take_along_axis(at, rank.argmax(axis=1)[:, None], axis=1)[:, 0]
        parents = (highest >= 0) & ready[chosen]
        number = len(points) + np.cumsum(ready) - 1
        points = np.concatenate([points, middles(points, edges[ready])])
        at = chosen[parents]
        tets = np.concatenate([tets[~parents], halves(tets[parents], edges[at], number[at])])
        done |= ready
    return points, tets


def _local_edge(points: Float64, faces: Int32) -> Float64:
    """(n,) mean length of the boundary edges at each vertex [m]."""
    ends = faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    length = np.linalg.norm(points[ends[:, 0]] - points[ends[:, 1]], axis=1)
    total = np.bincount(ends[:, 0], length, len(points))
    return np.asarray(total / np.maximum(np.bincount(ends[:, 0], minlength=len(points)), 1))


def _to_corners(
    points: Float64, nodes: Int32, local: Float64, kind: Int8, place: Float64, corners: Float64
) -> None:
    """Bind the vertex next to each corner of the sharp edges to it."""
    from scipy.spatial import KDTree

    if len(corners) == 0 or len(nodes) == 0:
        return
    distance, which = KDTree(points[nodes]).query(corners)
    order = np.argsort(distance)
    _, first = np.unique(which[order], return_index=True)
    best = order[first]
    best = best[distance[best] < 0.6 * local[nodes[which[best]]]]
    kind[nodes[which[best]]] = FIXED
    place[nodes[which[best]]] = corners[best]


def corner_vertices(surface: Surface, sharp: Int32) -> Int64:
    """Vertices where sharp edges end, meet or bend."""
    both = np.concatenate([sharp, sharp[:, ::-1]])
    direction = surface.vertices[both[:, 1]] - surface.vertices[both[:, 0]]
    direction /= np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-300)
    count = np.bincount(both[:, 0], minlength=len(surface.vertices))
    total = np.stack([np.bincount(both[:, 0], direction[:, i], len(count)) for i in range(3)], axis=1)
    # two unit vectors at an angle a have a sum of length sqrt(2 + 2 cos a)
    bent = (total**2).sum(axis=1) > 2 - 2 * _BEND
    return np.flatnonzero((count > 2) | ((count == 2) & bent))
