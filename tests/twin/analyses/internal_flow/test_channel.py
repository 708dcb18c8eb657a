"""Parts that fluid flows through: their openings, their cells, and what keeps the flow as it is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh

import twin
from twin import select
from twin.analyses.flow.checkpoints import Checkpoints
from twin.analyses.flow.simulation import Course, beginning, simulate
from twin.analyses.internal_flow.channel import RAMP, Channel, channel
from twin.analyses.internal_flow.passage import passage
from twin.analyses.internal_flow.quantities import Measured, errors, in_units
from twin.analyses.internal_flow.schedule import plan
from twin.errors import GeometryError
from twin.geometry.parse import parse
from twin.geometry.surface import Surface

SPEED = 0.1
STUDY = twin.InternalFlow(
    twin.Inlet(select.plane((-0.02, 0, 0), (1, 0, 0)), velocity=SPEED, profile="uniform"),
    twin.Outlet(select.plane((0.02, 0, 0), (1, 0, 0)), pressure=2.0),
    twin.Fluid(1000, 0.02),
)


def surface(solid: trimesh.Trimesh, folder: Path) -> Surface:
    solid.export(folder / "duct.stl")
    found, _ = parse(folder / "duct.stl", "m", "duct.stl")
    return found


@pytest.fixture(scope="module")
def duct(tmp_path_factory: pytest.TempPathFactory) -> Channel:
    """Along x, 10 mm by 20 mm."""
    solid = trimesh.creation.box((0.04, 0.02, 0.01))
    return channel(passage(surface(solid, tmp_path_factory.mktemp("duct")), STUDY), 12.3)


def test_openings_have_the_sizes_of_their_faces(duct: Channel) -> None:
    placed = duct.passage
    inlet, outlet = placed.openings
    np.testing.assert_allclose(placed.axes.T @ inlet.outward, (-1, 0, 0), atol=1e-12)
    np.testing.assert_allclose(placed.axes.T @ outlet.middle, (0.02, 0, 0), atol=1e-12)
    assert np.linalg.det(placed.axes) == pytest.approx(1)
    assert inlet.area == pytest.approx(2e-4)
    assert placed.size == pytest.approx(2 * 0.01 * 0.02 / 0.03)  # four areas over the perimeter
    assert placed.flow_rate == pytest.approx(SPEED * 2e-4)
    assert placed.reynolds_number == pytest.approx(1000 * SPEED * placed.size / 0.02)


def test_cells_hold_the_fluid_and_links_the_openings(duct: Channel) -> None:
    spacing = duct.scales.length
    assert (~duct.solid).sum() * spacing**3 == pytest.approx(duct.passage.volume, rel=0.15)
    assert duct.dead == 0
    own = np.asarray(duct.openings.own)
    weights = np.asarray(duct.schemes[0].velocities.weights)[np.asarray(duct.openings.velocity)]
    # by what would leave in equilibrium at rest: a sixth of the area
    found = own @ weights * 6 * spacing**2
    np.testing.assert_allclose(found, 2e-4, rtol=0.15)
    body = np.asarray(duct.walls.body)
    links = own.any(axis=0)
    assert not body[np.asarray(duct.openings.velocity)[links], np.asarray(duct.openings.row)[links]].any()
    assert body.any()


def test_what_is_missing_is_added_after_every_look(duct: Channel) -> None:
    given, _ = duct.regulated([], duct.initial())
    assert float(np.abs(given[0].walls.moving).max()) < 0.01 * duct.speed  # it sets in slowly
    right = [np.array([-share, share, 0, 0, 0, 0]) for share in ramp(RAMP + 20)]
    given, _ = duct.regulated(right, duct.initial())
    assert given[0].walls.open_links is not None
    assert float(np.abs(given[0].walls.moving).max()) == pytest.approx(duct.speed, rel=1e-5)
    assert float(np.abs(given[0].walls.open_links.density).max()) < 1e-9  # it is what others are told above
    short = [0.9 * each - np.array([0, 0, 0, 1e-4, 0, 0]) for each in right]
    given, _ = duct.regulated(short, duct.initial())
    assert given[0].walls.open_links is not None
    missing = 0.1 * ramp(len(right)).sum()  # of what comes in within the time of one look
    assert float(np.abs(given[0].walls.moving).max()) == pytest.approx(
        (1 + 0.05 * missing) * duct.speed, rel=1e-3
    )
    # it is the only outlet: slowly
    assert float(given[0].walls.open_links.density.max()) == pytest.approx(
        3 * 0.02 * len(right) * 1e-4, rel=0.01
    )


def ramp(count: int) -> np.ndarray:
    share = np.clip((np.arange(count) + 1) / RAMP, 0, 1)
    return share**2 * (3 - 2 * share)


def test_a_way_that_is_closed_is_told(tmp_path: Path) -> None:
    parts = [trimesh.creation.box((0.018, 0.01, 0.01)) for _ in range(2)]
    for part, x in zip(parts, (-0.011, 0.011), strict=True):
        part.apply_translation((x, 0, 0))
    apart = surface(trimesh.util.concatenate(parts), tmp_path)
    with pytest.raises(GeometryError, match="Nothing leads from inlet to an outlet"):
        channel(passage(apart, STUDY), 10)


def test_space_that_nothing_leads_to_is_left_out(tmp_path: Path) -> None:
    pocket = trimesh.creation.box((0.01, 0.01, 0.01)).apply_translation((0, 0.02, 0))
    solid = trimesh.util.concatenate([trimesh.creation.box((0.04, 0.01, 0.01)), pocket])
    found = channel(passage(surface(solid, tmp_path), STUDY), 10)
    assert found.dead == pytest.approx(0.2, abs=0.05)


def test_pressures_are_told_above_the_mean_of_what_outlets_hold(tmp_path: Path) -> None:
    study = twin.InternalFlow(
        STUDY.inlets,
        {
            "low": twin.Outlet(select.plane((0.02, 0, 0), (1, 0, 0)), "1 bar"),
            "high": twin.Outlet(select.plane((0, 0.005, 0), (0, 1, 0)), "1.2 bar"),
        },
    )
    placed = passage(surface(trimesh.creation.box((0.04, 0.01, 0.01)), tmp_path), study)
    assert placed.reference == pytest.approx(1.1e5)
    assert [each.pressure for each in placed.openings] == pytest.approx([0, -1e4, 1e4])


def test_a_loss_need_not_be_known_better_than_what_it_has_changed_by(duct: Channel) -> None:
    series = np.tile([-1.0, 1.0, 1e-3, 0.0, 1e-3, 0.0], (400, 1))
    series[:, [2, 4]] *= 1 + 0.1 * np.random.default_rng(1).normal(size=(400, 1))  # means to within 1 %
    found = in_units(duct, series).mean(axis=0)
    assert plan(duct, 0.03).enough(series)
    assert not plan(duct, 0.003).enough(series)
    assert not plan(duct, 0.003, 1.01 * found).enough(series)
    assert plan(duct, 0.003, 1.1 * found).enough(series)


@pytest.mark.slow
def test_a_flow_that_was_stopped_goes_on_as_if_it_had_not_been(duct: Channel, tmp_path: Path) -> None:
    def until(looks: int, course: Course) -> np.ndarray:
        return simulate(
            duct, plan(duct, 0.0), lambda _, series: len(series) < looks, course, lambda _: None
        ).series

    whole = until(30, beginning(duct))
    course = beginning(duct)
    until(15, course)
    Checkpoints(tmp_path).keep(0, course, now=True)
    course = Checkpoints(tmp_path).load(0, beginning(duct))
    assert len(course.series) == 15
    np.testing.assert_allclose(until(30, course), whole, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"inlets": {"drop": STUDY.inlets["inlet"]}}, "pressure_drop"),
        ({"inlets": {"A b": STUDY.inlets["inlet"]}}, "can't name"),
        ({"inlets": {}}, "one at least"),
        ({"inlets": STUDY.outlets}, "can hold Inlet"),
        ({"inlets": {"outlet": STUDY.inlets["inlet"]}}, "different names"),
    ],
)
def test_what_can_not_be_a_study_is_said(given: dict[str, Any], said: str) -> None:
    with pytest.raises(twin.StudyError, match=said):
        twin.InternalFlow(**({"inlets": STUDY.inlets, "outlets": STUDY.outlets} | given))
    assert len({STUDY, STUDY}) == 1


def test_errors_are_of_all_that_is_not_exact() -> None:
    coarse, fine = (
        Measured(
            size,
            20 / size,
            np.array([value, 10.0, 1.0, 1.0, 2.0, 3.0, 4.0, 5.0, 5.0]),
            np.full(9, 0.1),
            0.02,
            0.04,
            0.01,
            0.05,
        )
        for size, value in ((1.5, 9.0), (1.0, 9.5))
    )
    assert np.isinf(errors([fine])).all()
    found = errors([coarse, fine])
    assert found[0] == pytest.approx(0.5 / 0.5 + 0.1 + (0.5 * (0.02 + 0.04) + 0.01) * 10)
    assert found[-1] == pytest.approx(0.1 + (0.04 + 0.1 / 20) * 5)
