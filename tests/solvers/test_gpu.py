"""The same answer on an accelerator as on the CPU."""

import jax
import numpy as np
import pytest

from solvers.elasticity import loads, static
from solvers.elasticity.model import lame
from solvers.elasticity.recovery import Recovery
from solvers.precision import float64
from tests.solvers.meshes import box, distort


def solve():
    points, tets = box((12, 4, 4), (3, 1, 1), bend=lambda p: distort(p, 0.01))
    held = np.zeros((len(points), 3, 3))
    held[points[:, 0] < points[:, 0].min() + 0.05] = np.eye(3)
    load = loads.body_force(points, tets, np.array([1e5, 0, -1e6]), np.zeros((3, 3)))
    problem = static.prepare(points, tets, float64(lame)(210e9, 0.3), held, np.zeros_like(points))
    solution = static.solve(problem, load, tolerance=1e-10)
    return solution.displacement, Recovery(problem, points, tets)(solution.displacement)


@pytest.mark.gpu
def test_accelerator_agrees_with_cpu():
    if jax.default_backend() == "cpu":
        pytest.skip("jax has no accelerator here: pip install 'twin[cuda]' on a machine with one")
    moved, stress = solve()
    with jax.default_device(jax.devices("cpu")[0]):
        expected, expected_stress = solve()
    assert np.abs(moved - expected).max() < 1e-6 * np.abs(expected).max()
    assert np.abs(stress.nodal - expected_stress.nodal).max() < 1e-5 * np.abs(expected_stress.nodal).max()
    assert stress.relative_energy_error == pytest.approx(expected_stress.relative_energy_error, rel=1e-4)
