"""A part in a wind tunnel, all the way: question, forces that stream, answer, picture, report, files."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import pyvista
import trimesh

import twin

RADIUS, SPEED, REYNOLDS = 0.05, 2.0, 100.0
DRAG = 1.087
"""Coefficient at this Reynolds number: Johnson & Patel 1999, J. Fluid Mech. 378:19."""


@pytest.fixture(scope="module")
def ball(client: twin.Client, tmp_path_factory: pytest.TempPathFactory) -> twin.Part:
    path = tmp_path_factory.mktemp("ball") / "ball.stl"
    solid = trimesh.creation.icosphere(subdivisions=4, radius=1e3 * RADIUS)
    solid.apply_translation([100.0, 0.0, 0.0])
    solid.export(path)
    return client.upload(path, unit="mm")


FLUID = twin.Fluid(1.2, 1.2 * SPEED * 2 * RADIUS / REYNOLDS, name="thick air")
STUDY = twin.ExternalFlow(
    (0, SPEED, 0), FLUID, reference_length=2 * RADIUS, reference_point=(0.1 - RADIUS, 0, 0)
)


@pytest.fixture(scope="module")
def answered(client: twin.Client, ball: twin.Part) -> tuple[list[twin.Update], twin.Result]:
    """Of the coarsest tunnel alone: a finer one has more unknowns than are allowed."""
    run = client.simulate(ball, STUDY, accuracy=0.1, max_unknowns=2_000_000)
    return list(run.watch()), run.result()


def test_forces_stream_while_it_runs(answered: tuple[list[twin.Update], twin.Result]) -> None:
    updates, result = answered
    told = [update for update in updates if "drag" in update.message]
    assert len(told) > 10
    assert all(re.search(r"drag -?[\d.]+ m?N, lift .*N, side force .*N", each.message) for each in told)
    assert all(each.numbers.keys() == {"drag_force", "lift_force", "side_force"} for each in told)
    assert told[-1].numbers["drag_force"] == pytest.approx(result.quantities["drag_force"].value, rel=0.02)


def test_a_coarse_answer_is_near_and_says_how_little_it_knows(
    answered: tuple[list[twin.Update], twin.Result],
) -> None:
    _, result = answered
    numbers = result.quantities
    assert numbers["drag_coefficient"].value == pytest.approx(DRAG, rel=0.1)
    pressure = 0.5 * FLUID.density * SPEED**2
    area = numbers["reference_area"].value
    assert area == pytest.approx(np.pi * RADIUS**2, rel=0.01)
    assert numbers["drag_force"].value == pytest.approx(numbers["drag_coefficient"].value * pressure * area)
    assert numbers["reynolds_number"].value == pytest.approx(REYNOLDS)
    for name in ("lift_coefficient", "side_coefficient"):
        assert abs(numbers[name].value) < 0.001
    # of a force through the middle of the ball, a radius from the point that the moment is about
    drag, moment = numbers["drag_force"].value, numbers["moment"].value
    np.testing.assert_allclose(moment, (0, 0, RADIUS * drag), atol=0.005 * drag)
    assert "about (" in numbers["moment"].note
    assert np.isinf(numbers["drag_force"].error)
    assert result.ended == "max_unknowns"
    assert any("not shown to be met" in line for line in result.warnings)


def test_pressure_is_high_in_front_and_friction_goes_with_the_flow(
    answered: tuple[list[twin.Update], twin.Result],
) -> None:
    _, result = answered
    mesh = result.mesh
    towards = (mesh.points - (0.1, 0, 0)) @ (0, -1, 0) / RADIUS
    pressure = result.fields["pressure_coefficient"].values[:, 0]
    assert pressure[towards > 0.95].mean() == pytest.approx(1.0, abs=0.2)
    assert pressure[np.abs(towards) < 0.2].mean() < -0.2
    friction = result.fields["wall_shear_stress"].values
    assert friction[(towards > 0.2) & (towards < 0.7), 1].min() > 0
    assert result.surface_fields["pressure"].values.shape == (len(mesh.surface_vertices), 1)


def test_it_is_drawn_reported_and_saved(
    answered: tuple[list[twin.Update], twin.Result], tmp_path: Path
) -> None:
    _, result = answered
    assert result.plot(tmp_path / "flow.png").stat().st_size > 20_000
    report = result.report(tmp_path / "flow.html").read_text(encoding="utf-8")
    for words in ("External flow", "thick air", "Drag coefficient", "Blockage"):
        assert words in report
    for suffix in (".vtu", ".npz", ".csv", ".glb"):
        assert result.save(tmp_path / f"flow{suffix}").stat().st_size > 500


def test_the_fluid_round_it_is_known_too(
    answered: tuple[list[twin.Update], twin.Result], tmp_path: Path
) -> None:
    _, result = answered
    blocks = pyvista.read(result.save(tmp_path / "flow.vtm"))
    assert [block.n_cells for block in blocks] == [np.prod(grid.shape) for grid in result.grids]
    far = result.grids[0].fields["velocity"].values.mean(axis=0)
    np.testing.assert_allclose(far, (0, SPEED, 0), atol=0.05 * SPEED)
    at = pyvista.PolyData([[0.1, 1.2 * RADIUS, 0], [0.1, -1.02 * RADIUS, 0], [0.1, 0, 0]]).sample(blocks[-1])
    assert at["velocity"][0, 1] < 0.2 * SPEED  # behind it
    assert at["pressure"][1] == pytest.approx(0.5 * FLUID.density * SPEED**2, rel=0.25)  # in front
    assert at["solid"].tolist() == [0, 0, 1]
    fluctuations = (
        result.grids[-1].fields[f"{name}_fluctuation"].values for name in ("velocity", "pressure")
    )
    for found, unit in zip(fluctuations, (SPEED, 0.5 * FLUID.density * SPEED**2), strict=True):
        assert 0 < found.max() < 0.2 * unit  # it is steady


@pytest.mark.parametrize(
    ("study", "options", "said"),
    [
        (twin.ExternalFlow((1e-9, 0, 0)), {}, "Reynolds number"),
        (STUDY, {"max_unknowns": 1000}, "Allow more by max_unknowns"),
        (STUDY, {"quantities": ("mass",)}, "no quantity 'mass'"),
        (STUDY, {"discretisation": "tet"}, "on a grid"),
        (STUDY, {"method": "surrogate"}, "surrogate"),
        (STUDY, {"max_seconds": 0.5}, "too short"),
    ],
)
def test_what_can_not_be_answered_is_said(
    client: twin.Client, ball: twin.Part, study: twin.ExternalFlow, options: dict[str, object], said: str
) -> None:
    with pytest.raises(twin.TwinError, match=said):
        client.simulate(ball, study, **options).result()  # type: ignore[arg-type]
