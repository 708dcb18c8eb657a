"""Numbers with units at the edge."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.errors import UnitError
from twin.units import LENGTH_UNITS, length_unit, quantity, vector


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [
        ("35.6 kN", "N", 35600),
        ("-35.6kN", "N", -35600),
        ("8 mm", "m", 0.008),
        ("20 degC", "K", 293.15),
        ("2 bar", "Pa", 2e5),
        ("20 deg", "rad", math.pi / 9),
        ("3000 rpm", "rad/s", 100 * math.pi),
        ("5 %", "1", 0.05),
        ("1e3 N/mm^2", "Pa", 1e9),
        ("30e3 ksi", "Pa", 206842718795.0),
        ("10 lbf", "N", 44.4822161526),
        ("7.85 g/cm^3", "kg/m^3", 7850),
        ("12 ft*lbf", "N*m", 16.2698153799768),
        ("1 g_0", "m/s^2", 9.80665),
        ("1e9 N/m^3", "N/m^3", 1e9),
        ("0.3", "1", 0.3),
        ("12", "N", 12),
    ],
)
def test_strings(text: str, unit: str, expected: float) -> None:
    assert quantity(text, unit) == pytest.approx(expected, rel=1e-9)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_are_si_already(value: float) -> None:
    assert quantity(value, "Pa") == value
    assert quantity(np.float64(value), "Pa") == value


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("3 mm", "can't be converted to N"),
        ("3 foo", "unknown unit: foo"),
        ("abc", "can't be read"),
        ("", "can't be read"),
        ("mm", "can't be read"),
        ("2 **", "can't be read"),
        ("5 %", "can't be converted to N"),
        (math.nan, "not a finite number"),
        (math.inf, "not a finite number"),
        ("nan", "not a finite number"),
        (None, "must be a number in N or a string with a unit"),
        (True, "must be a number in N or a string with a unit"),
        ([1], "must be a number in N or a string with a unit"),
    ],
)
def test_refusals_say_what_was_expected(value: object, words: str) -> None:
    with pytest.raises(UnitError, match="lift of the wing") as raised:
        quantity(value, "N", "lift of the wing")  # type: ignore[arg-type]
    assert words in raised.value.message
    assert raised.value.facts["expected"] == "N"


def test_vectors() -> None:
    expected = (0.0, 0.0, -1000.0)
    assert vector((0, 0, "-1 kN"), "N") == expected
    assert vector("(0, 0, -1) kN", "N") == expected
    assert vector("[0, 0, -1000]", "N") == expected
    assert vector(np.array([0, 0, -1000]), "N") == expected  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [(1, 2), (1, 2, 3, 4), "1 kN", "(1, 2) kN", 3, "(1, 2, x) N"])
def test_vectors_have_three_components(value: object) -> None:
    with pytest.raises(UnitError):
        vector(value, "N")  # type: ignore[arg-type]


def test_length_units_agree_with_pint() -> None:
    for name, metres in LENGTH_UNITS.items():
        assert quantity(f"1 {name}", "m") == pytest.approx(metres, rel=1e-12)
    assert length_unit(" MM ") == 1e-3
    with pytest.raises(UnitError, match="mm, cm, m"):
        length_unit("furlong")
