"""Fluid that comes in through openings of a body, and goes out through others."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.typing import NDArray

from solvers.lattice_boltzmann import flow
from solvers.lattice_boltzmann.grid import Grid
from solvers.lattice_boltzmann.openings import Openings, opened, passing, regulated
from solvers.lattice_boltzmann.scheme import Conditions, Scheme, State
from solvers.lattice_boltzmann.slabs import Slabs
from solvers.lattice_boltzmann.velocities import D3Q19
from solvers.lattice_boltzmann.walls import Links, padded, walls

LENGTH, HEIGHT, SPEED, VISCOSITY, HELD = 40, 16, 0.05, 0.08, 0.03


def ends(grid: Grid) -> tuple[Links, NDArray[np.int64]]:
    """Ways from the cells at either end of a channel to a plane halfway beyond; 0 for the low end, 1 for the high.
    Those into the edges of the walls end on these.
    """
    along = np.array(D3Q19.directions)[:, 0]
    cells, numbers, which = [], [], []
    for end, (x, sign) in enumerate(((0, 1), (grid.shape[0] - 1, -1))):
        for number in np.flatnonzero(along == sign):
            places = np.stack(np.meshgrid([x], *map(np.arange, grid.shape[1:]), indexing="ij"), axis=-1)
            cells.append(places.reshape(-1, 3))
            numbers.append(np.full(len(cells[-1]), number))
            which.append(np.full(len(cells[-1]), end))
    cell, number = np.concatenate(cells), np.concatenate(numbers)
    from_y = cell[:, 1] - np.array(D3Q19.directions)[number, 1]
    open_ = (from_y >= 0) & (from_y < grid.shape[1])
    links = Links(cell[open_], number[open_], np.full(open_.sum(), 0.5))
    return links, np.concatenate(which)[open_]


@pytest.fixture(scope="module")
def channel() -> tuple[Scheme, Conditions, Openings]:
    """Between walls across y, that fluid comes into at the low end, as fast as it has become far behind."""
    scheme = Scheme(Grid((LENGTH, HEIGHT, 1), ("wall", "wall", "wall", "wall", "periodic", "periodic")))
    links, which = ends(scheme.grid)
    of = walls(scheme.grid, D3Q19, np.zeros(scheme.grid.shape, bool), links)
    place = (links.cell - 0.5 * np.array(D3Q19.directions)[links.velocity])[:, 1] + 0.5
    parabola = 6 * place / HEIGHT * (1 - place / HEIGHT)
    of, openings = opened(
        scheme.grid, D3Q19, padded(scheme.grid, of, len(of) + 7), links, which, [True, False],
        np.array([[-1.0, 0, 0], [1, 0, 0]]), HELD, parabola,
    )  # fmt: skip
    return scheme, flow.conditions(scheme, VISCOSITY, of), openings


@pytest.fixture(scope="module")
def settled(channel: tuple[Scheme, Conditions, Openings]) -> tuple[Conditions, State]:
    scheme, given, openings = channel
    given, state = regulated(
        openings, given, flow.at_rest(scheme, given), np.array([[SPEED, 0, 0], [0, 0, 0]]), np.zeros(2)
    )
    return given, flow.advance(scheme, given, state, 2000)


def test_what_comes_in_goes_out(
    channel: tuple[Scheme, Conditions, Openings], settled: tuple[Conditions, State]
) -> None:
    scheme, _, openings = channel
    found = passing(scheme, *settled, openings)
    coming, going = np.asarray(found.out)
    assert -coming == pytest.approx(SPEED * HEIGHT, rel=0.05)  # by the density there
    assert going == pytest.approx(-coming, rel=1e-4)


def test_pressure_falls_as_between_plates(
    channel: tuple[Scheme, Conditions, Openings], settled: tuple[Conditions, State]
) -> None:
    """Its slope is 12 viscosity velocity / height^2, from the plane where fluid comes in to that where it goes out."""
    scheme, _, openings = channel
    given, state = settled
    found = passing(scheme, given, state, openings)
    mean = float(found.out[1]) / HEIGHT
    pressure = np.asarray(flow.macroscopic(scheme, given, state).density)[:, :, 0].mean(axis=1) / 3
    slope = -np.polyfit(np.arange(10, 30), pressure[10:30], 1)[0]
    known = 12 * VISCOSITY * mean / HEIGHT**2
    assert slope == pytest.approx(known, rel=0.015)  # density falls on the way
    lost = float(found.pressure[0] - found.pressure[1])
    total = float(found.total[0] - found.total[1])
    assert lost == pytest.approx(known * LENGTH, rel=0.01)
    assert total == pytest.approx(lost, rel=0.03)  # what goes out is as fast as what comes in
    assert abs(float(found.pressure[1])) < 1.2 * known / HELD  # near what is held


def test_an_outlet_holds_the_density_that_is_asked_for(
    channel: tuple[Scheme, Conditions, Openings], settled: tuple[Conditions, State]
) -> None:
    scheme, _, openings = channel
    given, state = settled
    before = float(passing(scheme, given, state, openings).pressure[1])
    raised, state = regulated(
        openings, given, State(*map(_copied, (state.populations, state.eddy, state.moving))),
        np.array([[SPEED, 0, 0], [0, 0, 0]]), np.array([0.0, 0.03]),
    )  # fmt: skip
    state = flow.advance(scheme, raised, state, 1500)
    after = float(passing(scheme, raised, state, openings).pressure[1])
    assert after - before == pytest.approx(0.01, rel=0.05)


@pytest.mark.parametrize("outward", [(1.0, 0, 0), (0.8, 0.6, 0)])
def test_what_outlets_let_in_is_as_what_lies_square_to_them(outward: tuple[float, float, float]) -> None:
    """What is the same along the normal stays so; near walls it is as the fluid that is there."""
    grid = Grid((LENGTH, HEIGHT, 1), ("wall", "wall", "wall", "wall", "periodic", "periodic"))
    links, which = ends(grid)
    of = walls(grid, D3Q19, np.zeros(grid.shape, bool), links)
    normals = np.array([[-1.0, 0, 0], outward])
    open_links = opened(grid, D3Q19, of, links, which, [True, False], normals, HELD)[0].open_links
    assert open_links is not None
    velocity, row = np.nonzero(np.asarray(open_links.out))
    share = np.asarray(open_links.share)[:, velocity, row]
    seen = np.stack(np.unravel_index(np.asarray(open_links.like)[:, velocity, row], grid.padded), axis=-1)
    np.testing.assert_allclose(share.sum(axis=0), 1, rtol=1e-6)
    own = np.stack(np.unravel_index(of.cells[open_links.row[row]], grid.padded), axis=-1)
    beyond = own - np.array(D3Q19.directions)[velocity]
    away = np.einsum("ij,ijk->ik", share.T, seen.transpose(1, 0, 2)) - beyond
    middle = (beyond[:, 1] > 4) & (beyond[:, 1] < HEIGHT - 4)
    assert middle.sum() > 20
    np.testing.assert_allclose(np.cross(away[middle], outward), 0, atol=1e-5)
    assert (away @ outward < -0.9).all()


def test_openings_are_not_cut_into_slabs(channel: tuple[Scheme, Conditions, Openings]) -> None:
    scheme, given, _ = channel
    with pytest.raises(ValueError, match="openings"):
        Slabs(scheme, tuple(jax.devices()[:1])).conditions(given)


def _copied(of: object) -> object:
    return tuple(map(jnp.array, of)) if isinstance(of, tuple) else jnp.array(of)
