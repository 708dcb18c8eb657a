"""Quadratic tetrahedra: volumes, orientation, boundaries."""

from __future__ import annotations

import numpy as np
import pytest

from solvers.tet10.element import EDGES, shape_gradient
from twin.meshing import curve
from twin.meshing.volume_mesh import (
    bodies,
    boundary,
    check_points,
    hull,
    jacobians,
    quality,
    volume,
)

CORNERS = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], dtype=np.float64)
REGULAR = np.array([[1, 1, 1], [-1, 1, -1], [1, -1, -1], [-1, -1, 1]], dtype=np.float64)
ONE = np.array([[0, 1, 2, 3]], dtype=np.int32)


def enclosed(points: np.ndarray, triangles: np.ndarray) -> float:
    a, b, c = points[triangles].transpose(1, 0, 2)
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)


def test_a_straight_tetrahedron() -> None:
    points, tets = curve.quadratic(CORNERS, ONE)
    assert points.shape == (10, 3)
    for mid, (a, b) in zip(tets[0, 4:], EDGES, strict=True):
        assert points[mid] == pytest.approx((CORNERS[a] + CORNERS[b]) / 2)
    assert volume(points, tets) == pytest.approx(1 / 6)
    assert jacobians(points, tets, check_points()) == pytest.approx(np.ones((1, 14)))
    assert enclosed(points, boundary(tets)[0]) == pytest.approx(1 / 6)
    assert enclosed(points, hull(tets)) == pytest.approx(1 / 6)
    assert bodies(tets) == 1
    assert quality(points, tets)[0] < 1
    assert quality(*curve.quadratic(REGULAR, ONE))[0] == pytest.approx(
        -1 if enclosed(REGULAR, ONE[:, [0, 2, 1]]) > 9 else 1
    )


def test_gradients_sum_to_nothing_and_reproduce_a_quadratic() -> None:
    random = np.random.default_rng(0)
    barycentric = random.dirichlet(np.ones(4), 5)
    gradients = shape_gradient(barycentric[:, 1:])
    assert gradients.sum(axis=1) == pytest.approx(np.zeros((5, 3)), abs=1e-12)
    points, tets = curve.quadratic(CORNERS, ONE)
    points = points[tets[0]]
    x = barycentric[:, 1:]
    values = points[:, 0] ** 2 + 3 * points[:, 1] * points[:, 2] - points[:, 1]
    exact = np.stack([2 * x[:, 0], 3 * x[:, 2] - 1, 3 * x[:, 1]], axis=1)
    assert np.einsum("pnd,n->pd", gradients, values) == pytest.approx(exact)


def test_the_volume_of_a_curved_element_is_exact() -> None:
    """Against a Monte-Carlo-free reference: many small straight pieces of the same map."""
    random = np.random.default_rng(1)
    points, tets = curve.quadratic(CORNERS, ONE)
    points[4:] += random.normal(0, 0.03, (6, 3))
    nodes, weights = np.polynomial.legendre.leggauss(6)
    nodes, weights = (nodes + 1) / 2, weights / 2
    u, v, w = np.meshgrid(nodes, nodes, nodes, indexing="ij")
    at = np.stack([u, v * (1 - u), w * (1 - u) * (1 - v * (1 - u) / (1 - u))], axis=-1).reshape(-1, 3)
    measure = (np.einsum("i,j,k->ijk", weights, weights, weights) * (1 - u) ** 2 * (1 - v)).reshape(-1)
    full = np.column_stack([1 - at.sum(axis=1), at])
    assert volume(points, tets) == pytest.approx(float(jacobians(points, tets, full)[0] @ measure), rel=1e-10)


def test_negative_elements_are_turned_and_orphans_dropped() -> None:
    points = np.concatenate([[[9.0, 9, 9]], CORNERS])
    fixed, tets = curve.compact(points, ONE[:, [0, 2, 1, 3]] + 1)
    assert len(fixed) == 4
    assert volume(*curve.quadratic(fixed, tets)) == pytest.approx(1 / 6)


def test_a_spoiled_element_is_straightened() -> None:
    points, tets = curve.quadratic(CORNERS, ONE)
    points[tets[0, 4]] += (0.0, 0.6, 0.6)
    assert jacobians(points, tets, check_points()).min() < 0
    mended, count = curve.straighten(points, tets)
    assert count >= 1
    assert jacobians(mended, tets, check_points()).min() > 0


def test_bodies_are_joined_by_faces_only() -> None:
    points = np.concatenate([CORNERS, -CORNERS[1:]])
    _, tets = curve.quadratic(points, np.array([[0, 1, 2, 3], [0, 4, 5, 6]], dtype=np.int32))
    assert bodies(tets) == 2
