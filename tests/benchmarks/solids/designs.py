"""Many designs on grids of their own at once, beside one at a time: python -m ... UNKNOWNS OUT.json"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from solvers import quadrature
from solvers.cutcell import batch, immersed, supports
from solvers.cutcell.immersed import ImmersedProblem
from solvers.earlier import Earlier
from solvers.elasticity.law import lame
from solvers.precision import float64
from tests.benchmarks.solids.batches import compare
from tests.benchmarks.solids.case import POISSONS_RATIO, YOUNGS_MODULUS, Floats
from tests.solvers.grids import block, face

MEMBERS = 64
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
    alone = [lambda one=one: immersed.solve(replace(one[0], earlier=Earlier()), one[1]) for one in designs]
    return {
        **compare(
            f"designs, order {order}",
            int(np.median([load.size for load in loads])),
            lambda: batch.solve(problems, loads),
            alone,
        ),
        "seconds_setup": seconds_setup,
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


if __name__ == "__main__":
    records = [measure(float(sys.argv[1]), order=order) for order in (1, 2)]
    Path(sys.argv[2]).write_text(json.dumps(records))
