"""The reference cases solved in this process on ever finer meshes or grids, and what is known of their answers.

Every one of a ladder is an answer, were the budget to end there: so one ladder says of several error estimates, and of
what they are made of, how they go with true errors.
"""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import twin
from tests.verification import shapes
from tests.verification.suite.case import Case
from tests.verification.suite.cases import CASES
from twin.analyses import run
from twin.analyses.estimates import Trust, Values
from twin.analyses.monitor import Silent
from twin.analyses.solution import StudySolution
from twin.geometry.parse import parse
from twin.studies import Request
from twin.studies.request import Discretisation

REFERENCES = Path(__file__).with_name("references.json")
STRESS = ("max_displacement", "max_von_mises", "compliance")
HEAT = ("max_temperature", "min_temperature", "heat_flow", "max_heat_flux")
FINEST = 0.0003  # accuracy of a reference
# Unknowns; on tetrahedra of a reference, too.
MOST: dict[Discretisation, int] = {"tet": 200_000, "grid": 150_000}


@dataclass(frozen=True)
class Rung:
    """Numbers of one mesh, as of `twin.analyses.estimates.Values`."""

    unknowns: int
    values: Mapping[str, float]
    indicators: Mapping[str, Mapping[str, float]]
    scales: Mapping[str, float]
    at_peak: str
    geometry: Mapping[str, float]

    def measured(self, trust: Trust) -> Values:
        """The same, trusted so far."""
        return Values(
            trust,
            self.values,
            self.indicators,
            {},
            self.at_peak,
            scales=self.scales,
            geometry=self.geometry,
        )


@dataclass(frozen=True)
class Climb:
    """The meshes or grids that a case took to an accuracy, from coarse to fine."""

    case: str
    discretisation: str
    accuracy: float
    ended: str
    rungs: tuple[Rung, ...]


def quantities(case: Case) -> tuple[str, ...]:
    return STRESS if isinstance(case.study, twin.StaticStress) else HEAT


def climb(name: str, discretisation: Discretisation, accuracy: float) -> Climb:
    """Solve a case until the accuracy is met, or as many unknowns as are allowed."""
    case = CASES[name]
    request = Request(
        accuracy,
        discretisation=discretisation,
        quantities=quantities(case),
        max_unknowns=MOST[discretisation],
    )
    with tempfile.TemporaryDirectory() as folder:
        path = shapes.write_step(case.shape(), Path(folder) / "part.step")
        task = run.set_up(
            *parse(path, "mm", path.name), case.study, request,
            source=path, monitor=Silent(), workdir=Path(folder),
        )  # fmt: skip
        ladder = run.solve(task)
    return Climb(name, discretisation, accuracy, ladder.ended, tuple(map(_rung, ladder.solutions)))


def _rung(solution: StudySolution) -> Rung:
    (measured,) = solution.measured.values()
    return Rung(
        solution.unknowns,
        measured.values,
        measured.indicators,
        {number: measured.scale(number) for number in measured.values},
        measured.at_peak,
        measured.geometry,
    )


def write(climbs: list[Climb], path: Path) -> None:
    path.write_text(json.dumps([asdict(one) for one in climbs], indent=1) + "\n")


def read(path: Path) -> list[Climb]:
    return [
        Climb(**{**one, "rungs": tuple(Rung(**rung) for rung in one["rungs"])})
        for one in json.loads(path.read_text())
    ]


def known(name: str) -> dict[str, float]:
    """True numbers of a case: exact where there is a closed form, else those of its reference."""
    references = json.loads(REFERENCES.read_text())
    return {**references.get(name, {}), **CASES[name].exact}


def make_reference(name: str) -> str:
    """Solve a case as finely as it goes and keep the numbers that no closed form gives; a line that says how.

    Those that go with the energy are extrapolated: what is left of their changes falls as the recovered error does.
    """
    if set(CASES[name].exact) >= set(quantities(CASES[name])):
        return f"{name}: closed forms"
    found = climb(name, "tet", FINEST)
    numbers = dict(found.rungs[-1].values)
    for coarse, fine in [found.rungs[-2:]] if len(found.rungs) > 1 else []:
        for key, indicators in fine.indicators.items():
            off, before = indicators.get("energy", 0.0), coarse.indicators[key].get("energy", 0.0)
            if 0 < 2 * off <= before:  # else two meshes are too alike to tell
                numbers[key] += off / (before - off) * (fine.values[key] - coarse.values[key])
    references = json.loads(REFERENCES.read_text()) if REFERENCES.exists() else {}
    references[name] = {key: numbers[key] for key in quantities(CASES[name])}
    assert all(map(math.isfinite, references[name].values()))
    REFERENCES.write_text(json.dumps(references, indent=1, sort_keys=True) + "\n")
    return f"{name}: {found.ended}, {found.rungs[-1].unknowns:,} unknowns"
