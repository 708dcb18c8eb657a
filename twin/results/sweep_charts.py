"""Pictures of a sweep, as SVG."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray

from twin.quantities import engineering
from twin.results.display import title
from twin.sweeps.parameters import Choice, Parameter
from twin.sweeps.space import Space
from twin.sweeps.statistics import Effect, Indices

Floats = NDArray[np.float64]

INK, SOFT, ACCENT, BEST = "#1a1d21", "#5c646e", "#0b5cad", "#c77700"
_MAP: Final = "viridis"
_MOST_LINES: Final = 2000
_WIDTH: Final = 10.0  # inches


@contextmanager
def _drawn(width: float, height: float) -> Iterator[tuple[Figure, list[str]]]:
    """A figure, and where its SVG comes to stand."""
    figure, text = Figure(figsize=(width, height), layout="constrained"), [""]
    yield figure, text
    stream = io.StringIO()
    figure.savefig(stream, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    text[0] = stream.getvalue().partition("<svg")[2]
    text[0] = "<svg" + text[0]


def label(name: str, unit: str, values: Floats) -> tuple[str, float]:
    """What an axis is called, and what its numbers are divided by."""
    factor, shown = engineering(float(np.nanmax(np.abs(values))) if len(values) else 0.0, unit)
    words = title(name)
    return (f"{words} [{shown}]" if shown else words), factor


def parallel(
    space: Space,
    points: Floats,
    quantities: Mapping[str, Floats],
    units: Mapping[str, str],
    best: NDArray[np.bool_],
) -> str:
    """A line for each design through an axis for each parameter and quantity, coloured by the last one.

    best: designs that stand out
    """
    axes: list[tuple[str, Floats, Parameter | None]] = [
        (_titled(parameter, points[:, position]), points[:, position], parameter)
        for position, parameter in enumerate(space.parameters)
    ]
    for name, values in quantities.items():
        words, factor = label(name, units.get(name, ""), values)
        axes.append((words, values / factor, None))
    shares, ends = [], []
    for _, values, parameter in axes:
        low, high = (float(values.min()), float(values.max())) if parameter is None else parameter.bounds
        if parameter is not None and not isinstance(parameter, Choice):
            factor = engineering(max(abs(low), abs(high)), parameter.unit)[0]
            ends.append((low / factor, high / factor))
        else:
            ends.append((low, high))
        shares.append((values - low) / (high - low) if high > low else np.full(len(values), 0.5))
    heights = np.stack(shares, axis=1)
    shown = np.linspace(0, len(heights) - 1, min(len(heights), _MOST_LINES)).astype(int)
    order = shown[np.argsort(best[shown], kind="stable")]
    with _drawn(max(_WIDTH, 1.35 * len(axes)), 4.4) as (figure, text):
        plot = figure.add_subplot()
        lines = [np.stack([np.arange(len(axes)), heights[row]], axis=1) for row in order]
        bundle = LineCollection(
            lines,
            cmap=_MAP,
            linewidths=np.where(best[order], 2.0, 0.8),
            alpha=0.75,
            rasterized=len(lines) > 500,
        )
        bundle.set_array(heights[order, -1])
        plot.add_collection(bundle)
        for place, ((words, _, parameter), (low, high)) in enumerate(zip(axes, ends, strict=True)):
            plot.plot((place, place), (0, 1), color=SOFT, linewidth=0.8)
            if isinstance(parameter, Choice):
                count = len(parameter.words)
                for position, word in enumerate(parameter.words):
                    height = position / (count - 1) if count > 1 else 0.5
                    plot.annotate(
                        word, (place, height), xytext=(4, 0), textcoords="offset points", fontsize=8, va="center",
                        bbox={"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.8},
                    )  # fmt: skip
            else:
                for height, value in ((0.0, low), (1.0, high)):
                    plot.annotate(
                        f"{value:.4g}", (place, height), xytext=(0, 7 if height else -14),
                        textcoords="offset points", fontsize=8, ha="center", color=SOFT,
                    )  # fmt: skip
            plot.annotate(
                textwrap.fill(words, 16), (place, 1.0), xytext=(0, 20), textcoords="offset points",
                fontsize=9, ha="center", color=INK,
            )  # fmt: skip
        plot.set_xlim(-0.3, len(axes) - 0.4)
        plot.set_ylim(-0.08, 1.3)
        plot.axis("off")
    return text[0]


def scatter_matrix(columns: Sequence[tuple[str, Floats]], best: NDArray[np.bool_]) -> str:
    """Each column over each other one, and how it is spread. best: designs that stand out."""
    count = len(columns)
    size = min(1.9, 12.0 / count)
    with _drawn(size * count + 0.8, size * count + 0.5) as (figure, text):
        plots = figure.subplots(count, count, squeeze=False)
        for row, (vertical, upward) in enumerate(columns):
            for column, (horizontal, along) in enumerate(columns):
                plot = plots[row, column]
                if row == column:
                    plot.hist(along, bins=20, color=ACCENT, alpha=0.6)
                    plot.set_yticks([])
                else:
                    plot.scatter(
                        along, upward, s=6, color=ACCENT, alpha=0.5, linewidths=0, rasterized=len(along) > 500
                    )
                    plot.scatter(along[best], upward[best], s=16, color=BEST, linewidths=0)
                plot.tick_params(
                    labelsize=7, labelbottom=row == count - 1, labelleft=column == 0 and row != 0
                )
                if row == count - 1:
                    plot.set_xlabel(horizontal.replace(" [", "\n["), fontsize=8)
                if column == 0:
                    plot.set_ylabel(vertical.replace(" [", "\n["), fontsize=8)
    return text[0]


def effects(space: Space, found: Mapping[str, Sequence[Effect]], units: Mapping[str, str]) -> str:
    """A row for each quantity, a plot for each parameter, on one scale along the row."""
    with _drawn(max(_WIDTH, 2.0 * len(space.parameters)), 2.0 * len(found) + 0.3) as (figure, text):
        plots = figure.subplots(len(found), len(space.parameters), squeeze=False, sharey="row")
        for row, (name, own) in enumerate(found.items()):
            words, factor = label(name, units.get(name, ""), np.concatenate([effect.mean for effect in own]))
            for column, (parameter, effect) in enumerate(zip(space.parameters, own, strict=True)):
                plot = plots[row, column]
                if isinstance(parameter, Choice):
                    plot.plot(range(len(effect.at)), effect.mean / factor, "o", color=ACCENT)
                    plot.set_xticks(range(len(effect.at)), parameter.words, fontsize=7, rotation=20)
                    plot.set_xlim(-0.5, len(effect.at) - 0.5)
                else:
                    scale = engineering(float(np.abs(effect.at).max()), parameter.unit)[0]
                    plot.plot(effect.at / scale, effect.mean / factor, color=ACCENT)
                plot.tick_params(labelsize=7)
                plot.grid(alpha=0.3)
                if row == len(found) - 1:
                    plot.set_xlabel(_titled(parameter, effect.at), fontsize=8)
            plots[row, 0].set_ylabel(words.replace(" [", "\n["), fontsize=8)
    return text[0]


def indices(space: Space, found: Mapping[str, Indices]) -> str:
    """Bars of each parameter's shares of the variance, a group for each quantity."""
    with _drawn(_WIDTH, 2.6) as (figure, text):
        plots = figure.subplots(1, len(found), squeeze=False, sharey=True)[0]
        names = [parameter.name for parameter in space.parameters]
        places = np.arange(len(names))
        for plot, (name, own) in zip(plots, found.items(), strict=True):
            bars: dict[str, Any] = {"height": 0.38, "error_kw": {"linewidth": 0.8, "ecolor": SOFT}}
            plot.barh(places - 0.2, own.first, xerr=own.first_interval, color=ACCENT, label="alone", **bars)
            plot.barh(
                places + 0.2, own.total, xerr=own.total_interval, color="#9dc1e6", label="with others", **bars
            )
            plot.set_title(title(name), fontsize=9)
            plot.set_xlim(0, 1.05)
            plot.set_yticks(places, names, fontsize=8)
            plot.invert_yaxis()
            plot.tick_params(axis="x", labelsize=7)
        plots[-1].legend(fontsize=8, frameon=False)
    return text[0]


def front(columns: Sequence[tuple[str, Floats]], best: NDArray[np.bool_], numbers: NDArray[np.int64]) -> str:
    """Two objectives, with the designs that nothing beats joined and numbered."""
    (horizontal, along), (vertical, upward) = columns
    with _drawn(7.0, 4.4) as (figure, text):
        plot = figure.add_subplot()
        plot.scatter(along, upward, s=12, color=ACCENT, alpha=0.5, linewidths=0, label="designs")
        order = np.flatnonzero(best)[np.argsort(along[best])]
        plot.plot(
            along[order], upward[order], "o-", color=BEST, markersize=5, linewidth=1.2, label="Pareto front"
        )
        for row in order[:: max(len(order) // 8, 1)]:
            plot.annotate(
                str(numbers[row]),
                (along[row], upward[row]),
                xytext=(5, 5),
                textcoords="offset points",
                fontsize=8,
            )
        plot.set_xlabel(horizontal)
        plot.set_ylabel(vertical)
        plot.grid(alpha=0.3)
        plot.legend(frameon=False, fontsize=9)
    return text[0]


def _titled(parameter: Parameter, values: Floats) -> str:
    if isinstance(parameter, Choice):
        return parameter.name
    shown = engineering(float(np.abs(parameter.bounds).max()), parameter.unit)[1]
    return f"{parameter.name} [{shown}]" if shown else parameter.name
