"""Samplings that choose designs by what was found.

They choose a batch at a time, by what is known of all designs but the latest: those are being computed meanwhile, so
that no worker waits for the slowest one. By how many they lag behind is fixed, not by what happens to have ended: the
same journal, the same designs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal, final, get_args

from twin.errors import StudyError
from twin.sweeps.expressions import Formula
from twin.sweeps.sequences import Sobol, whole

Algorithm = Literal["NSGA-II", "CMA-ES"]


@final
@dataclass(frozen=True)
class Adaptive:
    """Where least is known: first `initial` designs of a Sobol' sequence, then batches chosen by Gaussian processes.

    quantities: columns of the table that the processes are of, () for all; batch: planned while the one before is
    computed
    """

    count: int
    seed: int = 0
    initial: int = 16
    batch: int = 8
    quantities: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        whole("count", self.count, 1, 2000)
        whole("seed", self.seed, 0, 2**63 - 1)
        whole("initial", self.initial, 0, 2000)
        whole("batch", self.batch, 1, 256)
        object.__setattr__(self, "quantities", tuple(self.quantities))

    @property
    def first(self) -> Sobol | None:
        """Those that come by the sequence."""
        return Sobol(min(self.initial, self.count), self.seed) if self.initial else None

    def known(self, before: int) -> int:
        """Of so many designs before, how many the next ones are chosen by: those are waited for."""
        return _known(before, self.first, self.batch)


@final
@dataclass(frozen=True)
class Evolution:
    """Where the best are: by NSGA-II, or by CMA-ES of one objective; the first designs are of a Sobol' sequence.

    objectives: "min" or "max" by column of the table, such as {"mass": "min"}; subject_to: comparisons of columns and
    parameters, SI, such as "max_von_mises < 2e8"; population: designs of a generation. NSGA-II has offspring in
    quarters of it, each planned while the one before is computed; CMA-ES waits for each generation to end.
    """

    count: int
    objectives: Mapping[str, str]
    subject_to: Sequence[str] = ()
    population: int = 24
    seed: int = 0
    algorithm: Algorithm = "NSGA-II"

    def __post_init__(self) -> None:
        whole("count", self.count, 1, 10_000)
        whole("population", self.population, 4, 256)
        whole("seed", self.seed, 0, 2**31 - 1)
        _goal(self)
        if self.algorithm not in get_args(Algorithm):
            raise StudyError(f"algorithm is one of {', '.join(get_args(Algorithm))}, not {self.algorithm!r}.")
        if self.algorithm == "CMA-ES":
            _one_objective(self, "CMA-ES")

    @property
    def first(self) -> Sobol:
        """Those that come by the sequence."""
        return Sobol(min(self.population, self.count), self.seed)

    @property
    def batch(self) -> int:
        """Designs that are chosen at once."""
        return self.population if self.algorithm == "CMA-ES" else max(2, self.population // 4)

    def known(self, before: int) -> int:
        """Of so many designs before, how many the next ones are chosen by: those are waited for."""
        return _known(before, self.first, 0 if self.algorithm == "CMA-ES" else self.batch)

    def longer(self, count: int) -> Evolution:
        """The same with so many more."""
        return replace(self, count=self.count + count)


@final
@dataclass(frozen=True)
class Bayesian:
    """Where an improvement is most to be expected, by Gaussian processes of one objective and of the constraints.

    For tens to some hundreds of designs that are dear. objectives, subject_to: as of Evolution; initial: designs of a
    Sobol' sequence; batch: planned while the one before is computed
    """

    count: int
    objectives: Mapping[str, str]
    subject_to: Sequence[str] = ()
    initial: int = 12
    batch: int = 2
    seed: int = 0

    def __post_init__(self) -> None:
        whole("count", self.count, 1, 1000)
        whole("initial", self.initial, 2, 1000)
        whole("batch", self.batch, 1, 64)
        whole("seed", self.seed, 0, 2**31 - 1)
        _goal(self)
        _one_objective(self, "Bayesian optimisation")

    @property
    def first(self) -> Sobol:
        """Those that come by the sequence."""
        return Sobol(min(self.initial, self.count), self.seed)

    def known(self, before: int) -> int:
        """Of so many designs before, how many the next ones are chosen by: those are waited for."""
        return _known(before, self.first, self.batch)

    def longer(self, count: int) -> Bayesian:
        """The same with so many more."""
        return replace(self, count=self.count + count)


@final
@dataclass(frozen=True)
class Descent:
    """Along the slopes, which adjoints give at the price of a solution each: SLSQP, a design at a time.

    To the nearest best; many parameters cost no more than few. For ranges alone, answers on tetrahedra, and quantities
    that have gradients. objectives: of one; subject_to: as of Evolution; start: of parameters, the middle of the range
    else; count: the most designs
    """

    count: int
    objectives: Mapping[str, str]
    subject_to: Sequence[str] = ()
    start: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        whole("count", self.count, 1, 1000)
        _goal(self)
        _one_objective(self, "Descent")
        try:
            start = {name: float(value) for name, value in self.start.items()}
        except (TypeError, ValueError):
            raise StudyError(f"start is a number in SI for each parameter, not {self.start!r}.") from None
        object.__setattr__(self, "start", start)

    first: ClassVar[None] = None
    batch: ClassVar[int] = 1

    def known(self, before: int) -> int:
        """Of so many designs before, how many the next ones are chosen by: those are waited for."""
        return before

    def longer(self, count: int) -> Descent:
        """The same with so many more."""
        return replace(self, count=self.count + count)


@final
@dataclass(frozen=True)
class Verification:
    """The best that an optimiser before has found by previews, solved as the sweep asks.

    count: the most designs; it ends where none that is left is expected to be better
    """

    count: int

    def __post_init__(self) -> None:
        whole("count", self.count, 1, 1000)

    first: ClassVar[None] = None

    @property
    def batch(self) -> int:
        """Designs that are chosen at once."""
        return max(1, self.count // 4)

    def known(self, before: int) -> int:
        """Of so many designs before, how many the next ones are chosen by: those are waited for."""
        return before

    def longer(self, count: int) -> Verification:
        """The same with so many more."""
        return replace(self, count=self.count + count)


Optimiser = Evolution | Bayesian | Descent
"""What looks for the best."""

Sequential = Adaptive | Optimiser | Verification
"""What chooses by what was found."""


def _known(before: int, first: Sobol | None, lag: int) -> int:
    """All that come by the sequence; of the others all but the latest."""
    return max(min(before, 0 if first is None else first.count), before - lag)


def _goal(asked: Optimiser) -> None:
    """Check what is wanted, and keep it from being changed."""
    objectives = dict(asked.objectives)
    if not objectives or not set(objectives.values()) <= {"min", "max"}:
        raise StudyError(f"objectives are columns that are to be 'min' or 'max', not {objectives!r}.")
    for text in asked.subject_to:
        Formula(text, comparison=True)
    object.__setattr__(asked, "objectives", objectives)
    object.__setattr__(asked, "subject_to", tuple(asked.subject_to))


def _one_objective(asked: Optimiser, what: str) -> None:
    if len(asked.objectives) != 1:
        raise StudyError(
            f"{what} is of one objective, not of {', '.join(asked.objectives)}: make one of them a constraint, or use "
            "Evolution by NSGA-II."
        )
