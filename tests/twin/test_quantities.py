"""Numbers show themselves as engineers write them, with their error."""

from __future__ import annotations

import math

import numpy as np
import pytest

from twin.quantities import Field, Quantity, engineering


@pytest.mark.parametrize(
    ("quantity", "shown"),
    [
        (Quantity(0.0004856, "m", 0.0004856 * 0.012), "0.4856 mm ± 1.2 %"),
        (Quantity(312.4e6, "Pa", 312.4e6 * 0.031), "312.4 MPa ± 3.1 %"),
        (Quantity(1.2e-7, "m", 0), "0.12 µm ± 0 %"),
        (Quantity(2.05, "1", 0.05), "2.05 ± 2.4 %"),
        (Quantity(35600, "N"), "35.6 kN ± unknown"),
        (Quantity([0, 0, -35600], "N", 356), "(0, 0, -35.6) kN ± 1.7 %"),
        (Quantity(0.0, "m", 1e-6), "0 m ± 1e-06 m"),
        (Quantity(1.0, "J", 1e-9), "1 J ± < 0.01 %"),
        (Quantity(4.2, "kg/m", 0.42), "4.2 kg/m ± 10 %"),
    ],
)
def test_shown(quantity: Quantity, shown: str) -> None:
    assert str(quantity) == shown


def test_errors_are_never_nan() -> None:
    assert Quantity(1.0, "m", math.nan).error == math.inf
    assert Quantity(1.0, "m").error == math.inf
    vector = Quantity([1, 2, 3], "N", [0.1, math.nan, -0.1])
    np.testing.assert_array_equal(vector.error, [0.1, math.inf, 0.1])
    assert vector.relative_error == math.inf


def test_one_error_stands_for_all_components() -> None:
    np.testing.assert_array_equal(Quantity([1, 2, 3], "N", 0.5).error, [0.5, 0.5, 0.5])


def test_values_are_frozen() -> None:
    quantity = Quantity(np.array([1.0, 2.0]), "N", 0.1)
    with pytest.raises(ValueError, match="read-only"):
        quantity.value[0] = 7  # type: ignore[index]
    assert quantity == Quantity([1.0, 2.0], "N", 0.1)  # type: ignore[arg-type]
    assert quantity != Quantity([1.0, 2.0], "Pa", 0.1)  # type: ignore[arg-type]


def test_floats() -> None:
    assert float(Quantity(np.float64(3), "N")) == 3.0
    with pytest.raises(TypeError, match="vector"):
        float(Quantity([1, 2, 3], "N"))  # type: ignore[arg-type]


def test_engineering_units() -> None:
    assert engineering(0.02, "m") == (1e-3, "mm")
    assert engineering(-2e9, "Pa") == (1e9, "GPa")
    assert engineering(5.0, "widgets") == (1.0, "widgets")


def test_fields_have_rows_and_components() -> None:
    field = Field("displacement", np.zeros((5, 3)), "m", "node")
    assert repr(field) == "Field('displacement', 5 x 3, unit='m', location='node')"
    with pytest.raises(ValueError, match=r"\(n, components\)"):
        Field("displacement", np.zeros(5), "m", "node")
