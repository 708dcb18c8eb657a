"""Designs that a surrogate would learn most of lie where it is off, apart from each other and from what is known."""

import numpy as np
import pytest

import twin
from twin.errors import FailedPrecondition
from twin.sweeps import improvement, sampling
from twin.sweeps.space import Space

SPACE = Space([twin.Range("a", 0, 2), twin.Range("b", 0, 1), twin.Choice("alloy", ["316L", "Ti-6Al-4V"])], [])


def known(count: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Designs, and errors that are large where a is: of every third it is not known."""
    points = sampling.points(twin.Sobol(count, seed=3), SPACE.parameters)
    errors = 0.01 * np.exp(3 * points[:, 0] / 2)
    errors[::3] = np.nan
    return points, errors


def test_they_lie_where_it_is_off() -> None:
    points, errors = known()
    found = improvement.propose(SPACE, points, errors, 12)
    assert found.shape == (12, 3)
    assert np.median(found[:, 0]) > 1.4
    assert {0.0, 1.0} == set(found[:, 2])


def test_they_are_apart_from_each_other_and_from_what_is_known() -> None:
    points, errors = known()
    found = improvement.propose(SPACE, points, np.where(np.isnan(errors), np.nan, 0.1 + 1e-3 * errors), 12)
    scaled, before = found / [2, 1, 1], points / [2, 1, 1]
    distances = np.linalg.norm(scaled[:, None] - np.concatenate([scaled, before]), axis=2)
    np.fill_diagonal(distances, np.inf)
    by_chance = np.random.default_rng(0).uniform(size=(200, 2))
    usual = np.linalg.norm(by_chance[:, None] - before[None, :, :2], axis=2).min(axis=1)
    assert np.median(distances.min(axis=1)) > np.median(usual)


def test_the_same_designs_give_the_same_ones_and_another_seed_others() -> None:
    points, errors = known()
    first, again, other = (improvement.propose(SPACE, points, errors, 5, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_what_is_not_allowed_is_not_proposed() -> None:
    space = Space(SPACE.parameters, ["a < 1.5"])
    points, errors = known()
    found = improvement.propose(space, points, errors, 12)
    assert (found[:, 0] < 1.5).all()
    assert np.median(found[:, 0]) > 1


def test_too_few_errors_are_too_few() -> None:
    points, errors = known()
    errors[7:] = np.nan
    with pytest.raises(FailedPrecondition, match="tested on 4 designs"):
        improvement.propose(SPACE, points, errors, 5)
    with pytest.raises(FailedPrecondition, match="No design is left"):
        improvement.propose(Space(SPACE.parameters, ["a < -1"]), *known(), 5)
