"""Boxes of finer cells: nothing happens where cells change their size."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

from solvers.lattice_boltzmann import flow, refinement
from solvers.lattice_boltzmann.flow import conditions
from solvers.lattice_boltzmann.grid import Grid
from solvers.lattice_boltzmann.scheme import Scheme, State
from solvers.lattice_boltzmann.velocities import D3Q19
from solvers.lattice_boltzmann.walls import none
from tests.solvers.lattice_boltzmann.test_flow import random_fields

NESTED = ("nested",) * 4 + ("periodic",) * 2


def vortices(count: int, viscosity: float, part: slice, finer: int) -> tuple[Grid, np.ndarray, np.ndarray]:
    """Taylor-Green vortices in cells of a box of `count` cells, `finer` times as many along each axis."""
    fastest = 0.64 / count
    along = (np.arange(finer * count)[part] + 0.5) / finer * 2 * np.pi / count
    x, y = (np.repeat(each[..., None], finer, axis=2) for each in np.meshgrid(along, along, indexing="ij"))
    u, v = fastest * np.cos(x) * np.sin(y), -fastest * np.sin(x) * np.cos(y)
    density = -0.75 * fastest**2 * (np.cos(2 * x) + np.cos(2 * y))
    faces = NESTED if finer > 1 else ("periodic",) * 6
    return Grid(density.shape, faces), density, np.array([u, v, 0 * u])  # type: ignore[arg-type]


def error(count: int) -> float:
    """Relative, of the vortices in the finer cells in the middle, after their velocity has fallen to 0.6."""
    viscosity = 0.05
    middle = slice(count // 2, 3 * count // 2)
    parts = [vortices(count, viscosity, slice(None), 1), vortices(count, viscosity, middle, 2)]
    schemes = tuple(Scheme(grid) for grid, *_ in parts)
    given = tuple(
        conditions(scheme, factor * viscosity, none(scheme.grid, D3Q19))
        for scheme, factor in zip(schemes, (1, 2), strict=True)
    )
    states = tuple(
        flow.begun(scheme, each, jnp.asarray(density, jnp.float32), jnp.asarray(velocity, jnp.float32))
        for scheme, each, (_, density, velocity) in zip(schemes, given, parts, strict=True)
    )
    link = refinement.coupling(parts[0][0], parts[1][0], (count // 4, count // 4, 0))
    rate = 2 * viscosity * (2 * np.pi / count) ** 2
    steps = round(0.5 / rate)
    states = refinement.advance(schemes, given, (link,), states, steps)
    found = flow.macroscopic(schemes[1], given[1], states[1]).velocity[0]
    exact = parts[1][2][0] * np.exp(-rate * steps)
    return float(np.linalg.norm(found - exact) / np.linalg.norm(exact))


@pytest.mark.slow
def test_vortices_decay_through_finer_cells_with_second_order() -> None:
    coarse, fine = error(16), error(32)
    assert fine < 0.005
    assert np.log2(coarse / fine) > 1.9


@pytest.mark.parametrize("turbulent", [False, True])
def test_a_wind_blows_through_as_if_cells_were_all_of_a_size(turbulent: bool) -> None:
    outer, inner = Grid((12, 12, 12)), Grid((12, 12, 12), ("nested",) * 6)
    schemes = Scheme(outer, turbulent=turbulent), Scheme(inner, turbulent=turbulent)
    given = tuple(
        conditions(scheme, nu, none(scheme.grid, D3Q19))
        for scheme, nu in zip(schemes, (0.01, 0.02), strict=True)
    )
    wind = jnp.broadcast_to(
        jnp.asarray([0.05, 0.02, -0.03], jnp.float32)[:, None, None, None], (3, 12, 12, 12)
    )
    states = tuple(
        flow.begun(scheme, each, jnp.zeros((12, 12, 12), jnp.float32), wind)
        for scheme, each in zip(schemes, given, strict=True)
    )
    link = refinement.coupling(outer, inner, (2, 2, 2))
    for scheme, each, state in zip(
        schemes, given, refinement.advance(schemes, given, (link,), states, 50), strict=True
    ):
        np.testing.assert_allclose(flow.macroscopic(scheme, each, state).velocity, wind, atol=1e-6)


def test_steps_in_several_calls_are_those_of_one() -> None:
    scheme = Scheme(Grid((8, 8, 8)), turbulent=True)
    given = conditions(scheme, 1e-4, none(scheme.grid, D3Q19))
    found = []
    for calls in ([11], [3, 1, 7]):
        states: tuple[State, ...] = (flow.begun(scheme, given, *random_fields(scheme.grid)),)
        for number, count in enumerate(calls):
            states = refinement.advance((scheme,), (given,), (), states, count, sum(calls[:number]))
        found.append(np.asarray(flow.macroscopic(scheme, given, states[0]).velocity))
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("corner", [(0, 2, 2), (2, 2, 6), (2, 2, -1)])
def test_a_box_that_sticks_out_is_refused(corner: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="do not fit"):
        refinement.coupling(Grid((12, 12, 12)), Grid((12, 12, 12), ("nested",) * 6), corner)
