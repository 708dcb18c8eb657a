"""Openings in the surface of a body whose inside the fluid fills: links that end on no wall.

Inlets are walls that move into the fluid, so that what is asked for comes in; outlets let out what comes.
"""

from collections.abc import Sequence
from functools import partial
from itertools import product
from typing import Final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from solvers.buckets import bucket
from solvers.lattice_boltzmann import collision
from solvers.lattice_boltzmann.grid import Grid, at
from solvers.lattice_boltzmann.scheme import Conditions, Scheme, State
from solvers.lattice_boltzmann.step import arriving_beside
from solvers.lattice_boltzmann.storage import loaded
from solvers.lattice_boltzmann.velocities import VelocitySet
from solvers.lattice_boltzmann.walls import Links, OpenLinks, Walls

_LINKS: Final = 256  # of openings, which are rounded up to
_CELLS: Final = 64  # beside outlets, which are rounded up to
_STEPS: Final = (1, 2, 3)  # from beyond an opening to where flow is looked at
_MOST: Final = 0.5  # of the cells there, that are of fluid
_ALIKE: Final = 0.01  # of the cells: no reason to go a step further


class Openings(eqx.Module):
    """Links that go through openings, and the cells beside walls that have them.

    row: of each link, its cell among those beside walls; velocity: number of the one that comes in by it; behind: the
    next cell along it; reach: from its cell to the opening, in lengths of the velocity, 0 where the next cell is solid
    own: which links each opening has
    inlet: of each cell, the one that fluid comes in by, -1 for none; outlet: the one whose density it has
    """

    row: Int[Array, " k"]
    velocity: Int[Array, " k"]
    behind: Int[Array, " k"]
    reach: Float[Array, " k"]
    own: Bool[Array, "m k"]
    inlet: Int[Array, " w"]
    outlet: Int[Array, " w"]


def opened(
    grid: Grid,
    velocities: VelocitySet,
    walls: Walls,
    links: Links,
    number: Int[np.ndarray, " k"],
    inlets: Sequence[bool],
    outward: Float[np.ndarray, "m 3"],
    held: float,
    profile: Float[np.ndarray, " k"] | None = None,
) -> tuple[Walls, Openings]:
    """Walls with openings, through which nothing flows yet.

    Args:
        walls: at rest, made of these links; number: of the opening that each link goes through, -1 for a wall
        inlets: which openings are; outward: their normals
        held: share of what is missing to an outlet's density, that is added in a step: sound goes out through the rest.
            A wave that is longer than some 2 pi / held comes back.
        profile: velocity where each link goes through, in the mean one of the opening (one everywhere)
    """
    cells = np.asarray(walls.cells)
    order = np.argsort(cells)
    row = order[np.minimum(np.searchsorted(cells, grid.number(links.cell), sorter=order), len(cells) - 1)]
    known = cells[row] == grid.number(links.cell)  # links of solid cells are passed over
    through = np.full(walls.distances.shape, -1, np.int32)
    through[links.velocity[known], row[known]] = number[known]
    inflow = np.zeros(walls.distances.shape, np.float32)
    inflow[links.velocity[known], row[known]] = 1 if profile is None else profile[known]
    comes_in = np.isin(through, np.flatnonzero(inlets))
    goes_out = (through >= 0) & ~comes_in
    chosen = np.flatnonzero(goes_out.any(axis=0))
    like, share = _upstream(
        grid, velocities, cells[chosen], through[:, chosen], outward, np.asarray(walls.solid)
    )
    blocked = np.zeros_like(goes_out)
    blocked[:, chosen] = goes_out[:, chosen] & ~share.any(axis=0)
    through[blocked] = -1  # in a duct that went on, they would end on its wall
    goes_out &= ~blocked
    fill = ((0, 0), (0, bucket(len(chosen), _CELLS) - len(chosen)))
    inlet = np.where(comes_in, through, -1).max(axis=0)
    outlet = np.where(goes_out, through, -1).max(axis=0)
    made = Walls(
        walls.cells,
        walls.distances,
        walls.moving,
        walls.body & jnp.asarray(through < 0),
        walls.inward,
        walls.solid,
        OpenLinks(
            jnp.asarray(np.where(comes_in, inflow, 0)),
            jnp.asarray(np.pad(chosen, fill[1], constant_values=len(cells)), jnp.int32),
            jnp.asarray(np.pad(goes_out[:, chosen], fill)),
            jnp.asarray(np.pad(like, ((0, 0), *fill)), jnp.int32),
            jnp.asarray(np.pad(share, ((0, 0), *fill)), jnp.float32),
            jnp.zeros(len(walls), jnp.float32),
            jnp.float32(held),
        ),
    )
    velocity, row = np.nonzero(through >= 0)
    behind = cells[row] + np.array([grid.offset(c) for c in velocities.directions])[velocity]
    reach = np.where(np.asarray(walls.solid)[behind], 0, np.abs(np.asarray(walls.distances)[velocity, row]))
    own = np.arange(len(inlets))[:, None] == through[velocity, row]
    more = bucket(len(row), _LINKS) - len(row)
    ways = [np.pad(of, (0, more)) for of in (row, velocity, behind, reach.astype(np.float32))]
    own = np.pad(own, ((0, 0), (0, more)))
    return made, Openings(*map(jnp.asarray, (*ways, own, inlet, outlet)))


def _upstream(
    grid: Grid,
    velocities: VelocitySet,
    cells: Int[np.ndarray, " m"],
    through: Int[np.ndarray, "q m"],
    outward: Float[np.ndarray, "o 3"],
    solid: Bool[np.ndarray, " cells"],
) -> tuple[Int[np.ndarray, "4 q m"], Float[np.ndarray, "4 q m"]]:
    """The cells around where links through an opening come from, less a few steps square to it, and their shares.

    A step goes to the next plane of cells along the axis that the opening's normal is nearest to, between four cells of
    it. As few as are needed for these to be of fluid; no share where most are not, however many.
    """
    inward = -outward[np.maximum(through, 0)]
    axis = np.abs(inward).argmax(axis=-1)[..., None]
    way = np.round(inward / np.abs(np.take_along_axis(inward, axis, -1)), 6)
    directions = np.array(velocities.directions)[:, None]
    source = np.stack(np.unravel_index(cells, grid.padded), axis=-1) - directions
    others = np.stack([(axis[..., 0] + 1) % 3, (axis[..., 0] + 2) % 3], axis=-1)
    like, share = np.zeros((4, *through.shape), int), np.zeros((4, *through.shape))
    for steps in _STEPS:
        place = source + steps * way
        low = np.floor(place).astype(int)
        part = np.take_along_axis(place - low, others, -1)
        around, weight = [], []
        for corner in product((0, 1), repeat=2):
            beside = low.copy()
            moved = np.take_along_axis(low, others, -1) + corner
            np.put_along_axis(beside, others, moved, -1)
            number = grid.number(np.clip(beside - 1, -1, grid.shape))
            around.append(number)
            weight.append(np.where(corner, part, 1 - part).prod(axis=-1) * ~solid[number])
        found = np.array(weight)
        better = found.sum(axis=0) > np.maximum(share.sum(axis=0), _MOST) + _ALIKE
        share = np.where(better, found, share)
        like = np.where(better, around, like)
    share = np.where(through >= 0, share, 0)
    return like, share / np.maximum(share.sum(axis=0), _MOST)


def regulated(
    openings: Openings,
    given: Conditions,
    state: State,
    inflow: Float[np.ndarray, "m 3"],
    density: Float[np.ndarray, " m"],
) -> tuple[Conditions, State]:
    """With the mean velocity that comes in through each inlet, and the density, above one, that each outlet holds."""
    inlet, outlet, walls = openings.inlet, openings.outlet, given.walls
    assert walls.open_links is not None
    moving = jnp.where(inlet >= 0, jnp.asarray(inflow, jnp.float32)[inlet].T, 0)
    held = jnp.where(outlet >= 0, jnp.asarray(density, jnp.float32)[outlet], 0)
    found = eqx.tree_at(lambda of: (of.walls.moving, of.walls.open_links.density), given, (moving, held))
    return found, State(state.populations, state.eddy, jnp.array(moving))


class Passing(eqx.Module):
    """What passes openings (m,). out: mass in a step

    pressure: above that of density one, in the mean over the opening, to which it is continued from the two cells
    beside it along each link; total: with the kinetic energy, by what passes
    """

    out: Float[Array, " m"]
    pressure: Float[Array, " m"]
    total: Float[Array, " m"]


@partial(jax.jit, static_argnums=0)
def passing(scheme: Scheme, given: Conditions, state: State, openings: Openings) -> Passing:
    """In the next step."""
    velocities, walls = scheme.velocities, given.walls
    row, way = openings.row, openings.velocity
    arriving = arriving_beside(scheme, walls, state)[way, row]
    local = loaded([at(of, walls.cells) for of in state.populations])
    leaving = jnp.stack([local[opposite] for opposite in velocities.opposite])[way, row]
    of = collision.moments(velocities, local)
    density = of.density[row]
    beyond = sum(loaded([at(of, openings.behind) for of in state.populations]))
    pressure = (density + openings.reach * (density - beyond)) / 3
    energy = pressure + 0.5 * (1 + density) * sum(u[row] * u[row] for u in of.velocity)
    share = jnp.where(openings.own, jnp.asarray(velocities.weights, jnp.float32)[way], 0)
    passes = jnp.where(openings.own, leaving - arriving, 0)
    out = passes.sum(axis=1)
    return Passing(out, share @ pressure / share.sum(axis=1), passes @ energy / jnp.where(out == 0, 1, out))
