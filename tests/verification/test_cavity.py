"""Flow in a box under a lid that moves (VERIFICATION.md)."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from solvers.lattice_boltzmann import flow
from solvers.lattice_boltzmann.flow import conditions
from solvers.lattice_boltzmann.grid import Grid
from solvers.lattice_boltzmann.scheme import Scheme
from solvers.lattice_boltzmann.velocities import D3Q19
from solvers.lattice_boltzmann.walls import walls
from tests.verification.conftest import Told


def extreme(values: NDArray[np.float64]) -> float:
    """The lowest value of a parabola through the lowest one and its neighbours."""
    place = int(values.argmin())
    before, here, after = values[place - 1 : place + 2]
    return float(here - (before - after) ** 2 / (8 * (before - 2 * here + after)))


def cavity(count: int, reynolds: float, crossings: int, speed: float = 0.1) -> tuple[float, float, float]:
    """Lowest velocity along the vertical centreline, highest and lowest across the horizontal one, of the lid's."""
    grid = Grid((count, count, 1), ("wall", "wall", "wall", "wall", "periodic", "periodic"))
    scheme = Scheme(grid)
    box = walls(grid, D3Q19, np.zeros(grid.shape, bool), sides={3: (speed, 0, 0)})
    given = conditions(scheme, speed * count / reynolds, box)
    state = flow.advance(scheme, given, flow.at_rest(scheme, given), round(crossings * count / speed / 2))
    u, v, _ = np.asarray(flow.macroscopic(scheme, given, state).velocity[..., 0], float) / speed
    middle = slice(count // 2 - 1, count // 2 + 1)  # between two cells
    return (
        extreme(u[middle].mean(axis=0)),
        -extreme(-v[:, middle].mean(axis=1)),
        extreme(v[:, middle].mean(axis=1)),
    )


def check(told: Told, count: int, reynolds: float, crossings: int, known: tuple[float, ...]) -> None:
    found = cavity(count, reynolds, crossings)
    for what, one, other in zip(("lowest u", "highest v", "lowest v"), found, known, strict=True):
        told(f"cavity, Re {reynolds:g}, {what}", f"{count}^2", one, other)
    assert found == pytest.approx(known, rel=0.01)


def test_cavity_at_100(told: Told) -> None:
    """Marchi et al. 2009."""
    check(told, 48, 100, 16, (-0.21404, 0.17957, -0.25380))


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_cavity_at_1000(told: Told) -> None:
    """Botella & Peyret 1998."""
    check(told, 160, 1000, 80, (-0.3885698, 0.3769447, -0.5270771))
