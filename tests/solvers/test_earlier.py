"""Starting from earlier solutions: what combines costs nothing, what doesn't is as right as ever."""

from dataclasses import replace

import numpy as np
import pytest

from solvers import earlier
from solvers.earlier import Earlier
from solvers.elasticity.law import lame
from solvers.precision import float64
from solvers.tet10 import steady
from tests.solvers.meshes import box

TOLERANCE = 1e-8


@pytest.fixture
def bar():
    """Held at one end, and loads at the other along x, y and z."""
    points, tets = box((12, 3, 3), (4, 1, 1))
    held = np.zeros((len(points), 3, 3))
    held[points[:, 0] < 1e-9] = np.eye(3)
    loads = np.zeros((3, *points.shape))
    for axis in range(3):
        loads[axis, points[:, 0] > 4 - 1e-9, axis] = 1e3
    return steady.prepare(points, tets, float64(lame)(210e9, 0.3), held, np.zeros_like(points)), loads


def test_loads_that_combine_cost_no_iterations(bar):
    problem, loads = bar
    fields = [steady.solve(problem, load, tolerance=TOLERANCE).field for load in loads]
    shares = np.array([3.0, -1.0, 0.25])
    found = steady.solve(problem, np.tensordot(shares, loads, 1), tolerance=10 * TOLERANCE)
    assert found.iterations == 0
    assert found.residual <= 10 * TOLERANCE
    combined = np.tensordot(shares, fields, 1)
    assert np.abs(found.field - combined).max() < 1e-6 * np.abs(combined).max()


def test_what_is_new_is_solved(bar):
    problem, loads = bar
    again = replace(problem, earlier=Earlier())
    steady.solve(problem, loads[0], tolerance=TOLERANCE)
    mixed = loads[0] + 1e-3 * loads[2]
    found = steady.solve(problem, mixed, tolerance=TOLERANCE)
    fresh = steady.solve(again, mixed, tolerance=TOLERANCE)
    assert 0 < found.iterations <= fresh.iterations
    assert found.residual <= 2 * TOLERANCE
    assert np.abs(found.field - fresh.field).max() < 1e-6 * np.abs(fresh.field).max()


def test_nothing_is_kept_beyond_the_most(bar, monkeypatch):
    problem, loads = bar
    monkeypatch.setattr(earlier, "MOST", 2)
    for load in loads:
        assert steady.solve(problem, load, tolerance=TOLERANCE).iterations > 0
    assert steady.solve(problem, loads[2], tolerance=10 * TOLERANCE).iterations > 0
    assert steady.solve(problem, loads[0] - loads[1], tolerance=10 * TOLERANCE).iterations == 0


def test_no_load_is_no_work(bar):
    problem, loads = bar
    steady.solve(problem, loads[0], tolerance=TOLERANCE)
    found = steady.solve(problem, 0 * loads[0], tolerance=TOLERANCE)
    assert found.iterations == 0
    assert not found.field.any()
