"""A ball in a wind tunnel: inlet, outlet, sides that slip, moving ground, eddies and layers at walls."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from solvers.lattice_boltzmann import flow
from solvers.lattice_boltzmann.grid import Grid, Kind
from solvers.lattice_boltzmann.scheme import Conditions, Scheme, State, Storage
from solvers.lattice_boltzmann.velocities import D3Q19, VelocitySet
from solvers.lattice_boltzmann.walls import none, walls
from tests.solvers.lattice_boltzmann.bodies import ball

SPEED, REYNOLDS, RADIUS = 0.05, 1e5, 0.1  # cells a step, by the diameter, of the box's side


def tunnel(
    count: int,
    *,
    fused: bool,
    velocities: VelocitySet = D3Q19,
    storage: Storage = "float32",
    inner: bool = False,
) -> tuple[Scheme, Conditions, State]:
    """With everything on. inner: a box inside others, which has the body and no sides of its own but the ground"""
    sides: tuple[Kind, ...] = ("nested",) * 4 if inner else ("velocity", "pressure", "slip", "slip")
    grid = Grid((count, count, count), (*sides, "wall", "nested" if inner else "slip"))  # type: ignore[arg-type]
    scheme = Scheme(grid, velocities, turbulent=True, storage=storage, fused=fused)
    radius = RADIUS * count
    solid, links = ball(velocities, grid.shape, (0.3 * count, 0.5 * count, 0.4 * count), radius)
    given = flow.conditions(
        scheme,
        SPEED * 2 * radius / REYNOLDS,
        walls(grid, velocities, solid, links, sides={4: (SPEED, 0, 0)}),
        inflow=(SPEED, 0, 0),
        absorbing=None if inner else (_outlet(count), np.zeros(count), np.zeros(count)),
    )
    return scheme, given, _blown(scheme, given)


def empty(
    count: int, *, fused: bool, velocities: VelocitySet = D3Q19, storage: Storage = "float32"
) -> tuple[Scheme, Conditions, State]:
    """A periodic box."""
    grid = Grid((count, count, count))
    scheme = Scheme(grid, velocities, storage=storage, fused=fused)
    given = flow.conditions(scheme, 0.01, none(grid, velocities))
    return scheme, given, _blown(scheme, given)


def _blown(scheme: Scheme, given: Conditions) -> State:
    shape = scheme.grid.shape
    wind = jnp.asarray([SPEED, 0, 0], jnp.float32)[:, None, None, None]
    return flow.begun(scheme, given, jnp.zeros(shape, jnp.float32), jnp.broadcast_to(wind, (3, *shape)))


def _outlet(count: int) -> np.ndarray:
    """Viscosity along x that absorbs what leaves, over the last tenth."""
    return 0.1 * np.clip((np.arange(count) - 0.9 * count) / (0.1 * count), 0, 1) ** 2
