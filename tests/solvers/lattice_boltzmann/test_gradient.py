"""Gradients of the mean force against differences of it."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import pytest

from solvers.lattice_boltzmann import flow
from solvers.lattice_boltzmann.gradient import force_gradient, mean_force
from solvers.lattice_boltzmann.grid import Grid
from solvers.lattice_boltzmann.scheme import Conditions, Scheme, State
from solvers.lattice_boltzmann.velocities import D3Q19
from solvers.lattice_boltzmann.walls import walls
from tests.solvers.lattice_boltzmann.bodies import ball

STEPS = 61  # no square: a rest is left over
SCHEME = Scheme(Grid((20, 12, 12), ("velocity", "pressure", "slip", "slip", "slip", "slip")))
DRAG = jnp.array([1.0, 0, 0])


@pytest.fixture(scope="module")
def developed() -> tuple[Conditions, State]:
    """A ball in a wind, some time after it began."""
    solid, links = ball(D3Q19, SCHEME.grid.shape, (6.3, 5.6, 5.5), 2.7)
    given = flow.conditions(SCHEME, 0.03, walls(SCHEME.grid, D3Q19, solid, links), inflow=(0.05, 0.01, 0))
    wind = jnp.broadcast_to(given.inflow.reshape(3, 1, 1, 1), (3, *SCHEME.grid.shape))
    state = flow.begun(SCHEME, given, jnp.zeros(SCHEME.grid.shape, jnp.float32), wind)
    return given, flow.advance(SCHEME, given, state, 100)


def changed(given: Conditions, by: float, inflow: jnp.ndarray, distances: jnp.ndarray) -> Conditions:
    """With the wind and the wall moved."""
    moved = walls_moved(given, by * distances)
    return Conditions(**{**vars(moved), "inflow": given.inflow + by * inflow})


def walls_moved(given: Conditions, by: jnp.ndarray) -> Conditions:
    of = given.walls
    new = type(of)(**{**vars(of), "distances": of.distances + by})
    return Conditions(**{**vars(given), "walls": new})


@pytest.mark.parametrize("which", ["inflow", "wall"])
def test_the_gradient_is_what_differences_say(developed: tuple[Conditions, State], which: str) -> None:
    given, state = developed
    value, gradient = force_gradient(SCHEME, given, state, STEPS, DRAG)
    inflow, distances = jnp.zeros_like(given.inflow), jnp.zeros_like(given.walls.distances)
    if which == "inflow":
        inflow = inflow.at[0].set(1.0)
        expected, apart = float(gradient.inflow[0].sum()), 2e-3
    else:  # all links that have room on either side of where interpolation changes get longer
        far = given.walls.distances
        chosen = (jnp.abs(far - 0.25) < 0.2) | (jnp.abs(far - 0.75) < 0.2)
        distances = jnp.where(chosen, 1.0, 0.0)
        expected, apart = float((gradient.walls.distances * distances).sum()), 2e-2
    mean = jax.jit(mean_force, static_argnums=(0, 3))

    def at(by: float) -> float:
        return float(mean(SCHEME, changed(given, by, inflow, distances), state, STEPS)[0])

    near, wide = ((at(h) - at(-h)) / (2 * h) for h in (apart, 2 * apart))
    assert value == pytest.approx(at(0.0), rel=1e-6)
    assert abs(expected) > 0.01 * float(value)
    assert expected == pytest.approx((4 * near - wide) / 3, rel=1e-3)  # of fourth order


def test_of_turbulent_flow_there_is_none(developed: tuple[Conditions, State]) -> None:
    given, state = developed
    with pytest.raises(ValueError, match="turbulent"):
        mean_force(Scheme(SCHEME.grid, turbulent=True), given, state, 3)
