"""Walls that lie anywhere between cells."""

from __future__ import annotations

import numpy as np
import pytest

from solvers.lattice_boltzmann import flow
from solvers.lattice_boltzmann.flow import conditions
from solvers.lattice_boltzmann.grid import Grid
from solvers.lattice_boltzmann.scheme import Scheme
from solvers.lattice_boltzmann.velocities import D3Q19
from solvers.lattice_boltzmann.walls import Links, Walls, padded, walls
from tests.solvers.lattice_boltzmann.bodies import ball

SLIT = ("periodic", "periodic", "wall", "wall", "periodic", "periodic")


def slit(grid: Grid, low: float, high: float, **more: object) -> Walls:
    """Between planes so far beyond the first and the last cells along y."""
    last = grid.shape[1] - 1
    ends = [
        ((x, y, z), i, distance)
        for i, direction in enumerate(D3Q19.directions)
        for y, towards, distance in ((0, 1, low), (last, -1, high))
        if direction[1] == towards
        for x in range(grid.shape[0])
        for z in range(grid.shape[2])
    ]
    cell, velocity, distance = (np.array(each) for each in zip(*ends, strict=True))
    return walls(grid, D3Q19, np.zeros(grid.shape, bool), Links(cell, velocity, distance), **more)  # type: ignore[arg-type]


def parabola_error(count: int, low: float, high: float) -> float:
    """Relative, of the flow between planes, at a fixed Reynolds number."""
    viscosity, height = 0.1, count - 1 + low + high
    push = 0.8 * viscosity * 0.5 / height**3
    grid = Grid((1, count, 1), SLIT)  # type: ignore[arg-type]
    scheme = Scheme(grid)
    given = conditions(scheme, viscosity, slit(grid, low, high), force=(push, 0, 0))
    pairs = round(2 * height**2 / viscosity / 2)
    found = flow.macroscopic(
        scheme, given, flow.advance(scheme, given, flow.at_rest(scheme, given), pairs)
    ).velocity
    at = np.arange(count) + low
    exact = push / (2 * viscosity) * at * (height - at)
    return float(np.linalg.norm(found[0, 0, :, 0] - exact) / np.linalg.norm(exact))


@pytest.mark.parametrize(("low", "high"), [pytest.param(0.1, 0.8, marks=pytest.mark.slow), (1.0, 0.3)])
def test_interpolated_walls_are_of_second_order(low: float, high: float) -> None:
    coarse, fine = parabola_error(8, low, high), parabola_error(16, low, high)
    assert fine < 0.01
    assert np.log2(coarse / fine) > 1.8


def test_a_wall_that_slides_drags_the_fluid_along() -> None:
    """Couette: the velocity is linear between the walls, which is exact for any distance."""
    grid = Grid((1, 8, 1), SLIT)  # type: ignore[arg-type]
    scheme = Scheme(grid)
    given = conditions(
        scheme, 0.1, slit(grid, 0.3, 0.9, moving=lambda at: np.outer(at[:, 1] == 7, (0.05, 0, 0.02)))
    )
    found = flow.macroscopic(
        scheme, given, flow.advance(scheme, given, flow.at_rest(scheme, given), 3000)
    ).velocity
    share = (np.arange(8) + 0.3) / (7 + 0.3 + 0.9)
    np.testing.assert_allclose(found[0, 0, :, 0], 0.05 * share, rtol=1e-3)
    np.testing.assert_allclose(found[2, 0, :, 0], 0.02 * share, rtol=1e-3)


def pushed_past_ball(shift: float, count: int, radius: float, pairs: int) -> tuple[float, float, float]:
    """Force on a ball in a periodic box of a flow that a force drives; that force; the mean velocity."""
    push = 1e-5
    grid = Grid((count, count, count))
    middle = (count - 1) / 2
    solid, links = ball(D3Q19, grid.shape, (middle + shift, middle + shift / 2, middle), radius)
    scheme = Scheme(grid)
    given = conditions(scheme, 0.1, walls(grid, D3Q19, solid, links), force=(push, 0, 0))
    after = flow.advance(scheme, given, flow.at_rest(scheme, given), pairs)
    on_fluid = push * (count**3 - 4 / 3 * np.pi * radius**3)
    speed = float(flow.macroscopic(scheme, given, after).velocity[0].mean())
    return float(flow.exchanged(scheme, given, after)[0].sum()), on_fluid, speed


def test_a_body_takes_all_the_push_of_a_steady_flow() -> None:
    force, on_fluid, _ = pushed_past_ball(0.2, count=12, radius=3.3, pairs=400)
    assert force == pytest.approx(on_fluid, rel=0.01)


@pytest.mark.slow
def test_drag_is_the_same_wherever_a_body_lies_between_cells() -> None:
    """The velocity that the same force keeps up: of a ball of twelve cells; of nine it differs by 1.5 %."""
    speeds = [pushed_past_ball(shift, count=28, radius=6.1, pairs=2500)[2] for shift in (0.0, 0.25, 0.5)]
    assert max(speeds) / min(speeds) < 1.01


@pytest.mark.slow
def test_cells_of_the_fluid_among_those_beside_walls_change_nothing() -> None:
    grid = Grid((9, 8, 7), ("velocity", "pressure", "slip", "slip", "wall", "slip"))
    scheme = Scheme(grid)
    solid, links = ball(D3Q19, grid.shape, (4.2, 3.6, 3.1), 1.7)
    plain = walls(grid, D3Q19, solid, links)
    more = padded(grid, plain, len(plain) + 40)
    assert len(more) == len(plain) + 40
    assert len(np.unique(more.cells)) == len(more)
    found = []
    for each in (plain, more):
        given = flow.conditions(scheme, 0.02, each, inflow=(0.05, 0, 0))
        state = flow.advance(scheme, given, flow.at_rest(scheme, given), 10)
        force = np.asarray(flow.exchanged(scheme, given, state)).sum(axis=1)
        found.append((np.asarray(flow.macroscopic(scheme, given, state).velocity), force))
    np.testing.assert_allclose(found[1][0], found[0][0], atol=1e-7)
    np.testing.assert_allclose(found[1][1], found[0][1], atol=1e-6)
    fluid = np.prod(grid.shape) - solid.sum()
    assert len(padded(grid, plain, 10_000)) == fluid
