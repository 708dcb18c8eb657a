"""Elasticity: the patch test, exact recovery, loads that carry their resultants, rigid couplings."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers import quadrature
from solvers.elasticity import constraints, coupling
from solvers.elasticity.invariants import von_mises
from solvers.elasticity.law import lame
from solvers.iteration import SolveError
from solvers.precision import float64
from solvers.tet10 import loads, steady, stiffness
from solvers.tet10.faces import boundary_facets
from solvers.tet10.facets import facet_quadrature
from solvers.tet10.mesh import tet_mesh
from solvers.tet10.recovery import Recovery
from tests.solvers.meshes import box, distort

STEEL = float64(lame)(210e9, 0.3)
vectors = st.tuples(*[st.floats(-10, 10)] * 3).map(np.array)


def _boundary(points, tets):
    facets, _ = boundary_facets(tets)
    return facets, facet_quadrature(points, facets, np.arange(len(facets)))


def test_patch_test_to_round_off():
    """A linear displacement on the boundary of a distorted mesh gives it everywhere, with its constant stress."""
    points, tets = box((3, 3, 3), bend=lambda p: p)
    corners = distort(points, 0.02)
    # Straight elements: midsides halfway between the moved corners.
    from solvers.tet10.element import EDGES

    for middle, (a, b) in enumerate(EDGES, start=4):
        corners[tets[:, middle]] = (corners[tets[:, a]] + corners[tets[:, b]]) / 2
    gradient = np.array([[1.0, 2, -1], [0.5, -1, 3], [2, 0, 0.7]]) * 1e-3
    exact = corners @ gradient.T
    held = np.zeros((len(points), 3, 3))
    facets, _ = _boundary(corners, tets)
    held[np.unique(facets)] = np.eye(3)
    problem = steady.prepare(corners, tets, STEEL, held, exact * held.any((1, 2))[:, None])
    solution = steady.solve(problem, np.zeros_like(points), tolerance=1e-13)
    assert np.abs(solution.field - exact).max() < 1e-10 * np.abs(exact).max()
    strain = (gradient + gradient.T) / 2
    stress = 2 * float(STEEL.shear) * strain + float(STEEL.first) * np.trace(strain) * np.eye(3)
    expected = stress[[0, 1, 2, 0, 1, 2], [0, 1, 2, 1, 2, 0]]
    recovered = Recovery(problem, corners, tets)(solution.field)
    assert np.abs(recovered.nodal - expected).max() < 1e-9 * np.abs(expected).max()
    assert recovered.relative_energy_error < 1e-9


@float64
def test_forces_of_elements_are_the_same_in_the_form_for_a_gpu(monkeypatch):
    points, tets = box((3, 2, 2))
    mesh = tet_mesh(distort(points, 0.02), tets)
    field = jnp.asarray(np.random.default_rng(0).normal(size=(mesh.node_count, 3)))
    by_products = stiffness.internal_force(mesh, STEEL, field)
    monkeypatch.setattr(stiffness, "CHUNK", 0)
    by_sums = stiffness.internal_force(mesh, STEEL, field)
    assert jnp.abs(by_sums - by_products).max() < 1e-12 * jnp.abs(by_products).max()


def test_recovery_reproduces_a_linear_stress():
    """Pure bending: quadratic displacement, linear stress, no error left to estimate."""
    points, tets = box((4, 2, 2), (2, 1, 1))
    x, y, z = points.T
    curvature, poisson = 1e-3, 0.3
    displacement = curvature * np.stack(
        [-x * z, poisson * y * z, (x**2 + poisson * (z**2 - y**2)) / 2], axis=1
    )
    held = np.zeros((len(points), 3, 3))
    held[:4] = np.eye(3)
    problem = steady.prepare(points, tets, STEEL, held, np.zeros_like(points))
    recovered = Recovery(problem, points, tets)(displacement)
    expected = np.zeros((len(points), 6))
    expected[:, 0] = -210e9 * curvature * z
    assert np.abs(recovered.nodal - expected).max() < 1e-6 * np.abs(expected).max()
    assert recovered.relative_energy_error < 1e-6


def test_von_mises_of_known_states():
    assert von_mises(np.array([3.0, 0, 0, 0, 0, 0])) == pytest.approx(3)
    assert von_mises(np.array([5.0, 5, 5, 0, 0, 0])) == pytest.approx(0)
    assert von_mises(np.array([0, 0, 0, 2.0, 0, 0])) == pytest.approx(2 * 3**0.5)


@settings(max_examples=25, deadline=None)
@given(force=vectors, moment=vectors, at=vectors)
def test_distributing_coupling_carries_force_and_moment(force, moment, at):
    points, tets = box((2, 2, 1), bend=lambda p: distort(p, 0.02))
    _, everywhere = _boundary(points, tets)
    where = everywhere[everywhere.position[:, 2] > 0.8]
    nodal = quadrature.traction(where, coupling.distributed(where, force, moment, at), len(points))
    scale = 1 + np.abs(force).max() + np.abs(moment).max() + np.abs(np.cross(at, force)).max()
    np.testing.assert_allclose(nodal.sum(0), force, atol=1e-9 * scale)
    expected = moment + np.cross(at, force)
    np.testing.assert_allclose(np.cross(points, nodal).sum(0), expected, atol=1e-3 * scale)


def test_body_forces_carry_weight_and_centrifugal_force():
    points, tets = box((2, 2, 2), (2, 1, 1), bend=lambda p: distort(p, 0.02))
    mesh = float64(tet_mesh)(points, tets)
    volume = float(np.asarray(mesh.weight).sum())
    weight = loads.body_force(points, tets, np.array([0, 0, -9.81]), np.zeros((3, 3)))
    assert weight.sum(0) == pytest.approx([0, 0, -9.81 * volume], rel=1e-10, abs=1e-10)
    straight, tets = box((2, 2, 2), (2, 1, 1))
    spin = loads.body_force(straight, tets, np.zeros(3), np.diag([1.0, 1, 0]))
    assert spin.sum(0) == pytest.approx([2.0, 1.0, 0.0], abs=1e-10)  # volume times centroid


def test_rigid_region_moves_as_a_body_and_balances_its_load():
    points, tets = box((6, 2, 2), (3, 1, 1))
    held = np.zeros((len(points), 3, 3))
    held[points[:, 0] < 1e-9] = np.eye(3)
    tip = points[:, 0] > 3 - 1e-9
    both = held.copy()
    both[tip] = np.eye(3)
    at, force, moment = np.array([4.0, 0.2, 0.3]), np.array([1e6, 2e6, -3e6]), np.array([1e5, 0, 2e5])
    problem = steady.prepare(points, tets, STEEL, both, np.zeros_like(points))
    unit = coupling.unit_motions(problem, points, [coupling.RigidRegion(tip, at)])
    coupled = coupling.solve_coupled(problem, unit, np.zeros_like(points), [(force, moment)])
    solution = coupled.solution
    motions = constraints.rigid_motions(points[tip], at).reshape(-1, 6)
    moved = solution.field[tip].ravel()
    amplitude = np.linalg.lstsq(motions, moved, rcond=None)[0]
    assert np.abs(motions @ amplitude - moved).max() < 1e-9 * np.abs(moved).max()
    support = steady.internal_force(problem, solution.field)[points[:, 0] < 1e-9]
    assert support.sum(0) == pytest.approx(-force, rel=1e-7)
    assert coupled.rigid_work == pytest.approx(np.concatenate([force, moment]) @ amplitude, rel=1e-6)
    strain = np.vdot(solution.field, steady.internal_force(problem, solution.field))
    assert coupled.rigid_work == pytest.approx(strain, rel=1e-6)  # all of the work is stored
    turned = np.cross(points[points[:, 0] < 1e-9], support).sum(0)
    assert turned == pytest.approx(-(moment + np.cross(at, force)), rel=1e-5)


def test_sliding_nodes_are_held_along_every_face_they_touch():
    nodes = np.array([0, 0, 1, 2, 2])
    normals = np.array([[1, 0, 0], [0.999, 0.0447, 0], [0, 1, 0], [1, 0, 0], [0, 0, 1]], float)
    held = constraints.normal_directions(nodes, normals, np.ones(5), 4)
    assert [round(float(np.trace(h))) for h in held] == [1, 1, 2, 0]


@pytest.mark.parametrize(
    ("held", "free"),
    [([1, 1, 1], 0), ([0, 0, 1], 3), ([1, 1, 0], 1)],
    ids=["clamped", "against z", "along z"],
)
def test_rigid_motions_left_free(held, free):
    points = np.random.default_rng(0).uniform(size=(50, 3))
    directions = np.tile(np.diag(np.array(held, float)), (50, 1, 1))
    holding = constraints.Holding(points, directions, np.ones(50), constraints.EXACT)
    motions, _ = constraints.free_rigid_motions([holding])
    assert len(motions) == free


@pytest.mark.parametrize("thickness", [1e-2, 1e-4])
def test_a_thin_or_small_support_holds_as_well_as_a_large_one(thickness):
    rng = np.random.default_rng(0)
    sheet = rng.uniform(size=(30, 3)) * [0, 1, thickness]  # the clamped end of a thin sheet
    clamp = constraints.Holding(sheet, np.tile(np.eye(3), (30, 1, 1)), np.ones(30), constraints.EXACT)
    assert len(constraints.free_rigid_motions([clamp])[0]) == 0
    plate = rng.uniform(size=(50, 3)) * [10, 10, 0]
    against = np.tile(np.diag([0, 0, 1.0]), (50, 1, 1))
    roller = constraints.Holding(plate, against, np.full(50, 2.0), constraints.ALONG_NORMALS)
    pin = constraints.Holding(sheet * 0.05, np.tile(np.eye(3), (30, 1, 1)), np.ones(30), constraints.EXACT)
    assert len(constraints.free_rigid_motions([roller])[0]) == 3
    assert len(constraints.free_rigid_motions([roller, pin])[0]) == 0


def test_an_unheld_part_breaks_down_with_words():
    points, tets = box((2, 2, 2))
    held = np.zeros((len(points), 3, 3))
    held[0] = np.eye(3)
    problem = steady.prepare(points, tets, STEEL, held, np.zeros_like(points))
    load = np.zeros_like(points)
    load[points[:, 0] > 1 - 1e-9, 1] = 1.0
    with pytest.raises(SolveError, match="relative residual"):
        steady.solve(problem, load)
