"""Heat conduction on the engine of elasticity: exact and published solutions, on tetrahedra and on the grid."""

import numpy as np
import pytest

from solvers import quadrature
from solvers.conduction.law import fourier
from solvers.cutcell import immersed, supports
from solvers.cutcell.recovery import recover
from solvers.precision import float64
from solvers.tet10 import element, loads, steady
from solvers.tet10.faces import boundary_facets
from solvers.tet10.facets import facet_quadrature
from solvers.tet10.recovery import Recovery
from tests.solvers.grids import block, face
from tests.solvers.meshes import box, distort

CONDUCTIVITY = 52.0
LAW = float64(fourier)(CONDUCTIVITY)


def held_where(chosen):
    """Projectors that hold the temperature of chosen nodes (n,)."""
    return chosen.astype(float)[:, None, None]


def on_boundary(points, tets, chosen):
    """Quadrature over the boundary facets whose corners are all chosen (n,)."""
    facets, _ = boundary_facets(tets)
    return facet_quadrature(points, facets, np.flatnonzero(chosen[facets].all(1)))


def convection(where, coefficient):
    """Springs of a heat transfer coefficient [W/(m^2 K)]."""
    return loads.foundation(where, np.full((len(where.weight), 1, 1), coefficient))


def test_a_linear_temperature_is_exact_on_a_distorted_mesh():
    points, tets = box((3, 3, 3))
    points = distort(points, 0.02)
    for middle, (a, b) in enumerate(element.EDGES, start=4):
        points[tets[:, middle]] = (points[tets[:, a]] + points[tets[:, b]]) / 2
    slope = np.array([30.0, -20.0, 10.0])
    exact = (points @ slope)[:, None]
    held = np.zeros(len(points), bool)
    held[np.unique(boundary_facets(tets)[0])] = True
    problem = steady.prepare(points, tets, LAW, held_where(held), exact * held[:, None])
    solution = steady.solve(problem, np.zeros_like(exact), tolerance=1e-13)
    assert np.abs(solution.field - exact).max() < 1e-10 * np.abs(exact).max()
    recovered = Recovery(problem, points, tets)(solution.field)
    assert recovered.nodal == pytest.approx(np.tile(CONDUCTIVITY * slope, (len(points), 1)), rel=1e-8)
    assert recovered.relative_energy_error < 1e-9


def test_a_heated_wall_that_convection_cools():
    """Source in the wall, temperature held on one face, convection on the other: a parabola, which is exact."""
    points, tets = box((4, 2, 2), (0.2, 0.1, 0.1))
    length, source, coefficient, ambient, left = 0.2, 2e4, 300.0, 20.0, 100.0
    x = points[:, 0]
    right = on_boundary(points, tets, x > length - 1e-9)
    held = x < 1e-9
    problem = steady.prepare(
        points, tets, LAW, held_where(held), left * held[:, None], convection(right, coefficient)
    )
    load = loads.body_force(points, tets, np.array([source]), np.zeros((1, 3)))
    load += quadrature.traction(right, np.full((len(right.weight), 1), coefficient * ambient), len(points))
    solution = steady.solve(problem, load, tolerance=1e-12)
    # k T'' = -source; -k T'(length) = coefficient (T(length) - ambient)
    slope = (coefficient * (ambient - left + source * length**2 / (2 * CONDUCTIVITY)) + source * length) / (
        CONDUCTIVITY + coefficient * length
    )
    exact = left + slope * x - source * x**2 / (2 * CONDUCTIVITY)
    assert solution.field[:, 0] == pytest.approx(exact, rel=1e-9)
    heat = steady.internal_force(problem, solution.field) - load
    leaving = coefficient * (exact[x > length - 1e-9][0] - ambient) * 0.01
    assert heat[held].sum() == pytest.approx(leaving - source * length * 0.01, rel=1e-6)


def test_nafems_t4():
    """T(0.6, 0.2) = 18.25 degC: 100 at the bottom, insulated on the left, convection 750 to 0 on the right and top."""
    points, tets = box((24, 40, 1), (0.6, 1.0, 0.05))
    x, y, _ = points.T
    outside = [on_boundary(points, tets, near) for near in (x > 0.6 - 1e-9, y > 1 - 1e-9)]
    (nodes, stiffness), (others, more) = (convection(where, 750.0) for where in outside)
    springs = np.concatenate([nodes, others]), np.concatenate([stiffness, more])
    held = y < 1e-9
    problem = steady.prepare(points, tets, LAW, held_where(held), 100.0 * held[:, None], springs)
    solution = steady.solve(problem, np.zeros((len(points), 1)))
    place = np.linalg.norm(points - (0.6, 0.2, 0.0), axis=1).argmin()
    assert solution.field[place, 0] == pytest.approx(18.2538, rel=2e-3)


def test_third_order_and_few_iterations():
    """T = sin(x) exp(y) without a source: third order in the temperature, as few iterations on finer meshes."""
    errors, iterations = [], []
    for cells in (4, 8, 16):
        points, tets = box((cells, cells, cells))
        exact = (np.sin(points[:, 0]) * np.exp(points[:, 1]))[:, None]
        held = np.zeros(len(points), bool)
        held[np.unique(boundary_facets(tets)[0])] = True
        problem = steady.prepare(points, tets, LAW, held_where(held), exact * held[:, None])
        solution = steady.solve(problem, np.zeros_like(exact), tolerance=1e-10)
        # at Gauss points, where interpolation alone is not exact
        shape = element.shape(element.GAUSS_POINTS)
        inside = np.einsum("qa,eai->eqi", shape, points[tets])
        found = np.einsum("qa,ea->eq", shape, solution.field[tets, 0])
        errors.append(np.sqrt(((found - np.sin(inside[..., 0]) * np.exp(inside[..., 1])) ** 2).mean()))
        iterations.append(steady.solve(problem, np.zeros_like(exact), tolerance=1e-6).iterations)
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert orders.min() > 2.8
    assert max(iterations) <= 12


@pytest.mark.parametrize("order", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_the_grid_conducts_through_a_wall_that_does_not_follow_it(order):
    size, hot = (0.2, 0.1, 0.1), 80.0
    cells = block(size, 0.1 / 6.3, (0.37, 0.2, 0.61), order)
    left, right = face(cells, size, 0, 0.0), face(cells, size, 0, size[0])
    count = len(left.weight)
    held = supports.given(cells, LAW, left, np.ones((count, 1, 1)), np.full((count, 1), hot))
    problem = immersed.prepare(cells, LAW, held)
    flux = 1e4
    load = held.force(np.zeros((len(cells.points), 1)))
    load += quadrature.traction(right, np.full((len(right.weight), 1), -flux), len(cells.points))
    solution = immersed.solve(problem, load)
    assert solution.iterations <= 20
    found = immersed.at_points(right, solution.field)[:, 0]
    # springs alone, which hold cells of first order, give by flux / stiffness
    gives = flux / held.springs[0, 0, 0] if order == 1 else 0.0
    exact = hot - flux * size[0] / CONDUCTIVITY - gives
    assert found == pytest.approx(exact, abs=1e-3 * hot)
    assert held.force(solution.field).sum() == pytest.approx(flux * right.area, rel=1e-6)
    inside = np.isin(np.arange(len(cells.points)), cells.nodes[cells.whole])
    recovered = recover(cells, LAW, solution.field)
    assert recovered.nodal[inside, 0] == pytest.approx(-flux, rel=0.02)
