"""Turbulent flow between plates, as Moser, Kim & Mansour 1999 computed it (VERIFICATION.md), on cells far larger than
the layer at the plates: what eddies and walls are modelled to do.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array, Float
from numpy.typing import NDArray

from solvers.lattice_boltzmann import flow
from solvers.lattice_boltzmann.grid import Grid
from solvers.lattice_boltzmann.scheme import Scheme
from solvers.lattice_boltzmann.turbulence import law_of_the_wall
from solvers.lattice_boltzmann.velocities import D3Q19
from solvers.lattice_boltzmann.walls import walls
from tests.verification.conftest import Told

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

FRICTION = 0.004  # velocity [cells/step]
TIMES, KEPT = 16.0, 9.6  # half the height by the friction velocity, of which the last ones count


def profile(half: int, reynolds: float) -> NDArray[np.float64]:
    """Mean velocity in wall units, of cells from a plate to the middle.

    half: how many there are; reynolds: of the friction velocity and that distance
    """
    shape = (4 * half, 2 * half, 2 * half)
    scheme = Scheme(Grid(shape, ("periodic",) * 4 + ("wall", "wall")), D3Q19, turbulent=True)
    viscosity = FRICTION * half / reynolds
    given = flow.conditions(
        scheme,
        viscosity,
        walls(scheme.grid, D3Q19, np.zeros(shape, bool)),
        force=(FRICTION**2 / half, 0, 0),
    )
    height = np.arange(2 * half) + 0.5
    distance = np.minimum(height, 2 * half - height) * FRICTION / viscosity
    state = flow.begun(scheme, given, jnp.zeros(shape, jnp.float32), _stirred(shape, distance))
    often = max(round(0.1 * half / FRICTION / scheme.steps), 1)
    kept, time = [], 0.0
    while time < TIMES:
        state = flow.advance(scheme, given, state, often)
        time += often * scheme.steps * FRICTION / half
        if time > TIMES - KEPT:
            velocity = flow.macroscopic(scheme, given, state).velocity[0]
            kept.append(np.asarray(velocity.mean(axis=(0, 1)), float) / FRICTION)
    both = np.mean(kept, axis=0)
    found: NDArray[np.float64] = 0.5 * (both + both[::-1])[:half]
    return found


def _stirred(shape: tuple[int, int, int], distance: NDArray[np.float64]) -> Float[Array, "3 x y z"]:
    """The law of the wall, with waves and noise of which eddies come."""
    random = np.random.default_rng(0)
    axes = [2 * np.pi * (np.arange(count) + 0.5) / count for count in shape]
    x, y, z = np.meshgrid(*axes, indexing="ij")
    between = np.sin(0.5 * z)
    found = np.zeros((3, *shape))
    found[0] = np.asarray(law_of_the_wall(jnp.asarray(distance)))
    for along, across in ((1, 1), (2, 1), (1, 2), (2, 2), (3, 2), (2, 3)):
        phase, size = random.uniform(0, 2 * np.pi, 3), 2 * random.normal(size=3)
        found[0] += size[0] * np.sin(along * x + phase[0]) * np.sin(across * y + phase[1]) * between
        found[1] += size[1] * np.cos(along * x + phase[1]) * np.sin(z + phase[2]) * between
        found[2] += size[2] * np.sin(across * y + phase[2]) * between
    found += 0.5 * random.normal(size=found.shape) * between
    return jnp.asarray(FRICTION * found, jnp.float32)


def test_as_much_flows_as_friction_lets_through(told: Told) -> None:
    """What is not met: velocities are too low beside the plates and too high in the middle."""
    reynolds, bulk, middle = 178.12, 15.68, 18.301
    for half in (10, 14):
        found = profile(half, reynolds)
        told(f"channel, Re_tau {reynolds:.0f}, bulk U+", f"{half}", found.mean(), bulk)
        told(f"channel, Re_tau {reynolds:.0f}, middle U+", f"{half}", found[-1], middle)
        assert found.mean() == pytest.approx(bulk, rel=0.1)
