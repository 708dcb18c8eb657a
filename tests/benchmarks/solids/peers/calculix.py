"""CalculiX: the program `ccx` on a deck of the same elements and nodal forces; its own time alone counts."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tests.benchmarks.solids.case import POISSONS_RATIO, YOUNGS_MODULUS, Answer, Case, Floats, von_mises

SOLVERS = {"spooles": "SPOOLES", "cholesky": "ITERATIVE CHOLESKY"}
_NUMBER = 12  # characters of a number in a result file


def run(cases: Sequence[Case], method: str) -> list[Answer]:
    """Write the deck, run ccx, read displacement and the stress that it averages at nodes."""
    case = cases[0]
    with tempfile.TemporaryDirectory(prefix="ccx-") as name:
        folder = Path(name)
        _write(case, folder / "case.inp", SOLVERS[method])
        threads = str(os.cpu_count() or 1)
        begun = time.perf_counter()
        done = subprocess.run(
            ["ccx", "case"],
            cwd=folder,
            env={**os.environ, "OMP_NUM_THREADS": threads, "CCX_NPROC_EQUATION_SOLVER": threads},
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.perf_counter() - begun
        results = folder / "case.frd"
        if done.returncode or not results.exists():
            raise RuntimeError(f"ccx ended with {done.returncode}: {done.stdout[-500:]}{done.stderr[-500:]}")
        displacement, stress = (_read(results, block, len(case.points)) for block in ("DISP", "STRESS"))
    told = re.findall(r"iterations\s*=\s*(\d+)", done.stdout)
    return [
        Answer(
            "",
            {"solve": seconds},  # it does not tell its phases apart
            displacement[:, :3],
            von_mises(stress),
            int(told[-1]) if told else None,
            details={"threads": threads},
        )
    ]


def _write(case: Case, path: Path, solver: str) -> None:
    # ccx reads 20 characters of a number: 12 digits fit with sign and exponent.
    nodes = np.arange(1, len(case.points) + 1)
    loaded = np.argwhere(case.force != 0)
    with path.open("w") as deck:
        deck.write("*NODE, NSET=ALL\n")
        np.savetxt(deck, np.column_stack([nodes, case.points]), fmt="%d,%.12g,%.12g,%.12g")
        deck.write("*ELEMENT, TYPE=C3D10, ELSET=PART\n")
        numbers = np.column_stack([np.arange(1, len(case.tets) + 1), case.tets + 1])
        np.savetxt(deck, numbers, fmt="%d", delimiter=",")
        deck.write("*NSET, NSET=HELD\n")
        np.savetxt(deck, nodes[case.fixed], fmt="%d,")
        deck.write(f"*MATERIAL, NAME=STEEL\n*ELASTIC\n{YOUNGS_MODULUS:.12g},{POISSONS_RATIO:.12g}\n")
        deck.write("*SOLID SECTION, ELSET=PART, MATERIAL=STEEL\n*BOUNDARY\nHELD,1,3\n")
        deck.write(f"*STEP\n*STATIC, SOLVER={solver}\n*CLOAD\n")
        forces = np.column_stack([loaded + 1, case.force[tuple(loaded.T)]])
        np.savetxt(deck, forces, fmt="%d,%d,%.12g")
        deck.write("*NODE FILE\nU\n*EL FILE\nS\n*END STEP\n")


def _read(path: Path, block: str, count: int) -> Floats:
    """A nodal block of a result file: six significant digits."""
    rows: list[list[str]] = []
    inside = False
    with path.open() as lines:
        for line in lines:
            if line.startswith(" -4"):
                inside = line[5:].startswith(block)
            elif line.startswith(" -3"):
                inside = False
            elif inside and line.startswith(" -1"):
                text = line.rstrip("\n")
                rows.append([text[3:13]] + [text[k : k + _NUMBER] for k in range(13, len(text) - 1, _NUMBER)])
    table = np.array(rows, float)
    values = np.zeros((count, table.shape[1] - 1))
    values[table[:, 0].astype(int) - 1] = table[:, 1:]
    return values
