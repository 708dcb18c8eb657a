"""Numbers with units at the edge: a number is SI already, a string is read by pint ("35.6 kN", "20 degC")."""

from __future__ import annotations

import functools
import math
import numbers
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from twin.errors import UnitError

if TYPE_CHECKING:
    import pint

Scalar = float | int | str
"""What users may write for a number: SI, or a string with a unit."""

Triple = tuple[float, float, float]

Vector = Sequence[Scalar] | str
"""What users may write for a vector: three scalars, or one string such as "(0, 0, -1) kN"."""

LENGTH_UNITS: Mapping[str, float] = {
    "um": 1e-6,
    "mm": 1e-3,
    "cm": 1e-2,
    "m": 1.0,
    "in": 0.0254,
    "inch": 0.0254,
    "ft": 0.3048,
}
"""Units that a geometry file may be in, in metres."""

_NUMBER = re.compile(r"^\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(\S.*)$")
_MOMENT = re.compile(r"\b([kM]?N)(m{1,2})\b")  # "Nm", as engineers write it, is newton times metre
_VECTOR = re.compile(r"^\s*[\(\[]([^\)\]]*)[\)\]]\s*(.*)$")


@functools.cache
def _registry() -> pint.UnitRegistry[Any]:
    # pint takes a while to import; most callers write plain numbers.
    import pint

    return pint.UnitRegistry(autoconvert_offset_to_baseunit=True)


def length_unit(name: str) -> float:
    """Metres per unit of a geometry file. Raises UnitError for a name outside LENGTH_UNITS."""
    try:
        return LENGTH_UNITS[name.strip().lower()]
    except KeyError:
        raise UnitError(
            f"'{name}' is not a length unit of a geometry file. Use one of {', '.join(LENGTH_UNITS)}.",
            {"unit": name},
        ) from None


def quantity(value: Scalar, unit: str, what: str = "value") -> float:
    """The value in `unit` (an SI unit such as "N" or "Pa"; "1" for a plain number).

    what: what the number is, for the sentence of the error. Raises UnitError where a string can't be read or
    is of another dimension, or the number is not finite.
    """
    if isinstance(value, str):
        number = _parse(value, unit, what)
    elif isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise UnitError(
            f"{what} must be a number in {unit} or a string with a unit, not {value!r}.",
            {"expected": unit},
        )
    else:
        number = float(value)
    if not math.isfinite(number):
        raise UnitError(f"{what} is {value!r}, which is not a finite number.", {"expected": unit})
    return number


# What numbers without a wanted unit are told in: the first of their dimension.
_SI = (
    "m", "N", "Pa", "K", "rad", "kg", "s", "W", "J", "m^2", "m^3", "m/s", "m/s^2", "rad/s", "kg/m^3", "N/m", "N/m^3",
    "m^3/s", "Pa*s", "W/m^2", "W/m^3", "W/(m*K)", "W/(m^2*K)", "J/(kg*K)", "1/K",
)  # fmt: skip


def si(value: Scalar, what: str = "value") -> tuple[float, str]:
    """The value in SI whatever its dimension, and its unit, "" for a plain number. Raises UnitError."""
    match = _NUMBER.match(value) if isinstance(value, str) else None
    if match is None:
        return quantity(value, "1", what), ""
    try:
        roots = _roots(_MOMENT.sub(r"\1*\2", match.group(2)))
    except Exception:  # noqa: BLE001  pint raises whatever Python's tokenizer and operators do
        raise UnitError(f"{what} '{value}' has no unit that can be read.", {"value": value}) from None
    unit = next((known for known in _SI if _roots(known) == roots), "1")
    return quantity(value, unit, what), "" if unit == "1" else unit


def _roots(unit: str) -> object:
    """In base units; angles, which have no dimension, are told from plain numbers."""
    return _registry().Quantity(1.0, unit).to_root_units().units


def vector(value: Vector, unit: str, what: str = "vector") -> tuple[float, float, float]:
    """Three components in `unit`; each is a number or a string with a unit, or all is "(0, 0, -1) kN"."""
    components: Sequence[Scalar]
    if isinstance(value, str):
        match = _VECTOR.match(value)
        if match is None:
            raise UnitError(
                f"{what} '{value}' can't be read. Write three components, as in (0, 0, '-35.6 kN') "
                f"or '(0, 0, -35.6) kN'.",
                {"expected": unit},
            )
        common = match.group(2)
        components = [f"{part.strip()} {common}".strip() for part in match.group(1).split(",")]
    else:
        try:
            # numpy scalars become Python's.
            components = [item.item() if hasattr(item, "item") else item for item in value]
        except TypeError:
            raise UnitError(
                f"{what} must have three components, not {value!r}.", {"expected": unit}
            ) from None
    if len(components) != 3:
        raise UnitError(
            f"{what} has {len(components)} components, it needs three: x, y and z.", {"expected": unit}
        )
    x, y, z = (quantity(c, unit, f"{axis} of {what}") for axis, c in zip("xyz", components, strict=True))
    return x, y, z


def _parse(text: str, unit: str, what: str) -> float:
    try:
        return float(text)  # a string without a unit is SI, like a number
    except ValueError:
        pass
    import pint

    registry = _registry()
    target = registry.Unit("dimensionless" if unit == "1" else unit)
    example = "Expected something like " + ("'0.3'." if unit == "1" else f"'1 {unit}'.")
    facts = {"value": text, "expected": unit}
    match = _NUMBER.match(text)
    if match is None or len(text) > 100:
        raise UnitError(f"{what} '{text[:100]}' can't be read. {example}", facts)
    try:
        # Number and unit apart: "20 degC" as a product would multiply an offset unit.
        parsed = registry.Quantity(float(match.group(1)), _MOMENT.sub(r"\1*\2", match.group(2)))
    except pint.UndefinedUnitError as error:
        unknown = error.unit_names if isinstance(error.unit_names, str) else ", ".join(error.unit_names)
        raise UnitError(f"{what} '{text}' has an unknown unit: {unknown}. {example}", facts) from None
    except Exception:  # noqa: BLE001  pint raises whatever Python's tokenizer and operators do
        raise UnitError(f"{what} '{text}' can't be read. {example}", facts) from None
    try:
        return float(parsed.to(target).magnitude)
    except pint.DimensionalityError:
        raise UnitError(
            f"{what} '{text}' is in {parsed.units:~P}, which can't be converted to {unit}. {example}", facts
        ) from None
