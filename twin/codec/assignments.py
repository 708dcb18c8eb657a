"""Where parameters come into a study or a shape: fields of a sweep's message by their path, and what they become."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from numpy.typing import NDArray

from protos.twin.v1 import material_pb2, shape_pb2, study_pb2, sweep_pb2
from twin.codec.materials import material_to_proto
from twin.errors import StudyError
from twin.sweeps.expressions import Formula
from twin.sweeps.parameters import MARKS, Choice
from twin.sweeps.space import Space

_STEP = re.compile(r"([a-z][a-z0-9_]*)(?:\[(\d+)\])?")
_ROOTS = ("study", "shape")
_MATERIAL = ".youngs_modulus"  # carries the mark of a chosen material (Choice.placeholder)


def assignments_of(
    study: study_pb2.Study, shape: shape_pb2.Shape, space: Space
) -> list[sweep_pb2.Assignment]:
    """One for each mark in a study or in a shape. Raises StudyError for what is no parameter."""
    found = []
    for path, value in (*_numbers(study, "study"), *_numbers(shape, "shape")):
        text = MARKS.get(value)
        if text is None:
            continue
        choice = next((p for p in space.parameters if isinstance(p, Choice) and p.name == text), None)
        if choice is not None:
            chosen = sweep_pb2.Assignment.MaterialChoice(
                parameter=choice.name, materials=map(material_to_proto, choice.materials)
            )
            found.append(sweep_pb2.Assignment(field=path.removesuffix(_MATERIAL), material=chosen))
        else:
            Formula(text).check(space.numbers)
            found.append(sweep_pb2.Assignment(field=path, expression=text))
    return found


@final
@dataclass(frozen=True)
class Assigned:
    """A sweep's study and shape, which depend on a point of its space. Raises StudyError for a wrong path or text.

    sweep: its message
    """

    sweep: sweep_pb2.Sweep
    space: Space

    def __post_init__(self) -> None:
        for assignment in self.sweep.assignments:
            parent, field, index = _place(self.sweep, assignment.field)
            if assignment.WhichOneof("value") == "expression":
                if field.type != FieldDescriptor.TYPE_DOUBLE:
                    raise StudyError(f"{assignment.field} is no number, and can't be given by an expression.")
                Formula(assignment.expression).check(self.space.numbers)
            else:
                target = _get(parent, field, index)
                if not isinstance(target, material_pb2.Material):
                    raise StudyError(f"{assignment.field} is no material.")
                choice = self.space.parameters[self.space.column(assignment.material.parameter)]
                if len(assignment.material.materials) != len(choice.words):  # type: ignore[attr-defined]
                    raise StudyError(
                        f"{assignment.field} has {len(assignment.material.materials)} materials for the "
                        f"{len(choice.words)} words of {choice.name}."  # type: ignore[attr-defined]
                    )

    def names(self, assignment: sweep_pb2.Assignment) -> frozenset[str]:
        """The parameters that an assignment speaks of."""
        if assignment.WhichOneof("value") == "expression":
            return Formula(assignment.expression).names
        return frozenset((assignment.material.parameter,))

    def at(self, point: NDArray[np.float64]) -> tuple[study_pb2.Study, shape_pb2.Shape]:
        """The study and the shape of a design. Raises StudyError where a number comes out as none."""
        design = sweep_pb2.Sweep(study=self.sweep.study, shape=self.sweep.shape)
        values: Mapping[str, Any] = self.space.named(point)
        for assignment in self.sweep.assignments:
            parent, field, index = _place(design, assignment.field)
            if assignment.WhichOneof("value") == "expression":
                number = float(Formula(assignment.expression)(values))
                if not math.isfinite(number):
                    raise StudyError(
                        f"{assignment.field} = {assignment.expression} is no finite number here."
                    )
                if index is None:
                    setattr(parent, field.name, number)
                else:
                    getattr(parent, field.name)[index] = number
            else:
                position = int(point[self.space.column(assignment.material.parameter)])
                _get(parent, field, index).CopyFrom(assignment.material.materials[position])
        return design.study, design.shape


def _numbers(message: Message, path: str) -> Iterator[tuple[str, float]]:
    """All doubles that are set, with their paths."""
    for field, value in message.ListFields():
        here = f"{path}.{field.name}"
        for index, item in enumerate(value if field.is_repeated else [value]):
            place = f"{here}[{index}]" if field.is_repeated else here
            if isinstance(item, Message):
                yield from _numbers(item, place)
            elif field.type == FieldDescriptor.TYPE_DOUBLE:
                yield place, item


def _place(message: Message, path: str) -> tuple[Message, Any, int | None]:
    """The message that a path ends in, the field there, and the index in it."""
    steps = path.split(".")
    if steps[0] not in _ROOTS:
        raise StudyError(
            f"{path} is no field of the study or of the shape: it begins with {' or '.join(_ROOTS)}."
        )
    for number, step in enumerate(steps):
        match = _STEP.fullmatch(step)
        field = match and message.DESCRIPTOR.fields_by_name.get(match.group(1))
        if not match or field is None:
            raise StudyError(f"{path} is no field of the sweep: there is no {step!r}.")
        index = None if match.group(2) is None else int(match.group(2))
        there = len(getattr(message, field.name)) if field.is_repeated else None
        if (index is None) != (there is None) or (there is not None and index is not None and index >= there):
            raise StudyError(f"{path} is no field of the sweep: {step!r} has to name one that is there.")
        if there is None and field.message_type is not None and not message.HasField(field.name):
            raise StudyError(f"{path} is no field of this sweep, which has no {field.name} there.")
        if number == len(steps) - 1:
            return message, field, index
        following = _get(message, field, index)
        if not isinstance(following, Message):
            raise StudyError(f"{path} is no field of the sweep: {step!r} has no parts.")
        message = following
    raise AssertionError(path)


def _get(message: Message, field: Any, index: int | None) -> Any:
    value = getattr(message, field.name)
    return value if index is None else value[index]
