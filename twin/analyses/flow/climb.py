"""Ever finer cells until the accuracy is met, or there is no more time or room."""

import abc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from twin.analyses.flow.checkpoints import Checkpoints
from twin.analyses.flow.lattice import Lattice
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

FINER: Final = 1.5  # from one size of cells to the next
UNKNOWNS: Final = 19  # of a cell
DEFAULT_UNKNOWNS: Final = 400_000_000
DEFAULT_SECONDS: Final = 900.0
_FINER_STARTS: Final = 3  # times that cells may be finer before the first ones that a part is met by
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
    def lattice(self, across: float) -> LatticeT:
        """With so many cells along the size."""

    @abc.abstractmethod
    def plan(self, lattice: LatticeT) -> Plan:
        """How long the flow is followed."""

    @abc.abstractmethod
    def words(self, lattice: LatticeT, series: Floats) -> str:
        """What the numbers so far (n, k) say."""

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
    level, finer = 0, 0  # of the cells; of those, the first ones that were too large for the part
    while ended is None:
        begun = time.perf_counter()
        try:
            found = climber.simulated(level)
        except GeometryError:
            finer += 1
            if ladder or finer > _FINER_STARTS or not climber.is_room(level + 1):
                raise
            level += 1
            continue
        if (
            finest is not None and not found.finished
        ):  # one that has not settled tells less than the one before
            ended = "max_seconds"
            break
        if not found.has_settled:
            raise DeadlineExceeded(
                f"max_seconds = {climber.seconds:g} s is too short for the first, coarse cells of this study. Allow "
                "more time.",
                {"max_seconds": climber.seconds},
            )
        finest = found
        ladder.append(experiment.measured(found))
        took = time.perf_counter() - begun
        rows.append(_row(experiment, ladder, found, took))
        level += 1
        ended = climber.ending(ladder, level, took + (FINER**4 - 1) * found.seconds)
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

    def simulated(self, number: int) -> Simulation[LatticeT]:
        """What is found on the cells of this number."""
        across = self.experiment.coarsest * FINER**number
        low, high = np.interp([number, number + 1], np.arange(len(_SHARES)), _SHARES)
        what = f"cells of {length(self.experiment.size / across)}"
        self.monitor.progress("mesh", low, what)
        with self.watch.phase("mesh"):
            ready = self.experiment.lattice(across)
            course = self.checkpoints.load(number, beginning(ready))
        self.monitor.progress("solve", low, f"{what}: compiling")
        with self.watch.phase("solve"):
            found = simulate(
                ready,
                self.experiment.plan(ready),
                self._teller(what, ready, low, high),
                course,
                partial(self.checkpoints.keep, number),
            )
            self.checkpoints.keep(number, course, now=True)
            return found

    def _teller(
        self, what: str, lattice: LatticeT, low: float, high: float
    ) -> Callable[[float, Floats], bool]:
        def tell(share: float, series: Floats) -> bool:
            words = self.experiment.words(lattice, series)
            self.monitor.progress("solve", low + share * (high - low), f"{what}, {words}")
            return self.remaining > 0

        return tell

    def is_room(self, level: int) -> bool:
        """Whether so fine cells are no more than are allowed."""
        unknowns = UNKNOWNS * self.experiment.cells(self.experiment.coarsest * FINER**level)
        return unknowns <= (self.request.max_unknowns or DEFAULT_UNKNOWNS)

    def ending(self, ladder: Sequence[MeasuredT], level: int, seconds: float) -> Ending | None:
        """Why there are no finer cells, of this level, which would take so long; None where there are."""
        if len(ladder) > 1 and self.experiment.is_accurate(ladder):
            return "accuracy"
        if self.experiment.is_known_as_well_as_can_be(ladder):
            return "no_finer_mesh"
        if not self.is_room(level):
            return "max_unknowns"
        return "max_seconds" if seconds > self.remaining else None


def length(value: float) -> str:
    """In words [m]."""
    factor, unit = engineering(value, "m")
    return f"{value / factor:.3g} {unit}"


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
