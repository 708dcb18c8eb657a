"""Means of series whose statistics are known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from twin.analyses.flow.averaging import average, correlation_time, settled


def wandering(count: int, kept: float, seed: int) -> NDArray[np.float64]:
    """Autoregressive, of mean 1: samples that are 1 / (1 - kept) apart know little of each other."""
    random = np.random.default_rng(seed)
    found = np.empty(count)
    value = random.normal() / np.sqrt(1 - kept**2)
    for index, kick in enumerate(random.normal(size=count)):
        value = kept * value + kick
        found[index] = value
    return 1 + 0.1 * found


def test_the_correlation_time_is_that_of_the_process() -> None:
    assert correlation_time(wandering(100_000, 0.9, 1)) == pytest.approx(19, rel=0.1)
    assert correlation_time(np.random.default_rng(0).normal(size=10_000)) == pytest.approx(1, abs=0.1)


def test_two_standard_errors_hold_for_nineteen_of_twenty() -> None:
    found = [average(wandering(4000, 0.9, seed), start=0) for seed in range(300)]
    within = np.mean([abs(each.mean - 1) <= 2 * each.error for each in found])
    assert 0.9 <= within <= 0.98


def test_a_start_is_found_and_left_out() -> None:
    series = wandering(6000, 0.8, 3)
    series += 5 * np.exp(-np.arange(6000) / 200)
    assert 500 < settled(series) < 2500
    found = average(series)
    assert abs(found.mean - 1) < 3 * found.error


def test_a_series_that_is_too_short_has_no_error_that_is_known() -> None:
    assert average(wandering(100, 0.98, 0), start=0).error == np.inf
    assert average(np.full(100, 3.0)).error == 0
