"""Bounds hold as often as they say, and strangers are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom

from surrogates.conformal import Calibration, expected_coverage
from surrogates.domain import Domain, surface_statistics
from surrogates.elasticity import BASES
from surrogates.examples import Example
from tests.surrogates import beams
from tests.surrogates.beams import Floats


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
    assert Calibration({"q": np.ones(8)}).factor("q", 0.9) == math.inf
    assert Calibration({"q": np.ones(9)}).factor("q", 0.9) == 1.0
    assert expected_coverage(8, 0.9)[1] == 1.0


def test_strangers_are_far() -> None:
    """AUROC of beams of other proportions against unseen ones of the family."""
    known, held_out, unseen = (
        [views(each) for each in beams.family(n, seed)] for n, seed in ((30, 0), (20, 1), (20, 2))
    )
    strangers = [
        views(beams.example("stranger", width, height))
        for width, height in ((0.05, 0.2), (0.2, 0.06), (0.6, 0.5), (0.45, 0.2), (0.08, 0.08), (0.2, 0.5))
    ]
    domain = Domain.of(known, held_out, [np.eye(10)[:1]], 0.02)
    near, far = (np.array([domain.distance(*each) for each in group]) for group in (unseen, strangers))
    assert np.mean(far[:, None] > near[None]) >= 0.95
    assert far.min() > 1
    assert (near > 1).mean() <= 0.1
    assert max(domain.distance(*each) for each in held_out) <= 1


def views(example: Example) -> tuple[Floats, Floats]:
    """The surface, twice: no network has seen these."""
    statistics = surface_statistics(example.tokens)
    return statistics, statistics[:, : statistics.shape[1] // 2]


def case(**loads: float) -> Floats:
    """Of one region, of size one."""
    row = np.array([[loads.get(name.replace(" ", "_"), 0.0) for name in BASES]])
    return row / np.linalg.norm(row)


def domain_of(cases: list[Floats]) -> Domain:
    part = [(np.zeros((1, 2)), np.zeros((1, 2)))] * 12
    return Domain.of(part, part, cases, 0.02)


def test_loads_that_were_never_seen_are_known() -> None:
    random = np.random.default_rng(0)
    domain = domain_of([case(force_x=a, force_y=b) for a, b in random.normal(size=(5, 2))])
    assert not domain.unseen_load(case(force_x=3.0, force_y=-4.0)).any()
    beyond = domain.unseen_load(case(force_x=3.0, force_z=4.0))
    assert beyond[0, 2] == pytest.approx(0.8)
    assert np.abs(beyond).argmax() == 2


def test_a_load_that_was_always_small_is_allowed_to_be_small() -> None:
    random = np.random.default_rng(1)
    domain = domain_of([case(force_x=1.0, gravity_z=-share) for share in random.uniform(2e-4, 4e-4, 20)])
    assert not domain.unseen_load(case(force_x=1.0, gravity_z=-3e-4)).any()
    assert domain.unseen_load(case(gravity_z=-1.0)).any()


def test_what_two_regions_do_that_were_always_loaded_alike_is_not_known_apart() -> None:
    both = np.concatenate([case(force_x=1.0), case(pressure=1.0)]) / 2
    alone = np.concatenate([case(force_x=1.0), 0 * case(pressure=1.0)])
    together = domain_of([both] * 6)
    assert not together.unseen_load(both).any()
    assert together.unseen_load(alone).any()
    assert together.unseen_load(alone[:1]).any()
    apart = domain_of([both] * 6 + [alone])
    assert not apart.unseen_load(alone).any()
    assert not apart.unseen_load(both).any()


def test_distances_that_are_no_numbers_are_not_trusted() -> None:
    domain = domain_of([case(force_x=1.0)])
    nothing, broken = np.zeros((1, 2)), np.full((1, 2), np.nan)
    assert not domain.distance(broken, nothing) <= 1
    assert not domain.distance(nothing, broken) <= 1
    assert domain.distance(np.ones((1, 2)), np.zeros((1, 2))) > 1
