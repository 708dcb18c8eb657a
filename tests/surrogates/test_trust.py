"""Bounds hold as often as they say, and strangers are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom

from surrogates.conformal import Calibration, expected_coverage, needed
from surrogates.domain import Domain, Gauge, span, surface_statistics
from tests.surrogates import beams


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9])
def test_bounds_cover_as_often_as_asked(coverage: float) -> None:
    """Over many calibrations the mean coverage is between what was asked for and 1 / (n + 1) more."""
    random, parts, tries = np.random.default_rng(1), 40, 4000
    covered = 0
    for _ in range(tries):
        scores = random.lognormal(size=parts + 1)
        covered += scores[-1] <= Calibration({"q": scores[:-1]}).factor("q", coverage)
    exact = math.ceil((parts + 1) * coverage - 1e-9) / (parts + 1)
    low, high = binom.ppf([1e-4, 1 - 1e-4], tries, exact)
    assert low <= covered <= high
    assert coverage <= exact <= coverage + 1 / (parts + 1)


def test_one_calibration_covers_within_its_band() -> None:
    random, parts = np.random.default_rng(2), 100
    low, high = expected_coverage(parts, 0.9)
    inside = 0
    for _ in range(500):
        factor = Calibration({"q": random.normal(size=parts) ** 2}).factor("q", 0.9)
        true = math.erf(math.sqrt(factor / 2))  # of the square of a normal number
        inside += low <= true <= high
    assert inside / 500 == pytest.approx(0.9, abs=0.04)


def test_too_few_parts_promise_nothing() -> None:
    assert needed(0.9) == 9
    assert Calibration({"q": np.ones(8)}).factor("q", 0.9) == math.inf
    assert Calibration({"q": np.ones(9)}).factor("q", 0.9) == 1.0
    assert expected_coverage(8, 0.9)[1] == 1.0


def test_strangers_are_far() -> None:
    """AUROC of beams of other proportions against unseen ones of the family."""
    known = np.concatenate([surface_statistics(each.tokens) for each in beams.family(30, seed=0)])
    held_out = np.concatenate([surface_statistics(each.tokens) for each in beams.family(20, seed=1)])
    unseen = np.concatenate([surface_statistics(each.tokens) for each in beams.family(20, seed=2)])
    strangers = np.concatenate(
        [
            surface_statistics(beams.example("thin", width, height).tokens)
            for width, height in ((0.05, 0.2), (0.2, 0.06), (0.6, 0.5), (0.45, 0.2), (0.08, 0.08), (0.2, 0.5))
        ]
    )
    gauge = Gauge.of(known, held_out, 0.02)
    near, far = gauge.distances(unseen), gauge.distances(strangers)
    auroc = np.mean(far[:, None] > near[None])
    assert auroc >= 0.95
    assert far.min() > 1
    assert (near > 1).mean() <= 0.1


def test_loads_that_were_never_seen_are_known() -> None:
    seen = np.zeros((5, 10))
    seen[:, :2] = np.random.default_rng(0).normal(size=(5, 2))
    domain = Domain(Gauge(np.zeros(1), np.eye(1), 1.0), Gauge(np.zeros(1), np.eye(1), 1.0), span(seen))
    within, beyond = np.zeros((1, 10)), np.zeros((1, 10))
    within[0, :2] = 3.0, -4.0
    beyond[0, :3] = 3.0, 0.0, 4.0
    assert domain.unseen_load(within).max() < 1e-12
    assert domain.unseen_load(beyond)[2] == pytest.approx(0.8)
    assert domain.unseen_load(beyond).argmax() == 2
