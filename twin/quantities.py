"""Answers: a number with its unit and error, and an array with its unit and place."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Location = Literal["node", "surface", "cell"]

# SI unit -> (from this size on, factor, shown as), from large to small.
_SHOWN: dict[str, tuple[tuple[float, float, str], ...]] = {
    "m": ((1.0, 1.0, "m"), (1e-5, 1e-3, "mm"), (1e-8, 1e-6, "µm"), (0.0, 1e-9, "nm")),
    "Pa": ((1e9, 1e9, "GPa"), (1e5, 1e6, "MPa"), (1e3, 1e3, "kPa"), (0.0, 1.0, "Pa")),
    "N": ((1e6, 1e6, "MN"), (1e3, 1e3, "kN"), (0.1, 1.0, "N"), (0.0, 1e-3, "mN")),
    "N m": ((1e3, 1e3, "kN m"), (0.1, 1.0, "N m"), (0.0, 1e-3, "mN m")),
    "J": ((1e6, 1e6, "MJ"), (1e3, 1e3, "kJ"), (0.1, 1.0, "J"), (1e-4, 1e-3, "mJ"), (0.0, 1e-6, "µJ")),
    "W": ((1e6, 1e6, "MW"), (1e3, 1e3, "kW"), (0.1, 1.0, "W"), (0.0, 1e-3, "mW")),
    "W/m²": ((1e6, 1e6, "MW/m²"), (1e3, 1e3, "kW/m²"), (0.0, 1.0, "W/m²")),
    "W/m^2": ((1e6, 1e6, "MW/m²"), (1e3, 1e3, "kW/m²"), (0.0, 1.0, "W/m²")),
    "W/m³": ((1e6, 1e6, "MW/m³"), (1e3, 1e3, "kW/m³"), (0.0, 1.0, "W/m³")),
    "kg": ((1e4, 1e3, "t"), (0.1, 1.0, "kg"), (1e-4, 1e-3, "g"), (0.0, 1e-6, "mg")),
    "Hz": ((1e6, 1e6, "MHz"), (1e4, 1e3, "kHz"), (0.0, 1.0, "Hz")),
}


def engineering(size: float, unit: str) -> tuple[float, str]:
    """Factor and unit that show a number of this size (in the SI unit `unit`) with few zeros."""
    size = abs(size)
    if size == 0 or not math.isfinite(size):
        return 1.0, unit
    for threshold, factor, shown in _SHOWN.get(unit, ()):
        if size >= threshold:
            return factor, shown
    return 1.0, unit


@dataclass(frozen=True, slots=True, eq=False)
class Quantity:
    """A number or a vector, and the estimate of how far it is off.

    value: float, or (n,) array. unit: SI. error: same unit and shape as value (one float stands for all
    components), inf where unknown, never NaN. note: what the number needs to be read rightly.
    scale: what the error is relative to, where that is not the value itself: the range of temperature.
    """

    value: float | Array
    unit: str
    error: float | Array = math.inf
    note: str = ""
    scale: float | None = None

    def __post_init__(self) -> None:
        scalar = np.ndim(self.value) == 0
        error = np.asarray(self.error, dtype=np.float64)
        # An error that could not be computed is one that is not known.
        error = np.where(np.isnan(error), np.inf, np.abs(error))
        if scalar:
            object.__setattr__(self, "value", float(self.value))
            object.__setattr__(self, "error", float(error.max() if error.size else np.inf))
        else:
            value = np.array(self.value, dtype=np.float64)
            error = np.broadcast_to(error, value.shape).copy()
            value.flags.writeable = error.flags.writeable = False
            object.__setattr__(self, "value", value)
            object.__setattr__(self, "error", error)

    @property
    def relative_error(self) -> float:
        """Error over value (the magnitude of a vector, or the scale); inf where unknown or that is zero."""
        size = float(np.linalg.norm(self.value)) if self.scale is None else self.scale
        error = float(np.linalg.norm(self.error))
        if error == 0:
            return 0.0
        return error / size if size > 0 and math.isfinite(error) else math.inf

    def __float__(self) -> float:
        if np.ndim(self.value):
            raise TypeError("a vector quantity is not one number; use .value")
        return float(self.value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Quantity):
            return NotImplemented
        return (
            np.array_equal(self.value, other.value, equal_nan=True)
            and np.array_equal(self.error, other.error)
            and (self.unit, self.note, self.scale) == (other.unit, other.note, other.scale)
        )

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        factor, unit = engineering(float(np.max(np.abs(self.value), initial=0.0)), self.unit)
        if np.ndim(self.value):
            shown = "(" + ", ".join(f"{v / factor:.4g}" for v in np.asarray(self.value)) + ")"
        else:
            shown = f"{float(self.value) / factor:.4g}"
        shown = shown if unit == "1" else f"{shown} {unit}"
        relative = self.relative_error
        if math.isfinite(relative) and self.scale is None:
            return f"{shown} ± {_percent(relative)}"
        error = float(np.linalg.norm(self.error))
        if not math.isfinite(error):
            return f"{shown} ± unknown"
        return f"{shown} ± {error:.2g}" + ("" if self.unit == "1" else f" {self.unit}")


def _percent(relative: float) -> str:
    percent = 100 * relative
    if percent == 0:
        return "0 %"
    return f"{percent:.2g} %" if percent >= 0.01 else "< 0.01 %"


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """An array over the mesh.

    values: (n, components). unit: SI. location: "node" and "cell" of the volume mesh, "surface" for the
    vertices of the original surface.
    """

    name: str
    values: NDArray[Any]
    unit: str
    location: Location

    def __post_init__(self) -> None:
        if np.ndim(self.values) != 2:
            shape = np.shape(self.values)
            raise ValueError(f"field {self.name} has shape {shape}, it needs (n, components)")

    def __repr__(self) -> str:
        n, c = self.values.shape
        return f"Field({self.name!r}, {n} x {c}, unit={self.unit!r}, location={self.location!r})"
