"""Many designs on grids of their own at once, beside one at a time: python -m ... UNKNOWNS OUT.json"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from solvers import quadrature
from solvers.cutcell import batch, immersed, supports
from solvers.cutcell.immersed import ImmersedProblem
from solvers.elasticity.law import lame
from solvers.precision import float64
from tests.benchmarks.solids.case import POISSONS_RATIO, YOUNGS_MODULUS, Floats
from tests.solvers.grids import block, face

MEMBERS = 64
ALONE = 8  # of them are solved one at a time too
LENGTHS = np.array([1.0, 0.5, 0.4])  # of the one in the middle
SPREAD = 0.1  # of the others, along each axis
SHIFT = (0.37, 0.2, 0.61)  # of a cell: no face of a design lies in the grid's planes

Design = tuple[ImmersedProblem, Floats]


def measure(unknowns: float, members: int = MEMBERS, order: int = 1) -> dict[str, Any]:
    """Of the solutions alone, everything compiled; the set-up of each design is the same either way."""
    begun = time.perf_counter()
    designs = _designs(unknowns, members, order)
    seconds_setup = time.perf_counter() - begun
    problems, loads = zip(*designs, strict=True)
    first, solutions = _timed(lambda: batch.solve(problems, loads))
    again, _ = _timed(lambda: batch.solve(problems, loads))
    # designs of their own bucket may compile again: each is run once before
    few = designs[:ALONE]
    singles = [(immersed.solve(*one), *_timed(lambda one=one: immersed.solve(*one))) for one in few]  # type: ignore[misc]
    distance = max(
        float(np.linalg.norm(found.field - alone.field) / np.linalg.norm(alone.field))
        for found, (_, _, alone) in zip(solutions, singles, strict=False)
    )
    one = sum(seconds for _, seconds, _ in singles) / len(singles)
    return {
        "what": f"designs, order {order}",
        "unknowns": int(np.median([load.size for load in loads])),
        "members": members,
        "seconds_setup": seconds_setup,
        "seconds_first": first,
        "seconds": again,
        "seconds_alone": one,
        "throughput": members / again,
        "throughput_alone": 1 / one,
        "ratio": one * members / again,
        "iterations": [solution.iterations for solution in solutions],
        "iterations_alone": [alone.iterations for _, _, alone in singles],
        "largest_difference": distance,
    }


def _designs(unknowns: float, members: int, order: int) -> list[Design]:
    """Blocks clamped at one end and bent at the other, their lengths drawn at random."""
    law = float64(lame)(YOUNGS_MODULUS, POISSONS_RATIO)
    edge = order * float(3 * LENGTHS.prod() / unknowns) ** (1 / 3)
    stretches = 1 + SPREAD * np.random.default_rng(0).uniform(-1, 1, (members, 3))
    found = []
    for size in LENGTHS * stretches:
        cells = block(size, edge, SHIFT, order)
        root, tip = face(cells, size, 0, 0.0), face(cells, size, 0, size[0])
        every, ground = np.broadcast_to(np.eye(3), (len(root.weight), 3, 3)), np.zeros((len(root.weight), 3))
        problem = immersed.prepare(cells, law, supports.given(cells, law, root, every, ground))
        pull = np.broadcast_to([0.0, 0.0, -1e6], (len(tip.weight), 3))
        found.append((problem, quadrature.traction(tip, pull, len(cells.points))))
    return found


def _timed(run: Callable[[], Any]) -> tuple[float, Any]:
    begun = time.perf_counter()
    found = run()
    return time.perf_counter() - begun, found


if __name__ == "__main__":
    records = [measure(float(sys.argv[1]), order=order) for order in (1, 2)]
    Path(sys.argv[2]).write_text(json.dumps(records))
