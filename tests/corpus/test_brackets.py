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


@pytest.mark.parametrize(("number", "words"), [("200", "clevis"), ("501", "bolt")])
def test_an_interface_that_is_not_clean_is_said_so(number, words):
    with pytest.raises(brackets.NoInterfaceError, match=words):
        brackets.interface(brackets.surface_file(number))
