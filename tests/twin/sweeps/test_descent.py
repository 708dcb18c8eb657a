"""Descent finds the optima that are known, in few designs, and the same ones from the same journal."""

import numpy as np
import pytest

import twin
from twin.sweeps.descent import propose
from twin.sweeps.space import Space

BEAM = Space([twin.Range("width", 0.01, 0.1), twin.Range("height", 0.01, 0.2)])
LIGHTEST = 7850 * 0.01 * np.sqrt(6e3 / (20e6 * 0.01))


def beam(points):
    """A cantilever of 1 m under 1 kN: mass and stress."""
    width, height = points.T
    return {"mass": 7850 * width * height, "stress": 6e3 / (width * height**2)}


def beam_slopes(point):
    width, height = point
    return {
        "mass": np.array([7850 * height, 7850 * width]),
        "stress": np.array([-6e3 / (width**2 * height**2), -12e3 / (width * height**3)]),
    }


def descended(space, asked, answers, slopes, start, failed=lambda point: False):
    """Designs, and how many of them had their slopes taken."""
    points, known = np.array([start], float), set()
    while len(points) < asked.count:
        bad = np.array([failed(point) for point in points])
        columns = {name: np.where(bad, np.nan, values) for name, values in answers(points).items()}
        taken = {index: slopes(points[index]) for index in known}
        wanted = propose(space, asked, points, columns, taken.get)
        if wanted is None:
            return points, len(known)
        if wanted.point is None:
            known.add(wanted.slopes_of)
        else:
            points = np.vstack([points, wanted.point])
    return points, len(known)


def test_the_lightest_beam_in_ten_designs():
    asked = twin.Descent(40, {"mass": "min"}, ["stress < 20e6"])
    points, slopes = descended(BEAM, asked, beam, beam_slopes, [0.055, 0.105])
    assert len(points) <= 10
    assert slopes <= len(points)
    found = beam(points[-1:])
    assert found["mass"][0] == pytest.approx(LIGHTEST, rel=1e-3)
    assert found["stress"][0] < 20e6 * 1.001


def test_steps_to_designs_without_an_answer_are_halved():
    asked = twin.Descent(60, {"mass": "min"}, ["stress < 20e6"])
    points, _ = descended(BEAM, asked, beam, beam_slopes, [0.055, 0.105], lambda point: point[0] < 0.02)
    answered = points[points[:, 0] >= 0.02]
    holds = beam(answered)["stress"] < 20e6 * 1.001
    lightest = 7850 * 0.02 * np.sqrt(6e3 / (20e6 * 0.02))
    assert beam(answered)["mass"][holds].min() == pytest.approx(lightest, rel=0.02)


def test_what_is_to_be_large_and_constraints_of_parameters():
    space = Space([twin.Range("x", -1, 1), twin.Range("y", -1, 1)], ["x + y < 1"])

    def hill(points):
        return {"height": 3 - ((points - [0.8, 0.6]) ** 2).sum(axis=1)}

    def slopes(point):
        return {"height": -2 * (point - [0.8, 0.6])}

    for start in ([0, 0], [-0.9, -0.9], [-0.5, 0.2], [0.3, -0.7], [0.1, 0.6]):
        points, _ = descended(space, twin.Descent(60, {"height": "max"}), hill, slopes, start, space.broken)
        best = points[np.argmax([-np.inf if space.broken(p) else hill(p[None])["height"][0] for p in points])]
        assert best == pytest.approx([0.6, 0.4], abs=0.02)
        assert len(points) < 40


def test_constraints_that_can_not_be_met_are_told():
    asked = twin.Descent(40, {"mass": "min"}, ["stress < 20e6", "mass < 5"])
    with pytest.raises(twin.StudyError, match=r"can't go on|No design near"):
        descended(BEAM, asked, beam, beam_slopes, [0.055, 0.105])


def test_a_start_without_an_answer_is_told():
    asked = twin.Descent(9, {"mass": "min"})
    nothing = {"mass": np.array([np.nan]), "stress": np.array([np.nan])}
    with pytest.raises(twin.StudyError, match="first design has no answer"):
        propose(BEAM, asked, np.array([[0.05, 0.1]]), nothing, lambda _: None)


def test_the_best_start_is_the_end():
    asked = twin.Descent(9, {"mass": "min"})
    points, _ = descended(BEAM, asked, beam, beam_slopes, [0.01, 0.01])
    assert len(points) == 1
