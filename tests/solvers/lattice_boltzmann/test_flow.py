"""Flow in a box against analytic solutions, conservation laws, and itself computed in another way."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import jax.numpy as jnp
import numpy as np
import pytest

from solvers.lattice_boltzmann import flow
from solvers.lattice_boltzmann.flow import conditions
from solvers.lattice_boltzmann.grid import Grid, Kind
from solvers.lattice_boltzmann.scheme import Scheme
from solvers.lattice_boltzmann.velocities import D3Q19, D3Q27, VelocitySet
from solvers.lattice_boltzmann.walls import none, walls

CLOSED: tuple[Kind, ...] = ("wall",) * 6
TUNNEL: tuple[Kind, ...] = ("velocity", "pressure", "slip", "slip", "wall", "slip")


def random_fields(grid: Grid, seed: int = 0) -> tuple[jnp.ndarray, jnp.ndarray]:
    random = np.random.default_rng(seed)
    density, velocity = random.normal(size=grid.shape), random.normal(size=(3, *grid.shape))
    return jnp.asarray(0.01 * density, jnp.float32), jnp.asarray(0.02 * velocity, jnp.float32)


@pytest.mark.parametrize(
    ("velocities", "faces"),
    [
        pytest.param(D3Q19, ("periodic",) * 6, marks=pytest.mark.slow),
        (D3Q19, TUNNEL),
        pytest.param(D3Q27, TUNNEL, marks=pytest.mark.slow),
    ],
    ids=["D3Q19-periodic", "D3Q19-tunnel", "D3Q27-tunnel"],
)
def test_pulled_by_index_and_by_slices_flow_is_the_same(
    velocities: VelocitySet, faces: tuple[Kind, ...]
) -> None:
    grid = Grid((8, 7, 6), faces)  # type: ignore[arg-type]
    scheme = Scheme(grid, velocities)
    body = np.zeros(grid.shape, bool)
    body[3:5, 3:5, 2:4] = True
    given = conditions(
        scheme,
        0.01,
        walls(grid, velocities, body, sides={4: (0.03, 0, 0)}),
        force=(1e-4, 2e-5, 0),
        inflow=(0.05, 0, 0),
        absorbing=[np.linspace(0, 0.01, count) for count in grid.shape],
    )
    found = []
    for each in (scheme, replace(scheme, fused=True)):
        after = flow.advance(each, given, flow.begun(scheme, given, *random_fields(grid)), 3)
        found.append(flow.macroscopic(scheme, given, after))
    assert float(jnp.abs(found[0].velocity).max()) > 0.01
    np.testing.assert_allclose(found[0].velocity, found[1].velocity, atol=1e-7)
    np.testing.assert_allclose(found[0].density, found[1].density, atol=1e-7)


def vortices_error(count: int, storage: Literal["float32", "float16"] = "float32") -> float:
    """Relative, of Taylor-Green vortices after their velocity has fallen to 0.6, at a fixed Reynolds number."""
    grid, viscosity, fastest = Grid((count, count, 1)), 0.05, 0.64 / count
    scheme = Scheme(grid, storage=storage)
    along = (np.arange(count) + 0.5) * 2 * np.pi / count
    x, y = (each[..., None] for each in np.meshgrid(along, along, indexing="ij"))
    u, v = fastest * np.cos(x) * np.sin(y), -fastest * np.sin(x) * np.cos(y)
    density = -0.75 * fastest**2 * (np.cos(2 * x) + np.cos(2 * y))
    given = conditions(scheme, viscosity, none(grid, D3Q19))
    rate = 2 * viscosity * (2 * np.pi / count) ** 2
    pairs = round(0.25 / rate)
    begun = flow.begun(
        scheme, given, jnp.asarray(density, jnp.float32), jnp.asarray([u, v, 0 * u], jnp.float32)
    )
    found = flow.macroscopic(scheme, given, flow.advance(scheme, given, begun, pairs)).velocity[0]
    exact = u * np.exp(-rate * 2 * pairs)
    return float(np.linalg.norm(found - exact) / np.linalg.norm(exact))


def test_vortices_decay_as_they_should_with_second_order() -> None:
    """Taylor & Green 1937."""
    coarse, middle, fine = (vortices_error(count) for count in (16, 32, 64))
    assert fine < 0.002
    assert np.log2(coarse / middle) > 1.9
    assert np.log2(middle / fine) > 1.9


def test_between_halfway_walls_a_parabola_is_exact() -> None:
    """With two relaxation times at the magic parameter, whatever the resolution."""
    count, push, viscosity = 6, 1e-5, 0.1
    grid = Grid((1, count, 1), ("periodic", "periodic", "wall", "wall", "periodic", "periodic"))
    scheme = Scheme(grid, collision="two relaxation times")
    given = conditions(scheme, viscosity, walls(grid, D3Q19, np.zeros(grid.shape, bool)), force=(push, 0, 0))
    found = flow.macroscopic(
        scheme, given, flow.advance(scheme, given, flow.at_rest(scheme, given), 2000)
    ).velocity
    height = np.arange(count) + 0.5
    np.testing.assert_allclose(
        found[0, 0, :, 0], push / (2 * viscosity) * height * (count - height), rtol=2e-5
    )


def test_a_closed_box_keeps_its_mass() -> None:
    grid = Grid((9, 8, 7), CLOSED)  # type: ignore[arg-type]
    scheme = Scheme(grid)
    given = conditions(scheme, 0.02, walls(grid, D3Q19, np.zeros(grid.shape, bool)))
    density, velocity = random_fields(grid)
    begun = flow.begun(scheme, given, density - density.mean(), velocity)
    found = flow.macroscopic(scheme, given, flow.advance(scheme, given, begun, 500))
    assert abs(float(jnp.asarray(found.density, jnp.float32).sum())) < 1e-5  # of 504
    assert float((found.velocity**2).sum()) < 0.01 * float((velocity**2).sum())


@pytest.mark.parametrize("velocities", [D3Q19, D3Q27], ids=["D3Q19", "D3Q27"])
def test_a_wind_that_blows_across_changes_little(velocities: VelocitySet) -> None:
    """Galilean invariance, up to the square of the wind: third moments along one axis are no more than first ones."""
    count, viscosity, fastest = 32, 0.02, 0.01
    grid = Grid((count, count, 1))
    scheme = Scheme(grid, velocities)
    given = conditions(scheme, viscosity, none(grid, velocities))
    along = (np.arange(count) + 0.5) * 2 * np.pi / count
    x, y = (each[..., None] for each in np.meshgrid(along, along, indexing="ij"))
    u, v = fastest * np.cos(x) * np.sin(y), -fastest * np.sin(x) * np.cos(y)
    zero = jnp.zeros(grid.shape, jnp.float32)

    def left(wind: float) -> float:
        begun = flow.begun(scheme, given, zero, jnp.asarray([u + wind, v, 0 * u], jnp.float32))
        found = flow.macroscopic(scheme, given, flow.advance(scheme, given, begun, 160)).velocity
        return float(jnp.sqrt(((found[0] - wind) ** 2).sum()))

    still = left(0.0)
    assert still < 0.7 * np.linalg.norm(u)
    assert left(0.05) == pytest.approx(still, rel=0.004)
    assert left(0.1) == pytest.approx(still, rel=0.015)


@pytest.mark.parametrize(
    "velocities", [D3Q19, pytest.param(D3Q27, marks=pytest.mark.slow)], ids=["D3Q19", "D3Q27"]
)
@pytest.mark.parametrize("beside", ["periodic", "wall"])
def test_in_a_wind_of_next_to_no_viscosity_disturbances_do_not_grow(
    velocities: VelocitySet, beside: Kind
) -> None:
    """Nor along walls that move with it."""
    wind = (0.05, 0.0, 0.0)
    grid = Grid((12, 12, 12), (*("periodic",) * 4, beside, beside))  # type: ignore[arg-type]
    scheme = Scheme(grid, velocities)
    nothing = np.zeros(grid.shape, bool)
    given = conditions(scheme, 2e-6, walls(grid, velocities, nothing, sides={4: wind, 5: wind}))
    blown = np.array(wind)[:, None, None, None]
    stirred = blown + 1e-6 * np.random.default_rng(0).normal(size=(3, *grid.shape))
    state = flow.begun(scheme, given, jnp.zeros(grid.shape, jnp.float32), jnp.asarray(stirred, jnp.float32))
    found = flow.macroscopic(scheme, given, flow.advance(scheme, given, state, 150)).velocity
    assert float(jnp.abs(found - blown).max()) < 4e-6


def test_sides_that_are_periodic_come_in_pairs() -> None:
    with pytest.raises(ValueError, match="along y"):
        Grid((4, 4, 4), ("wall", "wall", "periodic", "wall", "wall", "wall"))
