"""Networks learn what is to be learned, and a training that is killed goes on as if it had not been."""

from __future__ import annotations

from pathlib import Path

import jax
import numpy as np
import pytest
from flax import nnx

from surrogates.ensemble import Ensemble
from surrogates.operator import Operator
from surrogates.training import Schedule, Step, relative_errors, train
from tests.surrogates import beams
from tests.surrogates.beams import SIZE


class KilledError(Exception):
    """Stands for the end of the process."""


def test_bending_is_learned() -> None:
    """From 24 beams, so well that beams in between are answered within 15 % in the mean, loads askew too."""
    network = train(beams.family(24), SIZE, Schedule(steps=1000, points=128, every=100), seed=0)
    ensemble = Ensemble(SIZE, (network,))
    errors = []
    for width, height in ((0.17, 0.28), (0.21, 0.19), (0.26, 0.24)):
        force = np.array([[300.0, -700.0, 500.0]])  # only forces along the axes were learned from
        unseen = beams.example("unseen", width, height, force)
        found = ensemble.predict(ensemble.encode(unseen.tokens), unseen.coefficients, unseen.surface.queries)
        errors.append(np.asarray(relative_errors(found.mean[0], unseen.surface.values[0], SIZE.groups)))
    assert np.mean(errors) < 0.15


def test_a_killed_training_ends_as_one_that_was_not(tmp_path: Path) -> None:
    examples, schedule = beams.family(6), Schedule(steps=30, points=64, every=10)

    def killing(step: Step) -> None:
        if step.number == 20:
            raise KilledError

    whole = train(examples, SIZE, schedule, seed=3)
    with pytest.raises(KilledError):
        train(examples, SIZE, schedule, seed=3, folder=tmp_path, report=killing)
    heard: list[int] = []
    resumed = train(
        examples, SIZE, schedule, seed=3, folder=tmp_path, report=lambda step: heard.append(step.number)
    )
    assert heard == [30]  # 20 steps lay there
    for one, other in zip(*(jax.tree.leaves(nnx.state(each)) for each in (whole, resumed)), strict=True):
        assert np.array_equal(one, other)


def test_a_loss_that_is_no_number_ends_the_training() -> None:
    broken = beams.family(4)
    broken[0].surface.values[:] = np.nan
    with pytest.raises(FloatingPointError, match="after"):
        train(broken, SIZE, Schedule(steps=20, points=32), seed=0)


@pytest.mark.slow
def test_another_family_is_fitted_by_few_parts_from_where_a_network_is() -> None:
    """Of 8 beams that are thinner it learns more than a new one does in as many steps, and what it began from stays."""
    known = train(beams.family(24), SIZE, Schedule(steps=600, points=128), seed=0)
    before = [np.array(leaf) for leaf in jax.tree.leaves(nnx.state(known))]
    random = np.random.default_rng(5)
    few, others = (
        [beams.example(f"thin {i}", *random.uniform(0.06, 0.1, 2)) for i in range(count)] for count in (8, 6)
    )
    schedule = Schedule(steps=150, points=128)
    fitted, new = (train(few, SIZE, schedule, seed=1, start=start) for start in (known, None))

    def error(network: Operator) -> float:
        ensemble = Ensemble(SIZE, (network,))
        found = [
            ensemble.predict(ensemble.encode(e.tokens), e.coefficients, e.surface.queries) for e in others
        ]
        errors = [
            relative_errors(fields, exact, SIZE.groups)
            for each, example in zip(found, others, strict=True)
            for fields, exact in zip(each.mean, example.surface.values, strict=True)
        ]
        return float(np.mean(errors))

    assert error(fitted) < 0.8 * error(new)
    assert error(fitted) < 0.8 * error(known)
    for first, second in zip(before, jax.tree.leaves(nnx.state(known)), strict=True):
        assert np.array_equal(first, second), "what it began from is what it was"
