"""Jet-engine brackets against their published results: `python -m tests.corpus.simjeb [--ids 417 0] [--resume]`.

Each bracket goes through the service as a user's part would, under the four published load cases, on tetrahedra and
on a grid. A line is printed for every case, the summary (tests/corpus/comparison.py) at the end; the table is a CSV
file, and --resume keeps what that has solved.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import twin
from tests.corpus import brackets, comparison, published, sharing
from twin.analyses import programs

COLUMNS = (
    "id", "discretisation", "case", "reason", "differs",
    "u", "u_error", "u_published", "u_ratio", "shared_ratio",
    "von_mises", "von_mises_error", "von_mises_published", "von_mises_ratio", "everywhere_ratio",
    "unknowns", "mesher", "seconds",
)  # fmt: skip
# Of displacement alone; on the grid elements of first order are the cheapest for it.
LIMITS: dict[str, dict[str, Any]] = {
    "tet": {"accuracy": 0.03, "max_unknowns": 200_000},
    "grid": {"accuracy": 0.1, "max_unknowns": 150_000},
}
LARGER = {
    "236": 400_000,
    "324": 800_000,
}  # unknowns, where the coarsest mesh has more than that
WORDS = (*COLUMNS[:5], "mesher")
HEADER = (
    "  id case       u [mm]        published  ratio shared  von Mises [MPa]  publ. ratio unknowns  [s] mesher"
)
Row = dict[str, Any]


def solve(client: twin.Client, number: str, folder: Path, **options: Any) -> list[Row]:
    """One row for each load case; options: of Client.simulate. Raises NoInterfaceError, TwinError."""
    ply = brackets.surface_file(number)
    place = brackets.interface(ply)
    path = folder / f"{number}.ply"
    path.write_bytes(ply)
    begun = time.monotonic()
    part = client.upload(path, unit="mm")
    run = client.simulate(
        part, brackets.study(place), name=f"bracket {number}", quantities=["max_displacement"], **options
    )
    result = run.result()
    seconds = time.monotonic() - begun
    shared = sharing.factors(number)
    rows = []
    for case, known in published.results(number).items():
        answer = result.case(case)
        row: Row = {"case": case, "differs": place.oddities if case == brackets.CASES[0] else ""}
        for name, quantity in (("u", "max_displacement"), ("von_mises", "max_von_mises")):
            found = answer.quantities[quantity]
            row |= {name: found.value, f"{name}_error": found.error, f"{name}_published": known[name]}
            row[f"{name}_ratio"] = found.value / known[name]
        row["shared_ratio"] = row["u_ratio"] * shared[case] if shared else ""
        stress = answer.fields["von_mises"].values  # also in the zones around singular places
        row["everywhere_ratio"] = float(stress.max()) / known["von_mises"]
        row |= {"unknowns": result.convergence[-1].unknowns, "mesher": result.mesher, "seconds": seconds}
        rows.append(row)
    run.delete()
    path.unlink()
    return rows


def line(row: Row) -> str:
    """A row of the table in 110 characters or so."""
    if row["reason"]:
        return f"{row['id']:>4}      {row['reason']}"
    u, s = 1e3, 1e-6
    differs = f"; {row['differs']}" if row["differs"] else ""
    return (
        f"{row['id']:>4} {row['case']}  {u * row['u']:8.4f} ± {u * row['u_error']:7.4f} "
        f"{u * row['u_published']:8.4f} {row['u_ratio']:6.3f} "
        f"{row['shared_ratio'] or np.nan:6.3f}  "
        f"{s * row['von_mises']:6.0f} ± {s * row['von_mises_error']:5.0f} {s * row['von_mises_published']:6.0f} "
        f"{row['von_mises_ratio']:5.2f}  {row['unknowns']:7.0f} {row['seconds']:5.0f} {row['mesher']}{differs}"
    )


def read(path: Path) -> list[Row]:
    """The rows of a table."""
    with path.open(newline="") as file:
        return [
            {name: text if name in WORDS or not text else float(text) for name, text in row.items()}
            for row in csv.DictReader(file)
        ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--ids", nargs="+", metavar="ID", help="numbers of brackets (all)")
    parser.add_argument("--discretisation", nargs="+", choices=LIMITS, default=list(LIMITS))
    parser.add_argument("--max-seconds", type=float, default=600.0, help="for each bracket")
    parser.add_argument("--out", type=Path, default=Path("build/simjeb.csv"), help="the table")
    parser.add_argument("--resume", action="store_true", help="keep what the table has solved")
    options = parser.parse_args()
    if not brackets.DATA.exists():
        print(f"There is nothing to solve: the real geometry should lie in {brackets.DATA}.")
        return
    options.out.parent.mkdir(parents=True, exist_ok=True)
    kept = read(options.out) if options.resume and options.out.exists() else []
    rows = [row for row in kept if not row["reason"]]
    done = {(row["id"], row["discretisation"]) for row in rows}
    print(HEADER)
    for row in rows:
        print(line(row))
    with (
        options.out.open("w", newline="") as file,
        tempfile.TemporaryDirectory() as folder,
        twin.local(home=folder) as client,
    ):
        table = csv.DictWriter(file, COLUMNS, restval="")
        table.writeheader()
        table.writerows(_rounded(row) for row in rows)
        file.flush()
        for discretisation in options.discretisation:
            for number in options.ids or brackets.bracket_ids():
                if (number, discretisation) in done:
                    continue
                programs.drop_when_many()  # this process compiles some of its own
                try:
                    limits = LIMITS[discretisation] | {"max_seconds": options.max_seconds}
                    if discretisation == "tet" and number in LARGER:
                        limits["max_unknowns"] = LARGER[number]
                    found = solve(client, number, Path(folder), discretisation=discretisation, **limits)
                except (brackets.NoInterfaceError, twin.TwinError) as error:
                    found = [{"reason": f"{type(error).__name__}: {error}"}]
                for row in found:
                    row = dict.fromkeys(COLUMNS, "") | {"id": number, "discretisation": discretisation} | row
                    table.writerow(_rounded(row))
                    rows.append(row)
                    print(line(row), flush=True)
                file.flush()
    print(comparison.summary(rows))
    lacking = brackets.NoInterfaceError.__name__
    failed = [row for row in rows if row["reason"] and not row["reason"].startswith(lacking)]
    if failed or not rows:
        raise SystemExit(f"{len(failed)} solutions of brackets with an interface are missing.")


def _rounded(row: Row) -> Row:
    return {name: f"{value:.5g}" if isinstance(value, float) else value for name, value in row.items()}


if __name__ == "__main__":
    main()
