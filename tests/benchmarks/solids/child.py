"""One contender in a fresh process: python -m tests.benchmarks.solids.child MODULE METHOD OUT CASE [CASE ...]"""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.solids.case import Answer, Case
from tests.benchmarks.solids.machine import resident_peak


def main(module: str, method: str, out: str, *paths: str) -> None:
    """Import the contender (not counted), load the cases (not counted), run, write what came out."""
    contender = importlib.import_module(f"tests.benchmarks.solids.peers.{module}")
    cases = [Case.load(Path(path)) for path in paths]
    begun = os.times()
    answers = contender.run(cases, method)
    # User and system time, of this process and of those that it started.
    processor = sum(os.times()[:4]) - sum(begun[:4])
    records = [record(answer, cases) for answer in answers]
    for row in records:
        row["peak_gb"] = resident_peak() / 1e9
        row["processor_seconds"] = row["processor_seconds"] or processor
    np.savez(Path(out).with_suffix(".npz"), displacement=answers[0].displacement)
    Path(out).write_text(json.dumps(records))


def record(answer: Answer, cases: list[Case]) -> dict[str, Any]:
    """What the table says of an answer."""
    compliance = answer.compliance
    if compliance is None:
        case = next(case for case in cases if len(case.points) == len(answer.displacement))
        compliance = float(np.vdot(case.force, answer.displacement))
    return {
        "label": answer.label,
        "unknowns": answer.displacement.size,
        "seconds": answer.seconds,
        "processor_seconds": answer.processor_seconds,
        "iterations": answer.iterations,
        "residual": answer.residual,
        "compliance": compliance,
        "max_displacement": float(np.linalg.norm(answer.displacement, axis=1).max()),
        "max_von_mises": float(answer.von_mises.max()),
        "details": answer.details or {},
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
