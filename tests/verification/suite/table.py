"""One table of the reference cases: case, discretisation, target, ours, its error estimate, unknowns, iterations, time.

python -m tests.verification.suite.table [parts of names] [--out table.json] [--discretisation tet|grid]
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import twin
from tests.verification import shapes
from tests.verification.suite.case import Case, Target
from tests.verification.suite.cases import CASES

DISCRETISATIONS = ("tet", "grid")
# On grids: an accuracy that asks for second order and that few of their estimates meet, so that most end at the budget.
GRID = {"accuracy": 0.02, "max_unknowns": 300_000}


@dataclass(frozen=True)
class Line:
    """A target on one discretisation. bound: relative error estimate, where the target is a quantity of the result."""

    case: str
    discretisation: str
    target: str
    exact: float
    ours: float
    bound: float | None
    allowed: float
    unknowns: int
    iterations: int
    seconds: float

    @property
    def off(self) -> float:
        return self.ours / self.exact - 1

    @property
    def holds(self) -> bool:
        return abs(self.off) <= self.allowed


def lines(client: twin.Client, case: Case, discretisation: str, folder: Path) -> Iterator[Line]:
    part = client.upload(shapes.write_step(case.shape(), folder / "part.step"))
    begun = time.perf_counter()
    options: dict[str, Any] = {"accuracy": case.accuracy} if discretisation == "tet" else GRID
    result = client.simulate(part, case.study, discretisation=discretisation, **options).result()
    seconds = time.perf_counter() - begun
    last = result.convergence[-1]
    for target in case.targets:
        yield Line(
            case.name,
            discretisation,
            target.name,
            target.exact,
            target.read(result),
            _bound(result, target),
            target.tet if discretisation == "tet" else target.grid,
            last.unknowns,
            last.iterations,
            seconds,
        )


def _bound(result: twin.Result, target: Target) -> float | None:
    found = result.quantities.get(target.name)
    return None if found is None else float(found.relative_error)


def heading() -> str:
    return (
        f"{'case':27s} {'on':4s} {'target':34s} {'exact':>10s} {'ours':>10s} {'off':>8s} {'bound':>6s} "
        f"{'unknowns':>9s} {'its':>3s} {'time':>6s}"
    )


def show(line: Line) -> str:
    bound = "" if line.bound is None else f"{line.bound:.1%}"
    return (
        f"{line.case:27s} {line.discretisation:4s} {line.target:34s} {line.exact:10.4g} {line.ours:10.4g} "
        f"{line.off:+8.2%} {bound:>6s} {line.unknowns:9,d} {line.iterations:3d} {line.seconds:5.1f}s"
        + ("" if line.holds else f"  MISSED: within {line.allowed:.0%}")
    )


def run(client: twin.Client, names: Sequence[str], discretisations: Sequence[str]) -> Iterator[Line]:
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            for discretisation in discretisations:
                yield from lines(client, CASES[name], discretisation, Path(folder))


def main() -> None:
    parser = argparse.ArgumentParser(description="The reference cases in one table.")
    parser.add_argument("cases", nargs="*", help="parts of names; all that have targets by default")
    parser.add_argument("--discretisation", choices=DISCRETISATIONS, action="append")
    parser.add_argument("--out", type=Path, help="also write the lines as JSON")
    options = parser.parse_args()
    names = [
        name
        for name, case in CASES.items()
        if case.targets and (not options.cases or any(part in name for part in options.cases))
    ]
    found = []
    print(heading(), flush=True)
    with twin.local() as client:
        for line in run(client, names, options.discretisation or DISCRETISATIONS):
            found.append(line)
            print(show(line), flush=True)
    if options.out is not None:
        options.out.write_text(json.dumps([asdict(line) for line in found], indent=1) + "\n")
    missed = sum(not line.holds for line in found)
    print(f"{len(found) - missed} of {len(found)} targets met")
    raise SystemExit(bool(missed))


if __name__ == "__main__":
    main()
