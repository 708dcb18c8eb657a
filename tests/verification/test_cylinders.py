"""Cylinders in a channel: Schaefer & Turek 1996, values by FeatFlow (VERIFICATION.md)."""

from __future__ import annotations

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
import pytest
from numpy.typing import NDArray

from solvers.lattice_boltzmann import flow
from solvers.lattice_boltzmann.flow import conditions
from solvers.lattice_boltzmann.grid import Grid, Kind
from solvers.lattice_boltzmann.scheme import Scheme
from solvers.lattice_boltzmann.velocities import D3Q19
from solvers.lattice_boltzmann.walls import walls
from tests.solvers.lattice_boltzmann.bodies import ball
from tests.verification.conftest import Told

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

EVERY = 0.1  # diameters that the mean flow passes between two looks at the force


@dataclass(frozen=True, eq=False)
class Flown:
    """Drag and lift coefficients over time (n, 2); pressure at the front of the cylinder above that at its back, at the
    end, over density times the square of the mean velocity.
    """

    forces: NDArray[np.float64]
    pressure_difference: float


def flown(across: int, reynolds: float, passed: float, *, deep: bool = False, fastest: float = 0.06) -> Flown:
    """Until the mean flow has passed so many diameters.

    across: cells of a diameter; deep: between walls along the cylinder too, as far apart as the others
    """
    height, length, before = 41 * across // 10, (25 if deep else 22) * across, (5 if deep else 2) * across
    depth: tuple[Kind, Kind] = ("wall", "wall") if deep else ("periodic", "periodic")
    grid = Grid((length, height, height if deep else 1), ("velocity", "pressure", "wall", "wall", *depth))
    scheme = Scheme(grid)
    # the inlet is in the ghosts, at -1, and a wall at -0.5
    solid, links = ball(D3Q19, grid.shape, (before - 1.0, 2 * across - 0.5, 0.0), across / 2, axes=(0, 1))
    place = (np.arange(grid.padded[1]) - 0.5) / height
    parabola = 4 * place * (1 - place)
    profile = np.zeros((3, *grid.padded[1:]))
    profile[0] = fastest * (np.outer(parabola, parabola) if deep else parabola[:, None])
    mean = fastest * (4 / 9 if deep else 2 / 3)
    given = conditions(scheme, mean * across / reynolds, walls(grid, D3Q19, solid, links), inflow=profile)
    rest = jnp.zeros(grid.shape, jnp.float32)
    inside = jnp.broadcast_to(jnp.asarray(profile[:, None, 1:-1, 1:-1], jnp.float32), (3, *grid.shape))
    state = flow.begun(scheme, given, rest, inside)
    steps = round(EVERY * across / mean / scheme.steps)
    unit = 0.5 * mean**2 * across * grid.shape[2]
    found = []
    for _ in range(round(passed / EVERY)):
        state = flow.advance(scheme, given, state, steps)
        found.append(np.asarray(flow.exchanged(scheme, given, state))[:2].sum(axis=1) / unit)
    density = np.asarray(flow.macroscopic(scheme, given, state).density)[:, 2 * across - 1 : 2 * across + 1]
    middle = density.mean(axis=1)[:, grid.shape[2] // 2]
    front, back = before - 1 - across // 2, before - 1 + across // 2
    ahead, behind = (2 * middle[at + by] - middle[at + 2 * by] for at, by in ((front, -1), (back, 1)))
    return Flown(np.array(found), float(ahead - behind) / 3 / mean**2)


def test_2d_1(told: Told) -> None:
    found = flown(20, 20, 60)
    drag, lift = found.forces[-1]
    told("cylinder 2D-1, drag", "20 a diameter", drag, 5.57953523384)
    told("cylinder 2D-1, lift", "20 a diameter", lift, 0.010618948146)
    told(
        "cylinder 2D-1, pressure difference", "20 a diameter", found.pressure_difference, 0.11752016697 / 0.04
    )
    assert drag == pytest.approx(5.57953523384, rel=0.02)
    assert lift == pytest.approx(0.010618948146, rel=0.1)
    assert found.pressure_difference == pytest.approx(0.11752016697 / 0.04, rel=0.02)


def test_2d_2(told: Told) -> None:
    drag, lift = flown(24, 100, 120).forces[-300:].T  # nine periods
    up = np.flatnonzero((lift[:-1] < 0) & (lift[1:] >= 0))
    crossings = up - lift[up] / (lift[up + 1] - lift[up])
    numbers = {
        "largest drag": (drag.max(), 3.227393, 0.02),
        "least drag": (drag.min(), 3.164263, 0.02),
        "largest lift": (lift.max(), 0.986571, 0.05),
        "lift, peak to peak": (np.ptp(lift), 2.007871, 0.05),
        "Strouhal number": (1 / (EVERY * np.diff(crossings).mean()), 0.301841, 0.02),
    }
    for what, (value, known, _) in numbers.items():
        told(f"cylinder 2D-2, {what}", "24 a diameter", value, known)
    for value, known, off in numbers.values():
        assert value == pytest.approx(known, rel=off)


def test_3d_1z(told: Told) -> None:
    """On 20 cells it would take two cores three hours."""
    drags = {}
    for across in (8, 12):
        found = flown(across, 20, 30, deep=True, fastest=0.1)
        drag, lift = found.forces[-1]
        drags[across] = drag
        told("cylinder 3D-1Z, drag", f"{across} a diameter", drag, 6.18533)
        told("cylinder 3D-1Z, lift", f"{across} a diameter", lift, 0.009401)
        told(
            "cylinder 3D-1Z, pressure difference",
            f"{across} a diameter",
            found.pressure_difference,
            0.17 / 0.04,
        )
    off = {across: abs(drag - 6.18533) for across, drag in drags.items()}
    assert off[12] < 0.06 * 6.18533
    assert off[12] < off[8]
    assert lift == pytest.approx(0.009401, rel=0.3)
    assert found.pressure_difference == pytest.approx(0.17 / 0.04, rel=0.06)
