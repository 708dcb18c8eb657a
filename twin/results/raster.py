"""A z-buffer in numpy: which triangle each pixel sees, in parallel projection.

VTK's renderer needs libEGL or libOSMesa and takes the process down where neither is installed (VTK 9.7,
bare Debian). A result picture is a few hundred thousand flat triangles, which numpy fills in about a second.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Indices = NDArray[np.int64]

_DEPTH_STEPS = float(2**31 - 2)
_EMPTY = np.iinfo(np.int64).max
_ROWS_AT_ONCE = 400_000
_FRAGMENTS_AT_ONCE = 4_000_000


@dataclass(frozen=True, eq=False)
class View:
    """Parallel projection. right, up, toward: orthonormal (3,), toward points at the viewer.

    A point p falls on pixel x = scale * right.(p - center) + width / 2, y downward alike; depth grows away
    from the viewer [m].
    """

    right: Floats
    up: Floats
    toward: Floats
    center: Floats
    scale: float
    width: int
    height: int

    def project(self, points: Floats) -> Floats:
        """(n, 3) points [m] -> (n, 3): x, y [pixel], depth [m]."""
        basis = np.stack([self.right * self.scale, -self.up * self.scale, -self.toward], axis=1)
        projected: Floats = (points - self.center) @ basis
        projected[:, :2] += (self.width / 2.0, self.height / 2.0)
        return projected


def looking(toward: Floats, up: Floats) -> tuple[Floats, Floats, Floats]:
    """right, up, toward of a view from the direction `toward`."""
    toward = toward / np.linalg.norm(toward)
    right = np.cross(up, toward)
    right = right / np.linalg.norm(right)
    return right, np.cross(toward, right), toward


@dataclass(frozen=True, eq=False)
class Visibility:
    """triangle: (h, w) index of the triangle seen, -1 for none; depth: (h, w), inf for none."""

    triangle: Indices
    depth: Floats

    def depth_at(self, x: Floats, y: Floats) -> Floats:
        """Depth seen at pixel positions; inf outside."""
        column, row = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
        height, width = self.depth.shape
        inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
        depth = np.full(x.shape, np.inf)
        depth[inside] = self.depth[row[inside], column[inside]]
        return depth

    def seen(self, projected: Floats, tolerance: float) -> NDArray[np.bool_]:
        """Which projected points (n, 3) nothing hides, within `tolerance` [m] of depth.

        A point on an outline may fall on a pixel of a nearer face, so its neighbours may speak for it.
        """
        x, y = projected[:, 0], projected[:, 1]
        offsets = ((0.0, 0.0), (1.5, 0.0), (-1.5, 0.0), (0.0, 1.5), (0.0, -1.5))
        farthest = np.max([self.depth_at(x + dx, y + dy) for dx, dy in offsets], axis=0)
        result: NDArray[np.bool_] = projected[:, 2] <= farthest + tolerance
        return result


def visible(projected: Floats, triangles: Indices, width: int, height: int, cull: bool = True) -> Visibility:
    """Fill triangles (t, 3) of projected points (n, 3). cull: skip those that face away."""
    if len(triangles) == 0:
        return Visibility(np.full((height, width), -1, np.int64), np.full((height, width), np.inf))
    corners = projected[triangles]
    x, y, z = corners[..., 0], corners[..., 1], corners[..., 2]
    area = (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) - (x[:, 2] - x[:, 0]) * (y[:, 1] - y[:, 0])
    front = area < -1e-9 if cull else np.abs(area) > 1e-9  # y grows downward: facing means negative
    onscreen = (x.max(1) > 0) & (x.min(1) < width) & (y.max(1) > 0) & (y.min(1) < height)
    keep = np.flatnonzero(front & onscreen)
    x, y, z, area = x[keep], y[keep], z[keep], area[keep]
    slope_x = ((z[:, 1] - z[:, 0]) * (y[:, 2] - y[:, 0]) - (z[:, 2] - z[:, 0]) * (y[:, 1] - y[:, 0])) / area
    slope_y = ((z[:, 2] - z[:, 0]) * (x[:, 1] - x[:, 0]) - (z[:, 1] - z[:, 0]) * (x[:, 2] - x[:, 0])) / area
    nearest, farthest = float(projected[:, 2].min()), float(projected[:, 2].max())
    to_steps = _DEPTH_STEPS / max(farthest - nearest, 1e-30)

    buffer = np.full(width * height, _EMPTY, dtype=np.int64)
    first = np.clip(np.ceil(y.min(1) - 0.5), 0, height).astype(np.int64)
    last = np.clip(np.ceil(y.max(1) - 0.5), 0, height).astype(np.int64)
    for chunk in _chunks(last - first, _ROWS_AT_ONCE):
        owner, row = _expand(first[chunk], last[chunk])
        owner += chunk.start
        begin, end = _spans(x[owner], y[owner], row + 0.5, width)
        for part in _chunks(end - begin, _FRAGMENTS_AT_ONCE):
            span, column = _expand(begin[part], end[part])
            span += part.start
            who, line = owner[span], row[span]
            depth = (
                z[who, 0]
                + slope_x[who] * (column + 0.5 - x[who, 0])
                + slope_y[who] * (line + 0.5 - y[who, 0])
            )
            # depth above, triangle below, in one integer: the minimum keeps the nearest and its name
            steps = np.clip((depth - nearest) * to_steps, 0.0, _DEPTH_STEPS).astype(np.int64)
            np.minimum.at(buffer, line * width + column, (steps << 32) | keep[who])

    empty = buffer == _EMPTY
    triangle = np.where(empty, -1, buffer & 0xFFFFFFFF).reshape(height, width)
    seen = np.where(empty, np.inf, (buffer >> 32) / to_steps + nearest).reshape(height, width)
    return Visibility(triangle, seen)


def barycentric(projected: Floats, corners: Indices, x: Floats, y: Floats) -> Floats:
    """(p, 3) weights of the corners (p, 3) at pixel positions (p,), inside the triangle."""
    a, b, c = (projected[corners[:, k], :2] for k in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (c[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1])
    second = ((x - a[:, 0]) * (c[:, 1] - a[:, 1]) - (c[:, 0] - a[:, 0]) * (y - a[:, 1])) / area
    third = ((b[:, 0] - a[:, 0]) * (y - a[:, 1]) - (x - a[:, 0]) * (b[:, 1] - a[:, 1])) / area
    weights: Floats = np.clip(np.stack([1.0 - second - third, second, third], axis=1), 0.0, 1.0)
    weights /= weights.sum(axis=1, keepdims=True)
    return weights


def _spans(x: Floats, y: Floats, line: Floats, width: int) -> tuple[Indices, Indices]:
    """First and one-past-last pixel whose centre lies in the triangle on a scan line."""
    left, right = np.full(len(line), np.inf), np.full(len(line), -np.inf)
    for start, end in ((0, 1), (1, 2), (2, 0)):
        y0, y1, x0, x1 = y[:, start], y[:, end], x[:, start], x[:, end]
        crosses = (np.minimum(y0, y1) <= line) & (line <= np.maximum(y0, y1)) & (y0 != y1)
        fraction = np.divide(line - y0, y1 - y0, out=np.zeros_like(line), where=crosses)
        at = x0 + fraction * (x1 - x0)
        left = np.where(crosses, np.minimum(left, at), left)
        right = np.where(crosses, np.maximum(right, at), right)
    begin = np.clip(np.ceil(np.clip(left, 0, width) - 0.5), 0, width).astype(np.int64)
    end = np.clip(np.ceil(np.clip(right, 0, width) - 0.5), 0, width).astype(np.int64)
    return begin, np.maximum(end, begin)


def _expand(first: Indices, last: Indices) -> tuple[Indices, Indices]:
    """All integers of the ranges [first, last) in a row, and which range each comes from."""
    counts = last - first
    owner = np.repeat(np.arange(len(counts)), counts)
    offsets = np.cumsum(counts) - counts
    return owner, np.arange(int(counts.sum())) - offsets[owner] + first[owner]


def _chunks(counts: Indices, limit: int) -> list[slice]:
    """Consecutive slices whose counts sum to about `limit` each."""
    if len(counts) == 0:
        return []
    number = np.cumsum(counts) // limit
    bounds = np.concatenate([[0], np.flatnonzero(np.diff(number)) + 1, [len(counts)]])
    return [slice(int(a), int(b)) for a, b in pairwise(bounds)]
