"""Designs where least is known: fewer of them for the same skill, the same ones for the same journal."""

import numpy as np
import pytest

import twin
from twin.sweeps import emulator, sampling
from twin.sweeps.adaptive import propose
from twin.sweeps.space import Space

SPACE = Space([twin.Range("x", 0, 1), twin.Range("y", 0, 1)], ["x + y < 1.6"])


def steep(points):
    """Flat but for a ridge in x."""
    return np.exp(-(((points[:, 0] - 0.7) / 0.12) ** 2)) + 0.1 * points[:, 1]


def climbed(asked, count):
    points = sampling.points(asked.first, SPACE.parameters)
    while len(points) < count:
        values = np.where([bool(SPACE.broken(point)) for point in points], np.nan, steep(points))
        points = np.concatenate([points, propose(SPACE, asked, points, {"u": values}, asked.batch)])
    return points


def test_proposals_are_new_allowed_and_the_same_for_the_same_journal():
    asked = twin.Adaptive(32, seed=4, initial=12, batch=4)
    points = climbed(asked, 32)
    assert (points == climbed(asked, 32)).all()
    assert len(np.unique(points, axis=0)) == 32
    assert not any(SPACE.broken(point) for point in points[12:])


def test_they_spread_where_nothing_is_known():
    """With half of the square known, the first ones lie in the other half, apart."""
    rng = np.random.default_rng(0)
    known = rng.random((24, 2)) * (0.5, 1.0)
    chosen = propose(SPACE, twin.Adaptive(8), known, {"u": np.sin(3 * known[:, 0]) + known[:, 1]}, 4)
    assert (chosen[:2, 0] > 0.8).all()
    gaps = np.linalg.norm(chosen[:, None] - chosen[None], axis=2)[np.triu_indices(4, 1)]
    assert gaps.min() > 0.1


def test_forty_of_them_know_a_ridge():
    points = climbed(twin.Adaptive(40, initial=16, batch=4), 40)
    values = np.where([bool(SPACE.broken(point)) for point in points], np.nan, steep(points))
    assert emulator.fit(SPACE, points, values).skill > 0.95


def test_a_quantity_that_no_design_has_is_told():
    points = sampling.points(twin.Sobol(8), SPACE.parameters)
    with pytest.raises(twin.StudyError, match=r"max_mises.*there are u"):
        propose(SPACE, twin.Adaptive(16, quantities=["max_mises"]), points, {"u": steep(points)}, 3)


def test_without_values_the_sequence_goes_on():
    points = sampling.points(twin.Sobol(8), SPACE.parameters)
    chosen = propose(SPACE, twin.Adaptive(16), points, {"u": np.full(8, np.nan)}, 3)
    assert chosen.shape == (3, 2)
    assert {tuple(p) for p in chosen.tolist()}.isdisjoint({tuple(p) for p in points.tolist()})


@pytest.mark.parametrize("wrong", [{"count": 0}, {"count": 5, "batch": 0}, {"count": 5, "initial": -1}])
def test_nonsense_is_refused(wrong):
    with pytest.raises(twin.StudyError):
        twin.Adaptive(**wrong)
