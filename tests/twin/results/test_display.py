import math

import numpy as np
import pytest

from twin.quantities import Quantity
from twin.results.display import answer, number, percent, plain, round_down, round_step, unit_for


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (238e6, "Pa", "238 MPa"), (2.5e9, "Pa", "2500 MPa"), (900.0, "Pa", "900 Pa"), (0.0, "Pa", "0 MPa"),
        (0.0004856, "m", "0.4856 mm"), (2.3e-7, "m", "230 nm"), (12.0, "m", "12000 mm"),
        (35600.0, "N", "35.6 kN"), (0.437, "kg", "437 g"), (0.5, "J", "500 mJ"), (3.7, "1", "3.7"),
        (9.11e-5, "m^3", "91.1 cm³"), (-0.25, "N", "−250 mN"),
    ],
)  # fmt: skip
def test_values_in_units_of_a_drawing(value, unit, expected):
    assert unit_for(unit, value)(value) == expected


def test_numbers():
    assert number(0.0) == "0"
    assert number(999.96) == "1000"
    assert number(1.5e9) == "1.500·10⁹"
    assert number(-2.5, 2) == "−2.5"
    assert number(math.inf) == "∞"
    assert plain(20.0) == "20"
    assert plain(1234.0) == "1234"
    assert percent(0.0431) == "4.3 %"
    assert percent(math.inf) == "unknown"


def test_answers_print_no_more_digits_than_are_known():
    assert (
        answer("max_displacement", Quantity(4.856e-4, "m", 5.8e-6)) == "Maximum displacement 0.486 mm ± 1.2 %"
    )
    assert (
        answer("max_displacement", Quantity(4.856e-4, "m", 5e-7)) == "Maximum displacement 0.4856 mm ± 0.10 %"
    )
    assert answer("max_von_mises", Quantity(3e8, "Pa")) == "Maximum von Mises stress 300.0 MPa, bound unknown"
    force = Quantity(np.array([1e-9, 0.0, 35600.0]), "N", np.array([0.0, 0.0, 36.0]))
    assert answer("reaction_force", force) == "Reaction force (0, 0, 35.60) kN ± 0.10 %"


def test_round_steps():
    assert round_step(238.0, 10) == 25.0
    assert round_step(0.95, 10) == pytest.approx(0.1)
    assert round_down(0.0345) == pytest.approx(0.02)
    assert round_down(100.0) == pytest.approx(100.0)
