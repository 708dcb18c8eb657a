"""Which designs are computed together: those that differ in their loads alone share a mesh and its hierarchy.

Decided as designs are planned, by nothing but the designs: the same sweep, the same packs, whatever happens to the
service.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from typing import Final

from twin import codec
from twin.store.planned import Planned

MOST: Final = 32  # load cases of a pack: their fields are in memory at the same time


def packed(designs: Sequence[Planned], name: str) -> list[Planned]:
    """The same with packs. name: begins the name of each, and is of this plan only."""
    numbers = count()
    filling: dict[object, tuple[int, int]] = {}  # packs that have room: number and load cases
    found = []
    for design in designs:
        asked = None if design.run is None else codec.parse_options(design.run.options)
        if design.run is None or asked is None or asked.max_seconds is not None or asked.asks_surrogates:
            # Nothing to compute; or so much time was given to this one alone; or there is no mesh to share.
            found.append(design)
            continue
        parted = codec.without_load_cases(design.run.study)
        if parted is None:
            found.append(design)
            continue
        rest, cases = parted
        alike = design.run.geometry, design.run.shape, design.run.options, rest
        number, filled = filling.get(alike, (-1, MOST))
        if filled + cases > MOST:
            number, filled = next(numbers), 0
        filling[alike] = number, filled + cases
        found.append(replace(design, run=replace(design.run, pack=f"{name}.{number}")))
    return found
