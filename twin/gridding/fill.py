"""How much of each cell of a grid lies inside a surface.

Blocks of cells are halved until the surface is clear of them. A cell that it cuts is cut into subcells, and of each the
share on the inner side of the surface's tangent plane counts, as a slab: exact where the surface is flat and follows
the grid.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from solvers.hex8 import element
from solvers.hex8.cells import FilledCells, Lattice, linear
from twin.errors import GeometryError
from twin.geometry.occupancy import Occupancy
from twin.geometry.surface import Surface

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SUBCELLS = 2  # along each edge of a cut cell
LEAST_FRACTION = 1e-3  # emptier cells are left out
# Small pieces are where a wall only just reaches into the grid: of the volume, and of a cell.
_DUST, _SPECK = 1e-3, 0.1
_HALVINGS = 4  # blocks of 16 cells along each edge to begin with
_STEP = 0.1  # of a subcell: how far from the surface its sides are told at the least


def fill(surface: Surface, edge: float) -> FilledCells:
    """The cells of edge `edge` [m] that the part inside `surface` fills.

    Raises:
        GeometryError: the part is too thin for cells of that size
    """
    occupancy = Occupancy(surface)
    lower, upper = np.array(surface.bounds)
    shape = np.maximum(np.ceil((upper - lower) / edge - 1e-9).astype(int), 1)
    # in the middle of its grid, so that what is symmetric stays so
    origin = (lower + upper) / 2 - shape * edge / 2
    whole, cut = _descend(occupancy, origin, edge, shape)
    moments = _moments(occupancy, origin + cut * edge, edge)
    kept = moments[:, 0] > LEAST_FRACTION
    index = np.concatenate([whole, cut[kept]])
    moments = np.concatenate([np.broadcast_to(element.FULL, (len(whole), 27)), moments[kept]])
    if not len(index):
        raise GeometryError(
            f"No cell of {1e3 * edge:.3g} mm is filled: the part's walls are much thinner than that.",
        )
    order = np.argsort(linear(index, shape))
    return _without_dust(FilledCells(Lattice(origin, edge, shape, index[order]), moments[order]))


def _without_dust(cells: FilledCells) -> FilledCells:
    """Without small pieces that hang on an edge or a corner of others, and without specks."""
    lattice = cells.lattice
    piece, count = lattice.pieces, int(lattice.pieces.max()) + 1
    if count == 1:
        return cells
    volume = np.bincount(piece, cells.fraction)
    nodes = lattice.nodes[1]
    owner = np.zeros(int(nodes.max()) + 1, dtype=np.int64)
    owner[nodes] = piece[:, None]
    hinged = np.zeros(count, dtype=bool)
    shared = np.zeros(len(owner), dtype=bool)
    shared[nodes[owner[nodes] != piece[:, None]]] = True
    hinged[piece[shared[nodes].any(axis=1)]] = True
    dust = (hinged & (volume < _DUST * volume.sum()) & (volume < volume.max())) | (volume < _SPECK)
    dust[volume.argmax()] = False
    kept = ~dust[piece]
    if kept.all():
        return cells
    return FilledCells(
        Lattice(lattice.origin, lattice.edge, lattice.shape, lattice.index[kept]), cells.moments[kept]
    )


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
        blocks = (blocks[:, None] + size * element.CORNERS).reshape(-1, 3)
        blocks = blocks[(blocks < shape).all(1)]


def _moments(occupancy: Occupancy, corner: Floats, edge: float) -> Floats:
    """Moments (c, 27) of the filled part of cells with their lowest corners at `corner` (c, 3) [m]."""
    lower = np.stack(np.meshgrid(*[np.arange(SUBCELLS)] * 3, indexing="ij"), -1).reshape(-1, 3) / SUBCELLS
    centre = corner[:, None] + edge * (lower + 0.5 / SUBCELLS)
    share, towards = _filled(occupancy, centre.reshape(-1, 3), edge / SUBCELLS)
    moments = np.zeros((len(corner), 27))
    for index, start in enumerate(lower):
        own = slice(index, None, len(lower))
        moments += element.box_moments(*_slabs(start, share[own], towards[own]))
    return moments


def _slabs(start: Floats, share: Floats, towards: Floats) -> tuple[Floats, Floats]:
    """What is filled of subcells at `start`, as slabs: lower and upper corners (c, 3) in units of the cell.

    The slab lies across the axis that the surface faces most, on the side of the material.
    """
    rows, axis = np.arange(len(share)), np.abs(towards).argmax(axis=1)
    lower = np.tile(start, (len(share), 1))
    upper = lower + 1 / SUBCELLS
    above = towards[rows, axis] > 0
    lower[rows, axis] += np.where(above, 1 - share, 0) / SUBCELLS
    upper[rows, axis] -= np.where(above, 0, 1 - share) / SUBCELLS
    return lower, upper


def _filled(occupancy: Occupancy, centre: Floats, size: float) -> tuple[Floats, Floats]:
    """How full cubes of edge `size` [m] about points (n, 3) [m] are, and the direction (n, 3) into the material."""
    distance, triangle, place = occupancy.closest(centre)
    clear = distance > np.sqrt(3) / 2 * size
    near = np.flatnonzero(~clear)
    facing = occupancy.surface.normals[triangle[near]]
    away = centre[near] - place[near]
    apart = distance[near] > 1e-6 * size
    away[apart] /= distance[near][apart, None]
    away[~apart] = facing[~apart]
    step = np.maximum(distance[near], _STEP * size)[:, None] * away
    probes = np.concatenate([centre[clear], place[near] + step, place[near] - step])
    whole, here, there = np.split(occupancy.inside(probes), np.cumsum([clear.sum(), len(near)]))
    # The same on both sides: a face between bodies that touch or overlap, or a sheet.
    border = here != there
    on_this_side = below_plane(np.abs(away), distance[near] / size)
    share, towards = np.zeros(len(centre)), np.zeros_like(centre)
    share[clear] = whole
    share[near] = np.where(border, np.where(here, on_this_side, 1 - on_this_side), here)
    towards[near] = np.where(here[:, None], away, -away)
    return share, towards


def below_plane(normal: Floats, distance: Floats) -> Floats:
    """Share of unit cubes on one side of planes at a distance from their centres, which are on that side.

    normal: (n, 3) unit, components not negative. Inclusion and exclusion of the tetrahedra that a plane cuts off beyond
    the cube's corners (Scardovelli & Zaleski 2000, J. Comput. Phys. 164:228).
    """
    slope = np.maximum(normal, 1e-4)
    reach = distance + slope.sum(1) / 2  # from the farthest corner
    corners = reach[:, None] - slope @ element.CORNERS.T
    signs = (-1.0) ** element.CORNERS.sum(1)
    volume = (np.maximum(corners, 0) ** 3) @ signs / (6 * slope.prod(1))
    return np.clip(volume, 0.0, 1.0)
