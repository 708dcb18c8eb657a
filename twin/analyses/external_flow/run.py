"""From a part and a study of the flow round it to an outcome: ever finer tunnels until the accuracy is met."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
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
from twin.analyses.flow.checkpoints import Checkpoints
from twin.analyses.flow.simulation import Simulation, beginning, simulate
from twin.analyses.monitor import Monitor
from twin.analyses.task import Stopwatch
from twin.errors import DeadlineExceeded, GeometryError, StudyError
from twin.geometry.surface import Report, Surface
from twin.quantities import engineering
from twin.results.outcome import ConvergenceRow, Ending, Outcome
from twin.studies import ExternalFlow, Request

Floats = NDArray[np.float64]

FINER: Final = 1.5  # from one tunnel to the next
UNKNOWNS: Final = 19  # of a cell
DEFAULT_UNKNOWNS: Final = 400_000_000
DEFAULT_SECONDS: Final = 900.0
_LEAST_REYNOLDS: Final = 1.0
_SHARE: Final = 0.3  # of the accuracy, for the finite time
_TUNNELS: Final = (0.05, 0.15, 0.35, 0.65, 0.85, 0.92)  # of the progress, when each begins


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
    task = _Task(request, monitor, Stopwatch(), Checkpoints(workdir))
    monitor.progress("check", 0.0, "checking the study against the part")
    with task.watch.phase("check"):
        placed = _checked(surface, report, study, request)
    ladder: list[tuple[Simulation[Tunnel], Measured]] = []
    rows: list[ConvergenceRow] = []
    ended: Ending | None = None
    while ended is None:
        across, begun = coarsest(placed) * FINER ** len(ladder), time.perf_counter()
        found = task.simulated(placed, across, len(ladder))
        if ladder and not found.finished:  # one that has not settled tells less than the one before
            ended = "max_seconds"
            break
        if not found.has_settled:
            raise DeadlineExceeded(
                f"max_seconds = {task.seconds:g} s is too short for the first, coarse tunnel of this study. Allow more "
                "time.",
                {"max_seconds": task.seconds},
            )
        ladder.append((found, numbers.measured(found)))
        took = time.perf_counter() - begun
        rows.append(_row([each for _, each in ladder], found, took))
        following = took + (FINER**4 - 1) * found.seconds
        ended = task.ending(found, [each for _, each in ladder], following)
    monitor.progress("recover", 0.94, "pressure and friction on the part")
    with task.watch.phase("recover"):
        last, measured = ladder[-1][0], [each for _, each in ladder]
        return outcome(surface, report, request, last, measured, rows, ended, task.watch, task.seconds)


@dataclass(frozen=True)
class _Task:
    """What was asked, whom to tell, and what earlier attempts at the run have left."""

    request: Request
    monitor: Monitor
    watch: Stopwatch
    checkpoints: Checkpoints

    @property
    def seconds(self) -> float:
        """That the answer may take."""
        return self.request.max_seconds or DEFAULT_SECONDS

    @property
    def remaining(self) -> float:
        return self.checkpoints.begun + self.seconds - time.perf_counter()

    def simulated(self, placed: Setting, across: float, number: int) -> Simulation[Tunnel]:
        """What is found in the tunnel of this number."""
        low, high = np.interp([number, number + 1], np.arange(len(_TUNNELS)), _TUNNELS)
        what = f"cells of {_length(placed.size / across)}"
        self.monitor.progress("mesh", low, what)
        with self.watch.phase("mesh"):
            ready = tunnel(placed, across)
            course = self.checkpoints.load(number, beginning(ready))
        self.monitor.progress("solve", low, f"{what}: compiling")
        with self.watch.phase("solve"):
            # a mean need not be known better than the model of turbulence is
            worth = max(self.request.accuracy, numbers.MODEL if placed.turbulent else 0.0)
            found = simulate(
                ready,
                plan(ready, _SHARE * worth),
                self._teller(what, ready.scales.force, low, high),
                course,
                partial(self.checkpoints.keep, number),
            )
            self.checkpoints.keep(number, course, now=True)
            return found

    def _teller(self, what: str, scale: float, low: float, high: float) -> Callable[[float, Floats], bool]:
        def tell(share: float, series: Floats) -> bool:
            force = series[-1, :3]
            factor, unit = engineering(float(np.abs(scale * force).max()), "N")
            drag, side, lift = scale / factor * force
            forces = f"drag {drag:.4g} {unit}, lift {lift:.4g} {unit}, side force {side:.4g} {unit}"
            self.monitor.progress(
                "solve",
                low + share * (high - low),
                f"{what}, {EVERY * len(series):.1f} lengths of the part on: {forces}",
            )
            return self.remaining > 0

        return tell

    def ending(self, found: Simulation[Tunnel], ladder: Sequence[Measured], seconds: float) -> Ending | None:
        """Why there is no finer tunnel, which would take so long; None where there is one."""
        made = numbers.quantities(ladder, found, self.request.accuracy)
        names = self.request.quantities or numbers.ASKED
        if len(ladder) > 1 and all(made[name].relative_error <= self.request.accuracy for name in names):
            return "accuracy"
        scale = made["drag_force"].scale or 0.0
        if numbers.is_known_as_well_as_can_be(ladder, names, self.request.accuracy, scale):
            return "no_finer_mesh"
        placed = found.lattice.setting
        following = UNKNOWNS * cells(placed, coarsest(placed) * FINER ** len(ladder))
        if following > (self.request.max_unknowns or DEFAULT_UNKNOWNS):
            return "max_unknowns"
        return "max_seconds" if seconds > self.remaining else None


def _checked(surface: Surface, report: Report, study: ExternalFlow, request: Request) -> Setting:
    checks.check_request(request, "external flow", numbers.NUMBERS)
    checks.check_part(surface, report)
    if request.method == "surrogate":
        raise StudyError("No surrogate knows flow: ask for method='auto' or 'solver'.")
    if request.discretisation == "tet":
        raise StudyError("Flow is found on a grid round the part: ask for discretisation='auto' or 'grid'.")
    placed = setting(surface, study)
    if placed.area <= 0:
        raise GeometryError("The part has no extent across the flow: there is nothing for it to flow round.")
    if placed.reynolds_number < _LEAST_REYNOLDS:
        raise StudyError(
            f"The Reynolds number of the part's size, {_length(placed.size)}, is {placed.reynolds_number:.2g}: such "
            "creeping flow reaches far beyond the box that is computed. There are answers from "
            f"{_LEAST_REYNOLDS:g} on. Is the viscosity in Pa s, and the velocity in m/s?"
        )
    least = UNKNOWNS * cells(placed, coarsest(placed))
    most = request.max_unknowns or DEFAULT_UNKNOWNS
    if least > most:
        raise StudyError(
            f"The Reynolds number of the part's size, {_length(placed.size)}, is {placed.reynolds_number:.3g}. The "
            f"coarsest cells for such a flow make {least:.3g} unknowns, more than the {most:,} that are allowed. Allow "
            "more by max_unknowns.",
            {"reynolds_number": placed.reynolds_number, "unknowns": least},
        )
    return placed


def _row(ladder: Sequence[Measured], found: Simulation[Tunnel], took: float) -> ConvergenceRow:
    finest = ladder[-1]
    force, _ = numbers.errors(ladder)
    scale = max(float(np.linalg.norm(finest.force)), np.finfo(np.float64).tiny)
    return ConvergenceRow(
        UNKNOWNS * finest.cells,
        finest.size,
        len(found.series) * found.interval,
        float(finest.force_spread.max()) / scale,
        took,
        {f"{name}_force": float(finest.force[axis]) for name, axis in numbers.AXES.items()},
        {f"{name}_force": float(force[axis]) for name, axis in numbers.AXES.items()},
    )


def _length(value: float) -> str:
    factor, unit = engineering(value, "m")
    return f"{value / factor:.3g} {unit}"
