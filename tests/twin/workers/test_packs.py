"""Designs that differ in their loads alone are computed together, unless each asks a surrogate."""

from __future__ import annotations

from typing import Any

import pytest

import twin
from twin import codec
from twin.store.planned import Planned
from twin.store.runs import NewRun
from twin.studies import Request
from twin.workers.packing import packed

TOP, BOTTOM = (twin.select.facing((0, 0, z), "1 deg") for z in (1, -1))


def designs(request: Request) -> list[Planned]:
    options = codec.options_to_proto(request).SerializeToString()
    found = []
    for newtons in (1.0, 2.0):
        study = twin.StaticStress(
            "Ti-6Al-4V", [twin.Fixed(on=BOTTOM)], loads=[twin.Force((0, 0, newtons), on=TOP)]
        )
        message = codec.study_to_proto(study).SerializeToString(deterministic=True)
        found.append(Planned((newtons,), NewRun("part", "static_stress", message, options, "digest")))
    return found


@pytest.mark.parametrize(
    ("asked", "together"),
    [
        ({}, True),
        ({"method": "solver"}, True),
        ({"max_seconds": 10.0}, False),
        ({"method": "surrogate"}, False),
        ({"surrogate": "surrogates/bracket"}, False),
    ],
    ids=str,
)
def test_those_that_are_solved_are_packed(asked: dict[str, Any], together: bool) -> None:
    packs = [design.run.pack for design in packed(designs(Request(**asked)), "plan") if design.run]
    assert packs == (["plan.0"] * 2 if together else ["", ""])
