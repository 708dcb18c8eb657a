"""Selectors combine, describe themselves and refuse what selects nothing anywhere."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from twin import select
from twin.errors import SelectionError
from twin.select import MAX_DEPTH, All, And, Cylinder, Not, Or, Patch, Selector, describe


def test_units_are_read() -> None:
    hole = select.cylinder((0, 0, "20 mm"), axis=(0, 0, 1), radius="5 mm", length="1 cm")
    assert hole == Cylinder((0.0, 0.0, 0.02), (0.0, 0.0, 1.0), 0.005, 0.01)
    assert select.facing((0, 0, 1), "20 deg").max_angle == pytest.approx(math.pi / 9)


def test_operators_build_flat_combinations() -> None:
    a, b, c = select.patch(1), select.patch(2), select.patch(3)
    assert a & b & c == And((a, b, c)) == a & (b & c)
    assert a | b | c == Or((a, b, c))
    assert a & ~b | c == Or((And((a, Not(b))), c))
    assert hash(a & b) == hash(a & b)


def test_patch_takes_numbers_and_lists() -> None:
    assert select.patch(3, 4) == select.patch([3, 4]) == Patch((3, 4))


@pytest.mark.parametrize(
    ("selector", "words"),
    [
        (
            select.cylinder((0, 0, "20 mm"), (0, 0, 1), "5 mm"),
            "cylinder at (0, 0, 20) mm, radius 5 mm, along (0, 0, 1)",
        ),
        (select.sphere((0, 0, 0), 2), "sphere at (0, 0, 0) m, radius 2 m"),
        (select.box((0, 0, 0), "(1, 2, 3) mm"), "box from (0, 0, 0) m to (1, 2, 3) mm"),
        (select.plane((0, 0, 0), (1, 0, 0)), "plane through (0, 0, 0) m, normal (1, 0, 0)"),
        (select.facing((0, 0, 1), "20 deg"), "faces within 20° of (0, 0, 1)"),
        (select.patch(3), "patch 3"),
        (select.patch(*range(20)), "patches 0, 1, 2, 3, 4, 5, 6, 7, ..."),
        (select.group("clevis"), "group 'clevis'"),
        (select.all(), "whole surface"),
        (select.patch(1) & ~(select.patch(2) | select.group("a")), "patch 1 and not (patch 2 or group 'a')"),
    ],
)
def test_descriptions(selector: Selector, words: str) -> None:
    assert describe(selector) == words


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: select.plane((0, 0, 0), (0, 0, 0)), "zero vector"),
        (lambda: select.plane((0, 0, 0), (0, 0, 1), tolerance=0), "must be above 0"),
        (lambda: select.box((0, 0, 0), (1, 1, 0)), "along z it goes from 0 m to 0 m"),
        (lambda: select.box((0, 1, 0), (1, 0, 1)), "along y"),
        (lambda: select.sphere((0, 0, 0), -1), "must be above 0"),
        (lambda: select.cylinder((0, 0, 0), (0, 0, 1), 0), "must be above 0"),
        (lambda: select.cylinder((0, 0, 0), (0, 0, 1), 1, length=-1), "must be above 0"),
        (lambda: select.facing((0, 0, 1), 20), "'20 deg' for degrees"),
        (lambda: select.patch(), "at least one number"),
        (lambda: select.patch(-1), "start at 0"),
        (lambda: select.patch("clevis"), "Use select.group"),
        (lambda: select.group(""), "needs a name"),
        (lambda: select.all() & 3, "needs a selector"),  # type: ignore[operator]
    ],
)
def test_refusals(make: Callable[[], Selector], words: str) -> None:
    with pytest.raises(SelectionError) as raised:
        make()
    assert words in raised.value.message


def test_nesting_is_bounded() -> None:
    selector: Selector = All()
    for _ in range(MAX_DEPTH - 1):
        selector = ~selector
    with pytest.raises(SelectionError, match=f"more than {MAX_DEPTH} deep"):
        _ = ~selector
