"""A cantilever against Timoshenko's beam, and results that turn with the part."""

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

import twin
from solvers.elasticity.invariants import von_mises
from solvers.elasticity.law import lame
from solvers.precision import float64
from solvers.tet10 import loads, steady
from solvers.tet10.recovery import Recovery
from tests.solvers.meshes import box
from tests.verification import shapes

LENGTH, WIDTH, HEIGHT, FORCE = 0.2, 0.02, 0.03, 2e3


@pytest.mark.parametrize("poisson", [0.0, 0.3])
def test_cantilever(client, tmp_path, poisson):
    """Tip deflection F L^3 / (3 E I) + F L / (kappa G A); reactions that balance; bending stress at mid-span."""
    young = 70e9
    part = client.upload(shapes.write_step(shapes.beam(LENGTH, WIDTH, HEIGHT), tmp_path / "beam.step"))
    study = twin.StaticStress(
        twin.Material(young, poisson, 2700),
        supports=[twin.Fixed(on=twin.select.plane((0, 0, 0), (1, 0, 0)))],
        loads=[twin.Force((0, 0, -FORCE), on=twin.select.plane((LENGTH, 0, 0), (1, 0, 0)))],
    )
    result = client.simulate(part, study, accuracy=0.02, quantities=["max_displacement"]).result()
    inertia, area = WIDTH * HEIGHT**3 / 12, WIDTH * HEIGHT
    shear = young / (2 * (1 + poisson))
    kappa = 10 * (1 + poisson) / (12 + 11 * poisson)  # Cowper 1966
    exact = FORCE * LENGTH**3 / (3 * young * inertia) + FORCE * LENGTH / (kappa * shear * area)
    tip = result.probe("displacement", [[LENGTH, 0, 0]]).values[0]
    assert tip[2] == pytest.approx(-exact, rel=0.005 if poisson == 0 else 0.01)
    bending = FORCE * LENGTH / 2 * (HEIGHT / 2) / inertia
    stress = result.probe("stress", [[LENGTH / 2, 0, HEIGHT / 2]]).values[0]
    assert stress[0] == pytest.approx(bending, rel=0.01)
    assert result.quantities["reaction_force"].value == pytest.approx([0, 0, FORCE], abs=1e-6 * FORCE)
    assert result.quantities["mass"].value == pytest.approx(2700 * area * LENGTH, rel=1e-9)


unit = st.floats(-1, 1)


@settings(max_examples=4, deadline=None)
@given(
    axis=st.tuples(unit, unit, unit).filter(lambda v: np.linalg.norm(v) > 0.1),
    angle=st.floats(0, np.pi),
    shift=st.tuples(*[st.floats(-3, 3)] * 3),
)
def test_a_moved_part_gives_the_moved_result(axis, angle, shift):
    points, tets = box((6, 2, 2), (3, 1, 1))
    turn = shapes.rotation(np.array(axis), angle)

    def solve(points, held, load):
        problem = steady.prepare(points, tets, float64(lame)(70e9, 0.33), held, np.zeros_like(points))
        solution = steady.solve(problem, load, tolerance=1e-12)
        return solution.field, von_mises(Recovery(problem, points, tets)(solution.field).nodal)

    held = np.zeros((len(points), 3, 3))
    held[points[:, 0] < 1e-9] = np.eye(3)
    held[points[:, 1] < 1e-9, 1, 1] = 1
    load = loads.body_force(points, tets, np.array([1e6, 2e6, -3e6]), np.zeros((3, 3)))
    moved, stress = solve(points, held, load)
    turned, turned_stress = solve(points @ turn.T + shift, turn @ held @ turn.T, load @ turn.T)
    assert np.abs(turned - moved @ turn.T).max() < 1e-10 * np.abs(moved).max()
    assert np.abs(turned_stress - stress).max() < 1e-9 * stress.max()


def test_a_turned_file_gives_the_turned_answer(client, tmp_path):
    """The whole path, from another STL with other facets: the answers agree within their estimates."""
    solid = trimesh.creation.box(extents=[60, 20, 10])
    turn = shapes.rotation(np.array([1.0, 2, 3]), 0.7)
    results = []
    for name, matrix, shift in (
        ("plain", np.eye(3), np.zeros(3)),
        ("turned", turn, np.array([5.0, -80, 30])),
    ):
        moved = solid.copy()
        moved.vertices = moved.vertices @ matrix.T + shift
        moved.export(tmp_path / f"{name}.stl")
        part = client.upload(tmp_path / f"{name}.stl", unit="mm")
        ends = [tuple((matrix @ [x, 0, 0] + shift) * 1e-3) for x in (-30, 30)]
        along = tuple(matrix[:, 0])
        study = twin.StaticStress(
            "Al 6061-T6",
            supports=[twin.Fixed(on=twin.select.plane(ends[0], along))],
            loads=[twin.Force(tuple(matrix @ [0, 0, -500.0]), on=twin.select.plane(ends[1], along))],
        )
        results.append(client.simulate(part, study, accuracy=0.05, quantities=["max_displacement"]).result())
    plain, turned = (r.quantities["max_displacement"] for r in results)
    assert abs(plain.value - turned.value) <= plain.error + turned.error
    assert turned.value == pytest.approx(plain.value, rel=0.01)
