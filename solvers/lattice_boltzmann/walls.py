"""Walls between cells, where they are: interpolated bounce-back.

Bouzidi, Firdaouss & Lallemand 2001, Phys. Fluids 13:3452 (linear).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from solvers.lattice_boltzmann.collision import Moments, Populations, moments, regularised
from solvers.lattice_boltzmann.grid import Grid
from solvers.lattice_boltzmann.velocities import VelocitySet

Pair = tuple[Float[Array, "..."], Float[Array, "..."]]

HELD: Final = 0.1  # share by which an outlet holds its pressure: waves go out through the rest
_BODY: Final = 0  # who a wall belongs to: the body, or a side of the box from one on
_NOBODY: Final = 99


class OpenLinks(eqx.Module):
    """Links that end on no wall but on what fluid comes in or goes out through.

    inflow: velocity of each, in that with which walls of its cell move, zero where it ends on a wall
    row: cells beside walls that fluid goes out from, by their place among these, or beyond the last one; out: which of
    their links it goes out by; like: cells that what arrives there is as at, in shares
    density: held beyond, above one, of each cell; held: share of what is missing to it, that is added in a step
    """

    inflow: Float[Array, "q w"]
    row: Int[Array, " m"]
    out: Bool[Array, "q m"]
    like: Int[Array, "4 q m"]
    share: Float[Array, "4 q m"]
    density: Float[Array, " w"]
    held: Float[Array, ""]


class Walls(eqx.Module):
    """Cells beside walls.

    cells: places in the row; distances: from each, against each velocity, to the wall, in lengths of that velocity,
    zero where there is none within one, negative where that wall is at rest while another one of the cell moves
    moving: velocity of the wall; body: whether a link ends on what forces are told
    of, and not on a side of the box
    inward: from each cell to the nearest point of the plane that fits its links' ends [cells]
    solid: whether each cell of the row is
    open_links: None where there are none
    """

    cells: Int[Array, " w"]
    distances: Float[Array, "q w"]
    moving: Float[Array, "3 w"]
    body: Bool[Array, "q w"]
    inward: Float[Array, "3 w"]
    solid: Bool[Array, " cells"]
    open_links: OpenLinks | None = None

    def __len__(self) -> int:
        return len(self.cells)

    @property
    def numbers(self) -> Int[np.ndarray, " cells"]:
        """Of all cells in the row, the number among those beside walls; -1 of others, -2 of solid ones."""
        found = np.where(np.asarray(self.solid), -2, -1).astype(np.int32)
        found[np.asarray(self.cells)] = np.arange(len(self))
        return found


def none(grid: Grid, velocities: VelocitySet) -> Walls:
    """A grid without walls."""
    count = len(velocities)
    return Walls(
        jnp.zeros(0, jnp.int32),
        jnp.zeros((count, 0), jnp.float32),
        jnp.zeros((3, 0), jnp.float32),
        jnp.zeros((count, 0), bool),
        jnp.zeros((3, 0), jnp.float32),
        jnp.zeros(len(grid), bool),
    )


@dataclass(frozen=True)
class Links:
    """Where the ways between cells are cut by a surface.

    cell: x, y, z of the fluid's end; velocity: number of the one that comes from the surface; distance: to the surface,
    in lengths of that velocity, in (0, 1]
    """

    cell: Int[np.ndarray, "k 3"]
    velocity: Int[np.ndarray, " k"]
    distance: Float[np.ndarray, " k"]


NO_LINKS: Final = Links(np.zeros((0, 3), np.int64), np.zeros(0, np.int64), np.zeros(0))


def walls(
    grid: Grid,
    velocities: VelocitySet,
    solid: Bool[np.ndarray, "x y z"],
    links: Links = NO_LINKS,
    moving: Callable[[Int[np.ndarray, "w 3"]], Float[np.ndarray, "w 3"]] = lambda cells: 0.0 * cells,
    sides: Mapping[int, tuple[float, float, float]] = MappingProxyType({}),
) -> Walls:
    """Walls of a body and of the sides of the box that are walls.

    Args:
        solid: cells inside the body
        links: of the body's surface; those of solid cells are passed over, and where one is missing between fluid and
            solid the surface is taken as halfway, as that of sides is
        moving: velocity of the body's surface beside cells, by their x, y, z
        sides: velocities of the sides of the box that are walls, by their number in `grid.faces`; others are at rest
    """
    strides = np.array([grid.shape[1] * grid.shape[2], grid.shape[2], 1])
    inside = _with_ghosts(grid, solid)
    speeds = {
        face: sides.get(face, (0.0, 0.0, 0.0)) for face, kind in enumerate(grid.faces) if kind == "wall"
    }
    ranked = sorted(speeds, key=lambda face: -float(np.linalg.norm(speeds[face])))
    blocked = inside.copy()
    for face in ranked:
        blocked[_side(face)] = True
    outer = ~solid[tuple(links.cell.T)]
    cells, numbers = [links.cell[outer] @ strides], [links.velocity[outer]]
    distances, owners = [links.distance[outer]], [np.full(outer.sum(), _BODY)]
    for i, direction in enumerate(velocities.directions):
        if not any(direction):
            continue
        bare = np.flatnonzero(~solid & _shifted(blocked, direction))
        bare = np.setdiff1d(bare, cells[0][numbers[0] == i])
        behind = np.stack(np.unravel_index(bare, grid.shape), axis=1) - direction
        owner = np.full(len(bare), _BODY)
        for rank, face in enumerate(ranked, _BODY + 1):  # beyond an edge, the slowest
            beyond = behind[:, face // 2] == (grid.shape[face // 2] if face % 2 else -1)
            owner[beyond & ~_shifted(inside, direction).reshape(-1)[bare]] = rank
        cells.append(bare)
        numbers.append(np.full(len(bare), i))
        distances.append(np.full(len(bare), 0.5))
        owners.append(owner)
    beside, row = np.unique(np.concatenate(cells), return_inverse=True)
    place = row, np.concatenate(numbers)
    cut = np.full((len(beside), len(velocities)), np.inf)
    np.minimum.at(cut, place, np.concatenate(distances))
    cut[np.isinf(cut)] = 0
    # Interpolation takes what arrives from the other side: with a wall there too, this one is taken as halfway.
    cramped = (cut > 0) & (cut < 0.5) & (cut[:, velocities.opposite] > 0)
    cut[cramped] = 0.5
    owned = np.full(cut.shape, _NOBODY)
    owned[place] = np.concatenate(owners)
    chosen = owned.min(axis=1, initial=_NOBODY)  # the body's wall, or else the fastest
    other = (cut > 0) & (owned != chosen[:, None])
    at = np.stack(np.unravel_index(beside, grid.shape), axis=1)
    speed = np.array(moving(at), float)
    for rank, face in enumerate(ranked, _BODY + 1):
        speed[chosen == rank] = speeds[face]
    inward = _nearest(velocities, np.where(other, 0, cut))
    cut[other] *= -1
    return Walls(
        jnp.asarray(grid.number(at), jnp.int32),
        jnp.asarray(cut.T, jnp.float32),
        jnp.asarray(speed.T, jnp.float32),
        jnp.asarray((owned == _BODY).T),
        jnp.asarray(inward.T, jnp.float32),
        jnp.asarray(inside.reshape(-1)),
    )


def padded(grid: Grid, of: Walls, count: int) -> Walls:
    """The same walls, with other cells of the fluid among those beside them, until there are `count` of these.

    Parts of nearly one size have one program so. Where the fluid has fewer cells, these are all. They
    have no open links yet.
    """
    fluid = ~np.asarray(of.solid)
    fluid[grid.outside] = False
    fluid[np.asarray(of.cells)] = False
    more = np.flatnonzero(fluid)[: max(count - len(of), 0)]

    def longer(array: Array) -> Array:
        return jnp.pad(array, ((0, 0),) * (array.ndim - 1) + ((0, len(more)),))

    return Walls(
        jnp.concatenate([of.cells, jnp.asarray(more, jnp.int32)]),
        longer(of.distances),
        longer(of.moving),
        longer(of.body),
        longer(of.inward),
        of.solid,
    )


def reflected(
    velocities: VelocitySet,
    pulled: Populations,
    local: Populations,
    walls: Walls,
    moving: Float[Array, "3 w"],
) -> Float[Array, "q w"]:
    """What arrives at the cells beside walls, with what comes off a wall in place of what would have come through it.

    pulled, local: after the last collision, what came from neighbours and what was at the cell itself
    moving: velocity of the wall

    What a wall that moves adds to a population is by how much it differs from its opposite in the fluid beside it, if
    that moves as the wall does: with its stress, not in equilibrium, or a wind along the wall is not stable.
    """
    opposite = np.array(velocities.opposite)
    # few operations compile fast
    ways, stays = ((of, of[opposite]) for of in map(jnp.stack, (pulled, local)))
    if walls.open_links is None:
        with_wall = jnp.stack(_carried(velocities, local, moving))
        pushed = with_wall - with_wall[opposite]
    else:
        pushed = walls.open_links.inflow * _blown(velocities, moving)
    return _off_wall(ways, stays, pushed, walls.distances)


def let_out(
    velocities: VelocitySet,
    arriving: Float[Array, "q w"],
    like: Float[Array, "q m"],
    local: Populations,
    open_links: OpenLinks,
) -> Float[Array, "q w"]:
    """What arrives, with what comes in by outlets: beyond flow is as before, with a density on its way to what is held,
    and waves go out through the rest.
    """
    row = open_links.row
    missing = (open_links.density - sum(local)).at[row].get(mode="clip")
    weights: Float[Array, "q 1"] = jnp.asarray(velocities.weights, jnp.float32)[:, None]
    coming = like + open_links.held * weights * missing
    return arriving.at[:, row].set(
        jnp.where(open_links.out, coming, arriving.at[:, row].get(mode="clip")), mode="drop"
    )


def _carried(velocities: VelocitySet, local: Populations, moving: Float[Array, "3 w"]) -> Populations:
    beside, (x, y, z) = moments(velocities, local), moving
    return regularised(velocities, Moments(beside.density, (x, y, z), beside.stress))


def _blown(velocities: VelocitySet, moving: Float[Array, "3 w"]) -> Float[Array, "q w"]:
    """What fluid of density one adds to populations, that comes through a wall: with the stress beside it, it is not
    stable where the fluid is thin.
    """
    directions = jnp.asarray(velocities.directions, jnp.float32)
    weights = jnp.asarray(velocities.weights, jnp.float32)[:, None]
    return 6 * weights * (directions @ moving)


def _off_wall(
    pulled: Pair, local: Pair, push: Float[Array, "..."], distance: Float[Array, "..."]
) -> Float[Array, "..."]:
    """What arrives along a velocity. Of each pair, the second one is of the opposite velocity."""
    q = jnp.abs(distance)
    near = 2 * q * local[1] + (1 - 2 * q) * pulled[1]
    share = 0.5 / jnp.maximum(q, 0.5)  # one up to halfway
    far = share * local[1] + (1 - share) * local[0]
    pushed = jnp.where(distance > 0, share * push, 0)
    return jnp.where(q > 0, jnp.where(q < 0.5, near, far) + pushed, pulled[0])


def _nearest(velocities: VelocitySet, distances: Float[np.ndarray, "w q"]) -> Float[np.ndarray, "w 3"]:
    """From each cell, the nearest point of the plane that fits the ends of its links best."""
    ends = -distances[..., None] * np.array(velocities.directions)  # zero where there is no link
    slope = np.linalg.pinv(np.einsum("wqa,wqb->wab", ends, ends), rcond=1e-6) @ ends.sum(axis=1)[..., None]
    found: Float[np.ndarray, "w 3"] = slope[..., 0] / np.maximum((slope**2).sum(axis=1), 1e-12)
    return found


def _with_ghosts(grid: Grid, solid: Bool[np.ndarray, "x y z"]) -> Bool[np.ndarray, "x y z"]:
    """Ghosts are what they repeat."""
    for axis in range(3):
        width = [(1, 1) if each == axis else (0, 0) for each in range(3)]
        solid = np.pad(solid, width, mode="wrap" if grid.faces[2 * axis] == "periodic" else "edge")
    return solid


def _side(face: int) -> tuple[slice | int, ...]:
    """The outermost layer of cells along a side of the box."""
    chosen: list[slice | int] = [slice(None)] * 3
    chosen[face // 2] = -1 if face % 2 else 0
    return tuple(chosen)


def _shifted(padded: Bool[np.ndarray, "x y z"], direction: tuple[int, int, int]) -> Bool[np.ndarray, "x y z"]:
    """What is at each cell less the direction."""
    chosen = tuple(slice(1 - c, count - 1 - c) for c, count in zip(direction, padded.shape, strict=True))
    return padded[chosen]
