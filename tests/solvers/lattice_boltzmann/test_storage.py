"""Populations of 16 bits beside those of 32."""

from __future__ import annotations

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest

from solvers.lattice_boltzmann import flow
from solvers.lattice_boltzmann.grid import Grid
from solvers.lattice_boltzmann.scheme import Scheme
from solvers.lattice_boltzmann.storage import loaded, stored
from solvers.lattice_boltzmann.velocities import D3Q19
from solvers.lattice_boltzmann.walls import walls
from tests.solvers.lattice_boltzmann.bodies import ball
from tests.solvers.lattice_boltzmann.test_flow import vortices_error


def test_what_is_stored_comes_back_to_eleven_bits() -> None:
    values = jnp.asarray(np.geomspace(1e-8, 1.9, 1000), jnp.float32)
    (back,) = loaded(stored([values], jnp.dtype("float16")))
    normal = values > 2.0**-29
    np.testing.assert_allclose(back[normal], values[normal], rtol=2.0**-11)
    np.testing.assert_allclose(back, values, rtol=2.0**-11, atol=2.0**-40)


def test_vortices_decay_as_they_should() -> None:
    assert vortices_error(32, "float16") < 1.5 * vortices_error(32) + 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("fused", [False, True], ids=["sliced", "fused"])
def test_a_ball_is_pushed_alike(fused: bool) -> None:
    grid = Grid((40, 24, 24), ("velocity", "pressure", "slip", "slip", "slip", "slip"))
    solid, links = ball(D3Q19, grid.shape, (12.3, 11.6, 11.5), 4.2)
    scheme = Scheme(grid, fused=fused)
    given = flow.conditions(scheme, 0.05, walls(grid, D3Q19, solid, links), inflow=(0.06, 0, 0))
    drags = []
    for each in (scheme, replace(scheme, storage="float16")):
        state = flow.advance(each, given, flow.at_rest(each, given), 400)
        drags.append(float(flow.exchanged(each, given, state)[0].sum()))
    assert state.populations[0].dtype == jnp.float16
    assert drags[0] > 0
    assert drags[1] == pytest.approx(drags[0], rel=0.005)
