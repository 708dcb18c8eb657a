"""Cost against size: the exponent that fits, and a picture of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

PHASES = {"setup": "set-up", "solve": "solution", "stress": "recovery of stress"}


Record = dict[str, Any]


def fitted(unknowns: Sequence[float], cost: Sequence[float]) -> tuple[float, float]:
    """Exponent and factor of cost = factor * unknowns ** exponent, by least squares of the logarithms."""
    exponent, constant = np.polyfit(np.log(unknowns), np.log(cost), 1)
    return float(exponent), float(np.exp(constant))


def summary(rows: Sequence[Record]) -> Record:
    """Exponents of the time in all and of each phase; memory per million unknowns at the largest size."""
    solved = [row for row in rows if "failure" not in row]
    if len(solved) < 2:
        return {}
    unknowns = [row["unknowns"] for row in solved]
    columns = {phase: [row["seconds"][phase] for row in solved] for phase in PHASES}
    columns["total"] = [sum(row["seconds"].values()) for row in solved]
    fits = {name: fitted(unknowns, cost) for name, cost in columns.items()}
    return {
        "exponents": {name: exponent for name, (exponent, _) in fits.items()},
        "factor": fits["total"][1],
        "gb_per_million": solved[-1]["peak_gb"] / unknowns[-1] * 1e6,
    }


def picture(rows: Sequence[Record], path: Path) -> None:
    """Time and peak memory against unknowns, with the fit, as PNG."""
    solved = [row for row in rows if "failure" not in row]
    found = summary(rows)
    unknowns = np.array([row["unknowns"] for row in solved], float)
    figure, (time, memory) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
    for phase, name in PHASES.items():
        time.loglog(
            unknowns, [row["seconds"][phase] for row in solved], "o-", alpha=0.6, label=name, markersize=4
        )
    total = [sum(row["seconds"].values()) for row in solved]
    time.loglog(unknowns, total, "ko", label="mesh to stress", markersize=6)
    exponent = found["exponents"]["total"]
    fit = found["factor"] * unknowns**exponent
    time.loglog(unknowns, fit, "k--", label=f"fit: unknowns$^{{{exponent:.2f}}}$")
    time.set(xlabel="unknowns", ylabel="seconds, everything compiled")
    memory.plot(unknowns / 1e6, [row["peak_gb"] for row in solved], "ko-", markersize=6)
    memory.set(xlabel="million unknowns", ylabel="peak memory of the process [GB]", xlim=0, ylim=0)
    for axes in (time, memory):
        axes.grid(which="both", alpha=0.25)
    time.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)
    plt.close(figure)
