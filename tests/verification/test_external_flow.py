"""Drag of bodies in the tunnel of the service, against what is known of them (VERIFICATION.md)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh

import twin

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

RADIUS, SPEED = 0.05, 2.0


def drag(
    client: twin.Client,
    folder: Path,
    reynolds: float,
    wind: tuple[float, float, float],
    at: tuple[float, float, float],
) -> twin.Quantity:
    solid = trimesh.creation.icosphere(subdivisions=4, radius=RADIUS)
    solid.apply_translation(at)
    path = folder / "ball.stl"
    solid.export(path)
    fluid = twin.Fluid(1.2, 1.2 * SPEED * 2 * RADIUS / reynolds)
    velocity = SPEED * np.array(wind) / np.linalg.norm(wind)
    study = twin.ExternalFlow(tuple(velocity), fluid, up=(0, 1, 0), reference_area=np.pi * RADIUS**2)
    run = client.simulate(client.upload(path, unit="m"), study, accuracy=0.05, max_seconds=600)
    return run.result(timeout=1200).quantities["drag_coefficient"]


@pytest.mark.parametrize(("reynolds", "known"), [(50.0, 1.57), (100.0, 1.087)])
def test_the_bound_holds_what_is_known_of_a_sphere(
    client: twin.Client, tmp_path: Path, reynolds: float, known: float
) -> None:
    """Johnson & Patel 1999."""
    found = drag(client, tmp_path, reynolds, (1, 0, 0), (0, 0, 0))
    assert abs(found.value - known) <= found.error
    assert found.error < 0.5 * known


def test_neither_the_place_of_a_sphere_nor_the_direction_of_the_flow_matters(
    client: twin.Client, tmp_path: Path
) -> None:
    one = drag(client, tmp_path, 60.0, (1, 0, 0), (0, 0, 0))
    other = drag(client, tmp_path, 60.0, (1, 0, -2), (0.3, 0.1, -0.2))
    assert other.value == pytest.approx(one.value, rel=0.02)
