"""Adjoint derivatives against central differences on the same mesh, morphed."""

import jax.numpy as jnp
import numpy as np
import pytest

from solvers import quadrature
from solvers.conduction.law import fourier
from solvers.elasticity.law import lame
from solvers.precision import float64
from solvers.tet10 import loads, sensitivity, steady
from solvers.tet10.faces import boundary_facets
from solvers.tet10.facets import facet_quadrature
from tests.solvers.meshes import box, distort

BASE, SLOPE = np.array([10.0, -30.0, 20.0]), np.array([[5.0, 0, 1], [2, 7, 0], [0, 3, 4]])
PRESSURE, FLUX, CONVECTION = 40.0, 25.0, 3.0
CLOSE = 1e-6


def part():
    points, tets = box((3, 2, 2), (1.5, 1, 1))
    facets, _ = boundary_facets(tets)
    right = np.flatnonzero((points[facets, 0] > 1.5 - 1e-9).all(1))
    return distort(points, 0.03), tets, facets, right, points[:, 0] < 1e-9


def velocity(points):
    """Of the nodes, as a parametrisation of the shape would give it: smooth, nowhere zero."""
    return np.stack([np.sin(2 * points[:, 1]), np.cos(points[:, 0]), points[:, 0] * points[:, 2]], axis=1)


class Bar:
    """Pressure that follows the face and a body force on an elastic bar; J is a weighted mean of its displacement."""

    def __init__(self):
        self.points, self.tets, self.facets, self.right, self.held = part()
        self.weights = np.random.default_rng(1).normal(size=(len(self.points), 3)) / len(self.points)

    def load(self, points):
        where = facet_quadrature(points, self.facets, self.right)
        return quadrature.traction(where, -PRESSURE * where.normal, len(points)) + loads.body_force(
            points, self.tets, BASE, SLOPE
        )

    def problem(self, points, young=200.0, poisson=0.3):
        held = self.held[:, None, None] * np.eye(3)
        return steady.prepare(points, self.tets, float64(lame)(young, poisson), held, np.zeros_like(points))

    def value(self, points, young=200.0, poisson=0.3):
        solution = steady.solve(self.problem(points, young, poisson), self.load(points), tolerance=1e-12)
        return float(np.vdot(self.weights, solution.field))


def test_shape_and_material_of_an_elastic_bar():
    bar = Bar()
    problem = bar.problem(bar.points)
    field = steady.solve(problem, bar.load(bar.points), tolerance=1e-12).field
    adjoint = steady.solve(problem, bar.weights, tolerance=1e-12).field
    shape, of_law = sensitivity.stiffness(bar.points, bar.tets, problem.model.law, field, adjoint)
    where = facet_quadrature(bar.points, bar.facets, bar.right)

    def pushing(at, given):
        return -given["value"] * jnp.vdot(at.weight[:, None] * at.normal, at.values[0])

    gradient = (
        sensitivity.facets(bar.points, where, pushing, {"value": PRESSURE}, adjoint)[0]
        + sensitivity.body_force(bar.points, bar.tets, BASE, SLOPE, adjoint)
        - shape
    )
    moved, step = velocity(bar.points), 1e-5
    slope = (bar.value(bar.points + step * moved) - bar.value(bar.points - step * moved)) / (2 * step)
    assert np.vdot(gradient, moved) == pytest.approx(slope, rel=CLOSE)
    # along each parameter of the law, as Young's modulus changes both
    step = 1e-3
    slope = (bar.value(bar.points, 200 + step) - bar.value(bar.points, 200 - step)) / (2 * step)
    found = -(
        float(of_law.first) * float(problem.model.law.first)
        + float(of_law.shear) * float(problem.model.law.shear)
    )
    assert found / 200 == pytest.approx(slope, rel=CLOSE)


def test_shape_of_a_conductor_with_convection():
    points, tets, facets, right, held = part()
    weights = np.random.default_rng(2).normal(size=(len(points), 1)) / len(points)
    top = np.flatnonzero((points[facets, 2] > points[facets, 2].max() - 0.12).all(1))

    def parts(points):
        cooled, heated = (facet_quadrature(points, facets, chosen) for chosen in (top, right))
        springs = loads.foundation(cooled, np.full((len(cooled.weight), 1, 1), CONVECTION))
        problem = steady.prepare(
            points,
            tets,
            float64(fourier)(50.0),
            held[:, None, None] * 1.0,
            np.zeros((len(points), 1)),
            springs,
        )
        load = quadrature.traction(heated, np.full((len(heated.weight), 1), FLUX), len(points))
        return problem, load, cooled, heated

    def value(points):
        problem, load, *_ = parts(points)
        return float(np.vdot(weights, steady.solve(problem, load, tolerance=1e-12).field))

    problem, load, cooled, heated = parts(points)
    field = steady.solve(problem, load, tolerance=1e-12).field
    adjoint = steady.solve(problem, weights, tolerance=1e-12).field

    def total(at, density):
        return jnp.vdot(at.weight, density[:, 0])

    def heating(at, given):
        return given["flux"] * total(at, at.values[0])

    def cooling(at, given):
        return given["coefficient"] * total(at, at.values[0] * at.values[1])

    gradient = (
        sensitivity.facets(points, heated, heating, {"flux": FLUX}, adjoint)[0]
        - sensitivity.facets(points, cooled, cooling, {"coefficient": CONVECTION}, field, adjoint)[0]
        - sensitivity.stiffness(points, tets, problem.model.law, field, adjoint)[0]
    )
    moved, step = velocity(points), 1e-5
    slope = (value(points + step * moved) - value(points - step * moved)) / (2 * step)
    assert np.vdot(gradient, moved) == pytest.approx(slope, rel=CLOSE)


def test_mean_of_the_flux():
    """Of the von Mises stress of a given field: its slopes along field, positions and law."""
    points, tets, *_ = part()
    law = float64(lame)(200.0, 0.3)
    field = 1e-2 * velocity(points)
    mean = sensitivity.flux_mean(points, tets, law, field, 30.0)

    def value(points, field):
        return sensitivity.flux_mean(points, tets, law, field, 30.0).value

    along = np.random.default_rng(3).normal(size=points.shape)
    step = 1e-6
    slope = (value(points + step * along, field) - value(points - step * along, field)) / (2 * step)
    assert np.vdot(mean.by_points, along) == pytest.approx(slope, rel=CLOSE)
    step = 1e-8  # of a field that is small itself
    slope = (value(points, field + step * along) - value(points, field - step * along)) / (2 * step)
    assert np.vdot(mean.by_field, along) == pytest.approx(slope, rel=CLOSE)
    # von Mises stress knows nothing of pressure, and so nothing of the first parameter
    assert float(mean.by_law.shear) == pytest.approx(mean.value / float(law.shear), rel=CLOSE)
    assert float(mean.by_law.first) == pytest.approx(0, abs=CLOSE * mean.value / float(law.first))
