"""What was published of the brackets: displacements and stresses on linear tetrahedra, and how fine these were."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache

from tests.corpus import brackets


def results(number: str) -> dict[str, dict[str, float]]:
    """By case: "u", the largest magnitude of the displacement [m], and "von_mises", the largest stress [Pa]."""
    row = _rows()[number]
    return {
        case: {
            "u": 1e-3 * float(row[f"max_{case}_magdisp"]),
            "von_mises": 1e6 * float(row[f"max_{case}_stress"]),
        }
        for case in brackets.CASES
    }


@dataclass(frozen=True)
class Mesh:
    """elements: how many; edge: of the mean one [mm]; across: edges across the mean wall of the bracket."""

    elements: int
    edge: float
    across: float


def mesh(number: str) -> Mesh:
    """What a bracket was published with."""
    volume, area, elements = (float(_rows()[number][name]) for name in ("volume", "surface_area", "num_tets"))
    edge = (6 * 2**0.5 * volume / elements) ** (1 / 3)
    return Mesh(int(elements), edge, 2 * volume / area / edge)


@cache
def _rows() -> dict[str, dict[str, str]]:
    with (brackets.DATA / "published.csv").open(newline="") as file:
        return {row["id"]: row for row in csv.DictReader(file)}
