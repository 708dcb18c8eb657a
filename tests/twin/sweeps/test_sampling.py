"""Which designs: the same for the same seed, spread as each sampling promises."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import qmc

import twin
from twin.sweeps import sampling
from twin.sweeps.space import Space

SPACE = (
    twin.Range("a", -1, 3),
    twin.Integers("n", 2, 5),
    twin.Levels("t", [1, 2, 4]),
    twin.Choice("c", ["x", "y"]),
)


@pytest.mark.parametrize("asked", [twin.LatinHypercube(24, 5), twin.Sobol(24, 5), twin.Halton(24, 5)])
def test_values_are_allowed_even_and_the_same_for_the_same_seed(asked):
    found = sampling.points(asked, SPACE)
    assert found.shape == (24, 4)
    for parameter, column in zip(SPACE, found.T, strict=True):
        assert parameter.holds(column).all()
    counts = [np.unique(found[:, column], return_counts=True)[1] for column in (1, 2, 3)]
    assert all(count.max() - count.min() <= 3 for count in counts)
    assert (found == sampling.points(asked, SPACE[:4])).all()
    assert (found != sampling.points(type(asked)(24, 6), SPACE)).any()


def test_latin_hypercubes_have_one_design_in_each_stratum():
    found = sampling.points(twin.LatinHypercube(50), (twin.Range("a", 0, 50), twin.Range("b", 0, 50)))
    for column in found.T:
        assert sorted(np.floor(column)) == list(range(50))


def test_sequences_are_more_even_than_chance():
    space = (twin.Range("a", 0, 1), twin.Range("b", 0, 1), twin.Range("c", 0, 1))
    chance = qmc.discrepancy(np.random.default_rng(0).random((256, 3)))
    for asked in (twin.Sobol(256), twin.Halton(256)):
        assert qmc.discrepancy(sampling.points(asked, space)) < chance / 5


@given(st.integers(1, 60), st.integers(1, 60), st.sampled_from([twin.Sobol, twin.Halton]))
@settings(max_examples=20, deadline=None)
def test_a_sequence_that_goes_on_is_the_longer_one(first, more, kind):
    whole = sampling.points(kind(first + more, 2), SPACE)
    begun = kind(first, 2)
    following = sampling.following(begun, more)
    parts = [sampling.points(begun, SPACE), sampling.points(following, SPACE)]
    assert (np.concatenate(parts) == whole).all()


def test_a_factorial_has_all_combinations():
    found = sampling.points(twin.Factorial(3), SPACE)
    assert (
        len({tuple(row) for row in found})
        == len(found)
        == 3 * 4 * 3 * 2
        == sampling.size(twin.Factorial(3), SPACE)
    )
    assert sorted(set(found[:, 0])) == [-1, 1, 3]


def test_tables_are_read_by_columns():
    columns = {"a": [0, "1"], "n": [2, 3], "t": [1, 4], "c": ["y", "x"]}
    assert sampling.table(SPACE, columns).rows == ((0, 2, 1, 1), (1, 3, 4, 0))
    with pytest.raises(twin.StudyError, match="needs a, n, t, c"):
        sampling.table(SPACE, {"a": [0]})
    with pytest.raises(twin.StudyError, match="it can be x, y"):
        sampling.table(SPACE, columns | {"c": ["z", "x"]})


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ((9, 2, 1, 0), "-1 to 3"),
        ((0, 2.5, 1, 0), "n is 2.5"),
        ((0, 2, 3, 0), "1, 2, 4"),
        ((0, 2, 1, 2), "position"),
    ],
)
def test_what_is_outside_is_refused(row, said):
    with pytest.raises(twin.StudyError, match=said):
        sampling.size(twin.Points([row]), SPACE)


@pytest.mark.parametrize(
    "make",
    [
        lambda: twin.Sobol(0), lambda: twin.Sobol(2.5), lambda: twin.LatinHypercube(3, -1), lambda: twin.Points([]),
        lambda: twin.Factorial(1), lambda: twin.Range("a", 2, 1), lambda: twin.Range("a", "1 m", "2 N"),
        lambda: twin.Range("2a", 0, 1), lambda: twin.Range("sin", 0, 1), lambda: twin.Levels("a", []),
        lambda: twin.Integers("n", 1.5, 3), lambda: twin.Choice("c", []), lambda: twin.Choice("c", ["x", "x"]),
        lambda: twin.Range("mass", 0, 1), lambda: twin.Range("a_error", 0, 1), lambda: twin.Choice("state", ["x"]),
        lambda: Space([twin.Range("a", 0, 1)], ["c < 2"]), lambda: sampling.following(twin.Factorial(2), 3),
    ],
)  # fmt: skip
def test_nonsense_is_refused(make):
    with pytest.raises(twin.TwinError):
        make()
