"""Interpolation in quadratic tetrahedra reproduces what they can represent."""

from __future__ import annotations

import numpy as np
import pytest
from sdk_meshes import cube_mesh

from twin.errors import InvalidInput
from twin.sdk.interpolation import Interpolator


def test_quadratic_field_is_reproduced():
    points, tets = cube_mesh()

    def field(p):
        x, y, z = p.T
        return np.stack([1 + x * y - z**2, x**2 + 3 * y], axis=1)

    where = np.random.default_rng(0).random((50, 3))
    assert np.allclose(Interpolator(points, tets)(field(points), where), field(where), atol=1e-12)


def test_linear_field_is_reproduced_in_curved_elements():
    points, tets = cube_mesh(bulge=0.2)
    where = np.random.default_rng(1).random((50, 3)) * 0.6 + 0.2
    found = Interpolator(points, tets)(points @ np.array([[1.0], [2.0], [3.0]]), where)
    assert np.allclose(found[:, 0], where @ [1.0, 2.0, 3.0], atol=1e-10)


def test_nodes_and_corners_belong_to_the_part():
    points, tets = cube_mesh()
    assert np.allclose(Interpolator(points, tets)(points, points), points, atol=1e-12)


def test_a_point_on_the_true_surface_just_outside_is_taken_at_the_mesh():
    points, tets = cube_mesh()
    found = Interpolator(points, tets)(points, np.array([[0.5, 0.5, 1.001]]))
    assert np.allclose(found, [[0.5, 0.5, 1.0]], atol=1e-3)


@pytest.mark.parametrize(
    ("stranger", "words"),
    [
        ([0.5, 0.5, 1.5], "1 of 2 points lie outside the part. The first is number 1, .* 500 mm"),
        ([np.nan, 0.0, 0.0], "not a finite number"),
    ],
)
def test_points_outside_are_refused_in_words(stranger, words):
    points, tets = cube_mesh()
    with pytest.raises(InvalidInput, match=words):
        Interpolator(points, tets)(points, np.array([[0.5, 0.5, 0.5], stranger]))
