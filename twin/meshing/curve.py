"""From straight tetrahedra to quadratic ones whose boundary follows the true surface."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solvers.tet10.element import EDGES
from twin.geometry.projection import Projection
from twin.geometry.surface import Surface, closest
from twin.meshing.volume_mesh import (
    FACE_EDGES,
    Ints,
    boundary,
    check_points,
    jacobians,
    straight_jacobians,
)

Float64 = NDArray[np.float64]
Int32 = NDArray[np.int32]

FEATURE_ANGLE = np.deg2rad(30.0)  # a sharper edge of the surface is an edge of the part
_CREASE_ANGLE = np.deg2rad(
    20.0
)  # boundary faces of the mesh that meet more sharply may lie along such an edge
_MOST_BULGE = (
    0.2  # of an edge's length: a mid further away belongs to another feature, or to too coarse an element
)
_LEAST_JACOBIAN = 0.1  # of the straight element's


@dataclass(frozen=True)
class Straightened:
    """How many boundary mids lie off the surface, since an element would be invalid or the surface is too
    far.
    """

    mids: int
    of: int


def quadratic(points: Float64, tets: Int32) -> tuple[Float64, Int32]:
    """Add straight mids: points (n, 3), tets (m, 4) -> points (n + e, 3), tets (m, 10)."""
    ends = np.sort(tets[:, EDGES], axis=2).reshape(-1, 2).astype(np.int64)
    unique, inverse = np.unique(ends[:, 0] * len(points) + ends[:, 1], return_inverse=True)
    first, second = unique // len(points), unique % len(points)
    mids = (points[first] + points[second]) / 2
    nodes = len(points) + inverse.reshape(-1, 6)
    return np.concatenate([points, mids]), np.concatenate([tets, nodes], axis=1).astype(np.int32)


def compact(points: Float64, tets: Ints) -> tuple[Float64, Int32]:
    """Drop points that no tetrahedron uses; orient every tetrahedron positively."""
    tets = tets.copy()
    negative = straight_jacobians(points, tets) < 0
    swapped = [0, 2, 1, 3, 6, 5, 4, 7, 9, 8][
        : tets.shape[1]
    ]  # exchange corners 1 and 2, and the mids with them
    tets[negative] = tets[negative][:, swapped]
    used, inverse = np.unique(tets, return_inverse=True)
    return points[used], inverse.reshape(tets.shape).astype(np.int32)


def follow(points: Float64, tets: Int32, surface: Surface) -> Float64:
    """Move boundary mids of straight-sided tets (m, 10) onto the surface; mids along its sharp edges onto
    those.

    A mid stays where the surface is far or faces elsewhere. Returns points (n, 3).
    """
    mids, ends, normals, cosine = _boundary_edges(points, tets)
    start = points[mids]
    length = np.linalg.norm(points[ends[:, 0]] - points[ends[:, 1]], axis=1)
    _, triangle, target = closest(surface, start)
    agrees = np.einsum("ij,ij->i", surface.normals[triangle], normals) > 0.5

    sharp = sharp_edges(surface)
    if len(sharp):
        near_sharp = np.flatnonzero(cosine < np.cos(_CREASE_ANGLE))
        tolerance = 1e-5 * surface.diagonal
        on_sharp = Projection(surface.vertices, sharp)
        from_a, from_b = (on_sharp(points[ends[near_sharp, i]])[0] for i in (0, 1))
        along = near_sharp[(from_a < tolerance) & (from_b < tolerance)]
        target[along] = on_sharp(start[along])[2]
        agrees[along] = True

    moved = agrees & (np.linalg.norm(target - start, axis=1) < _MOST_BULGE * length)
    result = points.copy()
    result[mids[moved]] = target[moved]
    return result


def straighten(points: Float64, tets: Int32) -> tuple[Float64, int]:
    """Pull mids of elements that are inverted, or nearly, back to the middle of their edges.

    Returns points (n, 3) and how many mids were moved. Elements whose corners are inverted stay as they are.
    """
    result = points.copy()
    straight = straight_jacobians(points, tets)
    middles = np.stack([(points[tets[:, a]] + points[tets[:, b]]) / 2 for a, b in EDGES], axis=1)
    at = check_points()
    pulled = np.zeros(len(points), dtype=bool)
    suspects = np.arange(len(tets))
    for fraction in (0.5, 0.0):  # half of the bulge is kept if that is enough
        while len(suspects):
            least = jacobians(result, tets[suspects], at).min(axis=1)
            bad = suspects[least < _LEAST_JACOBIAN * straight[suspects]]
            nodes, where = np.unique(tets[bad, 4:], return_index=True)
            middle = middles[bad].reshape(-1, 3)[where]
            off = np.abs(result[nodes] - middle).max(axis=1) > 1e-12
            fresh = off & ~pulled[nodes] if fraction else off
            if not fresh.any():
                suspects = bad
                break
            chosen, middle = nodes[fresh], middle[fresh]
            result[chosen] = middle + fraction * (result[chosen] - middle)
            pulled[chosen] = True
            touched = np.zeros(len(points), dtype=bool)
            touched[chosen] = True
            suspects = np.union1d(bad, np.flatnonzero(touched[tets[:, 4:]].any(axis=1)))
    return result, int(pulled.sum())


def count_straight(points: Float64, tets: Int32, surface: Surface) -> Straightened:
    """Boundary mids that are off the surface by more than 2 % of their edge."""
    mids, ends, _, _ = _boundary_edges(points, tets)
    length = np.linalg.norm(points[ends[:, 0]] - points[ends[:, 1]], axis=1)
    distance, _, _ = closest(surface, points[mids])
    return Straightened(int((distance > 0.02 * length).sum()), len(mids))


def sharp_edges(surface: Surface) -> Int32:
    """Edges of the surface where it turns by more than the feature angle: (k, 2) vertex indices."""
    ends = surface.triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    ordered = np.sort(ends, axis=1)
    order = np.lexsort(ordered.T)
    pair = np.flatnonzero((ordered[order][1:] == ordered[order][:-1]).all(axis=1))
    first, second = order[pair], order[pair + 1]
    cosine = np.einsum("ij,ij->i", surface.normals[first // 3], surface.normals[second // 3])
    return np.asarray(ordered[first[cosine < np.cos(FEATURE_ANGLE)]], dtype=np.int32)


def _boundary_edges(points: Float64, tets: Int32) -> tuple[Int32, Int32, Float64, Float64]:
    """Edges of boundary faces: mid nodes (e,), ends (e, 2), mean normals (e, 3), cosine between both faces
    (e,).
    """
    faces, owner = boundary(tets)
    a, b, c = (points[faces[:, i]] for i in range(3))
    normal = np.cross(b - a, c - a)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-300)
    mids = tets[owner[:, 0][:, None], 4 + FACE_EDGES[owner[:, 1]]].reshape(-1)
    ends = faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    unique, index, inverse = np.unique(mids, return_index=True, return_inverse=True)
    mean = np.zeros((len(unique), 3))
    np.add.at(mean, inverse, np.repeat(normal, 3, axis=0))
    # |n1 + n2|^2 = 2 + 2 cos; more than two faces meet only at a non-manifold edge, which counts as sharp
    cosine = np.where(np.bincount(inverse) == 2, (mean**2).sum(axis=1) / 2 - 1, -1.0)
    mean /= np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-300)
    return unique.astype(np.int32), ends[index], mean, cosine
