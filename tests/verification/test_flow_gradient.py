"""Gradients of the drag of a sphere against what its size, its speed and its fluid have to do with each other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh

import twin
from tests.verification.conftest import Told

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

RADIUS, SPEED, REYNOLDS = 0.05, 2.0, 60.0


@pytest.fixture(scope="module")
def result(client: twin.Client, tmp_path_factory: pytest.TempPathFactory) -> twin.Result:
    """On the coarsest cells."""
    path = tmp_path_factory.mktemp("ball") / "ball.stl"
    trimesh.creation.icosphere(subdivisions=4, radius=RADIUS).export(path)
    study = twin.ExternalFlow(
        (SPEED, 0, 0), twin.Fluid(1.2, 1.2 * SPEED * 2 * RADIUS / REYNOLDS), up=(0, 1, 0)
    )
    return client.simulate(client.upload(path, unit="m"), study, max_unknowns=2_000_000).result()


def growth() -> float:
    """Of drag with speed, or with size: d log / d log, by the drag of Schiller & Naumann 1935."""
    beyond = 0.15 * REYNOLDS**0.687
    return 1 + 0.687 * beyond / (1 + beyond)


def test_speed_and_fluid(result: twin.Result, told: Told) -> None:
    drag = result.quantities["drag_force"].value
    by_speed = result.gradient("drag_force", wrt="loads")
    fluid = result.gradient("drag_force", wrt="material")
    assert by_speed.value == pytest.approx(drag, rel=0.01)
    speed = float(by_speed["speed"].values) * SPEED / drag
    viscosity = float(fluid["viscosity"].values) * 1.2 * SPEED * 2 * RADIUS / REYNOLDS / drag
    density = float(fluid["density"].values) * 1.2 / drag
    told("sphere, Re 60, growth of drag with speed", "10 the root of the area", speed, growth())
    assert speed == pytest.approx(growth(), rel=0.1)
    told("the same, with speed and with viscosity", "10 the root of the area", speed + viscosity, 2.0)
    assert speed + viscosity == pytest.approx(2, rel=0.08)  # by dimensions, were it settled for good
    assert density + viscosity == pytest.approx(1, rel=0.01)


def test_shape(result: twin.Result, told: Told) -> None:
    drag = result.quantities["drag_force"].value
    found = result.gradient("drag_force", wrt="shape")
    vertices = np.asarray(result.mesh.surface_vertices)
    by_vertices = found["vertices"].values
    assert by_vertices.shape == vertices.shape
    size = float((by_vertices * vertices).sum()) / drag
    told("sphere, Re 60, growth of drag with size", "10 the root of the area", size, growth())
    assert size == pytest.approx(growth(), rel=0.3)  # cells that become solid are left out
    # moved as a whole it is dragged alike
    assert np.abs(by_vertices.sum(axis=0)).max() * RADIUS < 0.05 * drag


def test_what_is_turbulent_has_none(client: twin.Client, tmp_path: Path) -> None:
    trimesh.creation.icosphere(subdivisions=3, radius=RADIUS).export(tmp_path / "ball.stl")
    study = twin.ExternalFlow((SPEED, 0, 0))
    part = client.upload(tmp_path / "ball.stl", unit="m")
    answered = client.simulate(part, study, accuracy=0.5, max_unknowns=2_000_000).result()
    with pytest.raises(twin.errors.StudyError, match="turbulent"):
        answered.gradient("drag_force", wrt="loads")
