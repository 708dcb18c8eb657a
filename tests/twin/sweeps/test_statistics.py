"""Which parameters matter, against closed forms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import twin
from twin.sweeps import emulator, sampling, statistics
from twin.sweeps.space import Space

SPACE = Space([twin.Range(name, -np.pi, np.pi) for name in ("x", "y", "z")])


def additive(points):
    return 3 * points[:, 0] + 2 * points[:, 1] ** 2 + 0 * points[:, 2]


def test_sobol_indices_of_a_sum_are_its_variances():
    """Of 3x: 9 (2 pi)^2 / 12; of 2y^2: 4 (4/45) pi^4."""
    points = sampling.points(twin.Sobol(128), SPACE.parameters)
    found = emulator.fit(SPACE, points, additive(points))
    assert found.skill > 0.999
    indices = statistics.sobol_indices(found)
    parts = np.array([9 * (2 * np.pi) ** 2 / 12, 4 * 4 / 45 * np.pi**4, 0])
    shares = parts / parts.sum()
    assert indices.first == pytest.approx(shares, abs=0.03)
    assert indices.total == pytest.approx(shares, abs=0.03)


def test_what_parameters_do_together_shows_in_the_total():
    """x y has no effect of either alone: all of its variance is of both."""
    points = sampling.points(twin.Sobol(128), SPACE.parameters)
    indices = statistics.sobol_indices(emulator.fit(SPACE, points, points[:, 0] * points[:, 1]))
    assert indices.first == pytest.approx([0, 0, 0], abs=0.03)
    assert indices.total == pytest.approx([1, 1, 0], abs=0.05)


def test_effects_are_averages_over_the_others():
    points = sampling.points(twin.Sobol(128), SPACE.parameters)
    found = emulator.fit(SPACE, points, additive(points))
    along = statistics.effect(found, 0)
    assert along.mean == pytest.approx(3 * along.at + 2 * np.pi**2 / 3, abs=0.3)
    assert np.ptp(statistics.effect(found, 2).mean) < 0.3


def test_choices_have_an_effect_for_each_word():
    space = Space([twin.Range("x", 0, 1), twin.Choice("c", ["a", "b", "d"])])
    points = sampling.points(twin.Sobol(64), space.parameters)
    found = emulator.fit(space, points, points[:, 0] + np.array([0.0, 5.0, -1.0])[points[:, 1].astype(int)])
    assert statistics.effect(found, 1).mean == pytest.approx([0.5, 5.5, -0.5], abs=0.1)


def test_noise_is_not_believed():
    points = sampling.points(twin.Sobol(64), SPACE.parameters)
    assert emulator.fit(SPACE, points, np.random.default_rng(0).normal(size=64)).skill < statistics.SKILL


def test_too_few_or_equal_designs_give_no_emulator():
    points = sampling.points(twin.Sobol(64), SPACE.parameters)
    assert emulator.fit(SPACE, points[:5], additive(points[:5])) is None
    assert emulator.fit(SPACE, points, np.ones(64)) is None


@given(arrays(float, st.tuples(st.integers(1, 30), st.integers(1, 3)), elements=st.integers(0, 6).map(float)))
def test_nothing_beats_the_front_and_something_of_it_beats_the_rest(values):
    front = statistics.pareto(values)
    assert front.any()

    def beaten(own, by):
        return bool(((by <= own).all(axis=1) & (by < own).any(axis=1)).any())

    for own, alone in zip(values, front, strict=True):
        assert beaten(own, values[front]) != alone
