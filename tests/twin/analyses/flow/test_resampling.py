"""A flow that goes on on other cells."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import trimesh
from numpy.typing import NDArray

import twin
from solvers.lattice_boltzmann import flow
from twin.analyses.external_flow.setting import setting
from twin.analyses.external_flow.tunnel import tunnel
from twin.analyses.flow.lattice import Box
from twin.analyses.flow.resampling import resampled
from twin.analyses.flow.simulation import Means, Simulation
from twin.geometry.parse import parse

SPEED, DENSITY, RADIUS = 2.0, 1.2, 0.05


def centres(box: Box) -> NDArray[np.float64]:
    """Of cells (3, x, y, z) [m]."""
    axes = [
        begin + box.spacing * np.arange(count)
        for begin, count in zip(box.origin, box.grid.shape, strict=True)
    ]
    return np.stack(np.meshgrid(*axes, indexing="ij"))


def fields(box: Box) -> NDArray[np.float64]:
    """Pressure [Pa] and velocity [m/s] (4, x, y, z) that are linear, so that nothing is lost between cells."""
    x, y, z = centres(box)
    return np.stack([0.1 * x - 0.05 * z, SPEED + 0.1 * y, 0.2 * z - 0.1 * x, 0.05 * x + 0.1 * y])


def test_fields_are_the_same_on_other_cells(tmp_path: Path) -> None:
    trimesh.creation.icosphere(subdivisions=3, radius=RADIUS).export(tmp_path / "ball.stl")
    surface, _ = parse(tmp_path / "ball.stl", "m", "ball.stl")
    placed = setting(surface, twin.ExternalFlow((SPEED, 0, 0), twin.Fluid(DENSITY, 0.004)))
    coarse, fine = tunnel(placed, 6), tunnel(placed, 8, continued=True)
    means = []
    for box in coarse.boxes:
        pressure, *velocity = fields(box)
        means.append(
            Means(
                pressure / coarse.scales.pressure,
                np.stack(velocity) / coarse.scales.speed,
                np.zeros(box.grid.shape),
                np.zeros(box.grid.shape),
            )
        )
    means[-1].velocity[:, coarse.solid] = 0
    means[-1].pressure[coarse.solid] = 1.0  # nothing is known there
    numbers = np.zeros((1, 6))
    found = Simulation(coarse, numbers, 1, 0, np.zeros_like(coarse.touched), tuple(means), True, True, 1.0)
    states = resampled(found, fine)
    for box, scheme, given, state in zip(fine.boxes, fine.schemes, fine.conditions, states, strict=True):
        there = flow.macroscopic(scheme, given, state)
        pressure = np.asarray(there.density) / 3 * fine.scales.pressure
        velocity = np.asarray(there.velocity) * fine.scales.speed
        # beside the part there was none of it to look at, and the outermost cells lie beyond those that there were
        far = np.linalg.norm(centres(box), axis=0) > RADIUS + 2.5 * coarse.scales.length
        inner = np.zeros_like(far)
        inner[(slice(2, -2),) * 3] = far[(slice(2, -2),) * 3]
        assert inner.mean() > 0.3
        known = fields(box)
        np.testing.assert_allclose(pressure[inner], known[0][inner], atol=1e-4)
        np.testing.assert_allclose(velocity[:, inner], known[1:, inner], atol=2e-5 * SPEED)
