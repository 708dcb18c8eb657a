"""Blocks whose answer is known in closed form: foundations, body loads, couplings, thin sheets; and what is refused."""

import numpy as np
import pytest
import trimesh

import twin
from twin import select

YOUNG, POISSON, DENSITY = 210e9, 0.3, 7800.0
STEEL = twin.Material(YOUNG, POISSON, DENSITY)


def face(axis: int, at: float) -> select.Selector:
    """The face across an axis."""
    place = np.zeros(3)
    place[axis] = at
    return select.plane(tuple(place), tuple(np.eye(3)[axis]))


@pytest.fixture(scope="module")
def block(client, tmp_path_factory):
    """Uploads a block with a corner at the origin, as 12 triangles."""

    def upload(*lengths_mm: float) -> twin.Part:
        solid = trimesh.creation.box(extents=lengths_mm)
        solid.apply_translation(np.array(lengths_mm) / 2)
        path = tmp_path_factory.mktemp("block") / "block.stl"
        solid.export(path)
        return client.upload(path, unit="mm")

    return upload


def solve(client, part, accuracy=0.2, most=None, **study):
    study = twin.StaticStress(STEEL, **study)
    return client.simulate(
        part, study, accuracy=accuracy, quantities=["max_displacement"], max_unknowns=most
    ).result()


@pytest.mark.slow
def test_a_block_sinks_into_its_foundation(client, block):
    """Uniform pressure on a foundation of stiffness k: the underside sinks by p / k, everywhere."""
    pressure, stiffness = 1e6, 1e10
    result = solve(
        client,
        block(20, 20, 20),
        supports=[
            twin.ElasticFoundation(on=face(2, 0.0), stiffness=stiffness),
            twin.Symmetry(on=face(0, 0.0)),
            twin.Symmetry(on=face(1, 0.0)),
        ],
        loads=[twin.Pressure(pressure, on=face(2, 0.02))],
    )
    nodes = result.mesh.points
    underneath = nodes[:, 2] < 1e-9
    assert underneath.any()
    moved = result.fields["displacement"].values[underneath, 2]
    assert moved == pytest.approx(np.full(len(moved), -pressure / stiffness), rel=1e-5)
    sunk = result.probe("displacement", [[0.004, 0.013, 0.0], [0.02, 0.02, 0.0]]).values[:, 2]
    assert sunk == pytest.approx([-pressure / stiffness] * 2, rel=1e-5)
    assert result.quantities["reaction_force"].value == pytest.approx([0, 0, 400.0], rel=1e-6, abs=1e-3)


def test_pressure_all_around(client, block):
    """The block shrinks alike in all directions; its von Mises stress is none, which is no reason to refine."""
    pressure = 1e7
    result = client.simulate(
        block(30, 20, 10),
        twin.StaticStress(
            STEEL,
            [twin.Symmetry(on=face(axis, 0.0)) for axis in range(3)],
            [twin.Pressure(pressure, on=select.all())],
        ),
        accuracy=0.01,
    ).result()
    shrunk = pressure * (1 - 2 * POISSON) / YOUNG * np.linalg.norm([0.03, 0.02, 0.01])
    assert result.quantities["max_displacement"].value == pytest.approx(shrunk, rel=1e-6)
    assert result.quantities["max_von_mises"].value < 1e-5 * pressure
    assert result.ended == "accuracy"
    assert result.convergence[-1].unknowns < 100_000


def test_body_loads(client, block):
    """A hanging bar stretches by rho g L^2 / (2 E), a spinning one by rho w^2 L^3 / (3 E); the weight is held."""
    length, gravity, rate = 0.1, 9.81, 500.0
    result = solve(
        client,
        block(100, 10, 10),
        supports=[twin.Symmetry(on=face(axis, 0.0)) for axis in range(3)],
        load_cases={
            "hang": [twin.Gravity((gravity, 0, 0))],
            "spin": [twin.Centrifugal(axis=(0, 0, 1), point=(0, 0, 0), rate=rate)],
        },
    )
    stretch = {
        name: result.probe("displacement", [[length, 0, 0]], case=name).values[0, 0] for name in result.cases
    }
    assert stretch["hang"] == pytest.approx(DENSITY * gravity * length**2 / (2 * YOUNG), rel=0.01)
    assert stretch["spin"] == pytest.approx(DENSITY * rate**2 * length**3 / (3 * YOUNG), rel=0.02)
    weight = DENSITY * gravity * 1e-5
    held = result.case("hang").quantities["reaction_force"].value
    assert held == pytest.approx([-weight, 0, 0], rel=1e-6, abs=1e-6 * weight)


@pytest.mark.slow
def test_a_rigid_end_under_a_moment(client, block):
    """A moment on a rigid end: the compliance is its work, the reactions balance it."""
    moment, length, side = 100.0, 0.1, 0.02
    part = block(100, 20, 20)
    results = {
        kind: solve(
            client,
            part,
            supports=[twin.Fixed(on=face(0, 0.0))],
            loads=[
                twin.RemoteForce(
                    (0, 0, 0), (length, 0, 0), face(0, length), moment=(0, moment, 0), coupling=kind
                )
            ],
        )
        for kind in ("rigid", "distributing")
    }
    work = moment**2 * length / (YOUNG * side**4 / 12)  # M theta, a beam clamped at its root
    for result in results.values():
        assert result.quantities["compliance"].value == pytest.approx(work, rel=0.03)
        balance = result.case("default").equilibrium
        assert balance.residual < 1e-6
        assert balance.reaction_moment == pytest.approx((0, -moment, 0), rel=1e-5, abs=1e-5 * moment)


def test_a_thin_sheet_is_held_by_its_clamped_edge(client, block):
    """Bending of a strip of 100 x 20 x 2 mm, between beam (E) and plate (E / (1 - nu^2)) theory."""
    length, width, thickness, force = 0.1, 0.02, 0.002, 10.0
    result = solve(
        client,
        block(100, 20, 2),
        supports=[twin.Fixed(on=face(0, 0.0))],
        loads=[twin.Force((0, 0, -force), on=face(0, length))],
        accuracy=0.05,
    )
    beam = force * length**3 / (3 * YOUNG * width * thickness**3 / 12)
    found = result.quantities["max_displacement"].value
    assert (1 - POISSON**2) * beam < found < 1.01 * beam


def test_contradicting_supports_are_refused(client, block):
    with pytest.raises(twin.TwinError, match="contradicts"):
        solve(
            client,
            block(20, 20, 20),
            supports=[twin.Fixed(on=face(2, 0.0)), twin.Displacement(on=face(2, 0.0), x="1 mm")],
            loads=[twin.Force((0, 0, 1), on=face(2, 0.02))],
        )


@pytest.mark.parametrize(
    ("supports", "words"),
    [
        (
            [twin.Symmetry(on=face(2, 0.0))],
            ["translation along x", "translation along y", "rotation about z"],
        ),
        ([twin.Displacement(on=face(2, 0.0), x=0, y=0)], ["translation along z"]),
        ([twin.Fixed(on=face(2, 0.0) & select.sphere((0.01, 0.01, 0), "0.2 mm"))], []),
    ],
    ids=["on a table", "against sliding", "a small clamp holds"],
)
def test_a_free_motion_is_named(client, block, supports, words):
    loads = [twin.Force((0, 0, -1), on=face(2, 0.02))]
    if not words:
        # on all but a point the part sinks in ever further: no mesh that is worth it meets the accuracy
        result = solve(client, block(20, 20, 20), supports=supports, loads=loads, most=40_000)
        assert result.ended == "max_unknowns"
        assert result.singularities[0].kind == "rim"
        return
    with pytest.raises(twin.TwinError) as refused:
        solve(client, block(20, 20, 20), supports=supports, loads=loads)
    for word in words:
        assert word in str(refused.value)
