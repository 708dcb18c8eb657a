"""Results as Markdown."""

from __future__ import annotations

from typing import Any

from tests.benchmarks.solids import own_table
from tests.benchmarks.solids.own_table import table

PHASES = ("assemble", "setup", "solve", "stress")
GOAL_SIZE = "300k"
GRID_GOAL_SIZE = "1M"
MOST_ITERATIONS = 20
PEERS = (
    "Each in a process of its own, from arrays in memory to displacement and nodal von Mises stress; imports are "
    "not counted. Same mesh, supports and nodal forces. Relative residual: 1e-8 (twin, PyAMG), 1e-9 of the "
    "preconditioned one (JAX-FEM), CalculiX's own criterion (a deck can't set it). CalculiX counts the run of ccx: "
    "its deck is written, and its results of six digits are read, outside. Processor s: of all threads and of the "
    "whole run; it tells more than wall time where the load shows that others were computing."
)

Record = dict[str, Any]


def markdown(report: Record) -> str:
    """All tables of a run."""
    machine, bandwidth = report["machine"], report["bandwidth"]
    lines = [
        f"# Solids, from mesh to stress ({report['date']})",
        "",
        f"    {report['command']}",
        "",
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gb']:g} GB; load average "
        f"{machine['load_average'][0]:.1f} at the start, {machine['load_average_at_end'][0]:.1f} at the end. "
        f"Memory: copy {bandwidth['copy']:.1f} GB/s, triad {bandwidth['triad']:.1f} GB/s, all cores. "
        f"Limits: {report['limits']['seconds']:g} s and {report['limits']['memory_gb']:g} GB each.",
        "",
        ", ".join(f"{name} {version}" for name, version in machine["versions"].items()) + ".",
        "",
    ]
    if report["sizes"]:
        lines += [PEERS, ""]
    for size in report["sizes"]:
        lines += [
            f"## {size['mesh']['unknowns']:,} unknowns, {size['mesh']['elements']:,} tet10",
            "",
            *_size(size),
            "",
        ]
    if report["sizes"]:
        lines += [*_matvec(report), "", *_iterations(report["iterations"]), "", *_goals(report)]
    lines += own_table.lines(report)
    return "\n".join(lines)


def total(row: Record) -> float:
    """Seconds from mesh to stress."""
    return float(sum(row["seconds"].values()))


def _size(size: Record) -> list[str]:
    head = [
        "tool", "unknowns", "assemble s", "setup s", "solve s", "stress s", "total s", "x ours", "processor s",
        "iterations", "peak GB", "compliance J", "max displacement m", "difference of u", "of compliance", "load",
    ]  # fmt: skip
    mesh = size["mesh"]
    blank = [""] * len(PHASES)
    rows = [
        [f"meshing: {mesh['mesher']}", f"{mesh['unknowns']:,}", *blank, f"{mesh['meshing']:.2f}"],
        ["supports and loads: faces to nodes", "", *blank, f"{mesh['boundary']:.2f}"],
    ]
    ours = _hot(size)
    notes = []
    for row in size["rows"]:
        rows.append([row["title"], "-"] if "failure" in row else _row(row, ours))
        notes += _failure(row) if "failure" in row else _compilation(row)
    return [*table(head, [[*row, *[""] * (len(head) - len(row))] for row in rows]), "", *notes]


def _row(row: Record, ours: Record | None) -> list[str]:
    phases = [f"{row['seconds'][phase]:.2f}" if phase in row["seconds"] else "" for phase in PHASES]
    ratio = f"{total(row) / total(ours):.1f}" if ours else ""
    return [
        _name(row), f"{row['unknowns']:,}", *phases, f"{total(row):.2f}", ratio, f"{row['processor_seconds']:.1f}",
        str(row["iterations"] or ""), f"{row['peak_gb']:.2f}", f"{row['compliance']:.9g}",
        f"{row['max_displacement']:.7g}",
        "reference" if row.get("reference") else _small(row.get("displacement_difference")),
        "" if row.get("reference") else _small(row.get("compliance_difference")),
        f"{row['load_average']:.1f}",
    ]  # fmt: skip


def _name(row: Record) -> str:
    return ", ".join(filter(None, (row["title"], row["label"])))


def _failure(row: Record) -> list[str]:
    text = f"* {row['title']}: {row['failure']}"
    if "get" in row:
        text += f" (to get it: {row['get']})"
    if "peak_gb" in row:
        text += f" (after {row['after']:.0f} s, {row['peak_gb']:.1f} GB)"
    return [text]


def _compilation(row: Record) -> list[str]:
    details = row["details"]
    if "programs" not in details:
        return []
    programs = details["programs"]
    text = f"* {_name(row)}: {len(programs)} programs compiled or fetched"
    if programs:
        seconds = ", ".join(f"{what} {value:.2f} s" for what, value in details["compilation"].items())
        slowest = ", ".join(f"{program} {value:.2f}" for program, value in list(programs.items())[:4])
        text += f" ({seconds}; slowest: {slowest})"
    if "same bucket" in details and not details["same bucket"]:
        text += "; another size bucket"
    return [text]


def _small(value: float | None) -> str:
    return "" if value is None else f"{value:.1e}"


def _matvec(report: Record) -> list[str]:
    copy = report["bandwidth"]["copy"]
    head = [
        "matrix-vector product", "unknowns", "ms", "MB as stored", "GB/s", "share of copy",
        "MB at least", "ms at least", "share",
    ]  # fmt: skip
    rows = []
    for size in report["sizes"]:
        for record in size["matvec"]:
            stored, least, seconds = record["bytes_stored"], record["bytes_least"], record["seconds"]
            rows.append(
                [
                    record["precision"], f"{record['unknowns']:,}", f"{seconds * 1e3:.2f}", f"{stored / 1e6:.1f}",
                    f"{stored / seconds / 1e9:.1f}", f"{stored / seconds / 1e9 / copy:.0%}", f"{least / 1e6:.1f}",
                    f"{least / copy / 1e6:.2f}", f"{least / seconds / 1e9 / copy:.0%}",
                ]
            )  # fmt: skip
    note = (
        "As stored: each array of the operator once, x, y. At least: coordinates, connectivity, x, y. "
        "What fits into a cache may go faster than the memory."
    )
    return [*table(head, rows), "", note]


def _iterations(rows: list[Record]) -> list[str]:
    head = ["edge mm", "unknowns", "iterations to 1e-6", "solve s"]
    cells = [
        [
            f"{row['edge_mm']:g}",
            f"{row['unknowns']:,}",
            str(row["iterations"]),
            f"{row['seconds']['solve']:.2f}",
        ]
        for row in rows
        if "failure" not in row
    ]
    return table(head, cells) if cells else []


def _hot(size: Record) -> Record | None:
    """Ours on the same part with everything compiled."""
    return next(
        (row for row in reversed(size["rows"]) if row["key"] == "warm" and "failure" not in row), None
    )


def _goals(report: Record) -> list[str]:
    """What the run says about each goal that it measured."""
    lines = []
    for size in report["sizes"]:
        solved = [row for row in size["rows"] if "failure" not in row]
        peers = [row for row in solved if row["key"] not in ("cold", "warm", "grid")]
        hot, cold = _hot(size), next((row for row in solved if row["key"] == "cold"), None)
        if size["size"] == GOAL_SIZE and peers and hot and cold:
            best = min(peers, key=total)
            lines += [
                _goal(
                    total(hot) / total(best), 0.1, f"of the best peer's time ({best['title']}), all compiled"
                ),
                _goal(total(cold) / total(best), 1 / 3, "of it with a cold cache"),
            ]
        grid = [row for row in solved if row["key"] == "grid"]
        if size["size"] == GRID_GOAL_SIZE and grid:
            lines.append(_goal(min(map(total, grid)), 5.0, "s on a grid of about a million unknowns"))
        for row in solved:
            if row["details"].get("same bucket"):
                count = len(row["details"]["programs"])
                lines.append(
                    f"* {size['size']}: a second part of the same size bucket compiled {count} programs"
                )
            elif "same bucket" in row["details"]:
                lines.append(f"* {size['size']}: the second part fell into another size bucket")
    counts = [row["iterations"] for row in report["iterations"] if "failure" not in row]
    if counts:
        lines.append(
            _goal(max(counts), MOST_ITERATIONS, "iterations to 1e-6 at most, on any of these meshes")
        )
    return ["Goals", "", *lines] if lines else []


def _goal(value: float, most: float, what: str) -> str:
    return f"* {'met' if value <= most else 'missed'}: {value:.3g} {what} (goal: {most:.3g})"
