"""From a part and a study of the flow through it to an outcome."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.analyses import checks, programs
from twin.analyses.flow.climb import Experiment, Shown, climb
from twin.analyses.flow.simulation import Plan, Simulation
from twin.analyses.internal_flow import quantities as numbers
from twin.analyses.internal_flow.channel import Channel, cells, channel, coarsest
from twin.analyses.internal_flow.passage import MOST_REYNOLDS, Passage, passage
from twin.analyses.internal_flow.quantities import Measured
from twin.analyses.internal_flow.report import outcome
from twin.analyses.internal_flow.schedule import plan
from twin.analyses.monitor import Monitor
from twin.analyses.task import Stopwatch
from twin.errors import GeometryError, StudyError
from twin.geometry.surface import Report, Surface
from twin.results.outcome import Outcome
from twin.studies import InternalFlow, Request

Floats = NDArray[np.float64]

_LEAST_REYNOLDS: Final = 0.01
_SHARE: Final = 0.2  # of the accuracy, for the finite time


def answer(
    surface: Surface,
    report: Report,
    study: InternalFlow,
    request: Request,
    *,
    source: Path | None,
    monitor: Monitor,
    workdir: Path,
) -> Outcome:
    """Answer a study; arguments as of `twin.analyses.run.run`.

    Raises:
        twin.errors.TwinError: the study can't be answered; the sentence says why
    """
    programs.drop_when_many()
    watch = Stopwatch()
    monitor.progress("check", 0.0, "checking the study against the part")
    with watch.phase("check"):
        placed = _checked(surface, report, study, request)
    answered = climb(_ThroughPart(placed, request), request, monitor, workdir, watch)
    monitor.progress("recover", 0.94, "pressure and friction on the walls")
    with watch.phase("recover"):
        return outcome(surface, report, request, answered, watch)


@dataclass(frozen=True)
class _ThroughPart(Experiment[Channel, Measured]):
    passage: Passage
    request: Request

    @property
    def size(self) -> float:
        return self.passage.size

    @property
    def name(self) -> str:
        return "the narrowest opening's hydraulic diameter"

    @property
    def coarsest(self) -> float:
        return coarsest(self.passage)

    @property
    def reynolds_number(self) -> float:
        return self.passage.size_reynolds_number

    def cells(self, across: float) -> int:
        return cells(self.passage, across)

    def lattice(self, across: float, *, continued: bool) -> Channel:
        return channel(self.passage, across, continued=continued)

    def plan(self, lattice: Channel, before: Measured | None) -> Plan:
        return plan(lattice, _SHARE * self.request.accuracy, None if before is None else before.values)

    def standing(self, lattice: Channel, series: Floats) -> tuple[str, dict[str, float]]:
        return numbers.standing(lattice, series)

    def measured(self, found: Simulation[Channel]) -> Measured:
        return numbers.measured(found)

    def shown(self, ladder: Sequence[Measured]) -> Shown:
        made = numbers.quantities(ladder, self.passage, self.request.accuracy)
        told = {name: made[name] for name in ("pressure_drop", "total_pressure_drop")}
        total = abs(float(made["total_pressure_drop"].value))
        return Shown(
            {name: float(each.value) for name, each in told.items()},
            {name: float(each.error) for name, each in told.items()},
            float(ladder[-1].spread[1]) / max(total, np.finfo(np.float64).tiny),
        )

    def is_accurate(self, ladder: Sequence[Measured]) -> bool:
        made = numbers.quantities(ladder, self.passage, self.request.accuracy)
        names = self.request.quantities or numbers.ASKED
        return all(made[name].relative_error <= self.request.accuracy for name in names)

    def is_known_as_well_as_can_be(self, ladder: Sequence[Measured]) -> bool:
        return False


def _checked(surface: Surface, report: Report, study: InternalFlow, request: Request) -> Passage:
    checks.check_request(request, "internal flow", numbers.names(study))
    checks.check_part(surface, report)
    checks.check_flow(request)
    if not report.watertight:
        raise GeometryError(
            "The surface is not closed, so that it holds no fluid. Close it, with a face across each inlet and outlet: "
            "the part is to be the space that the fluid fills."
        )
    placed = passage(surface, study)
    if placed.reynolds_number < _LEAST_REYNOLDS:
        raise StudyError(
            f"The Reynolds number is {placed.reynolds_number:.2g}. Such creeping flow takes too many steps: below "
            f"{_LEAST_REYNOLDS:g} pressure drops are in proportion to viscosity and flow rate, so ask for a higher "
            "rate and scale its answer. Is the viscosity in Pa s?"
        )
    if placed.reynolds_number > MOST_REYNOLDS:
        raise StudyError(
            f"The Reynolds number is {placed.reynolds_number:.3g}: the flow is turbulent. Flow through parts is "
            f"answered where it is laminar, up to {MOST_REYNOLDS:g}. Is the viscosity in Pa s, and "
            "the part in the right unit?",
            {"reynolds_number": placed.reynolds_number},
        )
    return placed
