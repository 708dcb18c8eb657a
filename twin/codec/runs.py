"""Runs and what happens to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from google.protobuf import timestamp_pb2

from protos.twin.v1 import run_pb2
from twin.codec.enums import EnumWords
from twin.codec.errors import error_from_status, status_from_error
from twin.codec.studies import options_from_proto, study_from_proto
from twin.errors import TwinError
from twin.studies import Question, Request

RunState = Literal["PENDING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"]

STATES: EnumWords[RunState, run_pb2.RunState.ValueType] = EnumWords(
    "state of a run",
    {
        "PENDING": run_pb2.RUN_STATE_PENDING,
        "RUNNING": run_pb2.RUN_STATE_RUNNING,
        "SUCCEEDED": run_pb2.RUN_STATE_SUCCEEDED,
        "FAILED": run_pb2.RUN_STATE_FAILED,
        "CANCELLED": run_pb2.RUN_STATE_CANCELLED,
    },
    "PENDING",
)


@dataclass(frozen=True, slots=True)
class ProgressRecord:
    """How far a run is. fraction: of the whole run, in [0, 1]; residual: relative, None where there is none; numbers:
    of what is asked for, as it stands.
    """

    phase: str
    fraction: float
    message: str = ""
    residual: float | None = None
    numbers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as the contract shows it. name: "runs/{id}"; geometry: "geometries/{id}"; times in UTC."""

    name: str
    geometry: str
    state: RunState
    created: datetime
    started: datetime | None = None
    ended: datetime | None = None
    progress: ProgressRecord | None = None
    error: TwinError | None = None
    display_name: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunEvent:
    """What happened: progress, a new state (with the error of a failed run), or neither: a heartbeat."""

    sequence: int
    resume_token: str
    time: datetime
    progress: ProgressRecord | None = None
    state: RunState | None = None
    error: TwinError | None = None


def run_to_proto(
    view: RunView, study: bytes | None = None, options: bytes | None = None, shape: bytes | None = None
) -> run_pb2.Run:
    """The run as a message. study, options, shape: their serialised messages, left out of lists."""
    message = run_pb2.Run(
        name=view.name,
        display_name=view.display_name,
        geometry=view.geometry,
        labels=view.labels,
        state=STATES.value(view.state),
        progress=None if view.progress is None else progress_to_proto(view.progress),
        error=None if view.error is None else status_from_error(view.error),
        create_time=time_to_proto(view.created),
        start_time=None if view.started is None else time_to_proto(view.started),
        end_time=None if view.ended is None else time_to_proto(view.ended),
    )
    if study is not None:
        message.study.ParseFromString(study)
    if options is not None:
        message.options.ParseFromString(options)
    if shape is not None:
        message.shape.ParseFromString(shape)
    return message


def run_from_proto(message: run_pb2.Run) -> RunView:
    """Inverse of `run_to_proto`, without study and options (`run_study`)."""
    return RunView(
        name=message.name,
        geometry=message.geometry,
        state=STATES.word(message.state),
        created=time_from_proto(message.create_time),
        started=time_from_proto(message.start_time) if message.HasField("start_time") else None,
        ended=time_from_proto(message.end_time) if message.HasField("end_time") else None,
        progress=progress_from_proto(message.progress) if message.HasField("progress") else None,
        error=error_from_status(message.error) if message.HasField("error") else None,
        display_name=message.display_name,
        labels=dict(message.labels),
    )


def run_study(message: run_pb2.Run) -> tuple[Question, Request]:
    """What the run was asked."""
    return study_from_proto(message.study), options_from_proto(message.options)


def event_to_proto(event: RunEvent) -> run_pb2.WatchRunResponse:
    """The event as a message."""
    message = run_pb2.WatchRunResponse(
        sequence=event.sequence,
        resume_token=event.resume_token,
        event_time=time_to_proto(event.time),
    )
    if event.progress is not None:
        message.progress.CopyFrom(progress_to_proto(event.progress))
    elif event.state is not None:
        message.state_change.state = STATES.value(event.state)
        if event.error is not None:
            message.state_change.error.CopyFrom(status_from_error(event.error))
    else:
        message.heartbeat.SetInParent()
    return message


def event_from_proto(message: run_pb2.WatchRunResponse) -> RunEvent:
    """Inverse of `event_to_proto`; an event of a kind that this version does not know is a heartbeat."""
    change = message.state_change if message.HasField("state_change") else None
    return RunEvent(
        sequence=message.sequence,
        resume_token=message.resume_token,
        time=time_from_proto(message.event_time),
        progress=progress_from_proto(message.progress) if message.HasField("progress") else None,
        state=None if change is None else STATES.word(change.state),
        error=error_from_status(change.error) if change is not None and change.HasField("error") else None,
    )


def progress_to_proto(progress: ProgressRecord) -> run_pb2.Progress:
    """The progress as a message."""
    return run_pb2.Progress(
        phase=progress.phase,
        fraction=progress.fraction,
        message=progress.message,
        residual=progress.residual,
        numbers=progress.numbers,
    )


def progress_from_proto(message: run_pb2.Progress) -> ProgressRecord:
    """Inverse of `progress_to_proto`."""
    residual = message.residual if message.HasField("residual") else None
    return ProgressRecord(message.phase, message.fraction, message.message, residual, dict(message.numbers))


def time_to_proto(time: datetime | float) -> timestamp_pb2.Timestamp:
    """A time, or seconds since the epoch."""
    stamp = timestamp_pb2.Timestamp()
    stamp.FromDatetime(time if isinstance(time, datetime) else datetime.fromtimestamp(time, UTC))
    return stamp


def time_from_proto(message: timestamp_pb2.Timestamp) -> datetime:
    """The time in UTC."""
    return message.ToDatetime(tzinfo=UTC)
