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
