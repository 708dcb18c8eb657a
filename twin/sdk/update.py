"""What a run says about itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final, final

from twin.codec import RunEvent, RunState
from twin.codec import RunView as RunInfo
from twin.codec import SweepView as SweepInfo
from twin.errors import TwinError

__all__ = ["ENDED", "RunInfo", "RunState", "SweepInfo", "Update"]

_EPOCH: Final = datetime.fromtimestamp(0, UTC)

ENDED: Final[frozenset[RunState]] = frozenset(("SUCCEEDED", "FAILED", "CANCELLED"))


@final
@dataclass(frozen=True)
class Update:
    """Where a run stands after one of its events.

    sequence: counts the events of the run from 1. phase: "check", "mesh", "solve", "estimate", "recover",
    "write", or "" before the first; they may come again when the mesh is refined. progress: part of the whole
    run that is done, in [0, 1]. residual: relative, of the linear solver, where it has one. numbers: of what is
    asked for, as it stands, where there are any: of a flow at this moment "drag_force", "pressure_drop" and the
    like in SI units, of a training "loss". error: why the run failed.
    """

    sequence: int = 0
    time: datetime = _EPOCH
    state: RunState = "PENDING"
    phase: str = ""
    progress: float = 0.0
    message: str = ""
    residual: float | None = None
    numbers: Mapping[str, float] = field(default_factory=dict)
    error: TwinError | None = None

    def after(self, event: RunEvent) -> Update:
        """Where it stands after one more event."""
        now = replace(self, sequence=event.sequence, time=event.time)
        if event.state is not None:
            # A run that a lost worker leaves behind starts again.
            done = {"SUCCEEDED": 1.0, "PENDING": 0.0, "RUNNING": 0.0}.get(event.state, self.progress)
            return replace(now, state=event.state, error=event.error, progress=done)
        if (said := event.progress) is not None:
            done = max(self.progress, said.fraction)
            return replace(
                now,
                phase=said.phase,
                progress=done,
                message=said.message,
                residual=said.residual,
                numbers=said.numbers,
            )
        return now
