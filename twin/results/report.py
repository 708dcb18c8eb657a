"""The report of a run: one HTML file that needs nothing else, in the order in which an engineer reads."""

from __future__ import annotations

import base64
import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2
import numpy as np
from markupsafe import Markup
from numpy.typing import ArrayLike

from twin.errors import InvalidInput
from twin.quantities import Quantity
from twin.results import display
from twin.results.convergence_plot import convergence_svg
from twin.results.display import HEADLINES
from twin.results.outcome import Balance, CaseOutcome, Ending, Equilibrium, HeatBalance, Outcome
from twin.results.picture import plot
from twin.results.slice_picture import draw_slice

if TYPE_CHECKING:
    from twin.geometry.surface import Report as GeometryReport

Rows = list[tuple[str, str]]

_PICTURE_SIZE = (1600, 1000)
_MAX_PICTURED_CASES = 6
_LENGTHS = {"cell_size", "distance_from_facets"}  # measures of a mesh in metres
_PHASES = {"check": "Checks", "mesh": "Meshing", "solve": "Solving", "estimate": "Error estimate",
           "recover": "Recovery of fluxes", "write": "Writing"}  # fmt: skip


_ENDINGS: dict[Ending, str] = {
    "accuracy": "the estimated errors meet the accuracy that was asked for",
    "max_seconds": "the time allowed is used up",
    "max_unknowns": "more unknowns are not allowed",
    "no_finer_mesh": "further meshes were not worth it, or could not be had",
}


@dataclass(frozen=True)
class Headline:
    """A number worth a large type. state: "good", "bad" or "" (no judgement)."""

    title: str
    value: str
    bound: str
    note: str
    state: str


@dataclass(frozen=True)
class Picture:
    data: str
    caption: str


@dataclass(frozen=True)
class BalanceTable:
    """rows: of as many cells as there are columns, the first being their heading."""

    case: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    residual: str
    holds: bool


def report(
    outcome: Outcome,
    path: str | Path,
    *,
    study_text: str | Sequence[tuple[str, str]] = (),
    geometry_report: GeometryReport | None = None,
    title: str = "Analysis",
    run_name: str = "",
    accuracy: float | None = None,
) -> Path:
    """Write the report as one self-contained .html.

    study_text: what was asked, as text or as rows of (name, description); accuracy: the relative error that
    was asked for, so that the report can say whether it was met. Raises InvalidInput for another suffix.
    """
    path = Path(path)
    if path.suffix.lower() not in (".html", ".htm"):
        raise InvalidInput(
            f"reports are written as .html, not {path.suffix or 'without a suffix'!r}: {path.name}"
        )
    worst = outcome.worst_case
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(
        files("twin.results").joinpath("report.html").read_text(encoding="utf-8")
    )
    names = [name for name in HEADLINES if any(name in row.quantities for row in outcome.convergence)]
    text = template.render(
        title=title,
        run_name=run_name,
        worst=worst,
        cases=list(outcome.cases),
        several=len(outcome.cases) > 1,
        headlines=_headlines(outcome.cases[worst], accuracy),
        shortfalls=_shortfalls(outcome, accuracy),
        quantities=_quantity_table(outcome),
        notes=_notes(outcome),
        pictures=_pictures(outcome),
        assumptions=outcome.assumptions,
        study=study_text if isinstance(study_text, str) else [tuple(row) for row in study_text],
        geometry=None if geometry_report is None else _geometry(geometry_report),
        repairs=() if geometry_report is None else geometry_report.repairs,
        geometry_warnings=()
        if geometry_report is None
        else _not_among(geometry_report.warnings, outcome.warnings),
        mesh=_mesh(outcome),
        ended="" if outcome.ended is None else _ENDINGS[outcome.ended],
        rungs=[rung.sentence for rung in outcome.rungs],
        singularities=_singularities(outcome),
        convergence=_convergence(outcome, names),
        convergence_names=[display.title(name) for name in names],
        convergence_plot=Markup(convergence_svg(outcome.convergence, names)),
        balances=[
            _balance(name, case.balance) for name, case in outcome.cases.items() if case.balance is not None
        ],
        warnings=outcome.warnings,
        provenance=list(outcome.provenance.items()),
        solved="solver" in outcome.provenance,
        on_surface=bool(len(outcome.faces)),
        cost=_cost(outcome),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def _not_among(own: Sequence[str], others: Sequence[str]) -> list[str]:
    """The run hands on what the geometry's report says: once is enough."""
    return [line for line in own if line not in others]


def _headlines(case: CaseOutcome, accuracy: float | None) -> list[Headline]:
    shown = []
    for name in HEADLINES:
        if name not in case.quantities:
            continue
        quantity = case.quantities[name]
        state, note = "", quantity.note
        if name == "safety_factor":
            factor, error = display.magnitude(quantity), float(np.max(quantity.error))
            if math.isfinite(error):
                state = "good" if factor - error >= 1.0 else "bad"
            verdicts = {
                "good": "below yield, bound included",
                "bad": "yield is not ruled out",
                "": "bound unknown",
            }
            note = note or verdicts[state if factor >= 1.0 or state else "bad"]
        shown.append(
            Headline(display.title(name), display.value_text(quantity), display.bound(quantity), note, state)
        )
    return shown


def _shortfalls(outcome: Outcome, accuracy: float | None) -> list[str]:
    """Where the bound came out above what was asked."""
    if accuracy is None:
        return []
    missed = []
    for case, found in outcome.cases.items():
        for name in (name for name in HEADLINES if name != "safety_factor"):
            if name not in found.quantities or found.quantities[name].relative_error <= accuracy:
                continue
            reached = display.percent(found.quantities[name].relative_error)
            where = f" in load case “{case}”" if len(outcome.cases) > 1 else ""
            wanted = display.percent(accuracy)
            missed.append(f"{display.title(name)}{where}: asked for {wanted}, the bound is {reached}.")
    return missed


def _quantity_table(outcome: Outcome) -> list[tuple[str, list[tuple[str, str]]]]:
    """Rows of name and, for each case, value and bound."""
    names: dict[str, None] = {}
    for case in outcome.cases.values():
        names.update(dict.fromkeys(case.quantities))
    empty = ("–", "")

    def cell(quantity: Quantity | None) -> tuple[str, str]:
        return empty if quantity is None else (display.value_text(quantity), display.bound(quantity))

    return [
        (display.title(name), [cell(case.quantities.get(name)) for case in outcome.cases.values()])
        for name in names
    ]


def _notes(outcome: Outcome) -> list[str]:
    """Notes of the quantities, each once."""
    found: dict[str, None] = {}
    for case in outcome.cases.values():
        for name, quantity in case.quantities.items():
            if quantity.note:
                found[f"{display.title(name)}: {quantity.note}"] = None
    return list(found)


def _pictures(outcome: Outcome) -> list[Picture]:
    worst = outcome.worst_case
    order = [worst, *(name for name in outcome.cases if name != worst)][:_MAX_PICTURED_CASES]
    wanted = [(name, outcome.cases[name].main_field) for name in order]
    if "displacement" in outcome.cases[worst].fields:
        wanted.insert(1, (worst, "displacement"))
    pictures = []
    with tempfile.TemporaryDirectory() as folder:
        for name, field in wanted:
            file = plot(outcome, Path(folder) / "picture.png", field=field, case=name, size=_PICTURE_SIZE)
            data = base64.b64encode(file.read_bytes()).decode()
            where = f", load case “{name}”" if len(outcome.cases) > 1 else ""
            pictures.append(Picture(f"data:image/png;base64,{data}", f"{display.title(field)}{where}"))
        if outcome.grids:
            file = draw_slice(outcome.grids, Path(folder) / "slice.png", _PICTURE_SIZE)
            data = base64.b64encode(file.read_bytes()).decode()
            pictures.append(Picture(f"data:image/png;base64,{data}", "Mean speed through the part's middle"))
    return pictures


def _geometry(found: GeometryReport) -> Rows:
    lower, upper = np.asarray(found.bounds[0]), np.asarray(found.bounds[1])
    size = upper - lower
    length = display.unit_for("m", float(size.max()))
    extent = " × ".join(display.plain(float(side) / length.factor) for side in size)
    rows = [
        ("Size", f"{extent} {length.name}"),
        ("Unit of the file", found.unit),
        ("Volume", display.unit_for("m^3", found.volume)(found.volume)),
        ("Surface", display.unit_for("m^2", found.area)(found.area)),
        ("Triangles", f"{found.triangles:,}"),
        ("Watertight", "yes" if found.watertight else "no"),
        ("Bodies", str(found.bodies)),
        ("Faces by feature angle", str(len(found.patches))),
        ("Distance of facets from the CAD surface", _chord(found.chord_error)),
    ]
    if found.groups:
        rows.append(("Named groups", ", ".join(found.groups)))
    return rows


def _chord(error: float) -> str:
    if error == 0.0:
        return "not known: the facets are all that the file has"
    return f"at most {display.unit_for('m', error)(error)}"


def _mesh(outcome: Outcome) -> Rows:
    rows = [
        ("Mesher", outcome.mesher),
        next(
            (
                (name, f"{len(elements):,}")
                for name, elements in (("Hexahedra", outcome.hexahedra), ("Surface triangles", outcome.faces))
                if len(elements)
            ),
            ("Quadratic tetrahedra", f"{len(outcome.tets):,}"),
        ),
        ("Nodes", f"{len(outcome.points):,}"),
    ]
    known = {"elements", "nodes", "tets"}
    return rows + [
        (
            display.title(name),
            display.unit_for("m", value)(value) if name in _LENGTHS else display.plain(value),
        )
        for name, value in outcome.mesh_quality.items()
        if name not in known
    ]


def _convergence(outcome: Outcome, names: Sequence[str]) -> list[list[str]]:
    units = {
        name: next(
            (case.quantities[name].unit for case in outcome.cases.values() if name in case.quantities), ""
        )
        for name in names
    }
    # errors that are not relative to the number itself
    absolute = {
        name for case in outcome.cases.values() for name, q in case.quantities.items() if q.scale is not None
    }
    table = []
    for row in outcome.convergence:
        values = []
        for name in names:
            value, error = row.quantities.get(name), row.errors.get(name, math.inf)
            if value is None:
                values.append("–")
                continue
            text = display.unit_for(units[name], value)(value)
            if not value or not math.isfinite(error):
                values.append(text)
            elif name in absolute:
                unit = display.unit_for(units[name], error)
                values.append(f"{text} ± {display.plain(error / unit.factor, 2)} {unit.name}")
            else:
                values.append(f"{text} ± {display.percent(abs(error / value))}")
        size = display.unit_for("m", row.size)(row.size)
        table.append(
            [
                f"{row.unknowns:,}",
                size,
                *values,
                str(row.iterations),
                f"{row.residual:.0e}",
                f"{row.seconds:.1f} s",
            ]
        )
    return table


def _singularities(outcome: Outcome) -> list[tuple[str, str]]:
    """Places, and the radius of the zone around each."""
    return [
        (place.label, display.unit_for("m", place.radius)(place.radius)) for place in outcome.singularities
    ]


def _balance(name: str, found: Balance) -> BalanceTable:
    columns, rows = _equilibrium(found) if isinstance(found, Equilibrium) else _heat(found)
    residual = f"{found.residual:.1e}" if found.residual else "0"
    return BalanceTable(name, columns, rows, residual, found.residual <= 1e-6)


def _equilibrium(found: Equilibrium) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    rows: list[tuple[str, ...]] = []
    for label, applied, reaction, unit in (
        ("Force", found.applied_force, found.reaction_force, "N"),
        ("Moment about the origin", found.applied_moment, found.reaction_moment, "N m"),
    ):
        total = np.asarray(applied) + np.asarray(reaction)
        size = max(float(np.abs(applied).max()), float(np.abs(reaction).max()))
        loads, supports, left = (_vector(vector, unit, size) for vector in (applied, reaction, total))
        rows.append((label, loads, supports, left))
    return ("", "Loads", "Reactions", "Sum"), rows


def _heat(found: HeatBalance) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    size = max((abs(term.heat) for term in found.terms), default=0.0)
    shown, left = display.unit_for("W", size), sum(term.heat for term in found.terms)
    rows = [(term.kind, term.on, shown(term.heat)) for term in found.terms]
    return ("", "On", "Heat into the part"), [
        *rows,
        ("Sum", "", shown(left if abs(left) > 1e-6 * size else 0.0)),
    ]


def _vector(value: ArrayLike, unit: str, size: float) -> str:
    """Components in the unit that suits `size`; those under a millionth of it are round-off, and said so."""
    shown = display.unit_for(unit, size)
    parts = np.asarray(value, dtype=np.float64)
    if size == 0.0 or not (np.abs(parts) > 1e-6 * size).any():
        return "0"
    texts = [display.plain(float(part) / shown.factor if abs(part) > 1e-6 * size else 0.0) for part in parts]
    return f"({', '.join(texts)}) {shown.name}"


def _cost(outcome: Outcome) -> Rows:
    cost = outcome.cost
    rows = [
        (_PHASES.get(phase, display.title(phase)), f"{seconds:.1f} s")
        for phase, seconds in cost.seconds.items()
    ]
    rows.append(("Total", f"{sum(cost.seconds.values()):.1f} s"))
    rows.append(("Device", cost.device))
    rows.append(
        (
            "Energy",
            "not measured: the device has no counter" if cost.joules is None else f"{cost.joules:,.0f} J",
        )
    )
    if cost.peak_bytes is not None:
        rows.append(("Memory at its peak", f"{display.number(cost.peak_bytes / 2**30, 3)} GiB"))
    return rows
