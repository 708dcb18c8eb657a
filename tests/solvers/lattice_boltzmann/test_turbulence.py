"""What cells do not resolve, against what is known of it."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

from solvers.lattice_boltzmann import flow
from solvers.lattice_boltzmann.grid import Grid
from solvers.lattice_boltzmann.scheme import Scheme, State
from solvers.lattice_boltzmann.turbulence import eddy_viscosity, friction_velocity, law_of_the_wall
from solvers.lattice_boltzmann.velocities import D3Q19
from solvers.lattice_boltzmann.walls import walls
from tests.benchmarks.flow.tunnel import SPEED, tunnel


def test_the_law_of_the_wall_is_linear_at_it_and_logarithmic_beyond() -> None:
    assert float(law_of_the_wall(jnp.asarray(1.0))) == pytest.approx(1.0, rel=0.05)
    far = np.array([100.0, 1000.0])
    np.testing.assert_allclose(law_of_the_wall(jnp.asarray(far)), np.log(far) / 0.41 + 5.3, rtol=0.03)


def test_a_tunnel_at_a_high_reynolds_number_stays_in_bounds() -> None:
    """Of four cells across the ball, and far less viscosity than they can resolve."""
    scheme, given, state = tunnel(20, fused=False)
    state = flow.advance(scheme, given, state, 150)
    found = flow.macroscopic(scheme, given, state)
    assert SPEED < float(jnp.abs(found.velocity).max()) < 2 * SPEED
    assert float(jnp.abs(found.density).max()) < 3 * SPEED**2
    assert float(flow.exchanged(scheme, given, state)[0].sum()) > 0


@pytest.mark.slow
def test_flow_that_meets_a_flat_face_does_not_swing_before_it() -> None:
    """With walls halfway between cells nothing else damps what comes straight at them."""
    grid = Grid((32, 24, 24), ("velocity", "pressure", "slip", "slip", "slip", "slip"))
    scheme = Scheme(grid, turbulent=True)
    solid = np.zeros(grid.shape, bool)
    solid[10:18, 8:16, 8:16] = True
    given = flow.conditions(scheme, 1e-6, walls(grid, scheme.velocities, solid), inflow=(SPEED, 0, 0))
    wind = jnp.broadcast_to(jnp.asarray([SPEED, 0, 0], jnp.float32)[:, None, None, None], (3, *grid.shape))
    state = flow.begun(scheme, given, jnp.zeros(grid.shape, jnp.float32), wind)
    state = flow.advance(scheme, given, state, 40)
    ahead = np.asarray(flow.macroscopic(scheme, given, state).velocity[0][4:10, 12, 12]) / SPEED
    assert (np.diff(ahead) < 0).all()
    assert ahead[-1] < 0.3


@pytest.mark.parametrize("friction", [1e-4, 1e-3, 5e-3])
def test_friction_is_found_from_the_velocity_that_it_makes(friction: float) -> None:
    distance, viscosity = jnp.asarray(3.0), jnp.asarray(1e-4)
    speed = friction * law_of_the_wall(distance * friction / viscosity)
    assert float(friction_velocity(speed, distance, viscosity)) == pytest.approx(friction, rel=1e-3)


def test_no_eddies_are_modelled_in_shear_and_some_where_it_turns() -> None:
    """Vreman 2004: of the gradients of laminar shear the viscosity is none."""
    zero, one = jnp.asarray(0.0), jnp.asarray(0.01)
    shear = [[zero, zero, zero], [one, zero, zero], [zero, zero, zero]]
    turning = [[zero, one, zero], [-one, zero, zero], [zero, one, zero]]
    assert float(eddy_viscosity(shear)) == 0
    assert float(eddy_viscosity(turning)) > 1e-5


def test_stress_between_two_walls_a_cell_apart_dies_out() -> None:
    """Between them it is thrown back and forth, and turned round by a collision at a small viscosity: a force on the
    walls that nothing else damps, and that flow around fed without bound.
    """
    scheme = Scheme(Grid((8, 8, 1), ("periodic",) * 4 + ("wall", "wall")), turbulent=True)
    given = flow.conditions(scheme, 1e-6, walls(scheme.grid, D3Q19, np.zeros(scheme.grid.shape, bool)))
    state = flow.at_rest(scheme, given)
    shear = [0.01 * c[0] * c[2] for c in D3Q19.directions]
    populations = tuple(
        each + push * (1 - given.walls.solid) for each, push in zip(state.populations, shear, strict=True)
    )
    state = State(populations, state.eddy, state.moving)
    before = stress(state)
    assert stress(flow.advance(scheme, given, state, 2)) < 1e-3 * before


def stress(state: State) -> float:
    """Largest share of populations that pulls along x what goes along z."""
    return max(
        float(jnp.abs(each).max())
        for each, c in zip(state.populations, D3Q19.directions, strict=True)
        if c[0] * c[2]
    )
