"""Stored records as the codec takes them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from twin import codec
from twin.errors import TwinError, from_record
from twin.results import storage
from twin.store.events import Event
from twin.store.runs import RunRecord
from twin.store.states import WAITING
from twin.store.surrogates import SurrogateRecord
from twin.store.sweep_records import DesignRecord, SweepRecord


def run_view(run: RunRecord) -> codec.RunView:
    return codec.RunView(
        name=run.name,
        geometry=f"geometries/{run.geometry}" if run.geometry else "",
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
    progress = codec.ProgressRecord(event.phase, event.fraction, event.message, event.residual, event.numbers)
    return codec.RunEvent(event.sequence, token, _time(event.time), progress)


def sweep_view(sweep: SweepRecord) -> codec.SweepView:
    by_state = {state.value.lower(): count for state, count in sweep.counts.items() if state not in WAITING}
    counts = codec.Counts(
        **by_state | {"designs": sweep.size, "pending": sweep.pending, "shared": sweep.shared}
    )
    return codec.SweepView(
        sweep.name,
        sweep.state.value,
        counts,
        _time(sweep.created),
        sweep.display_name,
        sweep.labels,
        sweep.keep_fields,
        _error(sweep.error),
    )


def design_view(design: DesignRecord, plan: codec.SweepPlan) -> codec.DesignView:
    return codec.DesignView(
        index=design.number,
        values=design.point,
        state=design.state.value,
        run="" if design.run is None else f"runs/{design.run}",
        shared=design.shared,
        found={} if design.found is None else storage.load_brief(design.found),
        error=_error(design.error),
        ended=None if design.ended is None else _time(design.ended),
        preview=plan.is_preview(design.number),
    )


def surrogate_view(found: SurrogateRecord, *, all_versions: bool = True) -> codec.SurrogateView:
    versions = found.versions if all_versions else (found.version(),)
    return codec.SurrogateView(
        found.name,
        found.current,
        tuple(
            codec.VersionView(each.version, f"runs/{each.run}", _time(each.created), each.card)
            for each in versions
        ),
    )


def heartbeat(sequence: int, token: str) -> codec.RunEvent:
    return codec.RunEvent(sequence, token, datetime.now(UTC))


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _error(record: Mapping[str, Any] | None) -> TwinError | None:
    return None if record is None else from_record(record)
