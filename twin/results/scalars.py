"""One number per node out of a field, by the name that a user asks for, and the colours for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solvers.elasticity.invariants import von_mises
from twin.errors import InvalidInput
from twin.results.display import STRESS_COMPONENTS, Unit, number, round_step, title, unit_for
from twin.results.outcome import CaseOutcome

Floats = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class Scalar:
    """values: (n,) at points, in `si`; title: for a legend."""

    name: str
    title: str
    si: str
    values: Floats

    @property
    def unit(self) -> Unit:
        return unit_for(self.si, float(np.abs(self.values).max(initial=0.0)))


def scalar(case: CaseOutcome, name: str, at: Callable[[Floats], Floats] = np.asarray) -> Scalar:
    """Values of "von_mises", "displacement" (its length), "displacement_x", "stress_xx", ...

    at: takes nodal values (n, k) to the points that are wanted; components are taken there, before an invariant is
    made of them. Raises InvalidInput for a name that the case doesn't have at nodes.
    """
    choices: list[str] = []
    for key, field in case.fields.items():
        if field.location != "node":
            continue
        if key == "von_mises" and "stress" in case.fields:
            values = von_mises(at(np.asarray(case.fields["stress"].values, dtype=np.float64)))
        else:
            values = at(np.asarray(field.values, dtype=np.float64))
        width = 1 if values.ndim == 1 else values.shape[1]
        if width == 1:
            parts = {key: (title(key), values.reshape(-1))}
        else:
            labels = {3: ("x", "y", "z"), 6: STRESS_COMPONENTS}.get(width, tuple(map(str, range(width))))
            parts = {
                f"{key}_{label}": (f"{title(key)} {label}", values[:, i]) for i, label in enumerate(labels)
            }
            if width == 3:
                parts = {key: (title(key), np.linalg.norm(values, axis=1)), **parts}
        if name in parts:
            return Scalar(name, parts[name][0], field.unit, parts[name][1])
        choices.extend(parts)
    raise InvalidInput(f"the result has no field {name!r} at its nodes; it has {', '.join(choices)}")


@dataclass(frozen=True, eq=False)
class Bands:
    """Colours between round numbers. limits: (k + 1,) ascending, in the shown unit; colors: (k, 3) sRGB.

    clipped: values above the last limit exist and take its colour.
    """

    limits: Floats
    colors: Floats
    clipped: bool
    unit: Unit

    def color(self, values: Floats) -> Floats:
        """sRGB (n, 3) of SI values (n,)."""
        index = np.searchsorted(self.limits, values / self.unit.factor, side="right") - 1
        return self.colors[np.clip(index, 0, len(self.colors) - 1)]

    def labels(self) -> list[str]:
        step = float(self.limits[1] - self.limits[0])
        decimals = max(0, -int(np.floor(np.log10(step) + 1e-9)))
        if abs(step * 10**decimals - round(step * 10**decimals)) > 1e-6:
            decimals += 1  # steps of 2.5
        if decimals > 5 or abs(self.limits).max() >= 1e6:
            return [number(float(limit), 3) for limit in self.limits]
        return [f"{limit:.{decimals}f}".replace("-", "−") for limit in self.limits]


def bands(values: Scalar, weights: Floats | None = None, count: int = 10) -> Bands:
    """About `count` bands over the values (n,) seen; weights: (n,) area of each.

    A peak far above everything else (a sharp inner corner, a point load) would paint the part in one
    colour: the scale then ends at what 99.8 % of the area stays under, and says so.
    """
    import matplotlib

    data, unit = values.values, values.unit
    low, high = float(data.min(initial=np.inf)), float(data.max(initial=-np.inf))
    clipped = False
    if low >= 0.0 and len(data):
        common = _quantile(data, weights, 0.998)
        if high > 2.5 * common > 0.0:
            high, clipped = common, True
        low = 0.0 if low < 0.3 * high else low
    low, high = low / unit.factor, high / unit.factor
    if not high - low > 1e-12 * max(abs(high), abs(low), 1e-300):
        spread = max(abs(high) * 0.05, 1e-12)
        low, high = low - spread, high + spread
    step = round_step(high - low, count)
    first, last = int(np.floor(low / step + 1e-9)), int(np.ceil(high / step - 1e-9))
    limits: Floats = np.arange(first, last + 1) * np.float64(step)
    middle = (np.arange(last - first) + 0.5) / (last - first)
    if first < 0 < last:  # signed: white in the middle would vanish on paper, so zero is only a limit
        colors = matplotlib.colormaps["Spectral_r"](middle)
    else:
        colors = matplotlib.colormaps["turbo"](0.06 + 0.87 * middle)
    return Bands(limits, np.asarray(colors)[:, :3], clipped, unit)


def _quantile(values: Floats, weights: Floats | None, share: float) -> float:
    order = np.argsort(values)
    mass = np.cumsum(np.ones(len(values)) if weights is None else weights[order])
    return float(values[order][min(int(np.searchsorted(mass, share * mass[-1])), len(values) - 1)])
