"""Parameters with their constraints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from numpy.typing import NDArray

from twin.errors import StudyError
from twin.sweeps.expressions import Formula
from twin.sweeps.parameters import Choice, Parameter

Floats = NDArray[np.float64]


@final
@dataclass(frozen=True, init=False, eq=False)
class Space:
    """Where designs are points: a value of each parameter, in their order. Raises StudyError."""

    parameters: tuple[Parameter, ...]
    constraints: tuple[Formula, ...]

    def __init__(self, parameters: Sequence[Parameter], constraints: Sequence[str] = ()) -> None:
        object.__setattr__(self, "parameters", tuple(parameters))
        names = [parameter.name for parameter in parameters]
        for name in names:
            if names.count(name) > 1:
                raise StudyError(f"There are several parameters named {name}.")
        if not names:
            raise StudyError("A sweep needs a parameter.")
        object.__setattr__(self, "constraints", tuple(Formula(text, comparison=True) for text in constraints))
        for constraint in self.constraints:
            constraint.check(self.numbers)

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """The columns of parameters that are numbers: those that arithmetic may speak of."""
        return {
            parameter.name: column
            for column, parameter in enumerate(self.parameters)
            if not isinstance(parameter, Choice)
        }

    def column(self, name: str) -> int:
        """Of a choice. Raises StudyError where there is none of that name."""
        for column, parameter in enumerate(self.parameters):
            if parameter.name == name and isinstance(parameter, Choice):
                return column
        raise StudyError(f"{name} is no choice among the parameters.")

    def named(self, points: Floats) -> dict[str, Floats]:
        """The numbers by name, of one point (p,) or of many (n, p)."""
        return {name: points[..., column] for name, column in self.numbers.items()}

    def broken(self, point: Floats) -> str:
        """The constraints that a point breaks, "" for none."""
        values = self.named(point)
        return ", ".join(constraint.text for constraint in self.constraints if not constraint(values))

    def labels(self, point: Sequence[float]) -> dict[str, str]:
        """A point for people."""
        return {
            parameter.name: parameter.label(value)
            for parameter, value in zip(self.parameters, point, strict=True)
        }
