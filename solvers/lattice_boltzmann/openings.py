"""Openings in the surface of a body whose inside the fluid fills: links that end on no wall.

Inlets are walls that move into the fluid, so that what is asked for comes in; outlets let out what comes.
"""

from collections.abc import Sequence
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from solvers.lattice_boltzmann import collision
from solvers.lattice_boltzmann.grid import Grid, at
from solvers.lattice_boltzmann.scheme import Conditions, Scheme, State
from solvers.lattice_boltzmann.step import arriving_beside
from solvers.lattice_boltzmann.storage import loaded
from solvers.lattice_boltzmann.velocities import VelocitySet
from solvers.lattice_boltzmann.walls import Links, Outlets, Walls


class Openings(eqx.Module):
    """Which links of the cells beside walls go through each opening.

    inlet: of each of these cells, the one whose velocity it has, -1 for none; outlet: the one whose density
    """

    through: Bool[Array, "m q w"]
    inlet: Int[Array, " w"]
    outlet: Int[Array, " w"]


def opened(
    grid: Grid,
    velocities: VelocitySet,
    walls: Walls,
    links: Links,
    number: Int[np.ndarray, " k"],
    inlets: Sequence[bool],
) -> tuple[Walls, Openings]:
    """Walls with openings, through which nothing flows yet.

    Args:
        walls: at rest, made of these links; number: of the opening that each link goes through, -1 for a wall
        inlets: which openings are
    """
    cells = np.asarray(walls.cells)
    order = np.argsort(cells)
    row = order[np.minimum(np.searchsorted(cells, grid.number(links.cell), sorter=order), len(cells) - 1)]
    known = cells[row] == grid.number(links.cell)  # links of solid cells are passed over
    through = np.full(walls.distances.shape, -1, np.int32)
    through[links.velocity[known], row[known]] = number[known]
    comes_in = np.isin(through, np.flatnonzero(inlets))
    goes_out = (through >= 0) & ~comes_in
    inlet = np.where(comes_in, through, -1).max(axis=0)
    outlet = np.where(goes_out, through, -1).max(axis=0)
    distances = np.asarray(walls.distances)
    # beside an inlet, which moves, the walls are at rest
    distances = np.where((inlet >= 0) & ~comes_in, -np.abs(distances), distances)
    made = Walls(
        walls.cells,
        jnp.asarray(distances),
        walls.moving,
        walls.body & jnp.asarray(through < 0),
        walls.inward,
        walls.solid,
        Outlets(jnp.asarray(goes_out), jnp.zeros(len(walls), jnp.float32)),
    )
    each = np.arange(len(inlets))[:, None, None] == through
    return made, Openings(*map(jnp.asarray, (each, inlet, outlet)))


def steered(
    openings: Openings,
    given: Conditions,
    state: State,
    inflow: Float[np.ndarray, "m 3"],
    density: Float[np.ndarray, " m"],
) -> tuple[Conditions, State]:
    """With the velocity that comes in through each inlet, and the density, above one, that each outlet holds."""
    inlet, outlet, walls = openings.inlet, openings.outlet, given.walls
    assert walls.outlets is not None
    moving = jnp.where(inlet >= 0, jnp.asarray(inflow, jnp.float32)[inlet].T, 0)
    held = jnp.where(outlet >= 0, jnp.asarray(density, jnp.float32)[outlet], 0)
    found = eqx.tree_at(lambda of: (of.walls.moving, of.walls.outlets.density), given, (moving, held))
    return found, State(state.populations, state.eddy, jnp.array(moving))


class Passing(eqx.Module):
    """What passes openings (m,). out: mass in a step

    pressure: above that of density one, in the mean over the opening; total: with the kinetic energy, by what passes
    """

    out: Float[Array, " m"]
    pressure: Float[Array, " m"]
    total: Float[Array, " m"]


@partial(jax.jit, static_argnums=0)
def passing(scheme: Scheme, given: Conditions, state: State, openings: Openings) -> Passing:
    """In the next step, at the cells beside openings."""
    velocities, walls = scheme.velocities, given.walls
    arriving = arriving_beside(scheme, walls, state)
    local = loaded([at(of, walls.cells) for of in state.populations])
    leaving = jnp.stack([local[opposite] for opposite in velocities.opposite])
    of = collision.moments(velocities, local)
    pressure = of.density / 3
    energy = pressure + 0.5 * (1 + of.density) * sum(u * u for u in of.velocity)
    weights = jnp.asarray(velocities.weights, jnp.float32)[:, None]
    found = []
    for through in openings.through:
        share = jnp.sum(jnp.where(through, weights, 0), axis=0)
        passes = jnp.sum(jnp.where(through, leaving - arriving, 0), axis=0)
        out = passes.sum()
        found.append((out, share @ pressure / share.sum(), passes @ energy / jnp.where(out == 0, 1, out)))
    return Passing(*map(jnp.stack, zip(*found, strict=True)))
