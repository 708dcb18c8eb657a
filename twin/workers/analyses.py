"""Which code answers which study. Importing this imports jax: workers only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from twin.analyses.external_flow import run as external_flow
from twin.analyses.gradient import differentiate
from twin.analyses.internal_flow import run as internal_flow
from twin.analyses.monitor import Monitor
from twin.analyses.run import run
from twin.analyses.together import run_together
from twin.geometry.surface import Report, Surface
from twin.learning.answers import answer
from twin.learning.imported import import_answer
from twin.results.gradient import Gradient
from twin.results.outcome import Outcome
from twin.studies import Request


class Analysis(Protocol):
    """Answers one kind of study.

    study: of that kind; of a gradient a twin.results.gradient.Differentiation, of a surrogate a
    twin.learning.answers.Consultation, of an import a twin.learning.imported.Import. source: the file as uploaded;
    workdir: a folder for scratch files: empty, or (RESUMED in compute.py) as an earlier attempt at the run left it.
    """

    def __call__(
        self,
        surface: Surface,
        report: Report,
        study: Any,
        request: Request,
        /,
        *,
        source: Path | None,
        monitor: Monitor,
        workdir: Path,
    ) -> Outcome | Gradient: ...


class Together(Protocol):
    """Answers studies of one kind that differ in their load cases alone, each by an outcome; like `Analysis` else."""

    def __call__(
        self,
        surface: Surface,
        report: Report,
        studies: Sequence[Any],
        request: Request,
        *,
        source: Path | None,
        monitor: Monitor,
        workdir: Path,
    ) -> list[Outcome]: ...


ANALYSES: Final[Mapping[str, Analysis]] = {
    "static_stress": run,
    "heat_conduction": run,
    "external_flow": external_flow.answer,
    "internal_flow": internal_flow.answer,
    "gradient": differentiate,
    "consultation": answer,
    "imported": import_answer,
}
TOGETHER: Final[Mapping[str, Together]] = {"static_stress": run_together, "heat_conduction": run_together}
