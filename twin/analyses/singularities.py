"""Where the exact flux has no bound, so that its maximum there is a matter of the mesh and of nothing else.

At the tip of a wedge of material the flux of the exact solution grows like r^(e - 1), and e falls below one where the
wedge opens far enough: beyond 180 degrees between free faces, beyond about 60 between a clamped face and a free one,
beyond 90 where one of the two only slides or is held at a temperature (Williams 1952, J. Appl. Mech. 19:526). Around
such places there is a zone in which the largest flux is not looked for. Its radius is that of the nearer reference
point of the hot-spot method, 0.4 of the wall (Hobbacher, Recommendations for Fatigue Design of Welded Joints and
Components, IIW 2016, 2.2.3): a share of the geometry, so that the number that is left converges.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from twin.geometry.occupancy import Occupancy
from twin.geometry.patches import FEATURE_ANGLE
from twin.geometry.selection import Selected, Selection
from twin.geometry.surface import Surface
from twin.geometry.topology import connected, edges, neighbours
from twin.results.outcome import Singularity
from twin.select import Selector

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

ZONE = 0.4  # of the wall
SLACK = np.deg2rad(1.0)  # above the feature angle: twelve facets around a bore turn by just that
# Opening beside a free face from which on the flux is unbounded. A mirror doubles it: what is beyond a right angle is
# half a facet of a bore up to the feature angle.
CLAMPED, GUIDED = np.deg2rad(60.0), np.pi / 2 + (FEATURE_ANGLE + SLACK) / 2
SMALL_LOAD = 0.05  # of the wall: what acts on less is a point
LEAST_LENGTH = 0.01  # of the diagonal: shorter creases are noise of the triangles
MOST = 30  # inner edges that are told apart, the longest ones; the others are one place
GAP = 2.0  # edges of a rim, in the median: what is nearer belongs together
NEEDLE = 1e-7  # area over the square of the longest edge, below which a triangle has no sure normal
BESIDE = 0.1  # of an edge's length: how far beyond it one looks what holds there
SAMPLES = 24  # edges of a place at which the wall is measured
STEPS = np.geomspace(1e-3, 1.0, 60)  # of the diagonal: where it is looked whether the wall has ended


@dataclass(frozen=True, eq=False)
class Grip:
    """A support, as far as its rim goes.

    words: what it is; opening: of the material at the rim, beside a free face, from which on the flux is unbounded
    holds: the components that it holds, None for that along the normal, or where there is but one
    value: what is given there, where that may differ from support to support; exchanges: with the outside, in
    proportion to the field; case: the load case that it belongs to, None for all
    """

    words: str
    on: Selector
    region: Selection
    opening: float
    holds: frozenset[str] | None = None
    value: float | None = None
    exchanges: bool = False
    case: str | None = None

    def goes_on(self, other: "Grip") -> bool:
        """Whether what is held here is held there too, as it is here."""
        if other is self:
            return True
        if self.holds is None or other.holds is None:
            covers = other.opening <= self.opening
        else:
            covers = self.holds <= other.holds
        return covers and other.value == self.value

    def meets(self, other: "Grip") -> bool:
        """Whether what is given here jumps to what is given, or exchanged, there, at whatever angle."""
        return self.value is not None and (other.exchanges or other.value not in (None, self.value))


@dataclass(frozen=True)
class _Edges:
    """segments: ends (k, 2, 3) [m]; normals: of the two faces that meet there (k, 2, 3)."""

    segments: Floats
    normals: Floats

    def __getitem__(self, rows: Ints | Bools) -> "_Edges":
        return _Edges(self.segments[rows], self.normals[rows])

    @property
    def lengths(self) -> Floats:
        return np.asarray(np.linalg.norm(self.segments[:, 1] - self.segments[:, 0], axis=1))


def find(
    surface: Surface, grips: Sequence[Grip], loads: Sequence[tuple[str, str, Selection]]
) -> tuple[Singularity, ...]:
    """Singular places of a part.

    loads: of each its case, what it is in words, and where it acts
    """
    sides = _Sides(surface)
    wall = _Wall(surface)
    places = _inner_edges(sides.inner(), surface, wall)
    for grip in grips:
        rim = _rim(sides, grip, [other for other in grips if other.case in (None, grip.case)])
        chain = _chains(rim, GAP * float(np.median(rim.lengths)) if len(rim.lengths) else 0.0)
        for which in range(int(chain.max(initial=-1)) + 1):
            own = rim[chain == which]
            label = f"Rim of {grip.words} {_where(own.segments)}"
            places.append(Singularity("rim", label, own.segments, ZONE * wall(own), grip.case))
    for case, words, region in loads:
        spot = _Edges(region.triangles[:, [0, 1]], np.repeat(region.normals[:, None], 2, axis=1))
        thickness = wall(spot)
        if np.sqrt(region.area) < SMALL_LOAD * thickness:
            where = _where(spot.segments)
            places.append(
                Singularity(
                    "point load",
                    f"{words} acts on {1e6 * region.area:.2g} mm², all but a point, {where}",
                    spot.segments,
                    ZONE * thickness,
                    case,
                )
            )
    return tuple(sorted(places, key=lambda place: -place.length))


class _Sides:
    """Both sides of every edge of a surface."""

    def __init__(self, surface: Surface):
        self.surface = surface
        triangles = surface.triangles.astype(np.int64)
        pairs = neighbours(triangles)
        self.across = np.full(3 * len(triangles), -1)
        self.across[pairs[:, 0]], self.across[pairs[:, 1]] = pairs[:, 1], pairs[:, 0]
        self.ends = edges(triangles)
        self.opposite = triangles.reshape(-1)[(np.arange(3 * len(triangles)) // 3) * 3
                                              + (np.arange(3 * len(triangles)) + 2) % 3]  # fmt: skip
        longest = np.linalg.norm(surface.corners - np.roll(surface.corners, -1, axis=1), axis=2).max(1)
        self.sound = surface.areas > NEEDLE * longest**2

    def opening(self, edge: Ints) -> Floats:
        """Angle (k,) of the material between the two faces at edges that have two."""
        normals, other = self.surface.normals, self.across[edge]
        first, second = normals[edge // 3], normals[other // 3]
        turn = np.arccos(np.clip(np.einsum("ij,ij->i", first, second), -1, 1))
        away = self.surface.vertices[self.opposite[other]] - self.surface.vertices[self.ends[edge, 0]]
        rises = np.einsum("ij,ij->i", away, first) > 0
        return np.asarray(np.where(rises, np.pi + turn, np.pi - turn))

    def inner(self) -> _Edges:
        """Edges at which the surface turns inwards by more than the feature angle."""
        edge = np.flatnonzero(self.across > np.arange(len(self.across)))
        other = self.across[edge]
        against = self.ends[edge, 0] == self.ends[other, 1]  # both faces turned the same way
        edge = edge[against & self.sound[edge // 3] & self.sound[other // 3]]
        edge = edge[self.opening(edge) > np.pi + FEATURE_ANGLE + SLACK]
        faces = np.stack([edge // 3, self.across[edge] // 3], axis=1)
        return _Edges(self.surface.vertices[self.ends[edge]], self.surface.normals[faces])


def _rim(sides: _Sides, grip: Grip, grips: Sequence[Grip]) -> _Edges:
    """Where a support ends and the flux beside it has no bound."""
    surface = sides.surface
    pieces, source = grip.region.triangles, grip.region.source.astype(np.int64)
    piece, side = grip.region.border // 3, grip.region.border % 3
    ends = np.stack([pieces[piece, side], pieces[piece, (side + 1) % 3]], axis=1)
    third, owner = pieces[piece, (side + 2) % 3], source[piece]
    length = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)
    kept = length > 1e-9 * surface.diagonal
    ends, owner, third, length = ends[kept], owner[kept], third[kept], length[kept]
    on_edge = _edge_of(surface, owner, ends)
    other = np.where(on_edge >= 0, sides.across[np.maximum(on_edge, 0)], -1)
    inside = on_edge < 0
    beyond = np.where(inside, owner, other // 3)
    known = inside | ((other >= 0) & sides.sound[owner] & sides.sound[np.maximum(beyond, 0)])
    ends, owner, third, length, on_edge, other, inside, beyond = (
        values[known] for values in (ends, owner, third, length, on_edge, other, inside, beyond)
    )
    middle = ends.mean(1)
    target = np.where(
        inside[:, None], 2 * middle - third, surface.vertices[sides.opposite[np.maximum(other, 0)]]
    )
    along = (ends[:, 1] - ends[:, 0]) / length[:, None]
    outwards = target - middle
    outwards -= np.einsum("ij,ij->i", outwards, along)[:, None] * along
    height = np.linalg.norm(outwards, axis=1)
    # not beyond the neighbour; within a triangle the pieces may be slivers, and tell nothing of what lies beside them
    reach = np.where(inside, BESIDE * length, np.minimum(BESIDE * length, 0.5 * height)) / np.maximum(
        height, 1e-300
    )
    beside = middle + reach[:, None] * outwards
    opening = np.full(len(ends), np.pi)
    opening[~inside] = sides.opening(on_edge[~inside])
    limit = np.full(len(ends), grip.opening)
    own = np.zeros(len(ends), bool)
    for neighbour in grips:
        held = Selected(surface, neighbour.on).mask(beside, beyond.astype(np.int32))
        if grip.goes_on(neighbour):
            own |= held
        else:
            limit[held] = 0.0 if grip.meets(neighbour) else GUIDED
    limit[own] = np.inf
    chosen = np.flatnonzero(opening > limit)
    faces = np.stack([owner[chosen], beyond[chosen]], axis=1)
    return _Edges(ends[chosen], surface.normals[faces])


def _edge_of(surface: Surface, triangle: Ints, ends: Floats) -> Ints:
    """The directed edge of each triangle that a segment (k, 2, 3) in it lies on, -1 for none."""
    corners = surface.corners[triangle]
    found = np.full(len(triangle), -1)
    for side in range(3):
        start, along = corners[:, side], corners[:, (side + 1) % 3] - corners[:, side]
        size = np.linalg.norm(along, axis=1)
        off = np.linalg.norm(np.cross(ends - start[:, None], along[:, None]), axis=2)
        near = (off <= 1e-8 * surface.diagonal * size[:, None]).all(1)
        found[near] = 3 * triangle[near] + side
    return found


class _Wall:
    """Thickness of the material behind edges."""

    def __init__(self, surface: Surface):
        self._diagonal = surface.diagonal
        self._occupancy = Occupancy(surface)

    def __call__(self, found: _Edges) -> float:
        """The thinner one behind the two faces, at the thinner ones of the edges (lower quartile) [m]."""
        rows = np.unique(np.linspace(0, len(found.segments) - 1, SAMPLES).astype(np.int64))
        middle, normals = found.segments[rows].mean(1), found.normals[rows]
        # from a point a little inside of both faces, so that neither is looked along
        start = middle - STEPS[0] * self._diagonal * normals.sum(1)
        depth = STEPS * self._diagonal
        thickness = np.inf
        for side in range(2):
            points = start[:, None] - depth[:, None] * normals[:, None, side]
            solid = self._occupancy.inside(points.reshape(-1, 3)).reshape(len(rows), -1)
            ends = np.where(solid.all(1), len(depth) - 1, (~solid).argmax(1))
            thickness = min(thickness, float(np.quantile(depth[ends], 0.25)))
        return thickness


def _inner_edges(found: _Edges, surface: Surface, wall: _Wall) -> list[Singularity]:
    """One place for each chain of edges, and one for all that are left of very many."""
    chain = _chains(found, 1e-7 * surface.diagonal)
    total = np.bincount(chain, weights=found.lengths)
    order = [which for which in np.argsort(-total) if total[which] > LEAST_LENGTH * surface.diagonal]
    groups = [("Sharp inner edge", found[chain == which]) for which in order[:MOST]]
    if len(order) > MOST:
        rest = found[np.isin(chain, order[MOST:])]
        groups.append((f"{len(order) - MOST} more sharp inner edges", rest))
    return [
        Singularity("inner edge", f"{words} {_where(own.segments)}", own.segments, ZONE * wall(own))
        for words, own in groups
    ]


def _chains(found: _Edges, gap: float) -> Ints:
    """(k,) the chain that each edge belongs to: edges whose ends are at most `gap` [m] apart."""
    count = len(found.segments)
    ends = np.concatenate([found.segments[:, 0], found.segments[:, 1]])
    if count == 0:
        return np.zeros(0, np.int64)
    links = cKDTree(ends).query_pairs(gap, output_type="ndarray") % count
    return connected(count, links)[1]


def _where(segments: Floats) -> str:
    """In words: from end to end where it is straight, else about its middle."""
    points = 1e3 * segments.reshape(-1, 3)
    middle = points.mean(0)
    axis = np.linalg.svd(points - middle, full_matrices=False)[2][0]
    along = (points - middle) @ axis
    span = float(np.ptp(along))
    off = np.linalg.norm(points - middle - along[:, None] * axis, axis=1).max()

    def words(point: Floats) -> str:
        x, y, z = np.round(point, 6) + 0.0
        return f"({x:.4g}, {y:.4g}, {z:.4g})"

    if off < 1e-3 * span:
        return f"from {words(points[along.argmin()])} to {words(points[along.argmax()])} mm"
    return f"about {words((points.min(0) + points.max(0)) / 2)} mm, {span:.3g} mm across"
