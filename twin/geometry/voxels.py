"""A surface on a grid of points: which of them are inside, and where the ways between neighbours cross it.

Lines of points are cast through every triangle they meet, a direction at a time: in coordinates sheared along that
direction they are the points with whole numbers inside the triangle's projection. Inside is by the generalised winding
number, so that holes, crossings and doubled faces do not upset it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.geometry.occupancy import Occupancy
from twin.geometry.surface import Surface

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Direction = tuple[int, int, int]

_MOST: Final = 4_000_000  # points that are looked at together
_CLOSE: Final = 1e-9  # barycentric: lines through an edge meet both triangles
LEAST: Final = 1e-4  # of the way to a neighbour: nearer points count as so far off the surface
_RUN: Final = (
    8  # points: through holes of a surface what is inside passes into what is not, with nothing between
)


@dataclass(frozen=True)
class Crossings:
    """Ways from points to neighbours that cross the surface.

    point: x, y, z on the grid (k, 3); direction: number of the way (k,); distance: to the first crossing, of the way's
    length, in (0, 1] (k,); triangle: that is crossed there (k,)
    """

    point: Ints
    direction: Ints
    distance: Floats
    triangle: Ints


@dataclass(frozen=True)
class Voxels:
    """inside: of the points (x, y, z), those on the surface too."""

    inside: NDArray[np.bool_]
    crossings: Crossings


def voxelise(
    surface: Surface, origin: Floats, spacing: float, shape: Sequence[int], directions: Sequence[Direction]
) -> Voxels:
    """Points at origin + spacing * (i, j, k) [m]; directions: to neighbours, with components -1, 0 and 1."""
    scaled = (surface.corners - origin) / spacing
    crossings = _crossings(scaled, np.array(shape), directions)
    return Voxels(_inside(surface, origin, spacing, tuple(shape), crossings), crossings)


def _crossings(corners: Floats, shape: Ints, directions: Sequence[Direction]) -> Crossings:
    """corners: of triangles (t, 3, 3), in spacings."""
    found: list[tuple[Ints, Ints, Floats, Ints]] = []
    for number, direction in enumerate(directions):
        backward = -direction[0], -direction[1], -direction[2]
        if not any(direction) or (backward in directions and backward > direction):
            continue  # found with the other way of the line
        for point, along, triangle in _cast(corners, np.array(direction)):
            ends = [(point, number, along), (point - direction, number, along + 1)]
            if backward in directions:
                ends.append((point + direction, directions.index(backward), 1 - along))
            for end, of, distance in ends:
                # A point on the surface ends the ways to it from both sides.
                there = ((end >= 0) & (end < shape)).all(axis=1) & (distance <= 1 + _CLOSE)
                found.append((end[there], np.full(there.sum(), of), distance[there], triangle[there]))
    if not found:
        return Crossings(np.zeros((0, 3), np.int64), *(np.zeros(0, t) for t in (np.int64, float, np.int64)))
    points, ways, distances, triangles = (np.concatenate(each) for each in zip(*found, strict=True))
    key = np.ravel_multi_index(tuple(points.T), tuple(shape)) * len(directions) + ways
    order = np.lexsort((distances, key))
    first = order[np.unique(key[order], return_index=True)[1]]
    return Crossings(points[first], ways[first], np.clip(distances[first], LEAST, 1.0), triangles[first])


def _cast(corners: Floats, direction: Ints) -> Iterator[tuple[Ints, Floats, Ints]]:
    """Crossings of lines of points: the point before (k, 3), how far beyond it (k,), the triangle (k,)."""
    axis = int(np.flatnonzero(direction)[0])
    across = [each for each in range(3) if each != axis]
    along = corners[..., axis] * direction[axis]  # grows along the line
    flat = corners[..., across] - along[..., None] * direction[across]
    lowest = np.ceil(flat.min(axis=1) - _CLOSE).astype(np.int64)
    counts = np.maximum(np.floor(flat.max(axis=1) + _CLOSE).astype(np.int64) - lowest + 1, 0)
    candidates = counts.prod(axis=1)
    for chosen in _chunks(candidates):
        triangle = np.repeat(chosen, candidates[chosen])
        begun = np.cumsum(candidates[chosen]) - candidates[chosen]
        place = np.arange(len(triangle)) - np.repeat(begun, candidates[chosen])
        line = lowest[triangle] + np.stack(np.divmod(place, counts[triangle, 1]), axis=1)
        weights, sound = _barycentric(flat[triangle], line)
        hit = np.flatnonzero(sound & (weights >= -_CLOSE).all(axis=1))
        at = np.einsum("ka,ka->k", weights[hit], along[triangle[hit]])
        before = np.floor(at).astype(np.int64)
        point = np.empty((len(hit), 3), np.int64)
        point[:, axis] = before * direction[axis]
        point[:, across] = line[hit] + before[:, None] * direction[across]
        yield point, at - before, triangle[hit]


def _chunks(candidates: Ints) -> Iterator[Ints]:
    """Triangles that have any, so many at a time."""
    some = np.flatnonzero(candidates)
    ends = np.cumsum(candidates[some])
    for number in range(int(ends[-1]) // _MOST + 1 if len(some) else 0):
        yield some[ends // _MOST == number]


def _barycentric(corners: Floats, points: Ints) -> tuple[Floats, NDArray[np.bool_]]:
    """Of points (k, 2) in triangles (k, 3, 2); and whether these have an area."""
    a, b, c = corners.transpose(1, 0, 2)
    u, v, w = b - a, c - a, points - a
    area = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    sound = np.abs(area) > np.finfo(np.float64).tiny
    divisor = np.where(sound, area, 1.0)
    second = (w[:, 0] * v[:, 1] - w[:, 1] * v[:, 0]) / divisor
    third = (u[:, 0] * w[:, 1] - u[:, 1] * w[:, 0]) / divisor
    return np.stack([1 - second - third, second, third], axis=1), sound


def _inside(
    surface: Surface, origin: Floats, spacing: float, shape: tuple[int, ...], crossings: Crossings
) -> NDArray[np.bool_]:
    """Points beside the surface each by themselves; of short runs of others, which nothing parts, one for all."""
    lower, upper = (np.asarray(bound) for bound in surface.bounds)
    first = np.clip(np.floor((lower - origin) / spacing).astype(np.int64), 0, shape)
    end = np.clip(np.ceil((upper - origin) / spacing).astype(np.int64) + 1, first, shape)
    box = tuple(slice(*ends) for ends in zip(first, end, strict=True))
    beside = np.zeros(shape, bool)
    beside[tuple(crossings.point.T)] = True
    parted = beside[box]
    begun = ~parted & (np.roll(parted, 1, axis=2) | (np.arange(parted.shape[2]) % _RUN == 0))
    places = np.arange(parted.size).reshape(parted.shape)
    latest = np.maximum.accumulate(np.where(begun | parted, places, 0).reshape(-1))
    asked = np.argwhere(begun | parted)
    found = np.zeros(parted.shape, bool)
    found[tuple(asked.T)] = Occupancy(surface).inside(origin + spacing * (first + asked))
    inside = np.zeros(shape, bool)
    inside[box] = found.reshape(-1)[latest].reshape(parted.shape)
    inside[tuple(crossings.point[crossings.distance <= LEAST].T)] = True
    return inside
