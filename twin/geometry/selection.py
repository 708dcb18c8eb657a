"""Selectors evaluated on the true surface: which part of it, cut at the borders of boxes, spheres and
cylinders.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from twin import select as selectors
from twin.errors import SelectionError
from twin.geometry.nearest import nearest
from twin.geometry.regions import (
    CUT,
    INSIDE,
    flat_sides,
    of_pieces,
    of_points,
    round_excess,
    volumes,
)
from twin.geometry.subdivision import subdivide
from twin.geometry.surface import Surface
from twin.geometry.topology import edge_counts

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
Int32 = NDArray[np.int32]

_PER_RADIUS = 8
_MOST_PIECES = 2_000_000  # where splitting stops, whatever the resolution: the last cut is straight then


@dataclass(frozen=True, eq=False)
class Selection:
    """A part of the surface. triangles: (k, 3, 3) corners [m]; source: (k,) the triangle each is a piece
    of.
    """

    triangles: Float64
    source: Int32

    @cached_property
    def area_vectors(self) -> Float64:
        """(k, 3) outward normals times area [m^2]."""
        a, b, c = self.triangles.transpose(1, 0, 2)
        return np.asarray(0.5 * np.cross(b - a, c - a))

    @cached_property
    def areas(self) -> Float64:
        """(k,) area of each piece [m^2]."""
        return np.asarray(np.linalg.norm(self.area_vectors, axis=1))

    def mostly(self, areas: Float64) -> NDArray[np.bool_]:
        """(t,) whether it takes most of each triangle of the surface, of these areas (t,) [m^2]."""
        return np.asarray(np.bincount(self.source, self.areas, len(areas)) > 0.5 * areas)

    @property
    def area(self) -> float:
        """Total area [m^2]."""
        return float(self.areas.sum())

    @property
    def centroid(self) -> Float64:
        """(3,) middle of the area [m]."""
        return np.asarray(self.areas @ self.triangles.mean(axis=1) / self.areas.sum())

    @cached_property
    def border(self) -> Int64:
        """Sides of its pieces that are no other piece's too: numbers 3 * piece + side."""
        places = self.triangles.reshape(-1, 3)
        grain = 1e-9 * max(float(np.abs(places).max(initial=0.0)), np.finfo(np.float64).tiny)
        _, number = np.unique(np.round(places / grain), axis=0, return_inverse=True)
        return np.flatnonzero(edge_counts(number.reshape(-1, 3).astype(np.int64)) == 1)

    @property
    def width(self) -> float:
        """Of a band or a strip that is as large and has as long a border; without a border it is endless [m]."""
        piece, side = self.border // 3, self.border % 3
        ends = self.triangles[piece, (side + 1) % 3] - self.triangles[piece, side]
        length = float(np.linalg.norm(ends, axis=1).sum())
        return 2 * self.area / length if length > 0 else np.inf

    def centres(self, longest: float) -> Float64:
        """(n, 3) middles of pieces of it that have no longer side [m]."""
        corners = self.triangles.reshape(-1, 3)
        vertices, triangles, _ = subdivide(corners, np.arange(len(corners)).reshape(-1, 3), longest)
        return np.asarray(vertices[triangles].mean(axis=1))

    @cached_property
    def normals(self) -> Float64:
        """(k, 3) outward unit normals."""
        return np.asarray(self.area_vectors / np.maximum(self.areas, np.finfo(np.float64).tiny)[:, None])


def select(surface: Surface, selector: selectors.Selector, resolution: float) -> Selection:
    """The part of the surface that a selector takes.

    Flat borders (boxes, ends of cylinders) cut triangles exactly; round ones cut pieces of at most
    `resolution` [m] along a straight line, so the error of the area is of its second order. Raises
    SelectionError where nothing is selected, or a patch or group does not exist.
    """
    if surface.before is not None:
        chosen_before = select(surface.before, selector, resolution)
        shares = barycentric(surface.before.corners[chosen_before.source], chosen_before.triangles)
        moved = np.einsum("kpc,kcd->kpd", shares, surface.corners[chosen_before.source])
        return Selection(moved, chosen_before.source)
    # A volume smaller than the pieces is followed as closely as its own size asks for.
    round_ones = (v.radius for v in volumes(selector) if isinstance(v, selectors.Sphere | selectors.Cylinder))
    resolution = min([resolution, *(radius / _PER_RADIUS for radius in round_ones)])
    pieces = surface.corners
    source = np.arange(len(pieces), dtype=np.int32)
    status = of_pieces(surface, selector, pieces, source)
    taken = [(pieces[status == INSIDE], source[status == INSIDE])]
    pieces, source = pieces[status == CUT], source[status == CUT]

    def settle() -> None:
        """Put aside the pieces of which it is clear whether they are selected."""
        nonlocal pieces, source
        answer = of_pieces(surface, selector, pieces, source)
        taken.append((pieces[answer == INSIDE], source[answer == INSIDE]))
        pieces, source = pieces[answer == CUT], source[answer == CUT]

    for volume in volumes(selector):
        for normal, offset in flat_sides(volume):
            pieces, source = _split(pieces, source, pieces @ normal - offset)
        settle()
    while len(pieces) and sum(map(len, (pieces, *(t for t, _ in taken)))) < _MOST_PIECES:
        lengths = np.linalg.norm(pieces - np.roll(pieces, -1, axis=1), axis=2)
        long = lengths.max(axis=1) > resolution
        if not long.any():
            break
        halves, origin = _bisect(pieces[long], source[long], lengths[long].argmax(axis=1))
        pieces, source = np.concatenate([pieces[~long], halves]), np.concatenate([source[~long], origin])
        settle()
    for volume in volumes(selector):
        outside = round_excess(volume, pieces)
        if outside is not None:
            pieces, source = _split(pieces, source, outside)
    chosen = of_points(surface, selector, pieces.mean(axis=1), source)
    taken.append((pieces[chosen], source[chosen]))
    selection = Selection(np.concatenate([t for t, _ in taken]), np.concatenate([s for _, s in taken]))
    if not selection.area > 0:
        raise _nothing(surface, selector, resolution)
    sound = selection.areas > 1e-12 * selection.area  # cuts through corners leave slivers
    return Selection(selection.triangles[sound], selection.source[sound])


@dataclass(frozen=True, eq=False)
class Selected:
    """Which points of a surface a selector takes: the same answer as `select`, point by point."""

    surface: Surface
    selector: selectors.Selector

    def mask(self, points: Float64, triangle: Int32) -> NDArray[np.bool_]:
        """(p,) for points (p, 3) [m] that belong to the given triangles (p,).

        Points may lie a little off their triangle (on a curved element, on the CAD surface): they are put
        onto its plane first, so that a cylinder of a bore's own radius takes all of the bore.
        """
        normal = self.surface.normals[triangle]
        corner = self.surface.corners[triangle, 0]
        height = np.einsum("ij,ij->i", points - corner, normal)
        on = points - height[:, None] * normal
        before = self.surface.before
        if before is None:
            return of_points(self.surface, self.selector, on, triangle)
        shares = barycentric(self.surface.corners[triangle], on[:, None])
        return of_points(
            before, self.selector, np.einsum("kpc,kcd->kpd", shares, before.corners[triangle])[:, 0], triangle
        )


def barycentric(corners: Float64, points: Float64) -> Float64:
    """Shares (k, p, 3) of points (k, p, 3) in the planes of triangles (k, 3, 3); without area the first corner's."""
    a = corners[:, :1]
    u, v = corners[:, 1:2] - a, corners[:, 2:] - a
    normal = np.cross(u, v)
    square = np.einsum("kpd,kpd->kp", normal, normal)
    safe = np.where(square > 0, square, 1.0)
    along = points - a
    second = np.einsum("kpd,kpd->kp", np.cross(along, v), np.broadcast_to(normal, along.shape)) / safe
    third = np.einsum("kpd,kpd->kp", np.cross(u, along), np.broadcast_to(normal, along.shape)) / safe
    return np.stack([1 - second - third, second, third], axis=-1)


def _split(pieces: Float64, source: Int32, side: Float64) -> tuple[Float64, Int32]:
    """Cut triangles (k, 3, 3) along the line where `side` (k, 3), linear on each, is zero."""
    sign = np.sign(np.where(np.abs(side) < 1e-12 * np.abs(pieces).max(initial=1e-300), 0.0, side))
    crossed = (sign.min(axis=1, initial=0) < 0) & (sign.max(axis=1, initial=0) > 0)
    whole, whole_source = pieces[~crossed], source[~crossed]
    pieces, source, side, sign = pieces[crossed], source[crossed], side[crossed], sign[crossed]
    # the corner that is alone on its side goes first
    alone = np.where((sign > 0).sum(axis=1) == 1, (sign > 0).argmax(axis=1), (sign < 0).argmax(axis=1))
    turn = (alone[:, None] + np.arange(3)) % 3
    a, b, c = np.take_along_axis(pieces, turn[:, :, None], axis=1).transpose(1, 0, 2)
    fa, fb, fc = np.take_along_axis(np.where(sign == 0, 0.0, side), turn, axis=1).T
    ab = a + (b - a) * (fa / (fa - fb))[:, None]
    ac = a + (c - a) * (fa / (fa - fc))[:, None]
    parts = [np.stack(corners, axis=1) for corners in ((a, ab, ac), (ab, b, c), (ab, c, ac))]
    return np.concatenate([whole, *parts]), np.concatenate([whole_source, source, source, source])


def _bisect(pieces: Float64, source: Int32, longest: NDArray[np.int64]) -> tuple[Float64, Int32]:
    """Halve triangles (k, 3, 3) in the middle of their longest edge."""
    turn = (longest[:, None] + np.arange(3)) % 3
    a, b, c = np.take_along_axis(pieces, turn[:, :, None], axis=1).transpose(1, 0, 2)
    middle = (a + b) / 2
    parts = [np.stack((a, middle, c), axis=1), np.stack((middle, b, c), axis=1)]
    return np.concatenate(parts), np.concatenate([source, source])


def _nothing(surface: Surface, selector: selectors.Selector, resolution: float) -> SelectionError:
    def selects(part: selectors.Selector) -> bool:
        try:
            return select(surface, part, resolution).area > 0
        except SelectionError:
            return False

    near = nearest(surface, selector, selects)
    return SelectionError(
        f"The selector '{selectors.describe(selector)}' selects nothing of this part. {near}",
        {"selector": selectors.describe(selector)},
    )
