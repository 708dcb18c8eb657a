"""Results of the parts that measure this project alone, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

Record = dict[str, Any]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines of a table; all columns but the first are numbers."""
    rule = ["---"] + ["---:"] * (len(head) - 1)
    return ["| " + " | ".join(cells) + " |" for cells in (head, rule, *rows)]


def lines(report: Record) -> list[str]:
    """Those that the report has."""
    found: list[str] = []
    for key, heading, write in (
        ("batches", "Batches", _batches),
        ("designs", "Designs on the grid", _designs),
        ("cantilever", "FEAX's cantilever on the grid", _cantilever),
        ("growth", "Growth", _growth),
    ):
        if report.get(key):
            found += ["", f"## {heading}", "", *write(report)]
    return found


def _batches(report: Record) -> list[str]:
    note = (
        "All compiled. Alone: materials and shapes with a set-up of their own each, loads on one. Together: set-up of "
        "the members included, that of the grids beneath not, which are the first problem's."
    )
    return [*_throughput(report["batches"]), "", note]


def _designs(report: Record) -> list[str]:
    return [
        *_throughput(report["designs"]),
        "",
        "Solutions alone, compiled: the set-up is the same either way.",
    ]


def _throughput(sizes: Iterable[Iterable[Record]]) -> list[str]:
    head = [
        "members of a batch", "unknowns", "members", "s together", "s each alone", "per s together", "per s alone",
        "ratio", "iterations", "alone", "largest difference",
    ]  # fmt: skip
    rows = [
        [
            row["what"], f"{row['unknowns']:,}", str(row["members"]), f"{row['seconds']:.2f}",
            f"{row['seconds_alone']:.2f}", f"{row['throughput']:.2f}", f"{row['throughput_alone']:.2f}",
            f"{row['ratio']:.2f}", _range(row["iterations"]), _range(row["iterations_alone"]),
            f"{row['largest_difference']:.0e}",
        ]
        for size in sizes
        for row in size
    ]  # fmt: skip
    return table(head, rows)


def _range(counts: Sequence[int]) -> str:
    return f"{min(counts)}-{max(counts)}"


def _cantilever(report: Record) -> list[str]:
    head = [
        "cells", "unknowns", "cold s", "warm s", "set-up s", "solution s", "iterations", "residual", "peak GB",
        "deflection / beam's",
    ]  # fmt: skip
    rows = [
        [
            " x ".join(map(str, row["cells"])), f"{row['unknowns']:,}", f"{sum(row['seconds_cold'].values()):.2f}",
            f"{sum(row['seconds'].values()):.2f}", f"{row['seconds']['setup']:.2f}", f"{row['seconds']['solve']:.2f}",
            str(row["iterations"]), f"{row['residual']:.1e}", f"{row['peak_gb']:.2f}",
            f"{row['deflection'] / row['beam']:.4f}",
        ]
        for row in report["cantilever"]
    ]  # fmt: skip
    feax = report["cantilever"][0]["feax"]
    note = (
        f"FEAX, a million unknowns on an H100: {feax['solve']} s, after {feax['compile']:g} s of compiling."
    )
    return [*table(head, rows), "", note]


def _growth(report: Record) -> list[str]:
    head = [
        "unknowns",
        "set-up s",
        "solution s",
        "stress s",
        "total s",
        "iterations",
        "peak GB",
        "GB per million",
    ]
    rows = [
        [row["size"], row["failure"], *[""] * (len(head) - 2)]
        if "failure" in row
        else [
            f"{row['unknowns']:,}", *(f"{row['seconds'][phase]:.2f}" for phase in ("setup", "solve", "stress")),
            f"{sum(row['seconds'].values()):.2f}", str(row["iterations"]), f"{row['peak_gb']:.2f}",
            f"{row['peak_gb'] / row['unknowns'] * 1e6:.2f}",
        ]
        for row in report["growth"]
    ]  # fmt: skip
    fit = report.get("growth_fit")
    if not fit:
        return table(head, rows)
    exponents = ", ".join(f"{name} {exponent:.2f}" for name, exponent in fit["exponents"].items())
    verdict = "met" if fit["exponents"]["total"] < 1.1 else "missed"
    return [
        *table(head, rows),
        "",
        f"Fitted exponents: {exponents}. Goal for the total, below 1.1: {verdict}.",
    ]
