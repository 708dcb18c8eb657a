"""What of each cell of a grid lies inside a surface.

Blocks of cells are halved until the surface is clear of them. A cell that it cuts is cut into eight boxes, and of each
what lies on the inner side of the surface's tangent plane counts. Boxes are cut further where that is not one plane: at
edges of the part, and where the planes of a cell's boxes are not those of one smooth surface. In the smallest, what
lies on the inner side of both faces of an edge counts, or where the edge turns inwards of either.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from solvers.cutcell.cells import FilledCells, Lattice, linear
from solvers.cutcell.element import BY_ORDER, CORNERS, Element
from twin.errors import GeometryError
from twin.geometry.occupancy import Occupancy
from twin.geometry.surface import Surface
from twin.geometry.topology import edges, neighbours

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

LEVELS = 3  # of boxes: at edges of the part down to an eighth of a cell
# Cosine between faces that meet, or between the planes of a cell's boxes, below which they are not one smooth surface
_SMOOTH = 0.9
LEAST_FRACTION = 1e-3  # emptier cells are left out
# Small pieces are where a wall only just reaches into the grid: of the volume, and of a cell.
_DUST, _SPECK = 1e-3, 0.1
_HALVINGS = 4  # blocks of 16 cells along each edge to begin with
# Columns across a box with an edge: where one of its faces lies along them, it takes each whole or not at all.
_AT_EDGES = 12
_STEEP = 1e-9  # slope against a column, below which a plane lies along it
_STEP = 0.1  # of a box: how far from the surface its sides are told at the least


def fill(surface: Surface, edge: float, order: int = 1) -> FilledCells:
    """The cells of edge `edge` [m] that the part inside `surface` fills, for elements of an order.

    Raises:
        GeometryError: the part is too thin for cells of that size
    """
    occupancy = Occupancy(surface)
    lower, upper = np.array(surface.bounds)
    shape = np.maximum(np.ceil((upper - lower) / edge - 1e-9).astype(int), 1)
    # in the middle of its grid, so that what is symmetric stays so
    origin = (lower + upper) / 2 - shape * edge / 2
    whole, cut = _descend(occupancy, origin, edge, shape)
    element = BY_ORDER[order]
    weights = _weights(occupancy, cut, origin, edge, element)
    kept = weights.sum(axis=1) > LEAST_FRACTION
    index = np.concatenate([whole, cut[kept]])
    weights = np.concatenate([np.broadcast_to(element.full, (len(whole), len(element.full))), weights[kept]])
    if not len(index):
        raise GeometryError(
            f"No cell of {1e3 * edge:.3g} mm is filled: the part's walls are much thinner than that.",
        )
    by_place = np.argsort(linear(index, shape))
    return _without_dust(
        FilledCells(Lattice(origin, edge, shape, index[by_place]), weights[by_place], element)
    )


def _without_dust(cells: FilledCells) -> FilledCells:
    """Without small pieces that hang on an edge or a corner of others, and without specks."""
    lattice = cells.lattice
    piece, count = lattice.pieces, int(lattice.pieces.max()) + 1
    if count == 1:
        return cells
    volume = np.bincount(piece, cells.fraction)
    nodes = lattice.numbering[1]
    owner = np.zeros(int(nodes.max()) + 1, dtype=np.int64)
    owner[nodes] = piece[:, None]
    hinged = np.zeros(count, dtype=bool)
    shared = np.zeros(len(owner), dtype=bool)
    shared[nodes[owner[nodes] != piece[:, None]]] = True
    hinged[piece[shared[nodes].any(axis=1)]] = True
    dust = (hinged & (volume < _DUST * volume.sum()) & (volume < volume.max())) | (volume < _SPECK)
    dust[volume.argmax()] = False
    kept = ~dust[piece]
    return cells if kept.all() else cells[kept]


def _descend(occupancy: Occupancy, origin: Floats, edge: float, shape: Ints) -> tuple[Ints, Ints]:
    """Cells (n, 3) that lie wholly inside, and those that the surface may cut."""
    size = 1 << _HALVINGS
    blocks = np.stack(np.meshgrid(*(np.arange(0, n, size) for n in shape), indexing="ij"), -1).reshape(-1, 3)
    whole = []
    while True:
        centre = origin + (blocks + size / 2) * edge
        distance, _, _ = occupancy.closest(centre)
        clear = distance > np.sqrt(3) / 2 * size * edge
        full = blocks[clear][occupancy.inside(centre[clear])]
        inner = np.stack(np.meshgrid(*[np.arange(size)] * 3, indexing="ij"), -1).reshape(-1, 3)
        cells = (full[:, None] + inner).reshape(-1, 3)
        whole.append(cells[(cells < shape).all(axis=1)])
        blocks = blocks[~clear]
        if size == 1:
            return np.concatenate(whole), blocks
        size //= 2
        blocks = (blocks[:, None] + size * CORNERS).reshape(-1, 3)
        blocks = blocks[(blocks < shape).all(1)]


def _weights(occupancy: Occupancy, index: Ints, origin: Floats, edge: float, element: Element) -> Floats:
    """Quadrature weights (c, q) of the filled part of cells (c, 3)."""
    weights = np.zeros((len(index), len(element.full)))
    parent = np.arange(len(index))  # whose planes are compared
    cell, lower, size = parent, np.zeros((len(index), 3), dtype=np.int64), 1
    edges_of_part = _Edges(occupancy.surface, edge / 2**LEVELS)
    for level in range(LEVELS):
        cell, parent = np.repeat(cell, 8), np.repeat(np.arange(len(lower)), 8)
        lower = (2 * lower[:, None] + CORNERS).reshape(-1, 3)
        size *= 2  # of the boxes' edges in a cell's
        box = size * index[cell] + lower
        centre = origin + edge / size * (box + 0.5)
        towards, offset, askew = _planes(occupancy, centre, edge / size)
        cut = np.isfinite(offset)
        held = edges_of_part.within(box, origin, edge / size)
        rough = cut & (askew | (held >= 0) | _disagreeing(parent, towards, cut))
        if level == LEVELS - 1:
            chosen = np.flatnonzero(cut & (held >= 0))
            planes, inwards = edges_of_part.planes(held[chosen], centre[chosen], edge / size)
            for turned, side in ((False, 1.0), (True, -1.0)):
                own = inwards == turned
                rows, faces = chosen[own], [(side * t[own], side * o[own]) for t, o in planes]
                _integrate(element, weights, cell[rows], lower[rows], size, faces, side, _AT_EDGES)
            # of an edge that turns inwards: all but what lies on the outer sides of both
            offset[chosen[inwards]], offset[chosen[~inwards]] = -np.inf, np.inf
            rough[:] = False
        done = np.flatnonzero(~rough & (offset < np.inf))
        _integrate(element, weights, cell[done], lower[done], size, [(towards[done], offset[done])])
        cell, lower = cell[rough], lower[rough]
    return weights


class _Edges:
    """Points no further apart than `spacing` [m] along the edges at which faces of the part meet.

    points (n, 3) [m]; normals (n, 2, 3) of the two faces; inwards (n,): whether the surface turns inwards there
    """

    def __init__(self, surface: Surface, spacing: float):
        triangles, normals = surface.triangles.astype(np.int64), surface.normals
        pairs = neighbours(triangles)
        pairs = pairs[(normals[pairs[:, 0] // 3] * normals[pairs[:, 1] // 3]).sum(axis=1) < _SMOOTH]
        first, second = pairs.T
        start, end = surface.vertices[edges(triangles)[first].T]
        opposite = surface.vertices[triangles[second // 3, (second + 2) % 3]]
        count = np.ceil(np.linalg.norm(end - start, axis=1) / spacing).astype(np.int64) + 1
        which = np.repeat(np.arange(len(count)), count)
        step = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
        share = ((step + 0.5) / count[which])[:, None]
        self.points: Floats = (1 - share) * start[which] + share * end[which]
        self.normals: Floats = normals[pairs // 3][which]
        self.inwards: Bools = ((opposite - start) * normals[first // 3]).sum(axis=1)[which] > 0

    def within(self, box: Ints, origin: Floats, size: float) -> Ints:
        """A point that each box holds, -1 for none. box (b, 3): from `origin` [m] on, in units of its edge [m]."""
        shape = box.max(axis=0, initial=0) + 1
        place = np.floor((self.points - origin) / size).astype(np.int64)
        inside = np.flatnonzero(((place >= 0) & (place < shape)).all(axis=1))
        keys, first = np.unique(linear(place[inside], shape), return_index=True)
        if not len(keys):
            return np.full(len(box), -1)
        wanted = linear(box, shape)
        found = np.searchsorted(keys, wanted).clip(max=len(keys) - 1)
        return np.where(keys[found] == wanted, inside[first][found], -1)

    def planes(self, point: Ints, centre: Floats, size: float) -> tuple[list[tuple[Floats, Floats]], Bools]:
        """Both planes at points, as `_planes` has them of cubes about `centre`, and whether the edge turns inwards."""
        way = (self.points[point] - centre) / size
        towards = [-self.normals[point, side] for side in range(2)]
        return [(t, (t * way).sum(axis=1)) for t in towards], self.inwards[point]


def _disagreeing(parent: Ints, towards: Floats, cut: Bools) -> Bools:
    """(b,) whether the planes of the boxes with the same parent are not those of one smooth surface."""
    count = int(parent.max(initial=-1)) + 1
    total = np.stack([np.bincount(parent[cut], towards[cut, i], count) for i in range(3)], axis=1)
    mean = total / np.maximum(np.linalg.norm(total, axis=1), 1e-12)[:, None]
    apart = np.zeros(count, dtype=bool)
    apart[parent[cut & (np.einsum("bi,bi->b", towards, mean[parent]) < _SMOOTH)]] = True
    return apart[parent]


def _planes(occupancy: Occupancy, centre: Floats, size: float) -> tuple[Floats, Floats, Bools]:
    """The plane that bounds what is filled of cubes of edge `size` [m] about points (n, 3) [m].

    Returns directions (n, 3) into the material, and from which way along them off the centre on there is material, in
    units of `size`: minus infinity where the cube is full, infinity where it is empty; and whether the plane is none
    of the surface's (n,), but one through the edge of a face.
    """
    distance, triangle, place = occupancy.closest(centre)
    clear = distance > np.sqrt(3) / 2 * size
    near = np.flatnonzero(~clear)
    facing = occupancy.surface.normals[triangle[near]]
    away = centre[near] - place[near]
    apart = distance[near] > 1e-6 * size
    away[apart] /= distance[near][apart, None]
    away[~apart] = facing[~apart]
    askew = np.zeros(len(centre), dtype=bool)
    askew[near] = np.abs(np.einsum("ni,ni->n", away, facing)) < _SMOOTH
    step = np.maximum(distance[near], _STEP * size)[:, None] * away
    probes = np.concatenate([centre[clear], place[near] + step, place[near] - step])
    whole, here, there = np.split(occupancy.inside(probes), np.cumsum([clear.sum(), len(near)]))
    offset, towards = np.full(len(centre), np.inf), np.zeros_like(centre)
    offset[clear] = np.where(whole, -np.inf, np.inf)
    way = distance[near] / size
    # The same on both sides: a face between bodies that touch or overlap, or a sheet.
    offset[near] = np.where(here, np.where(there, -np.inf, -way), np.where(there, way, np.inf))
    towards[near] = np.where(here[:, None], away, -away)
    return towards, offset, askew


def _integrate(
    element: Element,
    weights: Floats,
    cell: Ints,
    lower: Ints,
    size: int,
    planes: Sequence[tuple[Floats, Floats]],
    sign: float = 1.0,
    columns: int | None = None,
) -> None:
    """Add to the weights of cells what lies beyond all planes in boxes of the cells' edge over `size`.

    By columns along the axis that the first plane faces most; across it at so many of Gauss's points, by default as
    many as one plane takes.
    """
    along, share = np.polynomial.legendre.leggauss(columns or element.order + 2)
    place, share = along / 2, share / 2 / size  # from the middle of the box, in units of it
    first, second = (grid.ravel() for grid in np.meshgrid(place, place, indexing="ij"))
    area = sign * np.outer(share, share).ravel()
    rows = round(len(element.full) ** (1 / 3))
    axis = np.abs(planes[0][0]).argmax(axis=1)
    group = (linear(lower, np.full(3, size)) * 3 + axis).astype(np.int64)
    order = np.argsort(group, kind="stable")
    for own in np.split(order, np.flatnonzero(np.diff(group[order])) + 1):
        if not len(own):
            continue
        x, start = int(axis[own[0]]), lower[own[0]] / size
        y, z = (x + 1) % 3, (x + 2) % 3
        low, high = (np.full((len(own), len(area)), end) for end in (-0.5, 0.5))
        for towards, offset in planes:
            normal = towards[own]
            rest = offset[own, None] - normal[:, y, None] * first - normal[:, z, None] * second
            slope = normal[:, x, None]
            steep = np.abs(slope) > _STEEP
            end = rest / np.where(steep, slope, 1.0)
            low = np.where(steep & (slope > 0), np.maximum(low, end), low)
            high = np.where(steep & (slope < 0), np.minimum(high, end), high)
            high = np.where(~steep & (rest > 0), low, high)
        low = np.minimum(low, 0.5)
        high = np.maximum(high, low)
        middle = start[x] + 0.5 / size
        ends = middle + np.stack([low, high]) / size
        of_columns = element.integrals(*ends.reshape(2, -1)).reshape(len(own), len(area), rows)
        across = np.einsum(
            "n,ni,nj->nij",
            area,
            element.values(start[y] + (first + 0.5) / size),
            element.values(start[z] + (second + 0.5) / size),
        )
        found = np.tensordot(of_columns, across, axes=(1, 0))  # (box, x, y, z), x the column's
        back = np.argsort([x, y, z]) + 1
        weights[cell[own]] += found.transpose(0, *back).reshape(len(own), -1)  # a cell has one such box
