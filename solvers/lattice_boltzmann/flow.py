"""Flow in a box by lattice Boltzmann. In lattice units: cells, time steps, a density of one."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from solvers.lattice_boltzmann import collision
from solvers.lattice_boltzmann.collision import Populations
from solvers.lattice_boltzmann.grid import Count, Grid, at
from solvers.lattice_boltzmann.scheme import BLOCK, Conditions, NearWall, Neighbours, Scheme, State
from solvers.lattice_boltzmann.step import arriving_beside, step
from solvers.lattice_boltzmann.storage import loaded, stored
from solvers.lattice_boltzmann.turbulence import closed
from solvers.lattice_boltzmann.walls import Walls

_REPEATED: Final = 1024  # ghosts that repeat cells beside walls: their number is rounded up to so many


def conditions(
    scheme: Scheme,
    viscosity: float,
    walls: Walls,
    force: Sequence[float] = (0, 0, 0),
    inflow: Sequence[float] | Float[np.ndarray, "3 y z"] = (0, 0, 0),
    pressure: float = 0.0,
    absorbing: Sequence[Float[np.ndarray, " n"]] | None = None,
) -> Conditions:
    """As of `Conditions`. inflow: a velocity, or one for each y and z, ghosts among them; absorbing: along x, y, z,
    without ghosts.
    """
    profile = np.asarray(inflow, np.float32)
    if absorbing is None:
        layers: Any = jnp.zeros((), jnp.float32)
    else:
        modes = ["wrap" if face == "periodic" else "edge" for face in scheme.grid.faces[::2]]
        padded = (np.pad(each, 1, mode=mode) for each, mode in zip(absorbing, modes, strict=True))  # type: ignore[call-overload]
        layers = tuple(jnp.asarray(each, jnp.float32) for each in padded)
    return Conditions(
        jnp.asarray(viscosity, jnp.float32),
        walls,
        jnp.asarray(force, jnp.float32),
        jnp.asarray(profile[:, None, None] if profile.ndim == 1 else profile),
        jnp.asarray(pressure, jnp.float32),
        layers,
        _near_wall(scheme.grid, walls) if len(walls) else None,
        jnp.asarray(scheme.grid.outside),
    )


def _near_wall(grid: Grid, walls: Walls) -> NearWall:
    """Of as many cells for all walls of about one size: they have one program."""
    number = walls.numbers[np.asarray(grid.sources(grid.coordinates))]
    for face in range(6):
        if grid.faces[face] == "wall":  # nothing comes from beyond it
            number[np.asarray(grid.ghosts(grid.coordinates, face))] = -2
    found = np.flatnonzero(number >= 0)
    before = np.searchsorted(found, np.arange(0, len(number), BLOCK)).astype(np.int32)
    place = np.minimum(number, -1).astype(np.int8)
    place[found] = np.arange(len(found)) - before[found // BLOCK]
    repeated = -(len(found) - len(walls)) % _REPEATED
    return NearWall(
        jnp.asarray(place), jnp.asarray(before), jnp.asarray(np.pad(number[found], (0, repeated)), jnp.int32)
    )


def at_rest(scheme: Scheme, given: Conditions) -> State:
    zero = jnp.zeros(scheme.grid.shape, jnp.float32)
    return begun(scheme, given, zero, jnp.stack([zero] * 3))


@partial(jax.jit, static_argnums=0)
def begun(
    scheme: Scheme, given: Conditions, density: Float[Array, "x y z"], velocity: Float[Array, "3 x y z"]
) -> State:
    """In equilibrium. density: above one."""
    fields = [density, *velocity]
    for axis in range(3):
        width = [(1, 1) if each == axis else (0, 0) for each in range(3)]
        mode = "wrap" if scheme.grid.faces[2 * axis] == "periodic" else "edge"
        fields = [jnp.pad(field, width, mode=mode) for field in fields]
    above, x, y, z = (jnp.where(given.walls.solid, 0, field.reshape(-1)) for field in fields)
    eddy = given.absorbed(scheme.grid.coordinates)
    if scheme.turbulent:
        eddy = jnp.broadcast_to(eddy, (len(scheme.grid),))
    populations = collision.equilibrium(scheme.velocities, above, (x, y, z))
    populations = stored(populations, jnp.dtype(scheme.storage))
    return State(populations, jnp.array(eddy), jnp.array(given.walls.moving))


@partial(jax.jit, static_argnums=0, donate_argnums=2)
def advance(scheme: Scheme, given: Conditions, state: State, times: Count) -> State:
    """The state after `times` times `scheme.steps` steps."""
    return advanced(scheme, given, state, times)


def advanced(
    scheme: Scheme, given: Conditions, state: State, times: Count, neighbours: Neighbours | None = None
) -> State:
    """As `advance`, within a program. neighbours: of a box that is a slab of one"""
    once = jnp.minimum(times, 1) if jax.default_backend() == "cpu" else None
    given = given if scheme.fused else given.spread(scheme.grid)

    def several(_: Count, carried: tuple[State, Populations]) -> tuple[State, Populations]:
        of, spare = carried
        if scheme.turbulent:
            of = closed(scheme, given, of, once, neighbours)

        def stepped(one: Populations, other: Populations) -> Populations:
            new = step(scheme, given, State(one, of.eddy, of.moving), other, once)
            return _barrier(neighbours.filled(new) if neighbours else new)

        def twice(_: Count, lattices: tuple[Populations, Populations]) -> tuple[Populations, Populations]:
            one, other = lattices  # with one written while the other is read, none is copied
            other = stepped(one, other)
            return stepped(other, one), other

        populations, spare = lax.fori_loop(0, scheme.steps // 2, twice, (of.populations, spare))
        return State(populations, of.eddy, of.moving), spare

    found, _ = lax.fori_loop(0, times, several, (state, tuple(map(jnp.zeros_like, state.populations))))
    return found


def _barrier(populations: Populations) -> Populations:
    """Steps are not fused with each other."""
    found: Populations = lax.optimization_barrier(populations)  # type: ignore[no-untyped-call]
    return found


class Macroscopic(eqx.Module):
    """density: above one; velocity: [cells/step]."""

    density: Float[Array, "x y z"]
    velocity: Float[Array, "3 x y z"]


@partial(jax.jit, static_argnums=0)
def macroscopic(scheme: Scheme, given: Conditions, state: State) -> Macroscopic:
    """Of cells, without ghosts, halfway through the last collision."""
    of = collision.moments(scheme.velocities, loaded(state.populations))
    half = [0.5 * f / (1 + of.density) for f in given.force]
    fields = (of.density, *(u - h for u, h in zip(of.velocity, half, strict=True)))
    boxes = [field.reshape(scheme.grid.padded)[1:-1, 1:-1, 1:-1] for field in fields]
    return Macroscopic(boxes[0], jnp.stack(boxes[1:]))


@partial(jax.jit, static_argnums=0)
def exchanged(scheme: Scheme, given: Conditions, state: State) -> Float[Array, "3 w"]:
    """Force on the body beside each cell, by what links exchange in the next step.

    Of the pressure above that of density one.

    Wen et al. 2014, J. Comput. Phys. 266:161: the same for all who look at it from a steady motion.
    """
    walls, velocities = given.walls, scheme.velocities
    arriving = arriving_beside(scheme, walls, state)
    local = loaded([at(of, walls.cells) for of in state.populations])
    leaving = jnp.stack([local[opposite] for opposite in velocities.opposite])
    both, change = (jnp.where(walls.body, each, 0) for each in (leaving + arriving, leaving - arriving))
    directions = jnp.asarray(velocities.directions, jnp.float32)
    return -(directions.T @ both) - walls.moving * change.sum(axis=0)
