"""Sweeps and their designs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property, lru_cache
from importlib.metadata import version
from typing import Any, Literal, final

import numpy as np
from numpy.typing import NDArray

from protos.twin.v1 import study_pb2, sweep_pb2
from twin.codec.assignments import Assigned, assignments_of
from twin.codec.enums import EnumWords
from twin.codec.errors import error_from_status, status_from_error
from twin.codec.runs import time_from_proto, time_to_proto
from twin.codec.samplings import (
    parameter_from_proto,
    parameter_to_proto,
    sampling_from_proto,
    sampling_to_proto,
)
from twin.codec.shapes import shape_from_proto, shape_to_proto
from twin.codec.studies import (
    options_from_proto,
    options_to_proto,
    study_from_proto,
    study_kind,
    study_to_proto,
)
from twin.errors import StudyError, TwinError
from twin.quantities import Quantity
from twin.studies import FreeForm, GradientOf, Request, Study
from twin.studies.gradient import DIFFERENTIABLE
from twin.sweeps import columns, sampling
from twin.sweeps.expressions import Formula
from twin.sweeps.parameters import Choice, Range
from twin.sweeps.sampling import Sampling
from twin.sweeps.sequential import MOST, Adaptive, Descent, Optimiser, Sequential
from twin.sweeps.space import Space

_LARGEST = 1_900_000  # bytes of a sweep's message: no message is over 2 MiB

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

    part: "geometries/{id}", a choice of such names, or the names of the parameters that the client builds it by; study:
    with parameters in place of some numbers
    """

    part: str | Choice | tuple[str, ...]
    study: Study
    request: Request
    space: Space
    samplings: tuple[Sampling, ...]
    keep_fields: bool = False
    display_name: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    shape: tuple[FreeForm, ...] = ()


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
    """A design. values: in the order of the parameters; run: "runs/{id}" or ""; shared: with an identical design."""

    index: int
    values: tuple[float, ...]
    state: DesignState
    run: str = ""
    shared: bool = False
    found: Found = field(default_factory=dict)
    error: TwinError | None = None
    ended: datetime | None = None


@final
@dataclass(frozen=True)
class SweepNews:
    """What happened to a sweep: a design has ended, or its state is told."""

    resume_token: str
    state: SweepState
    counts: Counts
    design: DesignView | None = None


@final
@dataclass(frozen=True)
class Question:
    """What a design asks, as a run is asked: geometry (id), and messages.

    content: equal for what has the same answer
    """

    geometry: str
    study_kind: str
    study: bytes
    options: bytes
    shape: bytes | None

    @cached_property
    def content(self) -> str:
        digest = hashlib.sha256()
        for part in (version("twin"), self.geometry, self.study, self.options, self.shape or b""):
            data = part.encode() if isinstance(part, str) else part
            digest.update(len(data).to_bytes(8, "big") + data)
        return digest.hexdigest()


@final
class SweepPlan:
    """A sweep's message, read: what each of its designs asks. Raises InvalidInput where it makes no sense."""

    def __init__(self, message: sweep_pb2.Sweep) -> None:
        self.space = sweep_space(message)
        self.samplings = sweep_samplings(message)
        self._sizes = [sampling.size(each, self.space.parameters) for each in self.samplings]
        if self.count > MOST:
            raise StudyError(f"The sweep would have {self.count:,} designs, more than {MOST:,}.")
        if message.study.WhichOneof("kind") == "gradient":
            raise StudyError("A sweep is of studies; gradients are of their runs.")
        self._assigned = Assigned(message, self.space)
        self._options = message.options.SerializeToString(deterministic=True)
        options_from_proto(message.options)
        self.geometries = (
            [message.geometry] if message.HasField("geometry") else list(message.geometry_choice.geometries)
        )
        self.awaits_parts = message.HasField("built_part")
        known = [parameter.name for parameter in self.space.parameters]
        for name in message.built_part.parameters:
            if name not in known:
                raise StudyError(
                    f"The part depends on {name}, which is no parameter; known are {', '.join(known)}."
                )
        self._chooses: int | None = None
        if message.HasField("geometry_choice"):
            self._chooses = self.space.column(message.geometry_choice.parameter)
            words = self.space.parameters[self._chooses].values
            if words is None or len(words) != len(self.geometries):
                raise StudyError(
                    f"geometry_choice has {len(self.geometries)} geometries, and "
                    f"{message.geometry_choice.parameter} another number of words."
                )
        self._refuse_idle(message)
        self._refuse_unknown(message.study)
        if any(isinstance(each, Descent) for each in self.samplings):
            self._refuse_slopeless(message)

    @property
    def count(self) -> int:
        """How many designs there are."""
        return sum(self._sizes)

    def following(self, planned: int, most: int) -> NDArray[np.float64] | tuple[Sequential, int, int]:
        """What comes after the designs that are planned: at most so many points (n, parameters).

        Or a sampling that chooses by what was found, its first design, and how many it is to choose now.
        """
        begin = 0
        for each, size in zip(self.samplings, self._sizes, strict=True):
            done = planned - begin
            if done < size:
                if not isinstance(each, Sequential):
                    return sampling.points(each, self.space.parameters)[done : done + most]
                first = each.first
                if first is not None and done < first.count:
                    return sampling.points(first, self.space.parameters)[done : done + most]
                return each, begin, min(each.batch, size - done)
            begin += size
        return np.zeros((0, len(self.space.parameters)))

    def question(self, point: NDArray[np.float64], part: str = "") -> Question:
        """What a design asks. Raises InvalidInput where a constraint is broken or the study makes no sense.

        part: "geometries/{id}", of one that awaits it
        """
        if broken := self.space.broken(point):
            raise StudyError(f"The design does not meet {broken}.", {"constraint": broken})
        study, shape = self._assigned.at(point)
        study_from_proto(study)
        shape_from_proto(shape)
        if not self.awaits_parts:
            part = self.geometries[0 if self._chooses is None else int(point[self._chooses])]
        return Question(
            part.partition("/")[2],
            study_kind(study),
            study.SerializeToString(deterministic=True),
            self._options,
            shape.SerializeToString(deterministic=True) or None,
        )

    def asked(self, point: NDArray[np.float64]) -> tuple[Study, tuple[FreeForm, ...]]:
        """The study and the shape at a point, whatever the constraints say."""
        study, shape = self._assigned.at(point)
        found = study_from_proto(study)
        assert not isinstance(found, GradientOf)  # which is refused above
        return found, shape_from_proto(shape)

    def _refuse_unknown(self, study: study_pb2.Study) -> None:
        """Samplings that choose by what no design will have would be found out late."""
        kind = study_kind(study)
        if kind not in columns.QUANTITIES:
            return
        cases = tuple(case.name for case in getattr(study, kind).load_cases)
        known = columns.of_study(kind, cases)
        for each in self.samplings:
            if not isinstance(each, Sequential):
                continue
            for name in each.quantities if isinstance(each, Adaptive) else each.objectives:
                if name not in known:
                    raise StudyError(
                        f"No design has {name}, by which others are to be chosen; they have {', '.join(known)}."
                    )
            for text in each.subject_to if isinstance(each, Optimiser) else ():
                Formula(text, comparison=True).check(dict.fromkeys((*self.space.numbers, *known)))

    def _refuse_slopeless(self, message: sweep_pb2.Sweep) -> None:
        """What a descent can't go along is found out before it begins."""
        if not all(isinstance(parameter, Range) for parameter in self.space.parameters):
            raise StudyError(
                "A descent goes along slopes: its parameters are ranges, not integers or choices."
            )
        if not message.HasField("geometry"):
            raise StudyError(
                "A descent is of one part, which boxes may deform: parts that are built have no slopes."
            )
        if not message.keep_fields:
            raise StudyError("A descent takes gradients of its designs: keep_fields has to be set.")
        if options_from_proto(message.options).discretisation != "tet":
            raise StudyError(
                "Gradients are taken on tetrahedra: ask for a descent with discretisation='tet'."
            )
        for assignment in message.assignments:
            steps = assignment.field.split(".")
            if "on" in steps or (steps[0] == "shape" and "moves" not in assignment.field):
                raise StudyError(
                    f"{assignment.field} depends on the parameters, and answers have no slope along that: a descent is "
                    "of loads, of the material, and of the moves of control points."
                )
        study = study_from_proto(message.study)
        assert not isinstance(study, GradientOf)  # which is refused before
        if len(study.cases) > 1:
            raise StudyError(
                "A descent is of one load case: leave the others out, or give them sweeps of their own."
            )
        known = (*DIFFERENTIABLE[type(study)], *self.space.numbers)
        for each in self.samplings:
            if isinstance(each, Descent):
                texts = (Formula(text, comparison=True) for text in each.subject_to)
                for name in (*each.objectives, *(name for text in texts for name in text.names)):
                    if name not in known:
                        raise StudyError(
                            f"{name!r} has no gradient. Those that have one: {', '.join(known)}."
                        )
                    if name not in self.space.numbers:
                        GradientOf("the first design", next(iter(study.cases)), name, "loads").check(study)
                for name, value in each.start.items():
                    if name not in self.space.numbers:
                        raise StudyError(f"start speaks of {name}, which is no parameter.")
                    parameter = self.space.parameters[self.space.numbers[name]]
                    if not parameter.holds(np.array(value)):
                        low, high = map(parameter.label, parameter.bounds)
                        raise StudyError(f"start: {name} is {value:g}, not from {low} to {high}.")

    def _refuse_idle(self, message: sweep_pb2.Sweep) -> None:
        """A parameter that changes nothing is a slip."""
        used = set().union(*(constraint.names for constraint in self.space.constraints))
        used |= {message.geometry_choice.parameter, *message.built_part.parameters}
        for assignment in message.assignments:
            used |= self._assigned.names(assignment)
        for parameter in self.space.parameters:
            if parameter.name not in used:
                raise StudyError(
                    f"The parameter {parameter.name} changes nothing: put it into the study or the shape in place of "
                    "a number, or leave it out. Where a number is turned into others before it is used, as that of a "
                    "direction is, it can't be a parameter."
                )


@lru_cache(maxsize=8)
def parse_sweep(data: bytes) -> SweepPlan:
    """The plan of a serialised twin.v1.Sweep; of the same bytes the same one."""
    return SweepPlan(sweep_pb2.Sweep.FromString(data))


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


def sweep_samplings(message: sweep_pb2.Sweep) -> tuple[Sampling, ...]:
    """Which designs a sweep has."""
    return tuple(sampling_from_proto(each, len(message.parameters)) for each in message.samplings)


def sweep_space(message: sweep_pb2.Sweep) -> Space:
    """The space of a sweep's parameters."""
    return Space([parameter_from_proto(entry) for entry in message.parameters], message.constraints)


def check_size(message: sweep_pb2.Sweep) -> None:
    """Raise StudyError for one that could not be read back: no message is over 2 MiB."""
    if message.ByteSize() > _LARGEST:
        raise StudyError(
            "The sweep's own tables of designs are too long: put some of them into another sweep."
        )


def shortened(spec: bytes, planned: int) -> tuple[bytes, int]:
    """The serialised message of a sweep whose sampling ends with the designs that are planned; how many it has then."""
    message = sweep_pb2.Sweep.FromString(spec)
    kept, begin = [], 0
    for each in sweep_samplings(message):
        size = sampling.size(each, sweep_space(message).parameters)
        if begin <= planned < begin + size and isinstance(each, Descent):
            each = replace(each, count=planned - begin)
        kept.append(each)
        begin += size
    del message.samplings[:]
    message.samplings.extend(map(sampling_to_proto, kept))
    return message.SerializeToString(deterministic=True), SweepPlan(message).count


def extended(spec: bytes, request: sweep_pb2.ExtendSweepRequest) -> tuple[bytes, int]:
    """The serialised message of a sweep with more designs, and how many it has then. Raises StudyError."""
    message = sweep_pb2.Sweep.FromString(spec)
    if request.WhichOneof("by") == "count":
        longer = sampling.longer(sweep_samplings(message), request.count)
        del message.samplings[:]
        message.samplings.extend(map(sampling_to_proto, longer))
    else:
        message.samplings.append(request.sampling)
    check_size(message)
    return message.SerializeToString(deterministic=True), SweepPlan(message).count
