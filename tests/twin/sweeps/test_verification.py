"""What is verified: the best by what is known, and no more than that."""

import numpy as np
import pytest

import twin
from twin.errors import StudyError
from twin.sweeps import verification
from twin.sweeps.space import Space

LINE = Space([twin.Range("x", 0, 1)])
GOAL = twin.Evolution(11, {"mass": "min"}, ["stress < 9.9"])


def propose(space, goal, points, columns, previews, count):
    known = verification.corrected(space, points, columns, previews)
    return verification.propose(space, goal, points, known, previews, count)


def journal(previewed, verified, off):
    """The lighter the more stress; previews have `off` of it."""
    points = np.concatenate([previewed, verified])[:, None]
    previews = np.arange(len(points)) < len(previewed)
    stress = 5 / points[:, 0] * np.where(previews, off, 1.0)
    return points, {"mass": points[:, 0], "stress": stress}, previews


def test_an_error_of_previews_is_learnt_from_the_first_that_is_verified():
    previewed = np.linspace(0.1, 1, 10)
    chosen, verified = [], np.zeros(0)
    while (found := propose(LINE, GOAL, *journal(previewed, verified, off=0.7), count=1)) is not None:
        chosen += found[:, 0].tolist()
        verified = np.array(chosen)
    # The least by previews is 0.4 (8.75 in place of 12.5); corrected, 0.6 is the least that holds.
    assert chosen == pytest.approx([0.4, 0.6])


def test_a_front_is_verified_evenly_and_then_nothing_more():
    goal = twin.Evolution(11, {"mass": "min", "stress": "min"})
    previewed = np.linspace(0.1, 1, 10)
    found = propose(LINE, goal, *journal(previewed, np.zeros(0), off=1.0), count=4)
    assert found[:, 0] == pytest.approx([0.1, 0.4, 0.7, 1.0])
    assert propose(LINE, goal, *journal(previewed, previewed, off=1.0), count=4) is None


def test_one_that_has_no_answer_in_earnest_is_passed_over():
    points, columns, previews = journal(np.linspace(0.1, 1, 10), np.array([0.6]), off=1.0)
    columns = {name: np.where(previews, column, np.nan) for name, column in columns.items()}
    found = propose(LINE, GOAL, points, columns, previews, count=1)
    assert found == pytest.approx(0.7)
    with pytest.raises(StudyError, match="nothing to verify"):
        propose(LINE, GOAL, points, {name: np.full(11, np.nan) for name in columns}, previews, count=1)


def test_where_none_holds_the_nearest_is_verified():
    goal = twin.Evolution(11, {"mass": "min"}, ["stress < 1"])
    found = propose(LINE, goal, *journal(np.linspace(0.1, 1, 10), np.zeros(0), off=1.0), count=1)
    assert found == pytest.approx(1.0)


def test_differences_correct_what_has_either_sign():
    """A quantity around zero, previewed too small by a half."""
    goal = twin.Evolution(11, {"rise": "max"}, ["rise < 0.2"])
    points = np.append(np.linspace(-1, 1, 21), -0.5)[:, None]
    space = Space([twin.Range("x", -1, 1)])
    previews = np.arange(22) < 21
    rise = points[:, 0] - np.where(previews, 0.5, 0.0)
    found = propose(space, goal, points, {"rise": rise}, previews, count=1)
    assert found == pytest.approx(0.1)
