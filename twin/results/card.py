"""What is known of a surrogate: what it learned from, how well it does on parts that it never saw, and where it ends.

Light on purpose: the worker fills it, the service stores it, the SDK hands it out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from numpy.typing import NDArray

from twin.results.outcome import Cost

EXACT = ("mass", "reaction_force", "safety_factor")
"""Quantities of which nothing has to be learned, or which follow from one that is."""

FIELDS = ("displacement", "stress")
"""Fields that are learned."""


@dataclass(frozen=True)
class Split:
    """How many parts, and load cases of them, the networks learned from, the bounds were calibrated on, both tested."""

    training: tuple[int, int]
    calibration: tuple[int, int]
    test: tuple[int, int]


@dataclass(frozen=True)
class Coverage:
    """asked: share of parts that bounds are to hold for; found: share of the test parts that they hold for;

    low, high: between which the share of all such parts is in nine of ten calibrations, by the number of calibration
    parts; `found` scatters more, the fewer test parts there are
    width: median of the bound over the value, without the solver's own error, which answers add (`accuracy`)
    """

    asked: float
    found: float
    low: float
    high: float
    width: float


@dataclass(frozen=True)
class ModelCard:
    """A version of a surrogate.

    study: kind of studies that it answers; data: digest of the runs that it was made of, and of what they found
    metrics: on the test parts, such as "displacement, relative L2" (median over load cases) [-]
    coverage: of each field and quantity, at several levels
    strangers: share of test parts that it takes for such; accuracy: median estimated error of what it learned from
    parameters: numbers of each network; seconds: of the training; versions: of what it was made with
    start: the version whose networks were made to fit, "" for new ones
    solver_seconds: median of what the runs that it learned from took
    warnings: what a user should know, in sentences
    """

    study: str
    data: str
    split: Split
    metrics: Mapping[str, float]
    coverage: Mapping[str, tuple[Coverage, ...]]
    strangers: float
    accuracy: Mapping[str, float]
    networks: int
    parameters: int
    steps: int
    seconds: float
    versions: Mapping[str, str]
    start: str = ""
    solver_seconds: float | None = None
    warnings: tuple[str, ...] = ()

    @property
    def quantities(self) -> tuple[str, ...]:
        """Those that it has learned."""
        return tuple(name for name in self.coverage if name not in FIELDS)

    def record(self) -> dict[str, Any]:
        """As JSON has it; `card_from_record` reads it."""
        return asdict(self)


def card_from_record(record: Mapping[str, Any]) -> ModelCard:
    """Inverse of `ModelCard.record`, also after a way through JSON."""
    split = Split(**{name: (int(parts), int(cases)) for name, (parts, cases) in record["split"].items()})
    coverage = {
        name: tuple(Coverage(**{key: float(value) for key, value in level.items()}) for level in levels)
        for name, levels in record["coverage"].items()
    }
    return ModelCard(
        **{**record, "split": split, "coverage": coverage, "warnings": tuple(record["warnings"])}
    )


@dataclass(frozen=True, eq=False)
class TrainedSurrogate:
    """What a training makes: a version of a surrogate.

    surrogate: "surrogates/bracket"; arrays: what it consists of, for `twin.learning.packing`
    errors: of each run that it did not learn from but was tested on, "runs/...", the mean relative error of its numbers
    """

    surrogate: str
    card: ModelCard
    arrays: Mapping[str, NDArray[Any]]
    warnings: tuple[str, ...]
    cost: Cost
    assumptions: tuple[str, ...] = ()
    provenance: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, float] = field(default_factory=dict)
