"""From a part and a study of the flow round it to an outcome: ever finer tunnels until the accuracy is met."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.analyses import checks, programs
from twin.analyses.external_flow import quantities as numbers
from twin.analyses.external_flow.quantities import Measured
from twin.analyses.external_flow.report import outcome
from twin.analyses.external_flow.schedule import EVERY, plan
from twin.analyses.external_flow.setting import Setting, setting
from twin.analyses.external_flow.tunnel import Tunnel, cells, coarsest, tunnel
from twin.analyses.flow.climb import Experiment, Shown, climb, length
from twin.analyses.flow.simulation import Plan, Simulation
from twin.analyses.monitor import Monitor
from twin.analyses.task import Stopwatch
from twin.errors import GeometryError, StudyError
from twin.geometry.surface import Report, Surface
from twin.quantities import engineering
from twin.results.outcome import Outcome
from twin.studies import ExternalFlow, Request

Floats = NDArray[np.float64]

_LEAST_REYNOLDS: Final = 1.0
_SHARE: Final = 0.3  # of the accuracy, for the finite time


def answer(
    surface: Surface,
    report: Report,
    study: ExternalFlow,
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
    answered = climb(_RoundPart(placed, request), request, monitor, workdir, watch)
    monitor.progress("recover", 0.94, "pressure and friction on the part")
    with watch.phase("recover"):
        return outcome(surface, report, request, answered, watch)


@dataclass(frozen=True)
class _RoundPart(Experiment[Tunnel, Measured]):
    setting: Setting
    request: Request

    @property
    def size(self) -> float:
        return self.setting.size

    @property
    def name(self) -> str:
        return "the part's size"

    @property
    def coarsest(self) -> float:
        return coarsest(self.setting)

    @property
    def reynolds_number(self) -> float:
        return self.setting.reynolds_number

    def cells(self, across: float) -> int:
        return cells(self.setting, across)

    def lattice(self, across: float, *, continued: bool) -> Tunnel:
        return tunnel(self.setting, across, continued=continued)

    def plan(self, lattice: Tunnel, before: Measured | None) -> Plan:
        # a mean need not be known better than the model of turbulence is
        worth = max(self.request.accuracy, numbers.MODEL if self.setting.turbulent else 0.0)
        return plan(lattice, _SHARE * worth, None if before is None else before.force)

    def standing(self, lattice: Tunnel, series: Floats) -> tuple[str, dict[str, float]]:
        force = lattice.scales.force * series[-1, :3]
        factor, unit = engineering(float(np.abs(force).max()), "N")
        drag, side, lift = force / factor
        forces = f"drag {drag:.4g} {unit}, lift {lift:.4g} {unit}, side force {side:.4g} {unit}"
        last = {f"{name}_force": float(force[axis]) for name, axis in numbers.AXES.items()}
        return f"{EVERY * len(series):.1f} lengths of the part on: {forces}", last

    def measured(self, found: Simulation[Tunnel]) -> Measured:
        return numbers.measured(found)

    def shown(self, ladder: Sequence[Measured]) -> Shown:
        finest = ladder[-1]
        force, _ = numbers.errors(ladder)
        scale = max(float(np.linalg.norm(finest.force)), np.finfo(np.float64).tiny)
        return Shown(
            {f"{name}_force": float(finest.force[axis]) for name, axis in numbers.AXES.items()},
            {f"{name}_force": float(force[axis]) for name, axis in numbers.AXES.items()},
            float(finest.force_spread.max()) / scale,
        )

    def is_accurate(self, ladder: Sequence[Measured]) -> bool:
        made = numbers.quantities(ladder, self.setting, self.request.accuracy)
        names = self.request.quantities or numbers.ASKED
        return all(made[name].relative_error <= self.request.accuracy for name in names)

    def is_known_as_well_as_can_be(self, ladder: Sequence[Measured]) -> bool:
        names = self.request.quantities or numbers.ASKED
        scale = numbers.scale(self.setting)
        return numbers.is_known_as_well_as_can_be(ladder, names, self.request.accuracy, scale)


def _checked(surface: Surface, report: Report, study: ExternalFlow, request: Request) -> Setting:
    checks.check_request(request, "external flow", numbers.NUMBERS)
    checks.check_part(surface, report, checks.LONGEST_IN_WIND)
    checks.check_flow(request)
    placed = setting(surface, study)
    if placed.area <= 0:
        raise GeometryError("The part has no extent across the flow: there is nothing for it to flow round.")
    if placed.reynolds_number < _LEAST_REYNOLDS:
        raise StudyError(
            f"The Reynolds number of the part's size, {length(placed.size)}, is {placed.reynolds_number:.2g}: such "
            "creeping flow reaches far beyond the box that is computed. There are answers from "
            f"{_LEAST_REYNOLDS:g} on. Is the viscosity in Pa s, and the velocity in m/s?"
        )
    return placed
