"""Free-form deformation: Bernstein polynomials reproduce what they must."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from solvers import free_form
from solvers.precision import float64

LOW, HIGH = np.array([0.0, -1.0, 2.0]), np.array([3.0, 1.0, 2.5])


def lattice(*counts):
    """Where the control points are (i, j, k, 3)."""
    axes = [np.linspace(LOW[axis], HIGH[axis], count) for axis, count in enumerate(counts)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)


def points(count=50):
    return LOW + np.random.default_rng(0).random((count, 3)) * (HIGH - LOW)


@float64
def test_linear_maps_come_out_exactly():
    matrix, shift = np.array([[0.1, 0.2, 0], [0, -0.1, 0.3], [0.05, 0, 0]]), np.array([0.1, 0.2, 0.3])
    found = free_form.displacement(points(), LOW, HIGH, lattice(4, 3, 2) @ matrix.T + shift)
    np.testing.assert_allclose(found, points() @ matrix.T + shift, atol=1e-14)


@float64
def test_a_lifted_middle_is_a_bernstein_polynomial():
    moves = np.zeros((3, 2, 2, 3))
    moves[1, :, :, 2] = 0.4
    share = (points()[:, 0] - LOW[0]) / (HIGH[0] - LOW[0])
    found = free_form.displacement(points(), LOW, HIGH, moves)
    np.testing.assert_allclose(found[:, 2], 0.4 * 2 * share * (1 - share), atol=1e-14)
    np.testing.assert_allclose(found[:, :2], 0, atol=1e-14)


@float64
def test_it_is_differentiable_in_the_moves():
    moves = 0.1 * np.random.default_rng(1).normal(size=(3, 3, 2, 3))
    direction = np.random.default_rng(2).normal(size=moves.shape)

    def far(own):
        return jnp.sum(free_form.displacement(points(), LOW, HIGH, own) ** 2)

    _, slope = jax.jvp(far, (moves,), (direction,))
    step = 1e-5
    difference = (far(moves + step * direction) - far(moves - step * direction)) / (2 * step)
    assert float(slope) == pytest.approx(float(difference), rel=1e-8)


@float64
def test_stretch_is_that_of_volume():
    squeezed = lattice(2, 2, 2) * 0
    squeezed[:, :, 1, 2] = -0.3  # the box is 0.5 high
    assert free_form.least_stretch(LOW, HIGH, squeezed) == pytest.approx(0.4)
    squeezed[:, :, 1, 2] = -0.7
    assert free_form.least_stretch(LOW, HIGH, squeezed) < 0


def test_the_box_holds_its_sides_to_the_digits_of_files():
    size = HIGH - LOW
    points = np.array([LOW, HIGH, HIGH + 5e-7 * size, HIGH + 1e-5 * size, LOW - 1e-5 * size])
    assert np.asarray(free_form.inside(points, LOW, HIGH)).tolist() == [True, True, True, False, False]
