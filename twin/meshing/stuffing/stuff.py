"""Cut a lattice at the surface: vertices near it move onto it, what crosses it is cut, what lies outside goes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from solvers.tet10.element import EDGES
from twin.geometry.occupancy import Occupancy
from twin.geometry.projection import Projection
from twin.meshing.stuffing.edges import decode, encode
from twin.meshing.volume_mesh import straight_jacobians

Float64 = NDArray[np.float64]
Int8 = NDArray[np.int8]
Int64 = NDArray[np.int64]

WARP = 0.35  # of an edge: a lattice vertex nearer to the surface is moved onto it
_FLATTEST = 0.05  # of its volume: no tetrahedron of the lattice is flattened more than that
_BEYOND = 0.01  # of an edge
_BISECTIONS = 5


def stuff(
    points: Float64, tets: Int64, occupancy: Occupancy, on_surface: Projection
) -> tuple[Float64, Int64]:
    """The part of a lattice (n, 3) [m], (m, 4) that lies in the material; tetrahedra of either orientation."""
    sign = np.where(occupancy.inside(points), 1, -1).astype(np.int8)
    tets = tets[(sign[tets] > 0).any(axis=1)]
    ends, cut = _cuts(points, tets, sign, occupancy, on_surface)
    points, sign, depth = _warp(points, tets, sign, ends, cut, on_surface)
    crossing = sign[ends[:, 0]] * sign[ends[:, 1]] < 0
    ends, cut = ends[crossing], cut[crossing]
    codes = encode(ends)
    order = np.argsort(codes)
    codes, first = codes[order], len(points)
    points = np.concatenate([points, cut[order]])

    def node(positive: Int64, negative: Int64) -> Int64:
        return first + np.searchsorted(codes, encode(np.stack([positive, negative], axis=-1)))

    # positive corners first, the deepest ahead: diagonals of cut faces start there, so neighbours agree
    rank = np.empty(len(sign), dtype=np.int64)
    rank[np.lexsort((-depth, -sign))] = np.arange(len(sign))
    tets = np.take_along_axis(tets, np.argsort(rank[tets], axis=1), axis=1)
    kinds = sign[tets]
    return points, _pieces(points, tets, kinds, node, occupancy)


def _cuts(
    points: Float64, tets: Int64, sign: Int8, occupancy: Occupancy, on_surface: Projection
) -> tuple[Int64, Float64]:
    """Edges that cross the surface, the inner end first: (e, 2), and where they do: (e, 3) [m]."""
    mixed = tets[(sign[tets] < 0).any(axis=1)]
    ends = np.sort(mixed[:, EDGES].reshape(-1, 2), axis=1)
    ends = ends[sign[ends[:, 0]] != sign[ends[:, 1]]]
    ends = np.stack(decode(np.unique(encode(ends))), axis=1)
    ends = np.where((sign[ends[:, 0]] > 0)[:, None], ends, ends[:, ::-1])
    inner, outer = points[ends[:, 0]], points[ends[:, 1]]
    length = np.linalg.norm(outer - inner, axis=1)
    direction = (outer - inner) / length[:, None]
    hit = np.minimum(on_surface.first_hit(inner, direction, float(length.max())), length)
    cut = inner + hit[:, None] * direction
    # where a hole is bridged there is nothing to hit, and a wall inside ends no material
    beyond = np.minimum(hit + _BEYOND * length, length)
    unsure = np.flatnonzero((hit >= length) | occupancy.inside(inner + beyond[:, None] * direction))
    inner, outer = inner[unsure], outer[unsure]
    for _ in range(_BISECTIONS if len(unsure) else 0):
        middle = (inner + outer) / 2
        inside = occupancy.inside(middle)[:, None]
        inner, outer = np.where(inside, middle, inner), np.where(inside, outer, middle)
    cut[unsure] = (inner + outer) / 2
    return ends, cut


def _warp(
    points: Float64, tets: Int64, sign: Int8, ends: Int64, cut: Float64, on_surface: Projection
) -> tuple[Float64, Int8, Float64]:
    """Move vertices that lie near a cut of one of their edges onto the surface: points, signs, depths (n,) [m].

    The nearest go first, and what they cut is settled then, as in the paper; no tetrahedron is turned over.
    """
    length = np.linalg.norm(points[ends[:, 0]] - points[ends[:, 1]], axis=1)
    away = np.linalg.norm(points[ends] - cut[:, None], axis=2)
    depth = np.full(len(points), np.inf)
    np.minimum.at(depth, ends, away)
    share = away / length[:, None]
    goal = points.copy()
    warped = np.zeros(len(points), dtype=bool)
    live = np.ones(len(ends), dtype=bool)
    while True:
        nearest = np.full(len(points), np.inf)
        np.minimum.at(nearest, ends[live], share[live])
        own = nearest[ends]
        # a vertex goes if no vertex across a cut is nearer to its own; of equals the first
        other, mine = own[:, ::-1], own
        behind = (other < mine) | ((other == mine) & (ends[:, ::-1] < ends))
        waiting = np.zeros(len(points), dtype=bool)
        waiting[ends[live][behind[live]]] = True
        chosen = live[:, None] & (share == own) & (share < WARP) & ~waiting[ends]
        if not chosen.any():
            break
        edge, side = np.nonzero(chosen)
        goal[ends[edge, side]] = cut[edge]
        warped[ends[edge, side]] = True
        live &= ~warped[ends].any(axis=1)
    moved = np.flatnonzero(warped)
    distance, _, nearest_point = on_surface(points[moved])
    better = distance < np.linalg.norm(goal[moved] - points[moved], axis=1)
    goal[moved[better]] = nearest_point[
        better
    ]  # straight onto the surface; where a hole is bridged it is far
    volume = straight_jacobians(points, tets)
    while True:
        flat = straight_jacobians(np.where(warped[:, None], goal, points), tets) / volume < _FLATTEST
        flat &= warped[tets].any(axis=1)
        if not flat.any():
            break
        # the vertex of a flattened tetrahedron that went furthest stays where it was
        step = np.linalg.norm(goal[tets[flat]] - points[tets[flat]], axis=2) * warped[tets[flat]]
        warped[tets[flat][np.arange(int(flat.sum())), step.argmax(axis=1)]] = False
    return np.where(warped[:, None], goal, points), np.where(warped, 0, sign).astype(np.int8), depth


def _pieces(points: Float64, tets: Int64, kinds: Int8, node: object, occupancy: Occupancy) -> Int64:
    """Tetrahedra of the positive part; corners of each tetrahedron come sorted by sign, positive ones first."""
    assert callable(node)
    positive, zero = (kinds > 0).sum(axis=1), (kinds == 0).sum(axis=1)
    negative = 4 - positive - zero

    def chosen(p: int, z: int) -> Int64:
        return tets[(positive == p) & (zero == z)]

    parts = [tets[(negative == 0) & (positive > 0)]]
    flat = chosen(0, 4)  # all corners on the surface: inside or a bridge over a groove
    parts.append(flat[occupancy.inside(points[flat].mean(axis=1))])
    a, b, c, d = chosen(1, 0).T
    parts.append(np.stack([a, node(a, b), node(a, c), node(a, d)], axis=1))
    a, b, c, d = chosen(1, 1).T
    parts.append(np.stack([a, b, node(a, c), node(a, d)], axis=1))
    a, b, c, d = chosen(1, 2).T
    parts.append(np.stack([a, b, c, node(a, d)], axis=1))
    a, b, z, d = chosen(2, 1).T
    ad, bd = node(a, d), node(b, d)
    parts += [np.stack([a, b, z, bd], axis=1), np.stack([a, bd, z, ad], axis=1)]
    a, b, c, d = chosen(2, 0).T
    ac, ad, bc, bd = node(a, c), node(a, d), node(b, c), node(b, d)
    parts.append(np.stack([a, b, bc, bd], axis=1))
    shorter = np.linalg.norm(points[ac] - points[bd], axis=1) < np.linalg.norm(
        points[ad] - points[bc], axis=1
    )
    one, two = np.where(shorter, ac, ad), np.where(shorter, bd, bc)
    other, last = np.where(shorter, ad, ac), np.where(shorter, bc, bd)
    parts += [np.stack([a, one, other, two], axis=1), np.stack([a, one, two, last], axis=1)]
    a, b, c, d = chosen(3, 0).T
    ad, bd, cd = node(a, d), node(b, d), node(c, d)
    parts += [
        np.stack([a, b, c, cd], axis=1),
        np.stack([a, b, bd, cd], axis=1),
        np.stack([a, ad, bd, cd], axis=1),
    ]
    return np.concatenate(parts)
