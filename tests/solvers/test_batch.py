"""Batches: each member has the solution that it has alone, and a member without one is named."""

from dataclasses import replace

import jax
import numpy as np
import pytest

from solvers.conduction.law import Fourier, fourier
from solvers.earlier import Earlier
from solvers.elasticity.law import lame
from solvers.iteration import SolveError
from solvers.precision import float64
from solvers.tet10 import batch, loads, steady
from solvers.tet10.faces import boundary_facets
from solvers.tet10.facets import facet_quadrature
from tests.solvers.meshes import box, distort

POINTS, TETS = box((6, 3, 3), (2, 1, 1))
HELD = POINTS[:, 0] == 0
PULLED = POINTS[:, 0] == 2
MATERIALS = [(210e9, 0.3), (70e9, 0.33), (2e9, 0.45), (110e9, 0.1)]
TOLERANCE = 1e-11  # of both solutions that are compared to 1e-8


def problem(points, law, prescribed=None, foundation=None):
    """Held at one end."""
    k = law.components
    held = np.where(HELD[:, None, None], np.eye(k), 0.0)
    still = np.zeros((len(points), k))
    return steady.prepare(points, TETS, law, held, still if prescribed is None else prescribed, foundation)


def alone(problem, load, **given):
    return steady.solve(replace(problem, earlier=Earlier()), load, tolerance=TOLERANCE, **given)


def same(solutions, references):
    assert len(solutions) == len(references)
    for solution, reference in zip(solutions, references, strict=True):
        size = np.abs(reference.field).max()
        assert np.abs(solution.field - reference.field).max() < 1e-8 * size
        assert solution.residual < 10 * TOLERANCE


@pytest.fixture(scope="module")
def steel():
    return problem(POINTS, float64(lame)(*MATERIALS[0]))


@pytest.fixture(scope="module")
def forces():
    """Of five load cases, the last one nothing."""
    found = np.zeros((5, len(POINTS), 3))
    found[:4, PULLED] = np.random.default_rng(0).normal(size=(4, PULLED.sum(), 3))
    return found


def test_load_cases_in_groups_of_any_size(steel, forces):
    references = [alone(steel, force) for force in forces[:4]]
    for at_once in (2, 5):
        solved = []
        solutions = batch.solve(steel, forces, tolerance=TOLERANCE, at_once=at_once, progress=solved.append)
        same(solutions[:4], references)
        assert not solutions[4].field.any()
        assert [one.iterations for one in solutions] == [one.iterations for one in references] + [0]
        assert solved[-1] == 5


def test_prescribed_fields(steel):
    prescribed = np.zeros((3, len(POINTS), 3))
    prescribed[:, HELD] = np.random.default_rng(1).normal(size=(3, HELD.sum(), 3))
    nothing = np.zeros_like(POINTS)
    solutions = batch.solve(steel, nothing, prescribed=prescribed, tolerance=TOLERANCE)
    same(solutions, [alone(steel, nothing, prescribed=field) for field in prescribed])


def test_materials(steel, forces):
    each = [float64(lame)(*material) for material in MATERIALS]
    laws = jax.tree.map(lambda *values: np.array(values), *each)
    solutions = batch.solve(steel, forces[0], laws=laws, tolerance=TOLERANCE, together=True)
    references = [alone(problem(POINTS, law), forces[0]) for law in each]
    same(solutions, references)
    # the grids of steel serve them as their own do
    for solution, reference in zip(solutions, references, strict=True):
        assert solution.iterations <= reference.iterations + 3


def test_shapes_with_loads_of_their_own(steel, forces):
    shapes = np.array([distort(POINTS * (1 + amount, 1, 1), amount / 8) for amount in (0, 0.1, 0.2)])
    solutions = batch.solve(steel, forces[:3], points=shapes, tolerance=TOLERANCE, together=True)
    references = [
        alone(problem(shape, float64(lame)(*MATERIALS[0])), force)
        for shape, force in zip(shapes, forces[:3], strict=True)
    ]
    same(solutions, references)
    assert max(one.iterations for one in solutions) <= 2 * max(one.iterations for one in references)


def test_heat_with_conductivities_shapes_and_convection_at_once():
    conductivities = np.array([20.0, 50.0, 390.0])
    shapes = np.array([POINTS * (1, stretch, 1) for stretch in (0.9, 1.0, 1.1)])
    hot = HELD.astype(float)[:, None] * 100
    facets, _ = boundary_facets(TETS)
    chosen = np.flatnonzero(PULLED[facets].all(1))

    def convection(points):
        where = facet_quadrature(points, facets, chosen)
        return loads.foundation(where, np.full((len(where.weight), 1, 1), 300.0))

    base = problem(POINTS, float64(fourier)(50.0), hot, convection(POINTS))
    springs = np.array([convection(shape)[1] for shape in shapes])
    nothing = np.zeros((len(POINTS), 1))
    solutions = batch.solve(
        base, nothing, laws=Fourier(conductivities), points=shapes, springs=springs, tolerance=TOLERANCE
    )
    references = [
        alone(problem(shape, float64(fourier)(conductivity), hot, convection(shape)), nothing)
        for shape, conductivity in zip(shapes, conductivities, strict=True)
    ]
    same(solutions, references)


def test_members_without_a_solution_are_named(steel, forces):
    shapes = np.array([POINTS] * 3)
    middle = TETS[7, 4]
    shapes[1, middle] += 3 * (POINTS[TETS[7, 3]] - POINTS[middle])
    with pytest.raises(SolveError, match=r"^member 1: element \d+ is inside out or degenerate [^;]*$"):
        batch.solve(steel, forces[0], points=shapes, at_once=2)
    broken = forces[:3].copy()
    broken[2, 0] = np.nan
    with pytest.raises(SolveError, match=r"^member 2: the equations lost positive definiteness[^;]*$"):
        batch.solve(steel, broken)
    void = [float64(lame)(*MATERIALS[0]), float64(lame)(-1e9, 0.3)]
    with pytest.raises(SolveError, match=r"^member 1: the equations lost"):
        batch.solve(steel, forces[0], laws=jax.tree.map(lambda *values: np.array(values), *void))


def test_members_that_do_not_match_are_refused(steel, forces):
    with pytest.raises(ValueError, match=r"of \[2, 3\] members"):
        batch.solve(steel, forces[:3], points=np.array([POINTS] * 2))
    with pytest.raises(ValueError, match="springs where the problem has none"):
        batch.solve(steel, forces[0], springs=np.zeros((2, 1, 6, 6, 3, 3)))
