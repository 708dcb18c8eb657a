"""The bores of the brackets are found where the recipe says that they are."""

from __future__ import annotations

import numpy as np
import pytest

from tests.corpus import brackets

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not brackets.DATA.exists(), reason=f"needs the real geometry in {brackets.DATA}"),
]


def test_the_standard_interface():
    place = brackets.interface(brackets.surface_file("417"))
    assert not place.oddities
    assert np.allclose([bore.point[:2] for bore in place.bolts], brackets.STANDARD_BOLTS, atol=1e-3)
    assert [bore.radius for bore in place.bolts] == pytest.approx(
        [5.334] + 3 * [brackets.BOLT_RADIUS], abs=1e-3
    )
    assert [bore.length for bore in place.bolts] == pytest.approx(4 * [7.849], abs=0.01)
    assert [bore.length for bore in place.clevis] == pytest.approx([6.35, 6.35], abs=0.01)
    assert place.pin == pytest.approx((-20.924, -74.698, 44.725), abs=0.01)


@pytest.mark.parametrize(("number", "shift"), [("393", 4.4), ("196", 4.8), ("382", 15.9)])
def test_a_shifted_clevis(number, shift):
    place = brackets.interface(brackets.surface_file(number))
    assert place.clevis[0].shift == pytest.approx(shift, abs=0.5)
    for bore in (*place.bolts, *place.clevis):
        assert bore.coverage == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize(("number", "lengths"), [("130", (7.4, 7.4)), ("200", (7.0, 7.0))])
def test_a_web_between_the_arms_carries_the_clevis_on(number, lengths):
    place = brackets.interface(brackets.surface_file(number))
    assert [bore.length for bore in place.clevis] == pytest.approx(lengths, abs=0.5)
    assert (
        abs(np.subtract(*(bore.point for bore in place.clevis)))[1] > 22
    )  # the gap between the arms, and an arm


def test_a_bracket_without_bolt_bores_is_said_so():
    # The edges of two feet of 501, 4 mm thick, are rounded with 4 mm from below: nothing of the cylinder is left.
    with pytest.raises(brackets.NoInterfaceError, match=r"bolt bore .* \(52, 2\), \(38, -147\)"):
        brackets.interface(brackets.surface_file("501"))


def test_a_cylinder_with_a_groove_is_one_bore():
    # 271 lies 7.85 mm lower than the others and is cut off at its feet: their head seats are what is left to fix.
    for bore in brackets.interface(brackets.surface_file("271")).bolts:
        assert bore.radius == pytest.approx(10.541, abs=1e-3)
        assert bore.length == pytest.approx(15.8, abs=0.3)
