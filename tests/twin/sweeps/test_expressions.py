"""Arithmetic on parameters: it means what Python means, and lets nothing else in."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import twin
from twin.sweeps.expressions import Formula
from twin.sweeps.parameters import MARKS, Expression

NUMBERS = st.floats(0.1, 10.0)


@given(NUMBERS, NUMBERS)
def test_it_means_what_python_means(a, b):
    for text in ("a + 2*b", "-a**2 / (b + 1)", "sqrt(a) * sin(b) - pi", "min(a, b) - max(a, 3) + abs(-a)"):
        known = {"sqrt": math.sqrt, "sin": math.sin, "pi": math.pi, "min": min, "max": max, "abs": abs}
        meant = eval(text, known, {"a": a, "b": b})  # noqa: S307
        assert Formula(text)({"a": a, "b": b}) == pytest.approx(meant, rel=1e-14)
    assert Formula("a < 2*b <= 5", comparison=True)({"a": a, "b": b}) == (a < 2 * b <= 5)


def test_arrays_go_through():
    assert Formula("2*a")({"a": np.arange(3.0)}).tolist() == [0, 2, 4]
    assert Formula("a < 2", comparison=True)({"a": np.arange(3.0)}).tolist() == [True, True, False]


def test_what_has_no_meaning_is_no_number():
    assert math.isnan(Formula("sqrt(a)")({"a": -1.0}))
    assert not Formula("log(a) > -5", comparison=True)({"a": -1.0})
    assert math.isinf(Formula("1 / a")({"a": 0.0}))


@pytest.mark.parametrize(
    "text",
    ["__import__('os')", "a.b.c", "a().b", "a[0]", "9" * 400, "a" + ".b" * 500, "a if a else b", "f(a)", "min(a)",
     "a**", "'a'", "True", "a < b", "lambda: 1", "(a := 3)", "9" * 2000, "-" * 200 + "a", "a and b",
     "1e999", "", "a = 3"],
)  # fmt: skip
def test_nothing_else_is_let_in(text):
    with pytest.raises(twin.StudyError):
        Formula(text)


@given(NUMBERS, NUMBERS)
def test_operators_write_what_they_mean(a, b):
    x, y = twin.Range("x", 0, 20), twin.Range("y", 0, 20)
    for made, meant in (
        (-x + 2 * y - 1, -a + 2 * b - 1),
        ((x - y) * (x + y) / 3, (a - b) * (a + b) / 3),
        (1 / (1 + x) ** 2, 1 / (1 + a) ** 2),
        (2**x - abs(-y), 2**a - b),
        (5 - x, 5 - a),
        ((-2.0) * x - -1.5, -2 * a + 1.5),
    ):
        assert isinstance(made, Expression)
        assert Formula(made.text)({"x": a, "y": b}) == pytest.approx(meant, rel=1e-12, abs=1e-12)


def test_each_use_has_a_mark_of_its_own():
    x = twin.Range("x", 0, "2 m")
    marks = {float(x), float(x), float(2 * x), float(x - 1)}
    assert len(marks) == 4
    assert sorted(MARKS[mark] for mark in marks) == ["2.0 * x", "x", "x", "x - 1.0"]
    assert all(abs(mark - round(mark)) < 1e-6 for mark in marks)


def test_negative_numbers_keep_their_sign_under_powers():
    n = twin.Integers("n", 1, 4)
    assert Formula(((-1.0) ** n).text)({"n": 2.0}) == 1.0


def test_columns_of_load_cases_have_dots():
    formula = Formula("brake.max_von_mises < 2 * limit", comparison=True)
    assert formula.names == {"brake.max_von_mises", "limit"}
    assert formula({"brake.max_von_mises": 3.0, "limit": 2.0})
