"""Stored records as the codec takes them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from twin import codec
from twin.errors import TwinError, from_record
from twin.store.events import Event
from twin.store.runs import RunRecord


def run_view(run: RunRecord) -> codec.RunView:
    return codec.RunView(
        name=run.name,
        geometry=f"geometries/{run.geometry}",
        state=run.state.value,
        created=_time(run.created),
        started=None if run.started is None else _time(run.started),
        ended=None if run.ended is None else _time(run.ended),
        progress=codec.ProgressRecord(run.phase, run.fraction, run.message) if run.phase else None,
        error=_error(run.error),
        display_name=run.display_name,
        labels=run.labels,
    )


def event_view(event: Event, token: str) -> codec.RunEvent:
    if event.state is not None:
        return codec.RunEvent(
            event.sequence, token, _time(event.time), state=event.state.value, error=_error(event.error)
        )
    progress = codec.ProgressRecord(event.phase, event.fraction, event.message, event.residual)
    return codec.RunEvent(event.sequence, token, _time(event.time), progress)


def heartbeat(sequence: int, token: str) -> codec.RunEvent:
    return codec.RunEvent(sequence, token, datetime.now(UTC))


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _error(record: Mapping[str, Any] | None) -> TwinError | None:
    return None if record is None else from_record(record)
