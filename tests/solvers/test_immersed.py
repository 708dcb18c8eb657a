"""The grid discretisation against closed forms, on bodies that do not follow the grid."""

import jax.numpy as jnp
import numpy as np
import pytest

from solvers import quadrature
from solvers.buckets import pad
from solvers.cutcell import immersed, supports
from solvers.cutcell.recovery import recover
from solvers.elasticity.law import lame
from solvers.precision import float64
from tests.solvers.grids import block, face

YOUNG, POISSON = 210e9, 0.3
STEEL = float64(lame)(YOUNG, POISSON)


@float64
def apply(problem, displacement):
    """Nodal forces under nodal displacements."""
    padded = pad(displacement, problem.operator.node_count)
    return np.asarray(problem.operator.apply(jnp.asarray(padded)))[: len(displacement)]


def holding(cells, where, ground=None):
    """A face held in all directions."""
    every = np.broadcast_to(np.eye(3), (len(where.weight), 3, 3))
    return supports.given(
        cells, STEEL, where, every, np.zeros((len(where.weight), 3)) if ground is None else ground
    )


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("shift", [(0, 0, 0), (0.3, 0.55, 0.81)])
def test_a_linear_displacement_leaves_no_force_inside(shift, order):
    """The patch test: the force is that of the boundary's traction, and nothing at nodes inside."""
    size = (1.0, 0.7, 0.5)
    cells = block(size, 0.13, shift, order)
    problem = immersed.prepare(cells, STEEL, supports.joined(cells, STEEL, []))
    gradient = np.array([[1.0, 0.4, -0.2], [0.3, -0.5, 0.1], [0.2, 0.6, 0.7]]) * 1e-3
    displacement = cells.points @ gradient.T
    stress = recover(cells, STEEL, displacement).nodal
    strain = (gradient + gradient.T) / 2
    exact = 2 * float(STEEL.shear) * strain + float(STEEL.first) * np.trace(strain) * np.eye(3)
    traction = np.zeros_like(displacement)
    for axis in range(3):
        for at in (0.0, size[axis]):
            where = face(cells, size, axis, at)
            traction += quadrature.traction(where, where.normal @ exact, len(cells.points))
    force = apply(problem, displacement)
    assert np.abs(force - traction).max() < (3e-3 if order == 1 else 1e-10) * np.abs(traction).max()
    around = (
        np.bincount(cells.nodes[cells.whole].ravel(), minlength=len(force))
        == np.bincount(block((9, 9, 9), 1.0, order=order).nodes.ravel()).max()
    )
    assert np.abs(force[around]).max() < 1e-9 * np.abs(traction).max()
    assert stress == pytest.approx(
        np.tile(exact[[0, 1, 2, 0, 1, 2], [0, 1, 2, 1, 2, 0]], (len(stress), 1)), rel=1e-6, abs=1.0
    )


@pytest.mark.parametrize("shift", [(0, 0, 0), (0.3, 0.55, 0.81)])
def test_a_linear_field_that_is_given_all_round_is_the_solution(shift):
    """Nitsche's method, however the faces cut the cells: where there is little in them springs alone give a little."""
    size = (1.0, 0.7, 0.5)
    cells = block(size, 0.13, shift, 2)
    gradient = np.array([[1.0, 0.4, -0.2], [0.3, -0.5, 0.1], [0.2, 0.6, 0.7]]) * 1e-3
    faces = [face(cells, size, axis, at) for axis in range(3) for at in (0.0, size[axis])]
    every = supports.joined(
        cells, STEEL, [holding(cells, where, where.position @ gradient.T) for where in faces]
    )
    problem = immersed.prepare(cells, STEEL, every)
    solution = immersed.solve(problem, every.force(np.zeros_like(cells.points)), tolerance=1e-11)
    met = immersed.at_points(every.where, solution.field)
    exact = every.where.position @ gradient.T
    assert np.abs(met - exact).max() < 2e-3 * np.abs(exact).max()
    force = every.force(solution.field)
    assert np.abs(force.sum(axis=0)).max() < 1e-6 * np.abs(force).max()
    assert solution.iterations <= 60  # to 1e-11


@pytest.mark.parametrize(
    ("cells_across", "order"),
    [(2.4, 1), (4.7, 1), (2.4, 2), pytest.param(4.7, 2, marks=pytest.mark.slow)],
)
def test_a_cantilever_bends_like_timoshenko(cells_across, order):
    size = (1.0, 0.1, 0.1)
    cells = block(size, 0.1 / cells_across, (0.37, 0.2, 0.61), order)
    root, tip = face(cells, size, 0, 0.0), face(cells, size, 0, size[0])
    problem = immersed.prepare(cells, STEEL, holding(cells, root))
    force = 1000.0
    load = quadrature.traction(
        tip, np.tile([0, 0, force / tip.area], (len(tip.weight), 1)), len(cells.points)
    )
    solution = immersed.solve(problem, load)
    deflection = np.average(immersed.at_points(tip, solution.field)[:, 2], weights=tip.weight)
    inertia, area = 0.1**4 / 12, 0.1**2
    exact = force / (3 * YOUNG * inertia) + force / (5 / 6 * area * float(STEEL.shear))
    assert deflection == pytest.approx(exact, rel=0.02)


@pytest.mark.parametrize("shift", [(0, 0, 0), (0.37, 0.2, 0.61)])
@pytest.mark.parametrize("cells_across", [1.3, 2.4])
def test_stress_of_a_bent_wall_is_that_of_a_beam_to_its_edges(cells_across, shift):
    """Pure bending, exact in all of the wall; of cells that have one flux each, and of walls hardly wider than one."""
    size, curvature = np.array((0.6, 0.1, 0.13)), 1e-3
    cells = block(size, 0.1 / cells_across, shift)
    across, middle = (0.0, 1.0, 0.0), size / 2

    def exact(points):
        x, y, z = points[:, 0], *(points[:, 1:] - middle[1:]).T
        return curvature * np.stack([x * y, -(x**2 + POISSON * (y**2 - z**2)) / 2, -POISSON * y * z], axis=1)

    root, tip = face(cells, size, 0, 0.0), face(cells, size, 0, size[0])
    held = holding(cells, root, exact(root.position))
    pull = YOUNG * curvature * (tip.position - middle) @ np.outer(across, (1, 0, 0))
    load = held.force(np.zeros_like(cells.points)) + quadrature.traction(tip, pull, len(cells.points))
    field = immersed.solve(immersed.prepare(cells, STEEL, held), load).field
    stress = recover(cells, STEEL, field).nodal
    lines = [size[0] * np.linspace(0.4, 0.6, 5), *(s * np.linspace(0, 1, 7) for s in size[1:])]
    inside = np.stack(np.meshgrid(*lines, indexing="ij"), -1).reshape(-1, 3)
    cell, local = cells.lattice.locate(inside)
    found = np.einsum("pa,pas->ps", cells.element.shape(local), stress[cells.nodes[cell]])
    wanted = np.zeros_like(found)
    wanted[:, 0] = YOUNG * curvature * (inside[:, 1] - middle[1])
    assert np.abs(found - wanted).max() < 0.02 * wanted.max()
