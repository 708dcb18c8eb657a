"""Numbers as an engineer writes them: units of a drawing office, three digits, round ticks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from twin.quantities import Quantity

# SI unit -> (shown unit, size of one shown unit in SI), ascending; the largest that keeps the value above 1.
_SCALES: dict[str, tuple[tuple[str, float], ...]] = {
    "m": (("nm", 1e-9), ("µm", 1e-6), ("mm", 1e-3), ("m", 1.0)),
    "Pa": (("Pa", 1.0), ("kPa", 1e3), ("MPa", 1e6), ("GPa", 1e9)),
    "N": (("mN", 1e-3), ("N", 1.0), ("kN", 1e3), ("MN", 1e6)),
    "N m": (("N mm", 1e-3), ("N m", 1.0), ("kN m", 1e3)),
    "N*m": (("N mm", 1e-3), ("N m", 1.0), ("kN m", 1e3)),
    "J": (("µJ", 1e-6), ("mJ", 1e-3), ("J", 1.0), ("kJ", 1e3)),
    "kg": (("mg", 1e-6), ("g", 1e-3), ("kg", 1.0), ("t", 1e3)),
    "m^2": (("mm²", 1e-6), ("m²", 1.0)),
    "m^3": (("mm³", 1e-9), ("cm³", 1e-6), ("m³", 1.0)),
    "s": (("ms", 1e-3), ("s", 1.0)),
    "W": (("mW", 1e-3), ("W", 1.0), ("kW", 1e3), ("MW", 1e6)),
    "W/m^2": (("W/m²", 1.0), ("kW/m²", 1e3), ("MW/m²", 1e6)),
}
# Between these, drawings and data sheets stay with mm and MPa, whatever the digits.
_PREFERRED: dict[str, tuple[str, float, float]] = {"m": ("mm", 1e-5, 30.0), "Pa": ("MPa", 1e4, 1e12)}

_TITLES: dict[str, str] = {
    "max_von_mises": "Maximum von Mises stress",
    "max_displacement": "Maximum displacement",
    "compliance": "Compliance (work of the loads)",
    "mass": "Mass",
    "safety_factor": "Safety factor against yield",
    "reaction_force": "Reaction force",
    "von_mises": "von Mises stress",
    "displacement": "Displacement",
    "stress": "Stress",
    "energy_error": "Error indicator per cell",
    "material": "Material: 0 that of the part, from 1 on those of bodies",
    "max_temperature": "Maximum temperature",
    "min_temperature": "Minimum temperature",
    "heat_flow": "Heat flow through the part",
    "max_heat_flux": "Maximum heat flux",
    "heat_flux": "Heat flux",
    "moment": "Moment",
    "pressure_drop": "Pressure drop",
    "total_pressure_drop": "Drop of total pressure",
    "dissipated_power": "Dissipated power",
    "flow_rate": "Flow rate",
    "reynolds_number": "Reynolds number",
    "reference_area": "Reference area",
}
# What an engineer looks at first, as far as a study has it.
HEADLINES = (
    "max_von_mises", "max_displacement", "safety_factor", "max_temperature", "min_temperature", "heat_flow",
    "drag_force", "lift_force", "drag_coefficient", "lift_coefficient", "pressure_drop", "total_pressure_drop",
)  # fmt: skip
STRESS_COMPONENTS = ("xx", "yy", "zz", "xy", "yz", "zx")


@dataclass(frozen=True)
class Unit:
    """A unit to show values in. factor: SI value of one."""

    name: str
    factor: float

    def __call__(self, value: float) -> str:
        return f"{plain(value / self.factor)} {self.name}".strip()


def unit_for(unit: str, magnitude: float) -> Unit:
    """The unit in which values of about `magnitude` (in `unit`, SI) read well."""
    scales = _SCALES.get(unit)
    if scales is None:
        return Unit("" if unit in ("1", "-", "dimensionless") else unit, 1.0)
    magnitude = abs(magnitude)
    preferred, low, high = _PREFERRED.get(unit, ("", math.inf, -math.inf))
    if magnitude == 0.0 or not math.isfinite(magnitude) or low <= magnitude < high:
        default = preferred or ("kg" if unit == "kg" else scales[_si_position(scales)][0])
        return next(Unit(name, factor) for name, factor in scales if name == default)
    fitting = [Unit(name, factor) for name, factor in scales if magnitude >= factor * 0.9995]
    return fitting[-1] if fitting else Unit(*scales[0])


def _si_position(scales: tuple[tuple[str, float], ...]) -> int:
    return next(index for index, (_, factor) in enumerate(scales) if factor == 1.0)


def number(value: float, digits: int = 4) -> str:
    """`digits` significant digits, no exponent where a plain number is short, a true minus."""
    if not math.isfinite(value):
        return "∞" if value > 0 else "-∞"
    if value == 0.0:
        return "0"
    exponent = math.floor(math.log10(abs(float(f"{value:.{digits - 1}e}"))))
    if -4 < exponent < 6:
        text = f"{value:.{max(digits - 1 - exponent, 0)}f}"
    else:
        mantissa, _, power = f"{value:.{digits - 1}e}".partition("e")
        text = f"{mantissa}·10{str(int(power)).translate(_SUPERSCRIPT)}"
    return text.replace("-", "−")


def plain(value: float, digits: int = 4) -> str:
    """As `number`, for values that are exact or carry no bound: no zeros at the end."""
    text = number(value, digits)
    return text.rstrip("0").rstrip(".") if "." in text and "·" not in text else text


_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def percent(fraction: float) -> str:
    """A relative error with two digits, never as zero."""
    if not math.isfinite(fraction):
        return "unknown"
    if 0.0 < fraction < 1e-4:
        return "< 0.01 %"
    return f"{number(fraction * 100.0, 2)} %"


def title(name: str) -> str:
    """What an engineer calls a quantity or a field."""
    if name in _TITLES:
        return _TITLES[name]
    words = name.replace("_", " ").replace(".", ", ")
    return words[:1].upper() + words[1:]


def magnitude(quantity: Quantity) -> float:
    """The value, or the length of a vector."""
    value = np.asarray(quantity.value, dtype=np.float64)
    return float(value) if value.ndim == 0 else float(np.linalg.norm(value))


def bound(quantity: Quantity) -> str:
    """ "± 1.2 %", or "bound unknown"."""
    if not np.isfinite(np.asarray(quantity.error, dtype=np.float64)).all():
        return "bound unknown"
    relative = quantity.relative_error
    if 0.0 < relative < 1e-4 and quantity.scale is None:
        return "within 0.01 %"
    if math.isfinite(relative) and quantity.scale is None:
        return f"± {percent(relative)}"
    error = float(np.linalg.norm(np.asarray(quantity.error, dtype=np.float64)))
    unit = unit_for(quantity.unit, error)
    return f"± {plain(error / unit.factor, 2)} {unit.name}".strip()


def known_digits(quantity: Quantity) -> int:
    """Digits worth printing: down to a tenth of the error, 3 or 4 of them."""
    relative = quantity.relative_error
    if relative == 0.0 or not math.isfinite(relative) or quantity.scale is not None:
        return 4
    return min(max(math.ceil(-math.log10(relative)) + 1, 3), 4)


def value_text(quantity: Quantity) -> str:
    """The value in its unit; a vector as (x, y, z)."""
    unit = unit_for(quantity.unit, magnitude(quantity))
    value = np.asarray(quantity.value, dtype=np.float64)
    digits = known_digits(quantity)
    if value.ndim == 0:
        return f"{number(float(value) / unit.factor, digits)} {unit.name}".strip()
    size = max(magnitude(quantity), 1e-300)
    # components that are round-off beside the vector are zero to a reader
    shown = [number(float(part) / unit.factor if abs(part) > 1e-6 * size else 0.0, digits) for part in value]
    return f"({', '.join(shown)}) {unit.name}"


def answer(name: str, quantity: Quantity) -> str:
    """One sentence: "Maximum displacement 0.4856 mm ± 1.2 %"."""
    known = bound(quantity)
    comma = "" if known.startswith("±") else ","
    return f"{title(name)} {value_text(quantity)}{comma} {known}"


def round_step(span: float, intervals: int) -> float:
    """A step of 1, 2, 2.5 or 5 times a power of ten that divides `span` into at most `intervals`."""
    raw = span / intervals
    power = 10.0 ** math.floor(math.log10(raw))
    return next(step * power for step in (1.0, 2.0, 2.5, 5.0, 10.0) if step * power >= raw * (1.0 - 1e-9))


def round_down(value: float) -> float:
    """The largest 1, 2 or 5 times a power of ten that is not above `value`."""
    power = 10.0 ** math.floor(math.log10(value) + 1e-12)
    return max(step * power for step in (1.0, 2.0, 5.0) if step * power <= value * (1.0 + 1e-9))
