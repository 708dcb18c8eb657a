"""What networks see of a study: the same forces and moments, the same work."""

from __future__ import annotations

import numpy as np
import pytest

import twin
from surrogates.elasticity import BASES, Region
from tests.surrogates.beams import box
from twin.analyses.static_stress.checks import check
from twin.errors import StudyError
from twin.geometry.surface import Surface
from twin.learning.questions import Question, asked
from twin.studies import Request, StaticStress

ROOT, TIP = twin.select.plane((0, 0, 0), (1, 0, 0)), twin.select.plane((1, 0, 0), (1, 0, 0))
SIDE = twin.select.plane((0, 0.1, 0), (0, 1, 0))


def seen(study: StaticStress) -> Question:
    vertices, triangles = box(0.2, 0.3)
    surface = Surface(vertices, triangles.astype(np.int32), np.zeros(12, np.int32))
    return asked(surface, 0.06, study, check(surface, study, Request()))


def held(*loads: object, **cases: list[object]) -> StaticStress:
    if cases:
        return StaticStress("Ti-6Al-4V", [twin.Fixed(ROOT)], load_cases=cases)  # type: ignore[arg-type]
    return StaticStress("Ti-6Al-4V", [twin.Fixed(ROOT)], loads)  # type: ignore[arg-type]


LOADS = {
    "force": (twin.Force((1, 2, 3), TIP), (1, 2, 3), (0, -3, 2)),
    "traction": (twin.Traction((10, 0, -5), TIP), (0.6, 0, -0.3), (0, 0.3, 0)),
    "pressure": (twin.Pressure(50, SIDE), (0, -15, 0), (0, 0, -7.5)),
    "remote": (
        twin.RemoteForce((0, 0, 4), (2, 0, 0), TIP, moment=(5, 6, 7)),
        (0, 0, 4),
        (5, 6 - 8, 7),
    ),
    "gravity": (twin.Gravity((0, 0, -10)), (0, 0, -2658.0), (0, 1329.0, 0)),
}


@pytest.mark.parametrize("name", LOADS)
def test_forces_and_moments_are_those_of_the_study(name: str) -> None:
    load, force, moment = LOADS[name]
    found = seen(held(load)).applied("default")
    scale = np.linalg.norm(force) + np.linalg.norm(moment)
    assert found[0] == pytest.approx(force, abs=1e-9 * scale)
    assert found[1] == pytest.approx(moment, abs=1e-9 * scale)


def test_points_of_a_region_carry_what_acts_on_it() -> None:
    """Of a pressure on half of a cylinder: what it has across its diameter, though points lie on it by chance."""
    angle = np.linspace(0, np.pi, 33)
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    low, high = (np.column_stack([ring, np.full(len(ring), z)]) for z in (0.0, 2.0))
    corners = np.concatenate(
        [np.stack([low[1:], low[:-1], high[:-1]], axis=1), np.stack([low[1:], high[:-1], high[1:]], axis=1)]
    )
    region = Region(corners[:, ::-1])
    assert region.normals[:, :2] == pytest.approx(
        region.points[:, :2] / np.linalg.norm(region.points[:, :2], axis=1)[:, None], abs=0.06
    )
    loads = np.zeros(len(BASES))
    loads[[1, 4, 6]] = 3.0, 0.5, 7.0 * region.area
    force, moment = region.resultant(loads, length=10.0)
    assert force == pytest.approx([0.0, 3.0 - 7.0 * 2 * 2, 0.0], abs=1e-9)
    assert moment == pytest.approx([0.0, 5.0, 0.0], abs=1e-9)
    each = region.forces(loads, length=10.0)
    assert each.sum(axis=0) == pytest.approx(force, abs=1e-9)
    assert np.cross(region.points - region.middle, each).sum(axis=0) == pytest.approx(moment, abs=1e-9)


def test_work_is_that_of_the_resultant() -> None:
    load = twin.RemoteForce((0, 1, 4), (1, 0, 0), TIP, moment=(5, 6, 7))
    question = seen(held(load))
    region = question.problems[0].region
    assert region is not None
    shift, turn = np.array([0.1, -0.2, 0.3]), np.array([1e-3, 2e-3, -3e-3])
    moved = shift + np.cross(turn, region.points - region.middle)
    expected = np.dot((0, 1, 4), shift) + np.dot((5, 6, 7), turn)
    assert question.work("default", [moved]) == pytest.approx(expected, rel=1e-9)


def test_loads_on_one_region_are_one_problem() -> None:
    force = twin.Force((0, 0, 1), TIP)
    question = seen(held(one=[force], both=[force, force, twin.Pressure(1, SIDE)]))
    assert len(question.problems) == 2
    one, both = question.cases["one"], question.cases["both"]
    assert np.array_equal(both[0], 2 * one[0])
    assert one[1].any() == False  # noqa: E712, of numpy
    assert both[1, 6] == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("support", "axes"),
    [
        (twin.Fixed(ROOT), (True, True, True)),
        (twin.Symmetry(ROOT), (True, False, False)),
        (twin.Displacement(ROOT, y=0), (False, True, False)),
    ],
)
def test_supports_hold_the_axes_that_they_hold(
    support: object,
    axes: tuple[bool, ...],
) -> None:
    rest = twin.Fixed(twin.select.plane((0, 0, -0.15), (0, 0, 1)))
    study = StaticStress("Ti-6Al-4V", [support, rest], [twin.Force((0, 0, 1), TIP)])  # type: ignore[list-item]
    assert seen(study).problems[0].holds[0].axes == axes


@pytest.mark.parametrize(
    "study",
    [
        held(twin.Centrifugal((1, 0, 0), (0, 0, 0), 10)),
        held(twin.RemoteForce((0, 0, 1), (1, 0, 0), TIP, coupling="rigid")),
        StaticStress("Ti-6Al-4V", [twin.Fixed(ROOT), twin.Displacement(SIDE, y=1e-3)], []),
    ],
)
def test_what_networks_are_not_taught_is_refused(study: StaticStress) -> None:
    with pytest.raises(StudyError, match="method='solver'"):
        seen(study)
