"""What differs from design to design.

Parameters stand in a study in place of numbers: `twin.Force((0, 0, -load), on=pin)`. As a number each of them, and what
arithmetic makes of it, is a mark: near the middle of its range, and equal to no other number. Where a mark turns up in
the study's message is where the parameter comes in (twin/codec/assignments.py).
"""

from __future__ import annotations

import itertools
import math
import numbers
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

from twin import materials
from twin.errors import StudyError
from twin.materials import Material
from twin.quantities import engineering
from twin.sweeps.columns import ERROR, RESERVED
from twin.sweeps.expressions import CONSTANTS, FUNCTIONS, Formula
from twin.units import Scalar, quantity, si

Floats = NDArray[np.float64]

MARKS: Final[dict[float, str]] = {}
"""The arithmetic behind each mark that was given out."""

_SERIAL: Final = itertools.count(1)
_APART: Final = math.sqrt(2) * 2.0**-40  # neighbouring marks, relative
_SMALL: Final = 2.0**-200  # marks of what is zero in the middle of its range
_POSITIVE: Final = re.compile(r"[0-9.]+")
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")


def _mark(nominal: float, text: str) -> float:
    step = _APART * next(_SERIAL)
    mark = nominal * (1 + step) if nominal else step * _SMALL
    MARKS[mark] = text
    return mark


class Term(ABC):
    """A number that is not known yet, and what arithmetic makes of it."""

    @property
    @abstractmethod
    def text(self) -> str:
        """As twin/sweeps/expressions.py reads it."""

    @property
    @abstractmethod
    def nominal(self) -> float:
        """A value that it can have."""

    def __float__(self) -> float:
        """A mark, another one each time."""
        return _mark(self.nominal, self.text)

    def __neg__(self) -> Expression:
        return Expression(f"-{_bracketed(self.text)}", -self.nominal)

    def __pos__(self) -> Term:
        return self

    def __abs__(self) -> Expression:
        return Expression(f"abs({self.text})", abs(self.nominal))

    def __add__(self, other: Term | float) -> Expression:
        return _joined(self, "+", other)

    def __radd__(self, other: float) -> Expression:
        return _joined(other, "+", self)

    def __sub__(self, other: Term | float) -> Expression:
        return _joined(self, "-", other)

    def __rsub__(self, other: float) -> Expression:
        return _joined(other, "-", self)

    def __mul__(self, other: Term | float) -> Expression:
        return _joined(self, "*", other)

    def __rmul__(self, other: float) -> Expression:
        return _joined(other, "*", self)

    def __truediv__(self, other: Term | float) -> Expression:
        return _joined(self, "/", other)

    def __rtruediv__(self, other: float) -> Expression:
        return _joined(other, "/", self)

    def __pow__(self, other: Term | float) -> Expression:
        return _joined(self, "**", other)

    def __rpow__(self, other: float) -> Expression:
        return _joined(other, "**", self)


numbers.Real.register(Term)  # type: ignore[type-abstract]  # so that it may stand wherever a number may


@final
@dataclass(frozen=True, eq=False)
class Expression(Term):
    """What arithmetic makes of parameters; in study files a string that begins with "="."""

    arithmetic: str
    value: float = 1.0

    @property
    def text(self) -> str:
        return self.arithmetic

    @property
    def nominal(self) -> float:
        return self.value


def _joined(left: Term | float, operator: str, right: Term | float) -> Expression:
    texts = [_bracketed(side.text if isinstance(side, Term) else repr(float(side))) for side in (left, right)]
    a, b = (side.nominal if isinstance(side, Term) else float(side) for side in (left, right))
    text = f"{texts[0]} {operator} {texts[1]}"
    nominal = float(Formula(f"({a!r}) {operator} ({b!r})")({}))
    return Expression(text, nominal if math.isfinite(nominal) else 1.0)


def _bracketed(text: str) -> str:
    return text if _NAME.fullmatch(text) or _POSITIVE.fullmatch(text) else f"({text})"


class Parameter(ABC):
    """What has a value for each design. name: for expressions; unit: of its numbers, SI."""

    name: str
    unit: str

    @property
    @abstractmethod
    def values(self) -> Floats | None:
        """All that it can have, rising; None for any number between `low` and `high`."""

    @property
    @abstractmethod
    def bounds(self) -> tuple[float, float]:
        """Its lowest and its highest value."""

    def at(self, share: Floats) -> Floats:
        """Values for shares of the range in [0, 1), of which each value takes the same."""
        if self.values is not None:
            return self.values[np.minimum((share * len(self.values)).astype(int), len(self.values) - 1)]
        low, high = self.bounds
        return low + share * (high - low)

    def holds(self, values: Floats) -> NDArray[np.bool_]:
        """Whether it can have each of these values."""
        if self.values is not None:
            return np.isin(values, self.values)
        low, high = self.bounds
        return (values >= low) & (values <= high)

    def label(self, value: float) -> str:
        """A value for people."""
        factor, unit = engineering(value, self.unit)
        return f"{value / factor:.4g} {unit}".strip()

    def read(self, value: Any) -> float:
        """The number of a value as users write it."""
        return quantity(value, self.unit or "1", self.name)

    def _named(self, name: str) -> None:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise StudyError(f"{name!r} can't name a parameter: use letters, digits and '_', a letter first.")
        if name in FUNCTIONS or name in CONSTANTS:
            raise StudyError(f"{name!r} can't name a parameter: in arithmetic it means something else.")
        if name in RESERVED or name.endswith(ERROR):
            raise StudyError(
                f"{name!r} can't name a parameter: a column of the table of designs has that name."
            )
        object.__setattr__(self, "name", name)

    def _measured(self, values: Sequence[Scalar], unit: str | None) -> list[float]:
        """The numbers in SI; their unit is kept."""
        read = [si(value, f"a value of {self.name}") for value in values]
        units = {own for _, own in read if own} | ({unit} if unit else set())
        if len(units) > 1:
            raise StudyError(f"The values of {self.name} are in {' and in '.join(sorted(units))}.")
        object.__setattr__(self, "unit", units.pop() if units else "")
        return [value for value, _ in read]


@final
@dataclass(frozen=True, init=False, eq=False)
class Range(Parameter, Term):
    """Any number in between."""

    name: str
    low: float
    high: float
    unit: str

    def __init__(self, name: str, low: Scalar, high: Scalar, unit: str | None = None) -> None:
        self._named(name)
        lowest, highest = self._measured((low, high), unit)
        if not lowest < highest:
            raise StudyError(f"{name} goes from {low} to {high}: the first has to be the lower one.")
        object.__setattr__(self, "low", lowest)
        object.__setattr__(self, "high", highest)

    @property
    def text(self) -> str:
        return self.name

    @property
    def nominal(self) -> float:
        return (self.low + self.high) / 2

    @property
    def values(self) -> None:
        return None

    @property
    def bounds(self) -> tuple[float, float]:
        return self.low, self.high


@final
@dataclass(frozen=True, init=False, eq=False)
class Integers(Parameter, Term):
    """Any whole number in between, both ends included."""

    name: str
    low: int
    high: int
    unit: str

    def __init__(self, name: str, low: int, high: int, unit: str = "") -> None:
        self._named(name)
        for end in (low, high):
            if isinstance(end, bool) or not isinstance(end, numbers.Real) or float(end) != int(float(end)):
                raise StudyError(f"{name} takes whole numbers, not {end!r}.")
        if low > high:
            raise StudyError(f"{name} goes from {low} to {high}: the first has to be the lower one.")
        object.__setattr__(self, "low", int(low))
        object.__setattr__(self, "high", int(high))
        object.__setattr__(self, "unit", unit)

    @property
    def text(self) -> str:
        return self.name

    @property
    def nominal(self) -> float:
        return float((self.low + self.high) // 2)

    @property
    def values(self) -> Floats | None:
        # of a very long range a factorial takes levels, as of numbers; `at` and `holds` see to the rest
        return np.arange(self.low, self.high + 1, dtype=float) if self.high - self.low < 4096 else None

    @property
    def bounds(self) -> tuple[float, float]:
        return float(self.low), float(self.high)

    def at(self, share: Floats) -> Floats:
        return np.minimum(np.floor(self.low + share * (self.high - self.low + 1)), self.high)

    def holds(self, values: Floats) -> NDArray[np.bool_]:
        return (values == np.floor(values)) & (values >= self.low) & (values <= self.high)


@final
@dataclass(frozen=True, init=False, eq=False)
class Levels(Parameter, Term):
    """One of some numbers, such as the thicknesses that sheets are sold in."""

    name: str
    levels: tuple[float, ...]
    unit: str

    def __init__(self, name: str, levels: Sequence[Scalar], unit: str | None = None) -> None:
        self._named(name)
        found = sorted(self._measured(tuple(levels), unit))
        if not found or len(set(found)) < len(found):
            raise StudyError(f"{name} needs levels, each once.")
        object.__setattr__(self, "levels", tuple(found))

    @property
    def text(self) -> str:
        return self.name

    @property
    def nominal(self) -> float:
        return self.levels[len(self.levels) // 2]

    @property
    def values(self) -> Floats:
        return np.array(self.levels)

    @property
    def bounds(self) -> tuple[float, float]:
        return self.levels[0], self.levels[-1]


@final
@dataclass(frozen=True, init=False, eq=False)
class Choice(Parameter):
    """One of some things: materials (in place of a study's material) or parts (in place of a part).

    options: names of the library and twin.Materials, or parts; or a dict that gives each a word
    """

    name: str
    words: tuple[str, ...]
    options: tuple[Any, ...]
    unit: str

    def __init__(self, name: str, options: Sequence[Any] | dict[str, Any]) -> None:
        self._named(name)
        named = options if isinstance(options, dict) else {_word(option): option for option in options}
        if not named or len(named) < len(options):
            raise StudyError(f"{name} needs options, each once and each with a name of its own.")
        object.__setattr__(self, "words", tuple(named))
        object.__setattr__(self, "options", tuple(named.values()))
        object.__setattr__(self, "unit", "")

    @property
    def materials(self) -> tuple[Material, ...]:
        """The options as materials. Raises MaterialError, StudyError."""
        for option in self.options:
            if not isinstance(option, str | Material):
                raise StudyError(f"{self.name} is a choice of materials here, and {option!r} is none.")
        return tuple(
            option if isinstance(option, Material) else materials.material(option) for option in self.options
        )

    @property
    def placeholder(self) -> Material:
        """A material that tells that it stands for the chosen one."""
        first = self.materials[0]
        return replace(first, youngs_modulus=_mark(first.youngs_modulus, self.name))

    @property
    def values(self) -> Floats:
        return np.arange(float(len(self.words)))

    @property
    def bounds(self) -> tuple[float, float]:
        return 0.0, len(self.words) - 1.0

    def label(self, value: float) -> str:
        return self.words[int(value)]

    def read(self, value: Any) -> float:
        word = value if isinstance(value, str) else _word(value)
        if word not in self.words:
            raise StudyError(f"{self.name} is {value!r}; it can be {', '.join(self.words[:20])}.")
        return float(self.words.index(word))


def _word(option: Any) -> str:
    return str(option if isinstance(option, str) else getattr(option, "name", None) or "")
