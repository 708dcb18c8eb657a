"""Different parts of one size are solved by the same compiled programs: the second asks jax to compile nothing."""

import numpy as np
import pytest
import trimesh

import twin
from solvers.buckets import bucket
from solvers.cutcell import immersed
from solvers.cutcell.recovery import recover
from solvers.elasticity.law import lame
from solvers.precision import float64
from tests.benchmarks.solids.peers.ours import Compilations
from twin import select
from twin.analyses.immersed_boundary import ImmersedBoundary
from twin.analyses.static_stress.immersed_supports import supported
from twin.geometry.patches import find_patches
from twin.geometry.surface import Surface
from twin.gridding import fill

STEEL = float64(lame)(210e9, 0.3)


def box(size, corner):
    solid = trimesh.creation.box(extents=size)
    solid.apply_translation(np.array(corner) + np.array(size) / 2)
    return solid


def holed():
    """A block with a hole."""
    hole = trimesh.creation.cylinder(radius=0.25, height=2)
    return trimesh.boolean.difference([box((1.2, 1, 0.8), (-0.6, -0.5, -0.4)), hole], engine="manifold")


def angle():
    """Two legs."""
    return trimesh.boolean.union(
        [box((1.4, 0.8, 0.4), (0, 0, 0)), box((0.4, 0.8, 1.1), (0, 0, 0))], engine="manifold"
    )


def solve(part, cells_wanted, order):
    """Held at its lowest fifth along x, under its weight; its cells."""
    vertices, triangles = np.array(part.vertices), np.array(part.faces)
    surface = Surface(
        vertices, triangles.astype(np.int32), find_patches(vertices, triangles.astype(np.int64))
    )
    edge = (surface.volume / cells_wanted) ** (1 / 3)
    for _ in range(2):
        edge *= (len(fill(surface, edge)) / cells_wanted) ** (1 / 3)
    cells = fill(surface, edge, order)
    boundary = ImmersedBoundary(surface, cells)
    low, high = np.array(surface.bounds)
    high[0] = 0.8 * low[0] + 0.2 * high[0]
    held = supported(boundary, STEEL, (twin.Fixed(on=select.box(tuple(low - 1e-6), tuple(high + 1e-6))),))
    load = boundary.body_force(np.array([0, 0, -7.6e4]), np.zeros((3, 3)))
    solution = immersed.solve(immersed.prepare(cells, STEEL, held), load)
    assert np.isfinite(recover(cells, STEEL, solution.field).nodal).all()
    return cells


@pytest.mark.parametrize(("order", "count"), [(1, 7300), (2, 1600)])
def test_a_second_part_of_the_size_compiles_nothing_on_the_grid(order, count):
    first = solve(holed(), count, order)
    with Compilations.watched() as compilations:
        second = solve(angle(), count, order)
    assert bucket(len(first), 1024) == bucket(len(second), 1024)
    assert compilations.programs() == {}
