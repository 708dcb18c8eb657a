"""The grid discretisation against closed forms, on bodies that do not follow the grid."""

import jax.numpy as jnp
import numpy as np
import pytest

from solvers import quadrature
from solvers.buckets import pad
from solvers.elasticity.law import lame
from solvers.hex8 import immersed
from solvers.hex8.recovery import recover
from solvers.precision import float64
from tests.solvers.grids import NOTHING, block, face

YOUNG, POISSON = 210e9, 0.3
STEEL = float64(lame)(YOUNG, POISSON)


@float64
def apply(problem, displacement):
    """Nodal forces under nodal displacements."""
    padded = pad(displacement, problem.operator.grid.node_count)
    return np.asarray(problem.operator.apply(jnp.asarray(padded)))[: len(displacement)]


@pytest.mark.parametrize("shift", [(0, 0, 0), (0.3, 0.55, 0.81)])
def test_a_linear_displacement_leaves_no_force_inside(shift):
    """The patch test: the force is that of the boundary's traction, and nothing at nodes inside."""
    size = (1.0, 0.7, 0.5)
    cells = block(size, 0.13, shift)
    problem = immersed.prepare(cells, STEEL, NOTHING, np.zeros((0, 3, 3)))
    gradient = np.array([[1.0, 0.4, -0.2], [0.3, -0.5, 0.1], [0.2, 0.6, 0.7]]) * 1e-3
    displacement = problem.points @ gradient.T
    stress = recover(problem.cells, problem.law, displacement).nodal
    strain = (gradient + gradient.T) / 2
    exact = 2 * float(STEEL.shear) * strain + float(STEEL.first) * np.trace(strain) * np.eye(3)
    traction = np.zeros_like(displacement)
    for axis in range(3):
        for at in (0.0, size[axis]):
            where = face(cells, size, axis, at, per_cell=12)
            traction += quadrature.traction(where, where.normal @ exact, len(problem.points))
    force = apply(problem, displacement)
    assert np.abs(force - traction).max() < 3e-3 * np.abs(traction).max()
    around = np.bincount(problem.corners[cells.whole].ravel(), minlength=len(force)) == 8
    assert np.abs(force[around]).max() < 1e-9 * np.abs(traction).max()
    assert stress == pytest.approx(
        np.tile(exact[[0, 1, 2, 0, 1, 2], [0, 1, 2, 1, 2, 0]], (len(stress), 1)), rel=1e-6, abs=1.0
    )


@pytest.mark.parametrize("cells_across", [1.0, 2.4, 4.7])
def test_a_cantilever_bends_like_timoshenko(cells_across):
    size = (1.0, 0.1, 0.1)
    cells = block(size, 0.1 / cells_across, (0.37, 0.2, 0.61))
    root, tip = face(cells, size, 0, 0.0), face(cells, size, 0, size[0])
    springs = np.broadcast_to(
        immersed.penalty(STEEL, cells.lattice.edge) * np.eye(3), (len(root.weight), 3, 3)
    )
    problem = immersed.prepare(cells, STEEL, root, springs)
    force = 1000.0
    load = quadrature.traction(
        tip, np.tile([0, 0, force / tip.area], (len(tip.weight), 1)), len(problem.points)
    )
    solution = immersed.solve(problem, load)
    deflection = np.average(immersed.at_points(tip, solution.field)[:, 2], weights=tip.weight)
    inertia, area = 0.1**4 / 12, 0.1**2
    exact = force / (3 * YOUNG * inertia) + force / (5 / 6 * area * float(STEEL.shear))
    assert deflection == pytest.approx(exact, rel=0.02)
