"""What is refused of any study before anything is computed, in an engineer's words."""

from collections.abc import Collection
from typing import NoReturn

import numpy as np

from twin.errors import GeometryError, SelectionError, StudyError
from twin.geometry.surface import Report, Surface
from twin.select import Selector, describe
from twin.studies import Request

# A part outside of this range has most likely been read in the wrong unit [m].
LONGEST, SHORTEST = 20.0, 1e-5
LONGEST_IN_WIND = 1000.0  # trains, ships, buildings
# How finely a selector's border is followed, as a share of the part's diagonal.
SELECTION_RESOLUTION = 1 / 200


def check_request(request: Request, study: str, numbers: Collection[str]) -> None:
    """Raise where no number has such a name."""
    unknown = [name for name in request.quantities or () if name not in numbers]
    if unknown:
        raise StudyError(
            f"A study of {study} has no quantity {', '.join(map(repr, unknown))}. It has: {', '.join(numbers)}.",
            {"quantities": ", ".join(unknown)},
        )


def check_flow(request: Request) -> None:
    """Raise where a flow was asked for by what it is not found by."""
    if request.method == "surrogate":
        raise StudyError("No surrogate knows flow: ask for method='auto' or 'solver'.")
    if request.discretisation == "tet":
        raise StudyError("Flow is found on a grid: ask for discretisation='auto' or 'grid'.")


def refuse_between_bodies(on: Selector) -> NoReturn:
    """Raise SelectionError for a selection of which nothing bounds the part."""
    raise SelectionError(
        f"All of {describe(on)} lies between bodies that touch or overlap, or is a sheet: nothing can act there. "
        "Select faces on the outside of the part.",
        {"selector": describe(on)},
    )


def check_part(surface: Surface, report: Report, most: float = LONGEST) -> None:
    """Raise GeometryError where the part was most likely read in the wrong unit. most: that it may be long [m]"""
    lower, upper = np.array(surface.bounds)
    longest = float((upper - lower).max())
    if longest > most or longest < SHORTEST:
        size = f"{longest:.4g} m" if longest > 1 else f"{longest * 1e6:.4g} µm"
        remedy = (
            "Export it from the CAD system with the right unit, or, where the file itself names none, upload it "
            "again with its true one"
        )
        if report.unit == "m" and longest > most:
            remedy += ", most often unit='mm'"
        raise GeometryError(
            f"The part is {size} long, read with lengths in {report.unit}: most likely the unit is wrong. {remedy}.",
            {"longest_m": longest, "unit": report.unit},
        )
