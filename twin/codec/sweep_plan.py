"""What a sweep asks: each of its designs, which come next, and what makes no sense.

Raises InvalidInput before anything is computed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from importlib.metadata import version
from typing import final

import numpy as np
from numpy.typing import NDArray

from protos.twin.v1 import study_pb2, sweep_pb2
from twin.codec.assignments import Assigned
from twin.codec.samplings import (
    parameter_from_proto,
    sampling_from_proto,
    sampling_to_proto,
)
from twin.codec.shapes import shape_from_proto
from twin.codec.studies import (
    options_from_proto,
    study_from_proto,
    study_kind,
)
from twin.errors import StudyError
from twin.geometry.script import ServerScript
from twin.studies import DEFAULT_CASE, FlowStudy, FreeForm, GradientOf, Study, Training
from twin.studies.gradient import DIFFERENTIABLE
from twin.sweeps import columns, sampling
from twin.sweeps.expressions import Formula
from twin.sweeps.parameters import Range
from twin.sweeps.sampling import Sampling
from twin.sweeps.sequences import MOST
from twin.sweeps.sequential import Adaptive, Descent, Optimiser, Sequential, Verification
from twin.sweeps.space import Space
from twin.units import length_unit

_LARGEST = 1_900_000  # bytes of a sweep's message: no message is over 2 MiB


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
        if message.study.WhichOneof("kind") in ("gradient", "training"):
            raise StudyError("A sweep is of studies; gradients and trainings are of their runs.")
        self._assigned = Assigned(message, self.space)
        self._options = message.options.SerializeToString(deterministic=True)
        if options_from_proto(message.options).imported is not None:
            raise StudyError("A sweep computes its designs; answers are imported one by one.")
        self._preview = message.preview.SerializeToString(deterministic=True)
        self.previewed = message.HasField("preview")
        self._refuse_unverified(message)
        self.geometries = (
            [message.geometry] if message.HasField("geometry") else list(message.geometry_choice.geometries)
        )
        self.awaits_parts = message.HasField("built_part")
        self.script = _script(message.built_part) if message.built_part.HasField("script") else None
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

    def built_by(self, point: Sequence[float]) -> dict[str, float | str]:
        """What a script is called with for a design: numbers in SI, and words of choices."""
        assert self.script is not None
        taken = self.script.parameters
        return {
            parameter.name: value if parameter.name in self.space.numbers else parameter.label(value)
            for parameter, value in zip(self.space.parameters, point, strict=True)
            if parameter.name in taken
        }

    def is_preview(self, number: int) -> bool:
        """Whether that design is solved as a preview."""
        if not self.previewed:
            return False
        begin = 0
        for each, size in zip(self.samplings, self._sizes, strict=True):
            if number < begin + size:
                return not isinstance(each, Verification)
            begin += size
        return not isinstance(self.samplings[-1], Verification)  # of an extension that came in between

    def optimiser(self, number: int) -> Optimiser:
        """What looked for the designs that are verified from that one on."""
        begin, latest = 0, None
        for each, size in zip(self.samplings, self._sizes, strict=True):
            if begin >= number:
                break
            latest = each if isinstance(each, Optimiser) else latest
            begin += size
        assert latest is not None  # _refuse_unverified has seen to it
        return latest

    def question(self, number: int, point: NDArray[np.float64], part: str = "") -> Question:
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
            self._preview if self.is_preview(number) else self._options,
            shape.SerializeToString(deterministic=True) or None,
        )

    def asked(self, point: NDArray[np.float64]) -> tuple[Study, tuple[FreeForm, ...]]:
        """The study and the shape at a point, whatever the constraints say."""
        study, shape = self._assigned.at(point)
        found = study_from_proto(study)
        assert not isinstance(found, GradientOf | Training)  # which is refused above
        return found, shape_from_proto(shape)

    def _refuse_unverified(self, message: sweep_pb2.Sweep) -> None:
        """Previews are to be verified, and nothing else can be."""
        sought = False
        for each in self.samplings:
            if isinstance(each, Verification) and not sought:
                raise StudyError(
                    "A verification is of the best that an optimiser has found: put Evolution, Bayesian or Descent "
                    "before it."
                )
            sought = sought or isinstance(each, Optimiser)
        if self.previewed != any(isinstance(each, Verification) for each in self.samplings):
            raise StudyError(
                "A preview and a verification go together: say how designs are solved while the best are looked for, "
                "and how many of those are verified."
            )
        if (
            self.previewed
            and options_from_proto(message.preview).quantities
            != options_from_proto(message.options).quantities
        ):
            raise StudyError("A preview speaks of the same quantities as the sweep.")

    def _refuse_unknown(self, study: study_pb2.Study) -> None:
        """Samplings that choose by what no design will have would be found out late."""
        kind = study_kind(study)
        if kind not in columns.QUANTITIES:
            return
        cases = tuple(case.name for case in getattr(getattr(study, kind), "load_cases", ()))
        known = columns.of_study(kind, cases or (DEFAULT_CASE,))
        for each in self.samplings:
            if not isinstance(each, Adaptive | Optimiser):
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
        solved = options_from_proto(message.preview if self.previewed else message.options)
        if solved.surrogate or solved.method == "surrogate":
            raise StudyError(
                "A descent takes gradients of its designs, and answers of surrogates have none: leave it out."
            )
        if solved.discretisation != "tet":
            raise StudyError(
                "Gradients are taken on tetrahedra: ask for a descent with discretisation='tet', previews of it too."
            )
        for assignment in message.assignments:
            steps = assignment.field.split(".")
            if "on" in steps or (steps[0] == "shape" and "moves" not in assignment.field):
                raise StudyError(
                    f"{assignment.field} depends on the parameters, and answers have no slope along that: a descent is "
                    "of loads, of the material, and of the moves of control points."
                )
        study = study_from_proto(message.study)
        assert not isinstance(study, GradientOf | Training)  # which is refused before
        if len(study.cases) > 1:
            raise StudyError(
                "A descent is of one load case: leave the others out, or give them sweeps of their own."
            )
        if isinstance(study, FlowStudy):
            raise StudyError("Descents are of stress and of heat: ask for another search.")
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


def _script(message: sweep_pb2.BuiltPart) -> ServerScript:
    script = ServerScript(message.script.source, message.script.unit)
    length_unit(script.unit)
    if set(script.parameters) != set(message.parameters):
        raise StudyError(
            f"The script takes {', '.join(script.parameters)}, and built_part names {', '.join(message.parameters)}."
        )
    return script


@lru_cache(maxsize=8)
def parse_sweep(data: bytes) -> SweepPlan:
    """The plan of a serialised twin.v1.Sweep; of the same bytes the same one."""
    return SweepPlan(sweep_pb2.Sweep.FromString(data))


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
    kept: list[Sampling] = []
    begin, space = 0, sweep_space(message)
    for each in sweep_samplings(message):
        size = sampling.size(each, space.parameters)
        if begin <= planned < begin + size and isinstance(each, Descent | Verification):
            if planned > begin:
                kept.append(replace(each, count=planned - begin))
        else:
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
