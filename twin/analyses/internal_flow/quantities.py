"""Pressures and flow rates on ever smaller cells, and how far they may be off."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.analyses.flow.ladder import of_cells, of_walls
from twin.analyses.flow.simulation import Simulation
from twin.analyses.internal_flow.channel import Channel
from twin.analyses.internal_flow.passage import Passage
from twin.quantities import Quantity
from twin.studies import InternalFlow

Floats = NDArray[np.float64]

ASKED: Final = ("pressure_drop",)
_SUMS: Final = ("pressure_drop", "total_pressure_drop", "dissipated_power")
_UNITS: Final = {"pressure": "Pa", "total_pressure": "Pa", "flow_rate": "m^3/s"}
_MOST_CELLS: Final = (0.5, 99.5)  # per cent


def names(study: InternalFlow) -> tuple[str, ...]:
    """Of all quantities."""
    return (
        *_SUMS,
        "flow_rate",
        "reynolds_number",
        *(f"{kind}_{name}" for kind in _UNITS for name in study.openings),
    )


@dataclass(frozen=True, eq=False)
class Measured:
    """On cells of one size, in SI: values (k,) of drops of pressure and total pressure, the power that is lost, and of
    each opening the pressure, total pressure and what passes it, below zero the wrong way; and how far off each may be
    since the time was finite

    size: of cells [m], of which there are `across` along the least hydraulic diameter of an opening
    denser: share by which density differs on the lattice, but for one cell in a hundred; compressed: by which that of
    the fluid itself would; fastest: of the fluid, in the mean over time [cells/step]; leaking: of what comes in, what
    walls lose or add
    """

    size: float
    across: float
    values: Floats
    spread: Floats
    denser: float
    compressed: float
    leaking: float
    fastest: float


def measured(found: Simulation[Channel]) -> Measured:
    """What a simulation tells."""
    channel = found.lattice
    values, spread = found.mean(in_units(channel, found.series))
    out, _, _ = found.series[found.start :].mean(axis=0).reshape(3, -1)
    (means,) = found.means
    low, high = np.percentile(means.pressure[~channel.solid], _MOST_CELLS)
    fluid, differs = channel.passage.study.fluid, float(high - low)
    sound = fluid.speed_of_sound or np.inf
    return Measured(
        channel.scales.length,
        channel.across,
        values,
        spread,
        3 * differs,
        channel.scales.pressure * differs / (fluid.density * sound**2),
        abs(float(out.sum())),
        float(np.linalg.norm(means.velocity, axis=0).max()),
    )


def in_units(channel: Channel, series: Floats) -> Floats:
    """Values as of `Measured` over time (n, k), of a channel's numbers (n, 3 m). What is held at outlets is, in their
    mean, the passage's reference.
    """
    passage, scales = channel.passage, channel.scales
    out, pressure, total = series.reshape(len(series), 3, -1).transpose(1, 0, 2)
    level = channel.level(pressure)[:, None]
    pressure, total = pressure - level, total - level
    inlets = slice(None, passage.inlets), slice(passage.inlets, None)
    drops = []
    for each in (pressure, total):
        before, after = (
            (out[:, own] * each[:, own]).sum(axis=1) / _nonzero(out[:, own].sum(axis=1)) for own in inlets
        )
        drops.append(scales.pressure * (before - after))
    power = drops[1] * passage.flow_rate
    passes = out * np.where(np.arange(len(passage.openings)) < passage.inlets, -1, 1) * passage.flow_rate
    columns = [passage.reference + each * scales.pressure for each in (pressure, total)] + [passes]
    return np.column_stack([*drops, power, *columns])


def errors(ladder: Sequence[Measured]) -> Floats:
    """Of the finest values: of finite time, of cells, of the density that is not constant, neither on the lattice nor
    in the fluid, and of what walls leak. All but the first two are shares of the loss of total pressure, and of what
    passes.
    """
    finest = ladder[-1]
    share = 0.5 * (finest.denser + finest.compressed) + finest.leaking
    whole = scales_of(finest.values)
    cells = of_cells(
        [each.size for each in ladder], [each.values for each in ladder], of_walls(finest.across) * whole
    )
    return cells + finest.spread + share * whole


def scales_of(values: Floats) -> Floats:
    """That errors of values, as of `Measured`, are told by."""
    _, total, power, *rest = np.abs(values)
    count = len(rest) // 3
    passes = sum(rest[2 * count :]) / 2  # in, and out
    return np.array([total, total, power, *[total] * (2 * count), *[passes] * count])


def quantities(ladder: Sequence[Measured], passage: Passage, accuracy: float) -> dict[str, Quantity]:
    """All that is reported of the finest cells."""
    finest, made = ladder[-1], {}
    columns = [*_SUMS, *(f"{kind}_{each.name}" for kind in _UNITS for each in passage.openings)]
    units = ["Pa", "Pa", "W", *(unit for unit in _UNITS.values() for _ in passage.openings)]
    for name, unit, value, error, scale in zip(
        columns, units, finest.values, errors(ladder), scales_of(finest.values), strict=True
    ):
        above = error > accuracy * scale
        note = f"error estimate above the requested {accuracy:.3g} of {scale:.4g} {unit}" if above else ""
        made[name] = Quantity(float(value), unit, float(error), note, float(scale))
    made["flow_rate"] = Quantity(passage.flow_rate, "m^3/s", finest.leaking * passage.flow_rate)
    made["reynolds_number"] = Quantity(passage.reynolds_number, "1", 0.0)
    return made


def standing(channel: Channel, series: Floats) -> tuple[str, dict[str, float]]:
    """What the numbers so far say, in words, and the last of them [Pa]."""
    drop, total, *_ = in_units(channel, series[-1:])[0]
    time = len(series) * channel.interval * channel.scales.time
    last = {"pressure_drop": float(drop), "total_pressure_drop": float(total)}
    return f"after {time:.4g} s: pressure drop {drop:.4g} Pa, of total pressure {total:.4g} Pa", last


def _nonzero(values: Floats) -> Floats:
    return np.where(values == 0, 1.0, values)
