"""Ever finer cells until the accuracy is met, or there is no more time or room."""

import abc
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from twin.analyses.flow.checkpoints import Checkpoints
from twin.analyses.flow.lattice import Lattice
from twin.analyses.flow.resampling import resampled
from twin.analyses.flow.simulation import Plan, Simulation, beginning, simulate
from twin.analyses.monitor import Monitor
from twin.analyses.task import Stopwatch
from twin.errors import DeadlineExceeded, GeometryError, StudyError
from twin.quantities import engineering
from twin.results.outcome import ConvergenceRow, Ending
from twin.studies import Request

Floats = NDArray[np.float64]
LatticeT = TypeVar("LatticeT", bound=Lattice)
MeasuredT = TypeVar("MeasuredT")

# From one size of cells to the next: the first that there is time and room for.
FINER: Final = (1.5, 1.35, 1.2)
UNKNOWNS: Final = 19  # of a cell
DEFAULT_UNKNOWNS: Final = 400_000_000
DEFAULT_SECONDS: Final = 900.0
_FINER_STARTS: Final = 3  # times that cells may be finer before the first ones that a part is met by
_DEARER: Final = 4  # power of that by which cells are finer: there are more, and as many steps more
_CAREFUL: Final = 1.1  # times as long as is expected
_FIRST: Final = (
    0.15  # of the time, after which it is left to finer cells: of one size alone no error is known
)
_SHARES: Final = (0.05, 0.15, 0.35, 0.65, 0.85, 0.92)  # of the progress, when each size of cells begins


@dataclass(frozen=True)
class Shown:
    """What convergence is shown by: numbers, their errors, and the share that is of the finite time."""

    numbers: dict[str, float]
    errors: dict[str, float]
    spread: float


class Experiment(abc.ABC, Generic[LatticeT, MeasuredT]):
    """What is particular to a flow."""

    @property
    @abc.abstractmethod
    def size(self) -> float:
        """Length that cells are counted along [m]."""

    @property
    @abc.abstractmethod
    def name(self) -> str:
        """Of the size."""

    @property
    @abc.abstractmethod
    def coarsest(self) -> float:
        """Cells along the size that resolve the flow."""

    @property
    @abc.abstractmethod
    def reynolds_number(self) -> float:
        """Of the size."""

    @abc.abstractmethod
    def cells(self, across: float) -> int:
        """Of a lattice with so many cells along the size."""

    @abc.abstractmethod
    def lattice(self, across: float, *, continued: bool) -> LatticeT:
        """With so many cells along the size. continued: as of `Lattice`"""

    @abc.abstractmethod
    def plan(self, lattice: LatticeT, before: MeasuredT | None) -> Plan:
        """How long the flow is followed. before: what larger cells told"""

    @abc.abstractmethod
    def standing(self, lattice: LatticeT, series: Floats) -> tuple[str, dict[str, float]]:
        """What the numbers so far (n, k) say, in words, and the last of them in SI."""

    @abc.abstractmethod
    def measured(self, found: Simulation[LatticeT]) -> MeasuredT:
        """What a simulation tells."""

    @abc.abstractmethod
    def shown(self, ladder: Sequence[MeasuredT]) -> Shown:
        """Of the finest cells."""

    @abc.abstractmethod
    def is_accurate(self, ladder: Sequence[MeasuredT]) -> bool:
        """Whether the accuracy is met."""

    @abc.abstractmethod
    def is_known_as_well_as_can_be(self, ladder: Sequence[MeasuredT]) -> bool:
        """Whether neither smaller cells nor more time would help."""


@dataclass(frozen=True, eq=False)
class Answered(Generic[LatticeT, MeasuredT]):
    """finest: simulation; ladder: what each told, coarsest first; seconds: that were allowed"""

    finest: Simulation[LatticeT]
    ladder: list[MeasuredT]
    rows: list[ConvergenceRow]
    ended: Ending
    seconds: float


def climb(
    experiment: Experiment[LatticeT, MeasuredT],
    request: Request,
    monitor: Monitor,
    workdir: Path,
    watch: Stopwatch,
) -> Answered[LatticeT, MeasuredT]:
    """Raises twin.errors.TwinError where there is no answer; the sentence says why."""
    _refuse_too_many(experiment, request)
    climber = _Climber(experiment, request, monitor, watch, Checkpoints(workdir))
    finest: Simulation[LatticeT] | None = None
    ladder: list[MeasuredT] = []
    rows: list[ConvergenceRow] = []
    ended: Ending | None = None
    across = experiment.coarsest  # cells along the size
    finer = 0  # times that they were too large for the part
    while ended is None:
        begun = time.perf_counter()
        try:
            found = climber.simulated(across, finest, ladder)
        except GeometryError:
            finer += 1
            across *= FINER[0]
            if ladder or finer > _FINER_STARTS or not climber.is_room(across):
                raise
            continue
        if finest is not None and not found.sufficient:
            ended = "max_seconds"
            break
        if not found.has_means:
            raise DeadlineExceeded(
                f"max_seconds = {climber.seconds:g} s is too short for the first, coarse cells of this study. Allow "
                "more time.",
                {"max_seconds": climber.seconds},
            )
        measured = experiment.measured(found)
        if (
            not found.finished
            and len(ladder) > 1
            and _largest_error(experiment, [*ladder, measured]) > _largest_error(experiment, ladder)
        ):
            ended = "max_seconds"  # in the time that was left its means got no better than those before
            break
        finest = found
        ladder.append(measured)
        took = time.perf_counter() - begun
        rows.append(_row(experiment, ladder, found, took))
        ended, across = climber.next(ladder, across, took, found.seconds)
    assert finest is not None
    return Answered(finest, ladder, rows, ended, climber.seconds)


@dataclass(frozen=True)
class _Climber(Generic[LatticeT, MeasuredT]):
    """What was asked, whom to tell, and what earlier attempts at the run have left."""

    experiment: Experiment[LatticeT, MeasuredT]
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

    def simulated(
        self, across: float, before: Simulation[LatticeT] | None, ladder: Sequence[MeasuredT]
    ) -> Simulation[LatticeT]:
        """What is found with so many cells along the size, after others, which told what the ladder has. before: on the
        last of these
        """
        done = len(ladder)
        low, high = np.interp([done, done + 1], np.arange(len(_SHARES)), _SHARES)
        what = f"cells of {length(self.experiment.size / across)}"
        self.monitor.progress("mesh", low, what)
        with self.watch.phase("mesh"):
            ready = self.experiment.lattice(across, continued=before is not None)
            states = None if before is None else resampled(before, ready)
            course = self.checkpoints.load(across, beginning(ready, states))
        self.monitor.progress("solve", low, f"{what}: compiling")
        plan = self.experiment.plan(ready, ladder[-1] if ladder else None)
        makes_way = done == 0 and self.is_room(FINER[-1] * across)

        def tell(share: float, series: Floats) -> bool:
            words, last = self.experiment.standing(ready, series) if len(series) else ("the first steps", {})
            self.monitor.progress("solve", low + share * (high - low), f"{what}, {words}", numbers=last)
            spent = self.seconds - self.remaining
            if makes_way and len(series) >= plan.least and spent >= _FIRST * self.seconds:
                finer = _CAREFUL * FINER[-1] ** _DEARER * spent
                return finer > self.remaining > 0
            return self.remaining > 0

        with self.watch.phase("solve"):
            found = simulate(
                ready,
                plan,
                tell,
                course,
                partial(self.checkpoints.keep, across),
            )
            if makes_way and found.sufficient:
                course.settled = True  # another attempt at the run goes on with finer cells
            self.checkpoints.keep(across, course, now=True)
            return found

    def is_room(self, across: float) -> bool:
        """Whether so fine cells are no more than are allowed."""
        unknowns = UNKNOWNS * self.experiment.cells(across)
        return unknowns <= (self.request.max_unknowns or DEFAULT_UNKNOWNS)

    def next(
        self, ladder: Sequence[MeasuredT], across: float, took: float, solving: float
    ) -> tuple[Ending | None, float]:
        """Why there are no finer cells, None where there are; and how many along the size.

        took: seconds of the last ones; solving: of these, those that are more with finer cells
        """
        if len(ladder) > 1 and self.experiment.is_accurate(ladder):
            return "accuracy", across
        if self.experiment.is_known_as_well_as_can_be(ladder):
            return "no_finer_mesh", across
        for factor in FINER:
            if self.checkpoints.has(across * factor):  # an earlier attempt at the run was there
                return None, across * factor
        fitting = [factor for factor in FINER if self.is_room(across * factor)]
        for factor in fitting:
            if took + (_CAREFUL * factor**_DEARER - 1) * solving <= self.remaining:
                return None, across * factor
        return "max_seconds" if fitting else "max_unknowns", across


def length(value: float) -> str:
    """In words [m]."""
    factor, unit = engineering(value, "m")
    return f"{value / factor:.3g} {unit}"


def _largest_error(experiment: Experiment[LatticeT, MeasuredT], ladder: Sequence[MeasuredT]) -> float:
    """By how much the finest numbers may be off."""
    return max(experiment.shown(ladder).errors.values())


def _refuse_too_many(experiment: Experiment[LatticeT, MeasuredT], request: Request) -> None:
    least = UNKNOWNS * experiment.cells(experiment.coarsest)
    most = request.max_unknowns or DEFAULT_UNKNOWNS
    if least > most:
        raise StudyError(
            f"The Reynolds number of {experiment.name}, {length(experiment.size)}, is "
            f"{experiment.reynolds_number:.3g}. The coarsest cells for such a flow make {least:.3g} unknowns, more "
            f"than the {most:,} that are allowed. Allow more by max_unknowns.",
            {"reynolds_number": experiment.reynolds_number, "unknowns": least},
        )


def _row(
    experiment: Experiment[LatticeT, MeasuredT],
    ladder: Sequence[MeasuredT],
    found: Simulation[LatticeT],
    took: float,
) -> ConvergenceRow:
    shown = experiment.shown(ladder)
    return ConvergenceRow(
        UNKNOWNS * found.lattice.cells,
        found.lattice.scales.length,
        len(found.series) * found.interval,
        shown.spread,
        took,
        shown.numbers,
        shown.errors,
    )
