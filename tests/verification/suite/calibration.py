"""How well the error estimates are calibrated: estimated against true errors of every quantity of the cases.

Of each half of the cases (every other one): the share of true errors that the estimate covers (goal 95 %), and the
share of estimates that are within three times the true error (goal 80 %). The safety factors in
twin/analyses/estimates.py belong to be set on the first half and judged by the second; the present ones were chosen
with both in view, so the second half is no independent check of them yet.

    python -m tests.verification.suite.calibration                # the table
    python -m tests.verification.suite.calibration --references   # solve anew what errors are measured against
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import twin
from tests.verification import shapes
from tests.verification.suite.cases import CASES, Case

REFERENCES = Path(__file__).with_name("references.json")
STRESS = ("max_displacement", "max_von_mises", "compliance")
HEAT = ("max_temperature", "min_temperature", "heat_flow", "max_heat_flux")
ACCURACIES = (0.3, 0.1, 0.03)
FINEST, MOST = 0.002, 700_000  # of a reference
# Below this share of the scale an error is as small as that of the reference: it can be covered, not compared.
NEGLIGIBLE = 1e-3


@dataclass(frozen=True)
class Row:
    """Errors relative to the quantity's scale.

    half: 0 for the cases that are to set the safety factors, 1 for those that are to check them
    """

    case: str
    half: int
    accuracy: float
    quantity: str
    true: float
    estimated: float

    @property
    def covered(self) -> bool:
        return self.true <= self.estimated + NEGLIGIBLE / 10

    @property
    def comparable(self) -> bool:
        return max(self.true, self.estimated) > NEGLIGIBLE

    @property
    def close(self) -> bool:
        return self.estimated <= 3 * self.true


def quantities(case: Case) -> tuple[str, ...]:
    return STRESS if isinstance(case.study, twin.StaticStress) else HEAT


def solve(client: twin.Client, case: Case, folder: Path, accuracy: float, most: int | None = None):
    part = client.upload(shapes.write_step(case.shape(), folder / "part.step"))
    asked = quantities(case)
    run = client.simulate(
        part, case.study, accuracy=accuracy, discretisation="tet", quantities=asked, max_unknowns=most
    )
    return run.result()


def make_references(client: twin.Client, names: Sequence[str], folder: Path) -> None:
    """Solve each case as finely as it goes and keep the numbers that no closed form gives."""
    known = json.loads(REFERENCES.read_text()) if REFERENCES.exists() else {}
    for name in names:
        case = CASES[name]
        if set(case.exact) >= set(quantities(case)):
            continue
        result = solve(client, case, folder, FINEST, MOST)
        known[name] = {key: float(result.quantities[key].value) for key in quantities(case)}
        print(name, result.ended, f"{result.convergence[-1].unknowns:,} unknowns", flush=True)
        REFERENCES.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")


def rows(client: twin.Client, names: Sequence[str], folder: Path) -> list[Row]:
    known = json.loads(REFERENCES.read_text())
    order = [name for name, case in CASES.items() if case.calibrates]
    found = []
    for name in names:
        case = CASES[name]
        exact = {**known.get(name, {}), **case.exact}
        for accuracy in ACCURACIES:
            result = solve(client, case, folder, accuracy)
            for key in quantities(case):
                got = result.quantities[key]
                scale = got.scale or abs(float(got.value))
                if not scale:
                    continue
                true = abs(float(got.value) - exact[key]) / scale
                estimated = float(got.error) / scale
                found.append(Row(name, order.index(name) % 2, accuracy, key, true, estimated))
                print(show(found[-1]), flush=True)
    return found


def show(row: Row) -> str:
    verdict = "" if row.covered else "NOT COVERED"
    if row.covered and row.comparable and not row.close:
        verdict = f"{row.estimated / max(row.true, 1e-300):.0f} times"
    return (
        f"{row.case:28s} {'checks' if row.half else 'sets':6s} {row.accuracy:5.0%} {row.quantity:17s} "
        f"{row.true:9.3%} {row.estimated:9.3%}  {verdict}"
    )


def summary(found: Sequence[Row]) -> str:
    lines = []
    for half, words in ((0, "half to set the factors"), (1, "half to check them")):
        own = [row for row in found if row.half == half]
        if not own:
            continue
        compared = [row for row in own if row.comparable]
        covered = sum(row.covered for row in own) / len(own)
        close = sum(row.close for row in compared) / max(len(compared), 1)
        lines.append(
            f"{words}: {covered:.1%} of {len(own)} true errors covered; of {len(compared)} above "
            f"{NEGLIGIBLE:.1%} of their scale {close:.1%} of the estimates are within three times the error"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="Error estimates against true errors.")
    parser.add_argument("cases", nargs="*", help="parts of names; all by default")
    parser.add_argument("--references", action="store_true")
    options = parser.parse_args()
    names = [
        name
        for name, case in CASES.items()
        if case.calibrates and (not options.cases or any(part in name for part in options.cases))
    ]
    with tempfile.TemporaryDirectory() as folder, twin.local() as client:
        if options.references:
            make_references(client, names, Path(folder))
        else:
            print(f"{'case':28s} {'half':6s} asked {'quantity':17s} {'true':>9s} {'estimate':>9s}")
            print(summary(rows(client, names, Path(folder))))


if __name__ == "__main__":
    main()
