"""Where a run stands."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class RunState(StrEnum):
    """PENDING -> RUNNING -> one of the others; RUNNING -> PENDING where a worker is lost."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def terminal(self) -> bool:
        return self not in ACTIVE


ACTIVE: Final = (RunState.PENDING, RunState.RUNNING)


class SweepState(StrEnum):
    """ACTIVE <-> PAUSED; ACTIVE -> COMPLETE, and back where more is asked for; CANCELLED -> ACTIVE when resumed."""

    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"
    COMPLETE = "COMPLETE"
    CANCELLED = "CANCELLED"


class DesignState(StrEnum):
    """AWAITING_PART -> PENDING -> one of the others; FAILED, CANCELLED -> PENDING where they are tried again."""

    AWAITING_PART = "AWAITING_PART"

    PENDING = "PENDING"
    DONE = "DONE"
    FAILED = "FAILED"
    INFEASIBLE = "INFEASIBLE"
    CANCELLED = "CANCELLED"


WAITING: Final = (DesignState.AWAITING_PART, DesignState.PENDING)
"""Of designs that have not ended."""
