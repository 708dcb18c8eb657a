"""Iterations that end near the solution: how near is told, whatever they start from."""

import numpy as np
import pytest

from solvers.earlier import Earlier
from solvers.elasticity.law import lame
from solvers.precision import float64
from solvers.tet10 import steady
from tests.solvers.meshes import box


@pytest.fixture(scope="module")
def bar():
    """A bent bar that is held at one end, its load and its solution."""
    points, tets = box((16, 4, 4), (4, 1, 1))
    held = np.zeros((len(points), 3, 3))
    held[points[:, 0] < 1e-9] = np.eye(3)
    load = np.zeros_like(points)
    load[points[:, 0] > 4 - 1e-9, 2] = 1e3
    problem = steady.prepare(points, tets, float64(lame)(210e9, 0.3), held, np.zeros_like(points))
    return problem, load, steady.solve(problem, load, tolerance=1e-11).field


def anew(problem):
    return steady.Problem(problem.model, problem.preconditioner, problem.prescribed, problem.count, Earlier())


def distance(problem, field, exact):
    def energy(of):
        return float(np.vdot(of, steady.internal_force(problem, of)))

    return (energy(field - exact) / energy(exact)) ** 0.5


@pytest.mark.parametrize("asked", [0.1, 1e-2, 1e-3, 1e-5])
@pytest.mark.parametrize("rough", [None, 0.02, 0.3])
def test_the_distance_from_the_solution_is_told_and_rather_too_large(bar, asked, rough):
    problem, load, exact = bar
    problem = anew(problem)
    if rough is not None:
        noise = np.random.default_rng(1).standard_normal(exact.shape)
        guess = 1.1 * exact + rough * np.abs(exact).max() * noise
        steady.expect(problem, load, guess)
    found = steady.approach(problem, load, asked)
    true = distance(problem, found.field, exact)
    assert found.distance <= asked
    assert true / 2 < found.distance < 15 * true
    assert np.linalg.norm(found.rest) < np.linalg.norm(load)


def test_nearer_takes_more_and_goes_on_from_where_it_was(bar):
    problem, load, exact = bar
    problem = anew(problem)
    near = steady.approach(problem, load, 1e-2)
    nearer = steady.approach(problem, load, 1e-4)
    at_once = steady.approach(anew(problem), load, 1e-4)
    assert near.iterations < at_once.iterations
    assert nearer.iterations < at_once.iterations
    solved = steady.solve(problem, load)
    assert solved.residual < 1e-8
    assert np.abs(solved.field - exact).max() < 1e-6 * np.abs(exact).max()


def test_what_is_missing_is_orthogonal_to_no_energy(bar):
    """The energy of the solution is told too: that of the field and of what it lacks."""
    problem, load, exact = bar
    found = steady.approach(anew(problem), load, 1e-3)
    assert found.energy == pytest.approx(float(np.vdot(load, exact)), rel=1e-5)


def test_a_good_guess_saves_the_first_iterations(bar):
    problem, load, exact = bar
    cold, warm = anew(problem), anew(problem)
    steady.expect(warm, load, 1.3 * exact)
    from_nothing, from_guess = (steady.approach(each, load, 1e-6) for each in (cold, warm))
    assert from_guess.iterations < from_nothing.iterations


def test_nothing_is_near_where_nothing_acts(bar):
    problem, load, _ = bar
    found = steady.approach(anew(problem), np.zeros_like(load), 1e-2)
    assert found.iterations == 0
    assert found.distance == 0
    assert not found.field.any()


def test_a_guess_that_is_no_number_is_refused(bar):
    problem, load, exact = bar
    with pytest.raises(ValueError, match="finite"):
        steady.expect(anew(problem), load, np.full_like(exact, np.nan))
