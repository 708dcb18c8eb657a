"""The preconditioner: symmetric, and as good on a fine mesh as on a coarse one."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from solvers.buckets import bucket, pad
from solvers.elasticity.law import lame
from solvers.multigrid import bricks
from solvers.precision import float64
from solvers.tet10 import steady
from solvers.tet10.stiffness import FreeStiffness
from tests.solvers.meshes import box

STEEL = float64(lame)(210e9, 0.3)


def cantilever(cells):
    points, tets = box(cells, (4, 1, 1))
    held = np.zeros((len(points), 3, 3))
    held[points[:, 0] < 1e-9] = np.eye(3)
    load = np.zeros_like(points)
    load[points[:, 0] > 4 - 1e-9, 2] = -1e3
    return steady.prepare(points, tets, STEEL, held, np.zeros_like(points)), load


def test_iterations_are_flat_in_mesh_size():
    counts = []
    for cells in ((8, 2, 2), (16, 4, 4), (32, 8, 8)):
        problem, load = cantilever(cells)
        counts.append(steady.solve(problem, load, tolerance=1e-6).iterations)
    assert max(counts) <= 20
    assert counts[-1] <= counts[0] + 6


@float64
def test_preconditioner_is_symmetric_and_positive():
    problem, _ = cantilever((8, 2, 2))
    free = np.asarray(problem.model.free)
    rng = np.random.default_rng(0)
    a, b = (np.einsum("nij,nj->ni", free, rng.standard_normal(free.shape[:2])) for _ in range(2))
    image_a, image_b = (np.asarray(problem.preconditioner.apply(jnp.asarray(v))) for v in (a, b))
    assert np.vdot(a, image_a) > 0
    assert np.vdot(a, image_b) == pytest.approx(np.vdot(b, image_a), rel=1e-3, abs=1e-5 * np.vdot(a, image_a))


@float64
def test_operator_is_symmetric_and_leaves_rigid_motions_alone():
    problem, _ = cantilever((4, 1, 1))
    operator = FreeStiffness(problem.model)
    free = np.asarray(problem.model.free)
    rng = np.random.default_rng(0)
    a, b = (jnp.einsum("nij,nj->ni", free, rng.standard_normal(free.shape[:2])) for _ in range(2))
    assert float(jnp.vdot(a, operator.apply(b))) == pytest.approx(
        float(jnp.vdot(b, operator.apply(a))), rel=1e-10
    )
    rigid = np.tile([1.0, 2.0, 3.0], (problem.count, 1))
    force = steady.internal_force(problem, rigid)
    stiffness = np.abs(np.asarray(problem.model.mesh.inverse_jacobian)).max() * 210e9
    assert np.abs(force).max() < 1e-9 * stiffness


def test_buckets_are_few_and_never_too_small():
    sizes = [bucket(n, 64) for n in range(1, 50_000)]
    assert all(size >= n for n, size in enumerate(sizes, start=1))
    assert all(size <= max(64, 1.26 * n + 64) for n, size in enumerate(sizes, start=1))
    assert len(set(sizes)) < 40
    assert all(bucket(size, 64) == size for size in set(sizes))
    assert pad(np.ones((2, 3)), 4).tolist() == [[1] * 3] * 2 + [[0] * 3] * 2


@pytest.mark.parametrize("cells", [(22, 4, 5), (13, 7, 5), (46, 3, 3)])
def test_parts_of_one_bucket_share_their_programs(cells):
    def shapes(cells):
        points, tets = box(cells, tuple(0.01 * n for n in cells))
        held = np.zeros((len(points), 3, 3))
        held[points[:, 0] < 1e-9] = np.eye(3)
        problem = steady.prepare(points, tets, STEEL, held, np.zeros_like(points))
        arrays, rest = eqx.partition((problem.model, problem.preconditioner), eqx.is_array)
        return [a.shape for a in jax.tree.leaves(arrays)], jax.tree.structure(rest)

    assert shapes(cells) == shapes((12, 6, 6))


@float64
def test_forces_of_bricks_are_the_same_in_the_form_for_a_gpu(monkeypatch):
    shape = np.array([6, 5, 4])
    index = np.stack(np.unravel_index(np.arange(shape.prod()), tuple(shape)), axis=1)
    nodes = np.arange((shape + 1).prod())
    rng = np.random.default_rng(0)
    cells = bricks.bricks(index, rng.uniform(0.1, 1, len(index)), nodes, shape, np.float64, usual=8)
    unit = rng.normal(size=(24, 24))
    field = jnp.asarray(rng.normal(size=(len(nodes), 3)))
    by_product = bricks.add_force(cells, unit, field, jnp.zeros_like(field))
    monkeypatch.setattr(bricks, "CHUNK", 0)
    by_sums = bricks.add_force(cells, unit, field, jnp.zeros_like(field))
    assert jnp.abs(by_sums - by_product).max() < 1e-12 * jnp.abs(by_product).max()
