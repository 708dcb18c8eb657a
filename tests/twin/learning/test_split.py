"""No part is learned from and tested on, whatever networks have learned before."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from twin.errors import FailedPrecondition
from twin.learning.training import split
from twin.studies.training import Training

NEW, FITTED = (Training("beam", runs=("runs/0",), seed=1, start=start) for start in ("", "bracket"))


def lessons(parts: int) -> list[Any]:
    """Two runs of each part."""
    return [
        SimpleNamespace(part=f"part-{number // 2}", sample=SimpleNamespace(run=f"runs/{number}"))
        for number in range(2 * parts)
    ]


def parts_of(group: list[Any]) -> set[str]:
    return {lesson.part for lesson in group}


def test_groups_share_no_part() -> None:
    groups = split(lessons(40), NEW)
    found = [parts_of(group) for group in groups.values()]
    assert {name: len(parts_of(group)) for name, group in groups.items()} == {
        "training": 24,
        "calibration": 10,
        "test": 6,
    }
    assert len(set.union(*found)) == 40


def test_what_networks_have_learned_from_calibrates_nothing() -> None:
    """One run of a part is enough."""
    taught = [f"runs/{2 * part}" for part in range(25)]
    groups = split(lessons(40), FITTED, taught)
    old = {f"part-{part}" for part in range(25)}
    assert old <= parts_of(groups["training"])
    assert len(parts_of(groups["calibration"])) == 10
    assert len(parts_of(groups["test"])) == 5


def test_too_few_new_parts_are_refused() -> None:
    with pytest.raises(FailedPrecondition, match="have learned from 30 of the 40 parts"):
        split(lessons(40), FITTED, [f"runs/{2 * part}" for part in range(30)])


def test_networks_that_know_other_parts_are_fitted_to_fewer() -> None:
    groups = split(lessons(20), FITTED)
    assert [len(parts_of(groups[name])) for name in ("training", "calibration", "test")] == [7, 10, 3]
    with pytest.raises(FailedPrecondition, match="19 different parts are too few to learn from: 20 are"):
        split(lessons(19), FITTED)
    with pytest.raises(FailedPrecondition, match=r"20 different parts .*: 30 are .* With start, .* 20"):
        split(lessons(20), NEW)
