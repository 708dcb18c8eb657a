"""Solids: time from mesh to stress beside other codes, throughput of batches, cost against size."""

from __future__ import annotations

import argparse
import datetime
import json
import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from tests.benchmarks.solids import bracket, growth, machine, table
from tests.benchmarks.solids.bench import PACKAGE, Bench
from tests.benchmarks.solids.contenders import CONTENDERS

RESULTS = Path(__file__).parents[1] / "results"


class Part(NamedTuple):
    """What a part measures, and at which sizes by default."""

    what: str
    sizes: list[str]


PARTS = {
    "peers": Part("from mesh to stress, beside other codes", ["100k", "300k", "1M"]),
    "batches": Part("many loads, materials and shapes at once, beside one at a time", ["10k", "100k"]),
    "designs": Part("many designs on grids of their own at once, beside one at a time", ["10k"]),
    "cantilever": Part("FEAX's own cantilever on the grid, cold and warm", ["1M"]),
    "growth": Part(
        "ours alone: time, iterations and memory against size, with a fit", ["30k", "100k", "300k", "1M"]
    ),
}
DEFAULT_PARTS = list(PARTS)


def main(arguments: list[str] | None = None) -> None:
    """Mesh, let everyone solve, print the tables, write the raw figures."""
    options = _options(arguments)
    with tempfile.TemporaryDirectory(prefix="bench-solids-") as name:
        folder = options.work or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        bench = Bench(folder, options.time_limit, options.memory)
        report: dict[str, Any] = {
            "date": datetime.date.today().isoformat(),
            "command": machine.command(PACKAGE, arguments),
            "machine": machine.facts(),
            "bandwidth": machine.bandwidth(),
            "limits": {"seconds": options.time_limit, "memory_gb": options.memory},
            "sizes": [],
            "iterations": [],
        }
        name = "-".join(["solids", *(part for part in options.parts if options.parts != DEFAULT_PARTS)])
        out = options.out or RESULTS / f"{report['date']}-{_slug(report['machine'])}-{name}.json"
        for part in options.parts:
            _measure(bench, part, options, report, out)
    print(table.markdown(report))


def _measure(bench: Bench, part: str, options: argparse.Namespace, report: dict[str, Any], out: Path) -> None:
    """One part, size by size. It takes long: what is measured is written at once."""
    sizes = options.sizes or PARTS[part].sizes
    measured: dict[str, Callable[[str], Any]] = {
        "peers": lambda size: bench.size(size, options.peers),
        "batches": bench.batches,
        "designs": bench.designs,
        "growth": bench.growth,
        "cantilever": bench.cantilever,
    }
    rows: list[Any] = []
    report["sizes" if part == "peers" else part] = rows
    for size in sizes:
        rows.append(measured[part](size))
        _write(report, out)
    if part == "peers":
        report["iterations"] = [bench.iterations(size) for size in options.iterations]
    if part == "growth":
        report["growth_fit"] = growth.summary(rows)
        if report["growth_fit"] and options.picture:
            growth.picture(rows, options.picture)
    _write(report, out)


def _write(report: dict[str, Any], out: Path) -> None:
    report["machine"]["load_average_at_end"] = os.getloadavg()
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(report, indent=1) + "\n")


def _slug(facts: dict[str, Any]) -> str:
    words = re.sub(r"[^a-z0-9]+", "-", str(facts["processor"]).lower()).strip("-")
    return f"{words}-{facts['cores']}-cores"


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parts = "\n".join(
        f"  {name:11s} {part.what} (sizes: {' '.join(part.sizes)})" for name, part in PARTS.items()
    )
    parser = argparse.ArgumentParser(
        prog=f"python -m {PACKAGE}",
        description=f"{__doc__}\n\nparts:\n{parts}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    keys = [contender.key for contender in CONTENDERS]
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=DEFAULT_PARTS)
    parser.add_argument(
        "--sizes", nargs="+", choices=bracket.SIZES, help="unknowns, of all parts; by default as above"
    )
    parser.add_argument("--peers", nargs="+", choices=keys, default=keys, help="who takes part beside us")
    parser.add_argument(
        "--iterations", nargs="*", choices=bracket.SIZES, default=["10k", "30k", "100k", "300k", "1M"]
    )
    parser.add_argument("--time-limit", type=float, default=600.0, help="of each child [s]")
    parser.add_argument("--memory", type=float, default=12.0, help="of each child [GB]")
    parser.add_argument("--out", type=Path, help="raw figures; by default in tests/benchmarks/results")
    parser.add_argument("--picture", type=Path, help="PNG of the growth, such as docs/growth.png")
    parser.add_argument("--work", type=Path, help="folder to keep meshes and logs in")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
