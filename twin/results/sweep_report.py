"""The report of a sweep: one HTML file that needs nothing else."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final, final

import jinja2
import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from twin.errors import InvalidInput
from twin.quantities import Quantity
from twin.results import sweep_charts as charts
from twin.results.display import title
from twin.sweeps import emulator, statistics
from twin.sweeps.columns import ERROR
from twin.sweeps.emulator import Emulator
from twin.sweeps.expressions import Formula
from twin.sweeps.table import Table

Floats = NDArray[np.float64]

SMALL_IS_GOOD: Final = ("mass", "max_von_mises", "max_displacement", "max_temperature", "compliance")
LARGE_IS_GOOD: Final = ("safety_factor", "min_temperature")
_MOST_QUANTITIES: Final = 4  # in pictures
_SHOWN: Final = 10  # designs in the table of the best
_REASONS: Final = 20


@final
@dataclass(frozen=True)
class Thumbnail:
    """A picture of a design; png: its bytes."""

    design: int
    png: bytes
    caption: str


def objectives_of(table: Table, wished: Mapping[str, str] | None) -> dict[str, float]:
    """The columns that are to be small (1) or large (-1). wished: "min" or "max" by column; None: the usual ones.

    Raises InvalidInput for a column that is none.
    """
    if wished is not None:
        signs = {"min": 1.0, "max": -1.0}
        for name, direction in wished.items():
            if name not in table.quantities or direction not in signs:
                raise InvalidInput(
                    f"{name!r}: {direction!r} is no objective: give 'min' or 'max' to one of "
                    f"{', '.join(table.quantities)}"
                )
        return {name: signs[direction] for name, direction in wished.items()}
    usual = {**dict.fromkeys(SMALL_IS_GOOD, 1.0), **dict.fromkeys(LARGE_IS_GOOD, -1.0)}
    kinds = list(usual)
    columns = [name for name in table.quantities if name.rpartition(".")[2] in usual]
    columns.sort(key=lambda name: kinds.index(name.rpartition(".")[2]))
    differing = statistics.varying([table[name] for name in columns])
    return {columns[i]: usual[columns[i].rpartition(".")[2]] for i in differing[:2]}


def best_designs(
    table: Table, objectives: Mapping[str, float], subject_to: Sequence[str] = ()
) -> NDArray[np.int64]:
    """The designs, by index, that no other one beats in all objectives, in the order of the first.

    subject_to: comparisons that they meet
    """
    allowed = table.answered
    if not allowed.any():
        return np.zeros(0, np.int64)
    numbers = {name: column for name, column in table.items() if column.dtype.kind == "f"}
    for text in subject_to:
        allowed = allowed & Formula(text, comparison=True)(numbers)
    done = np.flatnonzero(allowed)
    if not objectives or not len(done):
        return np.zeros(0, np.int64)
    values = np.stack([sign * table[name][done] for name, sign in objectives.items()], axis=1)
    known = np.isfinite(values).all(axis=1)
    front = done[known][statistics.pareto(values[known])]
    first = next(iter(objectives))
    return table["design"][front[np.argsort(objectives[first] * table[first][front], kind="stable")]]


def write(
    table: Table,
    path: Path,
    *,
    heading: str,
    name: str,
    facts: Sequence[tuple[str, str]],
    objectives: Mapping[str, float],
    subject_to: Sequence[str] = (),
    thumbnails: Sequence[Thumbnail] = (),
) -> Path:
    """Write the report. facts: what was asked, in words; objectives: as of `objectives_of`."""
    space, done = table.space, table.done
    points = statistics.points_of(space, [table[p.name][done] for p in space.parameters])
    quantities = {name: table[name][done] for name in table.quantities}
    differing = statistics.varying(list(quantities.values()))
    shown = _shown([list(quantities)[i] for i in differing], objectives)
    best = best_designs(table, objectives, subject_to)
    stands_out = np.isin(table["design"][done], best)
    alike = table["preview"][done]  # what was verified is there as a preview too, and its answer differs
    if not alike.any():
        alike = ~alike
    emulators = {name: emulator.fit(space, points[alike], quantities[name][alike]) for name in shown}
    believed = {name: found for name, found in emulators.items() if found and found.skill >= statistics.SKILL}
    units = {**table.units}
    columns = [charts.label(name, units.get(name, ""), quantities[name]) for name in shown]
    axes = [(words, quantities[name] / factor) for name, (words, factor) in zip(shown, columns, strict=True)]
    pictures = dict.fromkeys(("front", "parallel", "scatter", "effects", "indices"), "")
    if done.any() and shown:
        pictures["parallel"] = charts.parallel(
            space, points, {name: quantities[name] for name in shown}, units, stands_out
        )
        numeric = [
            (f"{p.name} [{p.unit}]" if p.unit else p.name, points[:, position])
            for position, p in enumerate(space.parameters)
        ]
        pictures["scatter"] = charts.scatter_matrix([*numeric[:6], *axes], stands_out)
        if len(objectives) == 2:
            pair = [
                next(axis for axis, own in zip(axes, shown, strict=True) if own == name)
                for name in objectives
            ]
            answered = table.answered[done]
            pictures["front"] = charts.front(
                [(words, values[answered]) for words, values in pair],
                stands_out[answered],
                table["design"][table.answered],
            )
    if believed:
        found = {
            name: [statistics.effect(own, position) for position in range(len(space.parameters))]
            for name, own in believed.items()
        }
        pictures["effects"] = charts.effects(space, found, units)
        if len(space.parameters) > 1:
            shares = {name: statistics.sobol_indices(own) for name, own in believed.items()}
            pictures["indices"] = charts.indices(space, shares)
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    template = environment.from_string(files("twin.results").joinpath("sweep_report.html").read_text("utf-8"))
    style = files("twin.results").joinpath("report.html").read_text("utf-8")
    style = style[style.index("<style>") + len("<style>") : style.index("</style>")]
    page = template.render(
        style=Markup(style),
        heading=heading,
        name=name,
        counts=_counts(table),
        facts=facts,
        parameters=[(p.name, _values(p.label, p.values, p.bounds)) for p in space.parameters],
        constraints=[constraint.text for constraint in space.constraints],
        objectives=[f"{title(n)} {'small' if sign > 0 else 'large'}" for n, sign in objectives.items()],
        subject_to=subject_to,
        previews=bool(table["preview"].any()),
        best=_rows(table, best[:_SHOWN], shown),
        best_columns=["design", *(p.name for p in space.parameters), *map(title, shown)],
        more=max(len(best) - _SHOWN, 0),
        thumbnails=[
            (
                f"data:image/png;base64,{base64.b64encode(one.png).decode()}",
                f"Design {one.design}: {one.caption}",
            )
            for one in thumbnails
        ],
        pictures={key: Markup(text) for key, text in pictures.items()},
        skills=[(title(n), _skill(found)) for n, found in emulators.items()],
        reasons=_reasons(table),
    )
    path.write_text(page, encoding="utf-8")
    return path


def _shown(differing: Sequence[str], objectives: Mapping[str, float]) -> list[str]:
    """The quantities of the pictures: the objectives first."""
    others = [name for name in differing if name not in objectives]
    return [*objectives, *others[: max(_MOST_QUANTITIES - len(objectives), 0)]]


def _counts(table: Table) -> list[tuple[str, int]]:
    states, numbers = np.unique(table["state"], return_counts=True)
    found = [(str(state).lower(), int(number)) for state, number in zip(states, numbers, strict=True)]
    previews = int((table.done & table["preview"]).sum())
    return [*found, ("of these previews", previews)] if previews else found


def _rows(table: Table, designs: NDArray[np.int64], quantities: Sequence[str]) -> list[list[str]]:
    rows = []
    for design in designs:
        row = int(np.flatnonzero(table["design"] == design)[0])
        cells = [str(design)]
        for parameter in table.space.parameters:
            cells.append(parameter.label(parameter.read(table[parameter.name][row].item())))
        for name in quantities:
            cells.append(str(Quantity(table[name][row], table.units.get(name, ""), table[name + ERROR][row])))
        rows.append(cells)
    return rows


def _values(label: object, values: Floats | None, bounds: tuple[float, float]) -> str:
    assert callable(label)
    if values is None or len(values) > 12:
        return f"{label(bounds[0])} to {label(bounds[1])}"
    return ", ".join(label(value) for value in values)


def _skill(found: Emulator | None) -> str:
    if found is None:
        return "too few designs, or all alike"
    words = "believed" if found.skill >= statistics.SKILL else f"not believed, below {statistics.SKILL:.0%}"
    return f"{found.skill:.1%} of the variance of left-out designs predicted: {words}"


def _reasons(table: Table) -> list[tuple[str, str, str]]:
    """Why designs have nothing, alike ones together: state, how many, the sentence."""
    found: dict[tuple[str, str], int] = {}
    for state, reason in zip(table["state"].tolist(), table["reason"].tolist(), strict=True):
        if reason:
            found[state, reason] = found.get((state, reason), 0) + 1
    most = sorted(found.items(), key=lambda entry: -entry[1])[:_REASONS]
    return [(state.lower(), str(count), reason) for (state, reason), count in most]
