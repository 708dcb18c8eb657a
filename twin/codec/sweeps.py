"""Sweeps and their designs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, final

import numpy as np

from protos.twin.v1 import sweep_pb2
from twin.codec.assignments import assignments_of
from twin.codec.enums import EnumWords
from twin.codec.errors import error_from_status, status_from_error
from twin.codec.runs import time_from_proto, time_to_proto
from twin.codec.samplings import (
    parameter_to_proto,
    sampling_to_proto,
)
from twin.codec.shapes import shape_to_proto
from twin.codec.studies import (
    options_to_proto,
    study_to_proto,
)
from twin.codec.sweep_plan import SweepPlan
from twin.errors import TwinError
from twin.geometry.script import ServerScript
from twin.quantities import Quantity
from twin.studies import FreeForm, Request, Study
from twin.sweeps import sampling
from twin.sweeps.parameters import Choice
from twin.sweeps.sampling import Sampling
from twin.sweeps.sequential import Descent
from twin.sweeps.space import Space

SweepState = Literal["ACTIVE", "PAUSED", "COMPLETE", "CANCELLED"]
DesignState = Literal["AWAITING_PART", "PENDING", "DONE", "FAILED", "INFEASIBLE", "CANCELLED"]

SWEEP_STATES: EnumWords[SweepState, sweep_pb2.SweepState.ValueType] = EnumWords(
    "state of a sweep",
    {
        "ACTIVE": sweep_pb2.SWEEP_STATE_ACTIVE,
        "PAUSED": sweep_pb2.SWEEP_STATE_PAUSED,
        "COMPLETE": sweep_pb2.SWEEP_STATE_COMPLETE,
        "CANCELLED": sweep_pb2.SWEEP_STATE_CANCELLED,
    },
    "ACTIVE",
)
DESIGN_STATES: EnumWords[DesignState, sweep_pb2.DesignState.ValueType] = EnumWords(
    "state of a design",
    {
        "AWAITING_PART": sweep_pb2.DESIGN_STATE_AWAITING_PART,
        "PENDING": sweep_pb2.DESIGN_STATE_PENDING,
        "DONE": sweep_pb2.DESIGN_STATE_DONE,
        "FAILED": sweep_pb2.DESIGN_STATE_FAILED,
        "INFEASIBLE": sweep_pb2.DESIGN_STATE_INFEASIBLE,
        "CANCELLED": sweep_pb2.DESIGN_STATE_CANCELLED,
    },
    "PENDING",
)


@final
@dataclass(frozen=True, eq=False)
class SweepRequest:
    """What a sweep asks.

    part: "geometries/{id}", a choice of such names, the names of the parameters that the client builds it by, or a
    script for the service; study: with parameters in place of some numbers; preview: how designs are solved that a
    verification chooses from
    """

    part: str | Choice | tuple[str, ...] | ServerScript
    study: Study
    request: Request
    space: Space
    samplings: tuple[Sampling, ...]
    keep_fields: bool = False
    display_name: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    shape: tuple[FreeForm, ...] = ()
    preview: Request | None = None


@final
@dataclass(frozen=True)
class Counts:
    """How many designs are in each state; shared: of those done, by the run of an identical one."""

    designs: int = 0
    pending: int = 0
    done: int = 0
    failed: int = 0
    infeasible: int = 0
    cancelled: int = 0
    shared: int = 0

    @property
    def ended(self) -> int:
        return self.designs - self.pending


@final
@dataclass(frozen=True)
class SweepView:
    """A sweep as the contract shows it. name: "sweeps/{id}"; error: why the service has paused it by itself."""

    name: str
    state: SweepState
    counts: Counts
    created: datetime
    display_name: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    keep_fields: bool = False
    error: TwinError | None = None


Found = Mapping[str, Mapping[str, Quantity]]  # by load case, by name


@final
@dataclass(frozen=True)
class DesignView:
    """A design.

    values: in the order of the parameters; run: "runs/{id}" or ""; shared: with an identical design; preview: solved as
    the sweep's preview says
    """

    index: int
    values: tuple[float, ...]
    state: DesignState
    run: str = ""
    shared: bool = False
    found: Found = field(default_factory=dict)
    error: TwinError | None = None
    ended: datetime | None = None
    preview: bool = False


@final
@dataclass(frozen=True)
class SweepNews:
    """What happened to a sweep: a design has ended, or its state is told."""

    resume_token: str
    state: SweepState
    counts: Counts
    design: DesignView | None = None


def sweep_to_proto(asked: SweepRequest) -> sweep_pb2.Sweep:
    """What is asked, as a message. Raises StudyError."""
    for each in asked.samplings:
        sampling.size(each, asked.space.parameters)
    study, shape = study_to_proto(asked.study), shape_to_proto(asked.shape)
    part: dict[str, Any] = {"geometry": asked.part}
    if isinstance(asked.part, Choice):
        choice = sweep_pb2.GeometryChoice(parameter=asked.part.name, geometries=asked.part.options)
        part = {"geometry_choice": choice}
    elif isinstance(asked.part, tuple):
        part = {"built_part": sweep_pb2.BuiltPart(parameters=asked.part)}
    elif isinstance(asked.part, ServerScript):
        script = sweep_pb2.BuiltPart.Script(source=asked.part.source, unit=asked.part.unit)
        part = {"built_part": sweep_pb2.BuiltPart(parameters=asked.part.parameters, script=script)}
    message = sweep_pb2.Sweep(
        display_name=asked.display_name,
        **part,
        study=study,
        options=options_to_proto(asked.request),
        parameters=map(parameter_to_proto, asked.space.parameters),
        shape=shape if asked.shape else None,
        assignments=assignments_of(study, shape, asked.space),
        constraints=[constraint.text for constraint in asked.space.constraints],
        samplings=map(sampling_to_proto, asked.samplings),
        keep_fields=asked.keep_fields or any(isinstance(each, Descent) for each in asked.samplings),
        labels=asked.labels,
        preview=None if asked.preview is None else options_to_proto(asked.preview),
    )
    SweepPlan(message)  # refuses what makes no sense, before anything is sent
    return message


def sweep_view_to_proto(view: SweepView, spec: bytes | None = None) -> sweep_pb2.Sweep:
    """The sweep as a message. spec: what it asks, serialised; left out of lists."""
    message = sweep_pb2.Sweep.FromString(spec) if spec is not None else sweep_pb2.Sweep()
    message.name = view.name
    message.display_name = view.display_name
    message.keep_fields = view.keep_fields
    if view.error is not None:
        message.error.CopyFrom(status_from_error(view.error))
    message.state = SWEEP_STATES.value(view.state)
    message.counts.CopyFrom(counts_to_proto(view.counts))
    message.create_time.CopyFrom(time_to_proto(view.created))
    message.labels.clear()
    message.labels.update(view.labels)
    return message


def sweep_view_from_proto(message: sweep_pb2.Sweep) -> SweepView:
    """Inverse of `sweep_view_to_proto`, without what it asks."""
    return SweepView(
        message.name,
        SWEEP_STATES.word(message.state),
        counts_from_proto(message.counts),
        time_from_proto(message.create_time),
        message.display_name,
        dict(message.labels),
        message.keep_fields,
        error_from_status(message.error) if message.HasField("error") else None,
    )


def counts_to_proto(counts: Counts) -> sweep_pb2.Sweep.Counts:
    return sweep_pb2.Sweep.Counts(**vars(counts))


def counts_from_proto(message: sweep_pb2.Sweep.Counts) -> Counts:
    return Counts(**{name: getattr(message, name) for name in vars(Counts())})


def design_to_proto(view: DesignView) -> sweep_pb2.Design:
    """The design as a message."""
    return sweep_pb2.Design(
        index=view.index,
        values=view.values,
        state=DESIGN_STATES.value(view.state),
        run=view.run,
        shared=view.shared,
        quantities=[
            sweep_pb2.Design.Value(
                load_case=case,
                quantity=name,
                value=np.atleast_1d(quantity.value).tolist(),
                error=np.atleast_1d(quantity.error).tolist(),
                unit=quantity.unit,
            )
            for case, quantities in view.found.items()
            for name, quantity in quantities.items()
        ],
        error=None if view.error is None else status_from_error(view.error),
        end_time=None if view.ended is None else time_to_proto(view.ended),
        preview=view.preview,
    )


def design_from_proto(message: sweep_pb2.Design) -> DesignView:
    """Inverse of `design_to_proto`."""
    found: dict[str, dict[str, Quantity]] = {}
    for entry in message.quantities:
        value, error = _scalar_or_vector(entry.value), _scalar_or_vector(entry.error)
        quantity = Quantity(value, entry.unit, error)
        found.setdefault(entry.load_case, {})[entry.quantity] = quantity
    return DesignView(
        index=message.index,
        values=tuple(message.values),
        state=DESIGN_STATES.word(message.state),
        run=message.run,
        shared=message.shared,
        found=found,
        error=error_from_status(message.error) if message.HasField("error") else None,
        ended=time_from_proto(message.end_time) if message.HasField("end_time") else None,
        preview=message.preview,
    )


def _scalar_or_vector(numbers: Sequence[float]) -> Any:
    return numbers[0] if len(numbers) == 1 else np.array(numbers)


def news_from_proto(message: sweep_pb2.WatchSweepResponse) -> SweepNews:
    """What a message of WatchSweep says."""
    return SweepNews(
        message.resume_token,
        SWEEP_STATES.word(message.state),
        counts_from_proto(message.counts),
        design_from_proto(message.design) if message.HasField("design") else None,
    )
