"""The grid discretisation against closed forms, on bodies that do not follow the grid."""

import jax.numpy as jnp
import numpy as np
import pytest

from solvers.buckets import pad
from solvers.elasticity import immersed
from solvers.elasticity.model import lame
from solvers.hex8 import element
from solvers.hex8.cells import FilledCells, Lattice
from solvers.precision import float64
from solvers.tet10.facets import FacetQuadrature

YOUNG, POISSON = 210e9, 0.3
STEEL = float64(lame)(YOUNG, POISSON)
NOTHING = FacetQuadrature(
    np.zeros(0, int), np.zeros((0, 8), int), np.zeros((0, 8)), *np.zeros((2, 0, 3)), np.zeros(0)
)


def block(size, edge, shift=(0.0, 0.0, 0.0)):
    """Cells of a block with a corner at the origin, in a grid that lies `shift` cells off it."""
    origin = -np.array(shift) * edge
    shape = np.ceil((np.array(size) - origin) / edge - 1e-9).astype(int)
    index = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1).reshape(-1, 3)
    lower = np.clip((0 - origin) / edge - index, 0, 1)
    upper = np.clip((np.array(size) - origin) / edge - index, 0, 1)
    moments = element.box_moments(lower, upper)
    return FilledCells(Lattice(origin, edge, shape, index), moments)


def face(cells, size, axis, at, per_cell=4):
    """Quadrature on the block's face that is normal to an axis."""
    others = [k for k in range(3) if k != axis]
    counts = [max(2, round(per_cell * size[k] / cells.lattice.edge)) for k in others]
    grids = np.meshgrid(*((np.arange(n) + 0.5) / n * size[k] for n, k in zip(counts, others, strict=True)))
    points = np.zeros((grids[0].size, 3))
    points[:, axis] = at
    points[:, others[0]], points[:, others[1]] = grids[0].ravel(), grids[1].ravel()
    normal = np.zeros_like(points)
    normal[:, axis] = 1.0 if at else -1.0
    cell, local = cells.lattice.locate(points, -normal)
    area = size[others[0]] * size[others[1]] / len(points)
    corners = cells.lattice.nodes[1]
    return FacetQuadrature(
        cell, corners[cell], element.shape(local), points, normal, np.full(len(points), area)
    )


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
    stress = immersed.recover(problem, displacement).nodal
    strain = (gradient + gradient.T) / 2
    exact = 2 * float(STEEL.shear) * strain + float(STEEL.first) * np.trace(strain) * np.eye(3)
    traction = np.zeros_like(displacement)
    for axis in range(3):
        for at in (0.0, size[axis]):
            where = face(cells, size, axis, at, per_cell=12)
            traction += immersed.loads.traction(where, where.normal @ exact, len(problem.points))
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
    load = immersed.loads.traction(
        tip, np.tile([0, 0, force / tip.area], (len(tip.weight), 1)), len(problem.points)
    )
    solution = immersed.solve(problem, load)
    deflection = np.average(immersed.at_points(tip, solution.displacement)[:, 2], weights=tip.weight)
    inertia, area = 0.1**4 / 12, 0.1**2
    exact = force / (3 * YOUNG * inertia) + force / (5 / 6 * area * float(STEEL.shear))
    assert deflection == pytest.approx(exact, rel=0.02)
