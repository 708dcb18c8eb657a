"""A part in a box of cells: turned into the flow, as large as it is, with units that are worth what they should be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh

import twin
from twin.analyses.external_flow.tunnel import cells, setting, tunnel
from twin.errors import GeometryError
from twin.geometry.parse import parse
from twin.geometry.surface import Surface

RADIUS = 0.05
SPEED, REYNOLDS = 3.0, 200.0


@pytest.fixture
def ball(tmp_path: Path) -> Surface:
    path = tmp_path / "ball.stl"
    solid = trimesh.creation.icosphere(subdivisions=4, radius=RADIUS)
    solid.apply_translation([0.3, 0.2, 0.1])
    solid.export(path)
    return parse(path, "m", path.name)[0]


def study(**others: object) -> twin.ExternalFlow:
    fluid = twin.Fluid(1.2, 1.2 * SPEED * 2 * RADIUS / REYNOLDS)
    return twin.ExternalFlow((0, -SPEED, 0), fluid, **others)  # type: ignore[arg-type]


def test_a_part_is_turned_into_the_flow(ball: Surface) -> None:
    placed = setting(ball, study(up=(0, 1, 2)))
    np.testing.assert_allclose(placed.axes, [[0, -1, 0], [1, 0, 0], [0, 0, 1]], atol=1e-12)
    np.testing.assert_allclose(placed.surface.vertices.mean(axis=0), (-0.2, 0.3, 0.1), atol=1e-3)
    assert placed.area == pytest.approx(np.pi * RADIUS**2, rel=0.005)
    assert placed.length == pytest.approx(2 * RADIUS, rel=0.01)
    assert placed.reynolds_number == pytest.approx(REYNOLDS * np.sqrt(np.pi) / 2, rel=0.005)


def test_cells_are_inside_where_the_part_is_and_walls_are_on_it(ball: Surface) -> None:
    made = tunnel(setting(ball, study()), 6.0)
    spacing = made.scales.length
    assert made.solid.shape == made.scheme.grid.shape
    assert cells(made.setting, 6.0) == made.solid.size
    assert made.solid.sum() * spacing**3 == pytest.approx(4 / 3 * np.pi * RADIUS**3, rel=0.1)
    middle = made.origin + spacing * np.argwhere(made.solid).mean(axis=0)
    np.testing.assert_allclose(middle, made.setting.surface.vertices.mean(axis=0), atol=0.1 * spacing)
    on_body = np.asarray(made.walls.body).any(axis=0)
    away = np.linalg.norm(made.touched[on_body] - made.setting.surface.vertices.mean(axis=0), axis=1)
    np.testing.assert_allclose(away, RADIUS, atol=0.2 * spacing)
    assert made.unresolved == 0


def test_no_cell_is_shut_in_where_faces_go_through_the_middle_of_cells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twin.analyses.external_flow.tunnel._ASIDE", 0.0)
    trimesh.creation.box((0.1, 0.1, 0.1)).export(tmp_path / "box.stl")
    surface, _ = parse(tmp_path / "box.stl", "m", "box.stl")
    made = tunnel(setting(surface, study()), 9.0)  # 2.5 times 9 cells ahead: 22 and a half
    assert made.solid.sum() == 10**3
    distances = np.asarray(made.walls.distances)
    along = [i for i, c in enumerate(made.scheme.velocities.directions) if np.abs(c).sum() == 1]
    assert ((distances[along] > 0).sum(axis=0) <= 1).all()


def test_a_lattice_has_the_reynolds_number_and_the_speed_of_the_study(ball: Surface) -> None:
    made = tunnel(setting(ball, study()), 6.0)
    diameter = 2 * RADIUS / made.scales.length
    assert made.speed * diameter / float(made.given.viscosity) == pytest.approx(REYNOLDS, rel=1e-5)
    assert made.speed * made.scales.speed == pytest.approx(SPEED)
    assert 0.5 * made.speed**2 * made.scales.pressure == pytest.approx(0.5 * 1.2 * SPEED**2)


def test_the_ground_is_where_it_was_asked_for(ball: Surface) -> None:
    made = tunnel(setting(ball, study(ground=twin.Ground("20 mm"))), 6.0)
    assert made.origin[2] - 0.5 * made.scales.length == pytest.approx(0.02)
    under = tunnel(setting(ball, study(ground=twin.Ground())), 6.0)
    assert under.origin[2] - 0.5 * under.scales.length == pytest.approx(0.05, abs=1e-9)
    with pytest.raises(GeometryError, match="under the ground"):
        setting(ball, study(ground=twin.Ground("1 m")))
