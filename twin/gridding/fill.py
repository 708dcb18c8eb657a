"""What of each cell of a grid lies inside a surface.

Blocks of cells are halved until the surface is clear of them. A cell that it cuts is cut into eight boxes, and of each
what lies on the inner side of the surface's tangent plane counts. Boxes are cut further where that is not one plane: at
edges of the part, and where the planes of a cell's boxes are not those of one smooth surface.
"""

from __future__ import annotations

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
    sharp = _along_edges(occupancy.surface, edge / 2**LEVELS)
    for level in range(LEVELS):
        cell, parent = np.repeat(cell, 8), np.repeat(np.arange(len(lower)), 8)
        lower = (2 * lower[:, None] + CORNERS).reshape(-1, 3)
        size *= 2  # of the boxes' edges in a cell's
        box = size * index[cell] + lower
        towards, offset, askew = _planes(occupancy, origin + edge / size * (box + 0.5), edge / size)
        cut = np.isfinite(offset)
        if level < LEVELS - 1:
            held = _holding(box, (sharp - origin) / edge * size)
            rough = cut & (askew | held | _disagreeing(parent, towards, cut))
        else:
            rough = np.zeros(len(cut), dtype=bool)
        done = np.flatnonzero(~rough & (offset < np.inf))
        _integrate(element, weights, cell[done], lower[done], size, towards[done], offset[done])
        cell, lower = cell[rough], lower[rough]
    return weights


def _along_edges(surface: Surface, spacing: float) -> Floats:
    """Points (n, 3) no further apart than `spacing` [m] along the edges at which faces of the part meet."""
    first, second = neighbours(surface.triangles.astype(np.int64)).T
    normals = surface.normals
    turn = np.einsum("ei,ei->e", normals[first // 3], normals[second // 3])
    start, end = surface.vertices[edges(surface.triangles.astype(np.int64))[first[turn < _SMOOTH]].T]
    count = np.ceil(np.linalg.norm(end - start, axis=1) / spacing).astype(np.int64) + 1
    which = np.repeat(np.arange(len(count)), count)
    step = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
    share = ((step + 0.5) / count[which])[:, None]
    return np.asarray((1 - share) * start[which] + share * end[which])


def _holding(box: Ints, points: Floats) -> Bools:
    """Which of the boxes (b, 3) hold a point (n, 3), in units of their edge."""
    shape = box.max(axis=0, initial=0) + 1
    place = np.floor(points).astype(np.int64)
    place = place[((place >= 0) & (place < shape)).all(axis=1)]
    return np.isin(linear(box, shape), linear(place, shape))


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
    towards: Floats,
    offset: Floats,
) -> None:
    """Add to the weights of cells what lies beyond planes in boxes of the cells' edge over `size`.

    By columns along the axis that the plane faces most; across it at Gauss's points.
    """
    along, share = np.polynomial.legendre.leggauss(element.order + 2)
    place, share = along / 2, share / 2 / size  # from the middle of the box, in units of it
    first, second = (grid.ravel() for grid in np.meshgrid(place, place, indexing="ij"))
    area = np.outer(share, share).ravel()
    rows = round(len(element.full) ** (1 / 3))
    axis = np.abs(towards).argmax(axis=1)
    group = (linear(lower, np.full(3, size)) * 3 + axis).astype(np.int64)
    order = np.argsort(group, kind="stable")
    for own in np.split(order, np.flatnonzero(np.diff(group[order])) + 1):
        if not len(own):
            continue
        x, start = int(axis[own[0]]), lower[own[0]] / size
        y, z = (x + 1) % 3, (x + 2) % 3
        normal = towards[own]
        ends = np.full((len(own), len(area)), -0.5)
        some = np.isfinite(offset[own])
        cross = normal[some, y, None] * first + normal[some, z, None] * second
        ends[some] = np.clip((offset[own][some, None] - cross) / normal[some, x, None], -0.5, 0.5)
        middle = start[x] + 0.5 / size
        above = (normal[:, x] >= 0)[:, None]
        low = middle + np.where(above, ends, -0.5) / size
        high = middle + np.where(above | ~some[:, None], 0.5, ends) / size
        columns = element.integrals(low.ravel(), high.ravel()).reshape(len(own), len(area), rows)
        across = np.einsum(
            "n,ni,nj->nij",
            area,
            element.values(start[y] + (first + 0.5) / size),
            element.values(start[z] + (second + 0.5) / size),
        )
        found = np.tensordot(columns, across, axes=(1, 0))  # (box, x, y, z), x the column's
        back = np.argsort([x, y, z]) + 1
        weights[cell[own]] += found.transpose(0, *back).reshape(len(own), -1)  # a cell has one such box
