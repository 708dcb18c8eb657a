"""Which code answers which study. Importing this imports jax: workers only."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol

from twin.analyses.monitor import Monitor
from twin.analyses.run import run
from twin.geometry.surface import Report, Surface
from twin.results.outcome import Outcome
from twin.studies import Request, Study


class Analysis(Protocol):
    """Answers one kind of study. source: the file as uploaded; workdir: an empty folder for scratch files."""

    def __call__(
        self,
        surface: Surface,
        report: Report,
        study: Study,
        request: Request,
        *,
        source: Path | None,
        monitor: Monitor,
        workdir: Path,
    ) -> Outcome: ...


ANALYSES: Final[Mapping[str, Analysis]] = {
    "static_stress": run,
    "heat_conduction": run,
}
