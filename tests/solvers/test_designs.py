"""Batches of designs: each has the solution that it has alone, and one without a solution is named."""

import numpy as np
import pytest

from solvers import quadrature
from solvers.cutcell import batch, immersed, supports
from solvers.elasticity.law import lame
from solvers.iteration import SolveError
from solvers.precision import float64
from tests.solvers.grids import block, face

STEEL = float64(lame)(210e9, 0.3)
TOLERANCE = 1e-11  # of both solutions that are compared to 1e-8


def design(size, edge, order, law=STEEL, held=True):
    """A block held at one end and bent at the other, and its forces."""
    cells = block(size, edge, (0.37, 0.2, 0.61), order)
    root, tip = face(cells, size, 0, 0.0), face(cells, size, 0, size[0])
    every = np.broadcast_to(np.eye(3), (len(root.weight), 3, 3))
    holding = supports.given(cells, law, root, every if held else 0 * every, np.zeros((len(root.weight), 3)))
    load = quadrature.traction(tip, np.tile([1e5, 0, 1e6], (len(tip.weight), 1)), len(cells.points))
    return immersed.prepare(cells, law, holding), load


@pytest.mark.parametrize("together", [True, pytest.param(False, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("order", "edge"), [pytest.param(1, 0.045, marks=pytest.mark.slow), (2, 0.09)])
def test_designs_of_several_buckets(order, edge, together):
    designs = [design((1.0, width, 0.3), edge, order) for width in (0.25, 0.4, 0.31, 0.28)]
    designs.append(design((1.0, 0.3, 0.3), edge, order, float64(lame)(70e9, 0.33)))
    designs.append(design((2.0, 0.5, 0.5), edge, order))  # with one grid more
    references = [immersed.solve(*one, tolerance=TOLERANCE) for one in designs]
    solved = []
    solutions = batch.solve(
        *zip(*designs, strict=True), tolerance=TOLERANCE, at_once=4, together=together, progress=solved.append
    )
    assert solved[-1] == len(designs) > solved[0]
    for solution, reference in zip(solutions, references, strict=True):
        assert np.abs(solution.field - reference.field).max() < 1e-8 * np.abs(reference.field).max()
        assert abs(solution.iterations - reference.iterations) <= 1
        assert solution.residual < 10 * TOLERANCE


def test_a_design_that_nothing_holds_is_named():
    sound, loose = design((1.0, 0.3, 0.3), 0.1, 1), design((1.0, 0.3, 0.3), 0.1, 1, held=False)
    with pytest.raises(SolveError, match="design 1: "):
        batch.solve(*zip(sound, loose, sound, strict=True))
