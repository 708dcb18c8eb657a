"""Tables and progress bars for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, final

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from twin.cli.doctor import Finding
from twin.cli.output import Output
from twin.errors import TwinError
from twin.materials import Material
from twin.quantities import Quantity, engineering
from twin.sdk.part import Part
from twin.sdk.result import Result
from twin.sdk.run import Run
from twin.sdk.surrogate import Surrogate
from twin.sdk.sweep import Sweep
from twin.sdk.update import RunInfo, SweepInfo, Update
from twin.sweeps.table import Table as Designs

_PHASES: Final[Mapping[str, str]] = {
    "check": "Checking",
    "mesh": "Meshing",
    "solve": "Solving",
    "estimate": "Estimating the error",
    "recover": "Recovering fluxes",
    "write": "Writing the result",
    "read": "Reading runs",
    "train": "Training",
    "encode": "Looking at the part",
    "decode": "Fields and bounds",
}
_STATES: Final[Mapping[str, str]] = {
    "PENDING": "dim",
    "RUNNING": "cyan",
    "SUCCEEDED": "green",
    "FAILED": "red",
    "CANCELLED": "yellow",
}
_DESIGNS: Final[Mapping[str, str]] = {"FAILED": "red", "INFEASIBLE": "yellow", "CANCELLED": "yellow"}
_VERDICTS: Final[Mapping[str, str]] = {
    "ok": "[green]ok[/]",
    "note": "[yellow]note[/]",
    "wrong": "[red]wrong[/]",
}


@final
class Terminal(Output):
    def __init__(self, console: Console, errors: Console) -> None:
        self._console: Final = console
        self._errors: Final = errors

    def note(self, text: str) -> None:
        self._console.print(escape(text))

    def serving(self, address: str, home: Path) -> None:
        self._console.print(
            f"serving [bold]{escape(address)}[/]  [dim]home {escape(str(home))}, Ctrl-C stops[/]"
        )

    def part(self, part: Part) -> None:
        report = part.report
        low, high = report.bounds
        size = " x ".join(f"{1e3 * (b - a):.4g}" for a, b in zip(low, high, strict=True))
        facts = [
            f"{size} mm",
            f"{1e6 * report.volume:.4g} cm³",
            f"{report.triangles:,} triangles",
            f"{len(report.patches)} faces",
            "watertight" if report.watertight else "[yellow]not watertight[/]",
        ]
        self._console.print(f"[bold]{escape(part.name)}[/]  {', '.join(facts)}  [dim]{escape(part.id)}[/]")
        for repair in report.repairs:
            self._console.print(f"  repaired: {escape(repair)}")
        for warning in report.warnings:
            self._console.print(f"  [yellow]{escape(warning)}[/]")

    def follow(self, run: Run) -> None:
        self._console.print(f"[dim]{escape(run.name)}[/]")
        with _progress(self._console) as progress:
            stages = _Stages(progress)
            for update in run.watch():
                stages.show(update)

    def result(self, result: Result) -> None:
        several = len(result.cases) > 1
        table = Table(box=None, pad_edge=False, header_style="bold")
        if several:
            table.add_column("case")
        table.add_column("quantity")
        table.add_column("value", justify="right")
        table.add_column("error", justify="right")
        table.add_column("", style="dim")
        for name in result.cases:
            for quantity, value in result.case(name).quantities.items():
                cells = [escape(quantity), *_split(value), escape(value.note)]
                table.add_row(*([escape(name)] if several else []), *cells)
            if several:
                table.add_section()
        self._console.print(table)
        for warning in result.warnings:
            self._console.print(f"[yellow]{escape(warning)}[/]")
        for rung in result.rungs:
            self._console.print(f"[{'bold' if rung.answered else 'dim'}]{escape(rung.sentence)}[/]")
        cost = result.cost
        energy = "" if cost.joules is None else f", {cost.joules:.3g} J"
        self._console.print(f"[dim]{sum(cost.seconds.values()):.1f} s on {escape(cost.device)}{energy}[/]")

    def wrote(self, path: Path) -> None:
        self._console.print(
            f"wrote [bold]{escape(str(path))}[/]  [dim]{path.stat().st_size / 1024:,.0f} KiB[/]"
        )

    def runs(self, runs: Sequence[RunInfo]) -> None:
        if not runs:
            self._console.print("no runs")
            return
        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in ("run", "state", "", "started", "took"):
            table.add_column(column)
        for run in runs:
            said = run.error.message.splitlines()[0] if run.error is not None else ""
            if run.state == "RUNNING" and run.progress is not None:
                said = f"{run.progress.phase} {run.progress.fraction:.0%}"
            state = f"[{_STATES[run.state]}]{run.state}[/]"
            created = run.created.astimezone().strftime("%Y-%m-%d %H:%M")
            table.add_row(run.name, state, escape(said), created, _took(run))
        self._console.print(table)

    def follow_sweep(self, sweep: Sweep) -> None:
        self._console.print(f"[dim]{escape(sweep.name)}[/]")
        with _progress(self._console) as progress:
            task = progress.add_task("Designs", total=None, said="")
            for update in sweep.watch():
                counts, design = update.counts, update.design
                if design is not None and design.error is not None:
                    said = design.error.message.splitlines()[0]
                    line = (
                        f"[{_DESIGNS[design.state]}]{design.state}[/] design {design.index}: {escape(said)}"
                    )
                    progress.console.print(line)
                kept = {"failed": counts.failed, "infeasible": counts.infeasible, "shared": counts.shared}
                progress.update(
                    task,
                    description=update.state.capitalize(),
                    total=counts.designs,
                    completed=counts.ended,
                    said=", ".join(
                        [f"{counts.done} done", *(f"{n} {word}" for word, n in kept.items() if n)]
                    ),
                )

    def table(self, table: Designs) -> None:
        shown = Table(box=None, pad_edge=False, header_style="bold")
        for column in ("", "lowest", "median", "highest"):
            shown.add_column(column, justify="right" if column else "left")
        for name in table.quantities:
            found = table[name][table.done]
            if len(found):
                spread = [float(np.quantile(found, share)) for share in (0.0, 0.5, 1.0)]
                factor, unit = engineering(max(map(abs, spread)), table.units.get(name, ""))
                numbers = (f"{value / factor:.4g} {unit}" for value in spread)
                shown.add_row(escape(name), *numbers)
        self._console.print(shown)

    def sweeps(self, sweeps: Sequence[SweepInfo]) -> None:
        if not sweeps:
            self._console.print("no sweeps")
            return
        shown = Table(box=None, pad_edge=False, header_style="bold")
        for column in (
            "sweep",
            "state",
            "designs",
            "done",
            "failed",
            "infeasible",
            "cancelled",
            "",
            "started",
        ):
            shown.add_column(column)
        for sweep in sweeps:
            c = sweep.counts
            counts = map(str, (c.designs, c.done, c.failed, c.infeasible, c.cancelled))
            created = sweep.created.astimezone().strftime("%Y-%m-%d %H:%M")
            said = sweep.display_name if sweep.error is None else sweep.error.message
            shown.add_row(sweep.name, sweep.state, *counts, escape(said), created)
        self._console.print(shown)

    def surrogate(self, surrogate: Surrogate) -> None:
        for version, card in surrogate.cards.items():
            current = ", current" if version == surrogate.current else ""
            self._console.print(f"[bold]{surrogate.name}[/], version {version}{current}: {card.study}")
            (learned, _), (calibrated, _), (tested, cases) = (
                card.split.training, card.split.calibration, card.split.test,
            )  # fmt: skip
            self._console.print(
                f"learned from {learned} parts, calibrated on {calibrated}, tested on {tested} ({cases} load cases); "
                f"{card.networks} networks of {card.parameters:,} numbers, {card.steps:,} steps, {card.seconds:.0f} s"
            )
            shown = Table(box=None, pad_edge=False, header_style="bold")
            for column in (
                "on test parts",
                "error",
                "R²",
                "bound for 90 %",
                "holds for",
                "learned from, own error",
            ):
                shown.add_column(column, justify="right" if shown.columns else "left")
            for name, levels in card.coverage.items():
                off = card.metrics.get(f"{name}, relative L2", card.metrics.get(f"{name}, median error"))
                fitted = card.metrics.get(f"{name}, R2")
                level = min(levels, key=lambda each: abs(each.asked - 0.9))
                own = card.accuracy.get(name)
                shown.add_row(
                    name,
                    "" if off is None else f"{off:.1%}",
                    "" if fitted is None else f"{fitted:.3f}",
                    f"± {level.width:.1%}" if np.isfinite(level.width) else "not known",
                    f"{level.found:.0%}",
                    "" if own is None else f"{own:.1%}",
                )
            self._console.print(shown)
            for warning in card.warnings:
                self._console.print(f"[yellow]{escape(warning)}[/]")

    def surrogates(self, surrogates: Sequence[Surrogate]) -> None:
        if not surrogates:
            self._console.print("no surrogates")
            return
        shown = Table(box=None, pad_edge=False, header_style="bold")
        for column in ("surrogate", "version", "study", "parts", "networks"):
            shown.add_column(column)
        for each in surrogates:
            card = each.card
            parts = sum(group[0] for group in (card.split.training, card.split.calibration, card.split.test))
            shown.add_row(each.name, str(each.current), card.study, str(parts), str(card.networks))
        self._console.print(shown)

    def materials(self, materials: Mapping[str, Material]) -> None:
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column("material")
        for column in ("E [GPa]", "ν", "ρ [kg/m³]", "yield [MPa]"):
            table.add_column(column, justify="right")
        table.add_column("source", style="dim")
        for name, m in materials.items():
            strength = "" if m.yield_strength is None else f"{m.yield_strength / 1e6:.4g}"
            numbers = (
                f"{m.youngs_modulus / 1e9:.4g}",
                f"{m.poissons_ratio:.3g}",
                f"{m.density:.4g}",
                strength,
            )
            table.add_row(escape(name), *numbers, escape(m.source or ""))
        self._console.print(table)

    def findings(self, findings: Iterable[Finding]) -> None:
        table = Table(box=None, pad_edge=False, show_header=False)
        for finding in findings:
            remedy = f"\n[bold]{escape(finding.remedy)}[/]" if finding.remedy else ""
            table.add_row(_VERDICTS[finding.verdict], finding.subject, f"{escape(finding.detail)}{remedy}")
        self._console.print(table)

    def error(self, error: TwinError) -> None:
        title = escape(error.reason.replace("_", " ").lower())
        self._errors.print(Panel(escape(error.message), title=title, title_align="left", border_style="red"))


@final
class _Stages:
    """A bar for the whole run, above it a line for each stage that is done and the time that it took."""

    def __init__(self, progress: Progress) -> None:
        self._progress: Final = progress
        self._task: Final = progress.add_task("Waiting for a worker", total=None, said="")
        self._stage: Update | None = None  # the first update of the stage that goes on
        self._said = ""

    def show(self, update: Update) -> None:
        if self._stage is not None and (update.phase != self._stage.phase or update.state != "RUNNING"):
            self._finish(self._stage, update)
        if update.state == "PENDING" or not update.phase:
            return
        if update.state in ("FAILED", "CANCELLED"):
            self._progress.update(self._task, description=update.state.capitalize(), said="")
            return
        self._stage = self._stage if update.state == "RUNNING" else None
        if update.state == "SUCCEEDED":
            self._progress.update(self._task, description="Done", total=1.0, completed=1.0, said="")
            return
        self._stage = self._stage or update
        self._said = update.message or self._said
        residual = "" if update.residual is None else f"  residual {update.residual:.0e}"
        self._progress.update(
            self._task,
            description=_title(update.phase),
            total=1.0,
            completed=update.progress,
            said=escape(f"{update.message}{residual}"),
        )

    def _finish(self, first: Update, last: Update) -> None:
        seconds = (last.time - first.time).total_seconds()
        mark = "[green]✓[/]" if last.state in ("RUNNING", "SUCCEEDED") else "[red]✗[/]"
        line = f"{mark} {_title(first.phase):<21} {seconds:6.1f} s  [dim]{escape(self._said)}[/]"
        self._progress.console.print(line)
        self._stage, self._said = None, ""


def _title(phase: str) -> str:
    return _PHASES.get(phase, phase.capitalize())


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description:<21}"),
        BarColumn(bar_width=28),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[said]}[/]"),
        console=console,
    )


def _split(quantity: Quantity) -> tuple[str, str]:
    value, _, error = str(quantity).partition(" ± ")
    return value, f"± {error}" if error else ""


def _took(run: RunInfo) -> str:
    if run.started is None:
        return ""
    seconds = ((run.ended or datetime.now(run.started.tzinfo)) - run.started).total_seconds()
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
