"""The reference element: completeness, and rules that are exact to their degree."""

from math import factorial

import numpy as np
import pytest

from solvers.tet10 import element
from solvers.tet10.loads import VOLUME_POINTS, VOLUME_WEIGHTS


def _monomial_over_tetrahedron(a: int, b: int, c: int) -> float:
    return factorial(a) * factorial(b) * factorial(c) / factorial(a + b + c + 3)


@pytest.mark.parametrize(
    ("points", "weights", "degree"),
    [(element.GAUSS_POINTS, element.GAUSS_WEIGHTS, 2), (VOLUME_POINTS, VOLUME_WEIGHTS, 3)],
)
def test_volume_rules_are_exact_to_their_degree(points, weights, degree):
    for a in range(degree + 1):
        for b in range(degree + 1 - a):
            for c in range(degree + 1 - a - b):
                found = weights @ (points ** [a, b, c]).prod(1)
                assert found == pytest.approx(_monomial_over_tetrahedron(a, b, c), rel=1e-12)


def test_triangle_rule_is_exact_to_degree_four():
    for a in range(5):
        for b in range(5 - a):
            exact = factorial(a) * factorial(b) / factorial(a + b + 2)
            found = element.TRIANGLE_WEIGHTS @ (element.TRIANGLE_POINTS ** [a, b]).prod(1)
            assert found == pytest.approx(exact, rel=1e-12)


def test_shape_functions_interpolate_and_sum_to_one():
    np.testing.assert_allclose(element.shape(element.NODES), np.eye(10), atol=1e-14)
    points = np.random.default_rng(0).dirichlet(np.ones(4), 20)[:, 1:]
    np.testing.assert_allclose(element.shape(points).sum(1), 1, rtol=1e-13)
    np.testing.assert_allclose(element.shape_gradient(points).sum(1), 0, atol=1e-13)


def test_shape_gradients_are_the_derivatives():
    points = np.random.default_rng(1).dirichlet(np.ones(4), 5)[:, 1:]
    step = 1e-6
    for axis in range(3):
        change = element.shape(points + step * np.eye(3)[axis]) - element.shape(
            points - step * np.eye(3)[axis]
        )
        np.testing.assert_allclose(change / (2 * step), element.shape_gradient(points)[:, :, axis], atol=1e-8)


def test_faces_look_outwards():
    for face in element.FACES:
        a, b, c = element.NODES[face[:3]]
        normal = np.cross(b - a, c - a)
        assert normal @ (a - element.NODES[:4].mean(0)) > 0
        np.testing.assert_allclose(element.NODES[face[3:]], [(a + b) / 2, (b + c) / 2, (c + a) / 2])
