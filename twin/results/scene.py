"""What the picture shows besides the part: supports and loads as small solids, and from where to look."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.results.outcome import REMOTE_KINDS, Glyph
from twin.results.raster import View, looking, visible

Floats = NDArray[np.floating]
Indices = NDArray[np.int64]
Color = tuple[float, float, float]

# None of them occurs in the colours of a field (scalars.py), so that nothing is read as a stress.
COLORS: dict[str, Color] = {
    "fixed": (0.36, 0.12, 0.48),
    "symmetry": (0.30, 0.33, 0.38),
    "displacement": (0.60, 0.30, 0.72),
    "foundation": (0.47, 0.33, 0.20),
    "force": (0.80, 0.02, 0.42),
    "traction": (0.80, 0.02, 0.42),
    "remote": (0.80, 0.02, 0.42),
    "moment": (0.80, 0.02, 0.42),
    "pressure": (0.74, 0.10, 0.62),
    "gravity": (0.25, 0.25, 0.28),
    "centrifugal": (0.25, 0.25, 0.28),
    "temperature": (0.36, 0.12, 0.48),
    "convection": (0.30, 0.33, 0.38),
    "heat_flux": (0.80, 0.02, 0.42),
    "heat_flow": (0.80, 0.02, 0.42),
    "wind": (0.25, 0.25, 0.28),
    "opening": (0.25, 0.25, 0.28),
}
_SUPPORT_COUNT, _LOAD_COUNT, _SINGLE_COUNT, _LINK_COUNT = 40, 14, 5, 8
_SIDES = 20


@dataclass(frozen=True, eq=False)
class Solid:
    """A drawn support or load. points (n, 3) [m], triangles (t, 3).

    anchors (k, 3): where it meets the part; ends (k, 3): the free ends of its arrows, where a label fits;
    links (j, 2, 3): from anchors off the part to the nearest of its points.
    """

    glyph: Glyph
    points: Floats
    triangles: Indices
    anchors: Floats
    ends: Floats
    links: Floats

    @property
    def color(self) -> Color:
        return COLORS[self.glyph.kind]


def solids(
    glyphs: Sequence[Glyph], surface: Floats, normals: Floats, moved: Floats, diagonal: float
) -> list[Solid]:
    """Draw glyphs on a part whose surface points (n, 3) with outward normals moved to `moved` (n, 3)."""
    from scipy.spatial import cKDTree

    tree = cKDTree(surface)
    drawn = []
    for glyph in glyphs:
        if len(glyph.points) == 0:
            continue
        directions = glyph.directions
        limit = _SUPPORT_COUNT if glyph.is_support else _LOAD_COUNT
        if directions is not None and not glyph.is_support and _parallel(directions):
            limit = _SINGLE_COUNT
        coupled = glyph.kind in REMOTE_KINDS and len(glyph.points) > 1
        chosen = np.array([0]) if coupled else spread(glyph.points, limit)
        _, nearest = tree.query(glyph.points[chosen])
        anchors = glyph.points[chosen] + (moved - surface)[nearest]
        outward = normals[nearest]
        links = np.zeros((0, 2, 3))
        if coupled:
            held = glyph.points[1:][spread(glyph.points[1:], _LINK_COUNT)]
            ends = moved[tree.query(held)[1]]
            links = np.stack([np.broadcast_to(anchors[0], ends.shape), ends], axis=1)
        if glyph.is_support or directions is None:
            drawn.append(_support(glyph, anchors, outward, links, diagonal))
        else:
            drawn.append(_load(glyph, anchors, outward, directions[chosen], links, diagonal))
    return drawn


def spread(points: Floats, count: int) -> Indices:
    """Indices of at most `count` points far from each other (farthest point sampling, from the middle)."""
    if len(points) <= count:
        return np.arange(len(points))
    if len(points) > 20_000:
        stride = np.linspace(0, len(points) - 1, 20_000).astype(np.int64)
        return stride[spread(points[stride], count)]
    first = int(np.argmin(((points - points.mean(axis=0)) ** 2).sum(axis=1)))
    chosen, distance = [first], ((points - points[first]) ** 2).sum(axis=1)
    while len(chosen) < count:
        chosen.append(int(np.argmax(distance)))
        distance = np.minimum(distance, ((points - points[chosen[-1]]) ** 2).sum(axis=1))
    return np.asarray(chosen)


def best_view(
    points: Floats, triangles: Indices, anchors: Sequence[Floats], width: int, height: int
) -> tuple[Floats, Floats, Floats]:
    """Isometric-like view (right, up, toward) from which most of the anchors show.

    anchors: one array (k, 3) per thing to be seen; each counts by the share of it that nothing hides.
    """
    small_width, small_height = max(width // 4, 80), max(height // 4, 60)
    best, best_score = looking(np.array([1.0, -1.0, 0.8]), np.array([0.0, 0.0, 1.0])), -np.inf
    for elevation, azimuth in itertools.product((35.26, 20.0, 55.0, -30.0), (-45.0, 45.0, -135.0, 135.0)):
        a, e = np.radians(azimuth), np.radians(elevation)
        toward = np.array([np.cos(e) * np.cos(a), np.cos(e) * np.sin(a), np.sin(e)])
        axes = looking(toward, np.array([0.0, 0.0, 1.0]))
        view = fit(axes, points, small_width, small_height, (0.0, 0.0, 0.0, 0.0))
        seen = visible(view.project(points), triangles, small_width, small_height)
        tolerance = 4.0 / view.scale
        shares = [float(seen.seen(view.project(part), tolerance).mean()) for part in anchors if len(part)]
        filled = float((seen.triangle >= 0).mean())
        # the last share is the place of the maximum; below, steep and unusual views need a reason
        score = sum(min(share * 1.5, 1.0) for share in shares) + 0.5 * filled
        score -= {35.26: 0.0, 20.0: 0.12, 55.0: 0.12, -30.0: 0.35}[elevation] + (azimuth != -45.0) * 0.05
        if score > best_score + 1e-9:
            best, best_score = axes, score
    return best


def fit(
    axes: tuple[Floats, Floats, Floats],
    points: Floats,
    width: int,
    height: int,
    margins: tuple[float, float, float, float],
) -> View:
    """The view along `axes` that fits points into the frame less margins [px]: left, right, top, bottom."""
    right, up, toward = axes
    across, upward = points @ right, points @ up
    span_x, span_y = np.ptp(across), np.ptp(upward)
    left_margin, right_margin, top_margin, bottom_margin = margins
    room_x, room_y = width - left_margin - right_margin, height - top_margin - bottom_margin
    scale = 0.96 * min(room_x / max(span_x, 1e-12), room_y / max(span_y, 1e-12))
    middle_x = (across.max() + across.min()) / 2.0 - (left_margin - right_margin) / 2.0 / scale
    middle_y = (upward.max() + upward.min()) / 2.0 + (top_margin - bottom_margin) / 2.0 / scale
    center = middle_x * right + middle_y * up
    return View(right, up, toward, center, float(scale), width, height)


def _parallel(directions: Floats) -> bool:
    unit = _unit(directions)
    return bool((unit @ unit[0] > 0.999).all())


def _support(glyph: Glyph, anchors: Floats, outward: Floats, links: Floats, diagonal: float) -> Solid:
    size = 0.022 * diagonal
    if glyph.kind == "symmetry":
        shape = _sphere(0.38 * size)
        shape = (shape[0] + np.array([0.0, 0.0, 0.38 * size]), shape[1])
    elif glyph.kind == "foundation":
        shape = _lathe([(0.12, 0.0), (0.12, 0.8), (0.5, 0.8), (0.5, 1.0)], size)
    else:
        shape = _lathe([(0.0, 0.0), (0.42, 1.0)], size)
    points, triangles = _place(shape, anchors, outward)
    return Solid(glyph, points, triangles, anchors, anchors, links)


def _load(
    glyph: Glyph, anchors: Floats, outward: Floats, directions: Floats, links: Floats, diagonal: float
) -> Solid:
    lengths = np.linalg.norm(directions, axis=1)
    relative = lengths / max(float(lengths.max()), 1e-300)
    single = len(anchors) <= _SINGLE_COUNT
    size = (0.15 if single else 0.085) * diagonal * (0.6 + 0.4 * float(relative.mean()))
    heading = _unit(directions)
    thick = 0.028 if single else 0.022
    head = 0.3
    arrow = [(thick, 0.0), (thick, 1.0 - head), (3.2 * thick, 1.0 - head), (0.0, 1.0)]
    shape = _lathe(arrow, size)
    if glyph.kind == "moment":  # a double head says: about this axis, by the right hand
        arrow = [
            (thick, 0.0),
            (thick, 0.5),
            (3.2 * thick, 0.5),
            (thick, 0.72),
            (3.2 * thick, 0.72),
            (0.0, 1.0),
        ]
        shape = _lathe(arrow, size)
    # an arrow that pushes ends on the surface, one that pulls starts there
    pushes = float((heading * outward).sum(axis=1).mean()) < -0.2
    starts = anchors - heading * size if pushes else anchors
    points, triangles = _place(shape, starts, heading)
    ends = starts if pushes else anchors + heading * size
    return Solid(glyph, points, triangles, anchors, ends, links)


def _unit(vectors: Floats) -> Floats:
    unit: Floats = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-300)
    return unit


def _lathe(profile: list[tuple[float, float]], size: float) -> tuple[Floats, Indices]:
    """A solid of revolution about z through (radius, height) pairs, closed at both ends."""
    rings = [(0.0, profile[0][1]), *profile, (0.0, profile[-1][1])]
    angle = np.linspace(0.0, 2.0 * np.pi, _SIDES, endpoint=False)
    points = np.concatenate(
        [
            np.stack([radius * np.cos(angle), radius * np.sin(angle), np.full(_SIDES, height)], axis=1)
            for radius, height in rings
        ]
    )
    i, j = np.arange(_SIDES), (np.arange(_SIDES) + 1) % _SIDES
    bands = []
    for ring in range(len(rings) - 1):
        a, b = ring * _SIDES, (ring + 1) * _SIDES
        bands += [np.stack([a + i, a + j, b + j], axis=1), np.stack([a + i, b + j, b + i], axis=1)]
    return points * size, np.concatenate(bands)


def _sphere(radius: float) -> tuple[Floats, Indices]:
    angles = np.linspace(-np.pi / 2.0, np.pi / 2.0, 9)
    return _lathe([(float(np.cos(a)), float(np.sin(a))) for a in angles], radius)


def _place(shape: tuple[Floats, Indices], at: Floats, along: Floats) -> tuple[Floats, Indices]:
    """Copies of a solid at points (k, 3), its z axis turned along directions (k, 3)."""
    points, triangles = shape
    helper = np.where(np.abs(along[:, 2:]) < 0.9, np.array([0.0, 0.0, 1.0]), np.array([1.0, 0.0, 0.0]))
    across = _unit(np.cross(helper, along))
    frames = np.stack([across, np.cross(along, across), along], axis=1)
    placed = np.einsum("pi,kij->kpj", points, frames) + at[:, None, :]
    shifts = np.arange(len(at))[:, None, None] * len(points)
    return placed.reshape(-1, 3), (triangles[None] + shifts).reshape(-1, 3)
