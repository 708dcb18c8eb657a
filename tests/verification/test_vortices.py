"""Vortices that break up: Taylor-Green at a Reynolds number of 1600 against spectral data (VERIFICATION.md)."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

from solvers.lattice_boltzmann import flow
from solvers.lattice_boltzmann.grid import Grid
from solvers.lattice_boltzmann.scheme import Scheme
from solvers.lattice_boltzmann.velocities import D3Q27
from solvers.lattice_boltzmann.walls import none
from tests.verification.conftest import Told

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

ENERGY, DISSIPATION = 0.08679, 0.0128575  # at the time 8.97, when it dissipates most: Nek5000, 512^3
REYNOLDS, FASTEST, PEAK = 1600.0, 0.1, 8.97
FINE = 128  # cells: what two cores do in half an hour


def energies(count: int, *, turbulent: bool = False) -> tuple[float, float, float]:
    """At the peak the energy and how fast it falls, both in units of the fastest velocity and the length; and when that
    is fastest.

    count: cells along each side of the box, of two pi lengths; turbulent: with eddies smaller than cells modelled
    """
    grid = Grid((count, count, count))
    length = count / (2 * np.pi)
    scheme = Scheme(grid, D3Q27, turbulent=turbulent)
    x, y, z = np.meshgrid(*[(np.arange(count) + 0.5) / length] * 3, indexing="ij")
    u = np.sin(x) * np.cos(y) * np.cos(z)
    v = -np.cos(x) * np.sin(y) * np.cos(z)
    pressure = (np.cos(2 * x) + np.cos(2 * y)) * (np.cos(2 * z) + 2) / 16
    given = flow.conditions(scheme, FASTEST * length / REYNOLDS, none(grid, D3Q27))
    state = flow.begun(
        scheme,
        given,
        jnp.asarray(3 * FASTEST**2 * pressure, jnp.float32),
        jnp.asarray(FASTEST * np.stack([u, v, 0 * u]), jnp.float32),
    )
    times, values = [0.0], [0.125]
    while times[-1] < 1.1 * PEAK:
        often = max(round(0.1 * length / FASTEST / scheme.steps), 1)
        state = flow.advance(scheme, given, state, often)
        velocity = np.asarray(flow.macroscopic(scheme, given, state).velocity, float) / FASTEST
        times.append(times[-1] + often * scheme.steps * FASTEST / length)
        values.append(0.5 * (velocity**2).sum(axis=0).mean())
    falls = -np.gradient(values, times)
    smooth = np.convolve(falls, np.ones(5) / 5, mode="same")
    latest = int(smooth[:-4].argmax())
    return float(np.interp(PEAK, times, values)), float(np.interp(PEAK, times, falls)), times[latest]


def test_energy_falls_as_it_should(told: Told) -> None:
    coarse, fine = energies(64), energies(FINE)
    for count, (energy, dissipation, peak) in ((64, coarse), (FINE, fine)):
        told("Taylor-Green, Re 1600, energy", f"{count}^3", energy, ENERGY)
        told("Taylor-Green, Re 1600, dissipation", f"{count}^3", dissipation, DISSIPATION)
        told("Taylor-Green, Re 1600, time of the peak", f"{count}^3", peak, PEAK)
    assert fine[0] == pytest.approx(ENERGY, rel=0.03)
    assert fine[1] == pytest.approx(DISSIPATION, rel=0.1)
    assert fine[2] == pytest.approx(PEAK, abs=0.4)
    assert abs(fine[0] - ENERGY) < abs(coarse[0] - ENERGY)
