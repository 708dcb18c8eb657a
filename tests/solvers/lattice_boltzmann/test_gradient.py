"""Gradients of the mean force against differences of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from solvers.lattice_boltzmann import flow, refinement
from solvers.lattice_boltzmann.gradient import force_gradient, mean_force, steady_gradient
from solvers.lattice_boltzmann.grid import Grid
from solvers.lattice_boltzmann.refinement import Coupling, States
from solvers.lattice_boltzmann.scheme import Conditions, Scheme
from solvers.lattice_boltzmann.velocities import D3Q19
from solvers.lattice_boltzmann.walls import none, walls
from tests.solvers.lattice_boltzmann.bodies import ball

STEPS = 61  # no square: a rest is left over
OPEN = Scheme(Grid((20, 12, 12), ("velocity", "pressure", "slip", "slip", "slip", "slip")))
INNER = Scheme(Grid((16, 12, 12), ("nested",) * 6))
DRAG = jnp.array([1.0, 0, 0])

Flow = tuple[tuple[Scheme, ...], tuple[Conditions, ...], tuple[Coupling, ...], States]


def begun(scheme: Scheme, given: Conditions) -> States:
    wind = jnp.broadcast_to(jnp.array([0.05, 0.01, 0]).reshape(3, 1, 1, 1), (3, *scheme.grid.shape))
    return (flow.begun(scheme, given, jnp.zeros(scheme.grid.shape, jnp.float32), wind),)


def one_box() -> Flow:
    """A ball in a wind, some time after it began."""
    solid, links = ball(D3Q19, OPEN.grid.shape, (6.3, 5.6, 5.5), 2.7)
    given = flow.conditions(OPEN, 0.03, walls(OPEN.grid, D3Q19, solid, links), inflow=(0.05, 0.01, 0))
    return (OPEN,), (given,), (), refinement.advance((OPEN,), (given,), (), begun(OPEN, given), 200)


def two_boxes() -> Flow:
    """The ball in a box of finer cells."""
    solid, links = ball(D3Q19, INNER.grid.shape, (6.3, 5.6, 5.5), 2.7)
    outer = flow.conditions(OPEN, 0.015, none(OPEN.grid, D3Q19), inflow=(0.05, 0.01, 0))
    inner = flow.conditions(INNER, 0.03, walls(INNER.grid, D3Q19, solid, links))
    schemes, given = (OPEN, INNER), (outer, inner)
    couplings = (refinement.coupling(OPEN.grid, INNER.grid, (4, 3, 3)),)
    states = (*begun(OPEN, outer), *begun(INNER, inner))
    return schemes, given, couplings, refinement.advance(schemes, given, couplings, states, 100)


@pytest.mark.slow
@pytest.mark.parametrize("case", [one_box, two_boxes])
def test_the_gradient_is_what_differences_say(case: Callable[[], Flow]) -> None:
    schemes, given, couplings, states = case()
    value, gradient = force_gradient(schemes, given, couplings, states, STEPS, DRAG)
    mean = jax.jit(mean_force, static_argnums=(0, 4))

    def difference(inflow: float, distances: jnp.ndarray) -> float:
        """Of fourth order, with the wind and the wall moved by so much and twice as much."""

        def at(by: float) -> float:
            outer = replace(given[0], inflow=given[0].inflow.at[0].add(by * inflow))
            inner = given[-1] if len(given) > 1 else outer
            of = inner.walls
            inner = replace(inner, walls=replace(of, distances=of.distances + by * distances))
            return float(mean(schemes, (outer, inner)[-len(given) :], couplings, states, STEPS)[0])

        near, wide = ((at(by) - at(-by)) / (2 * by) for by in (1.0, 2.0))
        assert at(0.0) == pytest.approx(float(value), rel=1e-6)
        return (4 * near - wide) / 3

    far = given[-1].walls.distances
    by_inflow = float(gradient[0].inflow[0].sum())
    assert abs(by_inflow) > 10 * float(value)
    assert 2e-3 * by_inflow == pytest.approx(difference(2e-3, jnp.zeros_like(far)), rel=1e-3)
    # links that have room on either side, up to where interpolation changes, get longer
    longer = 2e-2 * ((jnp.abs(far - 0.25) < 0.2) | (jnp.abs(far - 0.75) < 0.2))
    by_wall = float((gradient[-1].walls.distances * longer).sum())
    assert abs(by_wall) > 1e-3 * float(value)
    assert by_wall == pytest.approx(difference(0.0, longer), rel=1e-3)


def test_of_turbulent_flow_there_is_none() -> None:
    given = flow.conditions(OPEN, 0.01, none(OPEN.grid, D3Q19))
    with pytest.raises(ValueError, match="turbulent"):
        mean_force((replace(OPEN, turbulent=True),), (given,), (), begun(OPEN, given), 3)


@pytest.mark.slow
def test_of_a_steady_flow_it_is_that_of_its_force() -> None:
    schemes, given, couplings, states = one_box()

    def settled(by: float) -> tuple[float, States]:
        changed = (replace(given[0], inflow=given[0].inflow.at[0].add(by)),)
        after = refinement.advance(schemes, changed, couplings, jax.tree.map(jnp.copy, states), 6000)
        return float(np.asarray(flow.exchanged(OPEN, changed[0], after[0]), float)[0].sum()), after

    drag, steady = settled(0.0)
    found = steady_gradient(schemes, given, couplings, steady, DRAG, 100, 60, 1e-4, lambda *_: True)
    assert found.value == pytest.approx(drag, rel=1e-5)
    assert found.change < 1e-4
    near, wide = ((settled(by)[0] - settled(-by)[0]) / (2 * by) for by in (2e-3, 4e-3))
    assert float(found.by[0].inflow[0].sum()) == pytest.approx((4 * near - wide) / 3, rel=2e-3)
