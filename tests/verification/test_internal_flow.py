"""What flow through ducts loses, through the service, against what is known of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh
from numpy.typing import NDArray

import twin
from tests.verification.conftest import Told
from twin import select
from twin.studies import InletProfile

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

DIAMETER, SPEED, DENSITY = 0.01, 0.1, 1000.0
DYNAMIC = 0.5 * DENSITY * SPEED**2
UPRIGHT = np.eye(4)


def pipe(length: float) -> trimesh.Trimesh:
    return trimesh.creation.cylinder(radius=DIAMETER / 2, height=length * DIAMETER, sections=96)


def flow(
    client: twin.Client,
    folder: Path,
    solid: trimesh.Trimesh,
    reynolds: float,
    accuracy: float,
    seconds: float = 900,
    profile: InletProfile = "developed",
    turn: NDArray[np.float64] = UPRIGHT,
) -> twin.Result:
    """Through a solid from its lowest to its highest face along z, and then turned; velocity and Reynolds number are of
    the lowest.
    """
    (_, _, low), (_, _, high) = solid.bounds
    solid.copy().apply_transform(turn).export(folder / "duct.stl")
    ends = trimesh.transform_points([(0, 0, low), (0, 0, high)], turn)
    start, end = (select.plane(tuple(point), tuple(turn[:3, 2])) for point in ends)
    study = twin.InternalFlow(
        twin.Inlet(start, velocity=SPEED, profile=profile),
        twin.Outlet(end),
        twin.Fluid(DENSITY, DENSITY * SPEED * DIAMETER / reynolds),
    )
    part = client.upload(folder / "duct.stl", unit="m")
    return client.simulate(part, study, accuracy=accuracy, max_seconds=seconds).result()


@pytest.mark.parametrize("reynolds", [1.0, 100.0, 1000.0])
def test_a_pipe_loses_what_hagen_and_poiseuille_say(
    client: twin.Client, tmp_path: Path, told: Told, reynolds: float
) -> None:
    length = 6.0
    quantities = flow(client, tmp_path, pipe(length), reynolds, 0.05).quantities
    known = 64 / reynolds * length
    for name in ("pressure_drop", "total_pressure_drop"):
        value, error = quantities[name].value / DYNAMIC, quantities[name].error / DYNAMIC
        told(f"pipe, Re {reynolds:g}, {name}", "by accuracy", value, known, error)
        assert abs(value - known) <= error + 0.005 * known  # a circle of 96 sides
        assert error < 0.15 * max(known, 1)


def test_a_pipe_across_the_cells_loses_the_same(client: twin.Client, tmp_path: Path, told: Told) -> None:
    turn = trimesh.transformations.rotation_matrix(0.6, (1, 0.4, 0))
    found = flow(client, tmp_path, pipe(4), 50.0, 0.1, turn=turn).quantities["pressure_drop"]
    known = 64 / 50 * 4
    value, error = found.value / DYNAMIC, found.error / DYNAMIC
    told("pipe across the cells, Re 50", "by accuracy", value, known, error)
    assert abs(value - known) <= error + 0.005 * known
    assert error < 0.2 * known


@pytest.mark.parametrize(("reynolds", "length"), [(100.0, 6.0), (200.0, 15.0)])
def test_what_comes_in_uniformly_is_made_faster_in_the_middle(
    client: twin.Client, tmp_path: Path, told: Told, reynolds: float, length: float
) -> None:
    """It is developed at the end. That takes 1.2 + 38/Re by Chen 1973, J. Fluids Eng. 95:153."""
    found = flow(client, tmp_path, pipe(length), reynolds, 0.05, seconds=1800, profile="uniform")
    drop = found.quantities["pressure_drop"]
    known = 64 / reynolds * length + 1.2 + 38 / reynolds
    value, error = drop.value / DYNAMIC, drop.error / DYNAMIC
    told(f"pipe, Re {reynolds:g}, uniform inflow", "by accuracy", value, known, error)
    assert abs(value - known) <= error + 0.02 * known  # a fit, and a circle of 96 sides
    assert error < 0.15 * known
