"""The grid discretisation against closed forms and tetrahedra, on faces that do not follow the grid, and on dirt."""

import time

import numpy as np
import pytest
import trimesh

import twin
from solvers.iteration import SolveError
from solvers.tet10 import steady
from tests.verification import shapes
from tests.verification.suite.cases import CASES
from twin import select
from twin.analyses import on_mesh
from twin.analyses.run import run
from twin.analyses.task import OutOfTimeError
from twin.errors import DeadlineExceeded, MeshingFailed, SolveFailed
from twin.geometry.parse import parse
from twin.studies import Request

YOUNG, POISSON, DENSITY = 210e9, 0.3, 7800.0
STEEL = twin.Material(YOUNG, POISSON, DENSITY)
LENGTHS = np.array([0.1, 0.04, 0.03])
TURN = shapes.rotation(np.array([1.0, 2.0, 0.5]), 0.7)
CLOSE = 2.0  # percent: how near the two discretisations must be


def turned(*point: float) -> tuple[float, float, float]:
    """A point or a direction of the block, in the turned frame."""
    x, y, z = TURN @ np.array(point)
    return float(x), float(y), float(z)


def face(axis: int, at: float) -> select.Selector:
    """A face of the turned block."""
    place = np.zeros(3)
    place[axis] = at
    return select.plane(turned(*place), turned(*np.eye(3)[axis]))


def upload(client, solid, tmp_path, name="part.stl"):
    path = tmp_path / name
    solid.export(path)
    return client.upload(path, unit="m")


@pytest.fixture(scope="module")
def block(client, tmp_path_factory):
    """A block of 12 triangles with a corner at the origin, turned askew."""
    solid = trimesh.creation.box(extents=LENGTHS)
    solid.apply_translation(LENGTHS / 2)
    solid.vertices = solid.vertices @ TURN.T
    return upload(client, solid, tmp_path_factory.mktemp("block"))


def solve(client, part, study, discretisation, accuracy=0.1, **options):
    return client.simulate(part, study, accuracy=accuracy, discretisation=discretisation, **options).result()


ROOT = [twin.Fixed(on=face(0, 0.0))]
END = face(0, LENGTHS[0])
STUDIES = {
    "force on a part of a face": twin.StaticStress(
        STEEL,
        ROOT,
        [twin.Force(turned(0, 0, -1000), on=select.sphere(turned(0.1, 0.02, 0.03), 0.012))],
    ),
    "pressure and gravity": twin.StaticStress(
        STEEL,
        ROOT,
        [twin.Pressure("5 bar", on=face(2, LENGTHS[2])), twin.Gravity(turned(0, 0, -9.81))],
    ),
    "traction and rotation": twin.StaticStress(
        STEEL,
        ROOT,
        [
            twin.Centrifugal(turned(0, 0, 1), turned(0, 0.02, 0), "3000 rpm"),
            twin.Traction(turned(0, 600e3, 0), on=END),
        ],
    ),
    "distributing coupling": twin.StaticStress(
        STEEL,
        ROOT,
        [twin.RemoteForce(turned(0, 0, -500), at=turned(0.15, 0.02, 0.015), on=END, moment=turned(20, 0, 0))],
    ),
    "rigid coupling": twin.StaticStress(
        STEEL,
        ROOT,
        [
            twin.RemoteForce(
                turned(0, 0, -500),
                at=turned(0.15, 0.02, 0.015),
                on=END,
                moment=turned(20, 0, 0),
                coupling="rigid",
            )
        ],
    ),
    "foundation and symmetry": twin.StaticStress(
        STEEL,
        [
            twin.ElasticFoundation(on=face(2, 0.0), stiffness=5e10),
            twin.Symmetry(on=face(0, 0.0)),
            twin.Symmetry(on=face(1, 0.0)),
        ],
        [
            twin.Force(
                turned(0, 0, -2e4), on=select.sphere(turned(0.1, 0.04, 0.03), 0.03) & face(2, LENGTHS[2])
            )
        ],
    ),
}


SHORT = "rigid coupling"


@pytest.mark.parametrize(
    "name", [name if name == SHORT else pytest.param(name, marks=pytest.mark.slow) for name in STUDIES]
)
def test_grid_and_tetrahedra_agree(client, block, name):
    asked = {"quantities": ["max_displacement", "compliance"]}
    grid = solve(client, block, STUDIES[name], "grid", **asked)
    tets = solve(client, block, STUDIES[name], "tet", **asked)
    assert "grid" in grid.mesher
    for quantity in asked["quantities"]:
        found, other = grid.quantities[quantity], tets.quantities[quantity]
        assert found.value == pytest.approx(other.value, rel=CLOSE / 100), quantity
        assert abs(found.value - other.value) <= found.error + other.error, quantity
    reaction, other = (result.quantities["reaction_force"].value for result in (grid, tets))
    assert reaction == pytest.approx(other, abs=1e-3 * np.linalg.norm(other))
    assert abs(grid.quantities["mass"].value - DENSITY * LENGTHS.prod()) < 1e-3 * DENSITY * LENGTHS.prod()


def test_a_prescribed_displacement_stretches_the_block(client, block):
    """Uniaxial strain by a moved face: stress E u / L everywhere."""
    moved = 1e-4
    along = turned(1, 0, 0)
    study = twin.StaticStress(
        STEEL,
        [
            *(twin.Symmetry(on=face(axis, 0.0)) for axis in range(3)),
            twin.Displacement(on=END, x=moved * along[0], y=moved * along[1], z=moved * along[2]),
        ],
        [],
    )
    result = solve(client, block, study, "grid", accuracy=0.2)
    middle = result.probe("von_mises", [turned(0.05, 0.02, 0.015)]).values[0, 0]
    assert middle == pytest.approx(YOUNG * moved / LENGTHS[0], rel=0.03)
    assert result.quantities["max_displacement"].value == pytest.approx(moved, rel=0.05)


@pytest.mark.slow
def test_a_thick_sphere_and_its_peak_stress(client, tmp_path):
    """Lamé: hoop stress at the inner face p (b^3 + 2 a^3) / (2 (b^3 - a^3))."""
    inner, outer, pressure = 0.1, 0.2, 50e6
    part = client.upload(shapes.write_step(shapes.octant_sphere(inner, outer), tmp_path / "sphere.step"))
    planes = [select.plane((0, 0, 0), axis) for axis in ((1, 0, 0), (0, 1, 0), (0, 0, 1))]
    inside = select.sphere((0, 0, 0), 1.05 * inner) & ~(planes[0] | planes[1] | planes[2])
    study = twin.StaticStress(
        STEEL, [twin.Symmetry(on=p) for p in planes], [twin.Pressure(pressure, on=inside)]
    )
    result = solve(client, part, study, "grid", accuracy=0.1)
    hoop = pressure * (outer**3 + 2 * inner**3) / (2 * (outer**3 - inner**3))
    moved = (inner / YOUNG) * ((1 - POISSON) * hoop + POISSON * pressure)
    stress, displacement = result.quantities["max_von_mises"], result.quantities["max_displacement"]
    assert abs(stress.value - (hoop + pressure)) <= stress.error
    assert stress.value == pytest.approx(hoop + pressure, rel=0.15)
    assert abs(displacement.value - moved) <= displacement.error
    assert displacement.value == pytest.approx(moved, rel=0.01)


@pytest.mark.slow
def test_elements_of_second_order_and_the_peak_stress_of_a_thick_cylinder(client, tmp_path):
    """Lamé, plane strain: cells of about a tenth of the bore's radius."""
    case = CASES["thick cylinder (Lamé)"]
    part = client.upload(shapes.write_step(case.shape(), tmp_path / "cylinder.step"))
    result = solve(client, part, case.study, "grid", accuracy=0.05, max_unknowns=60_000)
    for name, exact in case.exact.items():
        found = result.quantities[name]
        # a grid knows the facets alone, which estimates do not speak of: a thousandth here
        assert abs(found.value - exact) <= found.error + 1e-3 * exact
        assert found.value == pytest.approx(exact, rel=0.02 if name == "max_von_mises" else 0.003)
    for target in case.targets:
        assert target.read(result) == pytest.approx(target.exact, rel=0.02)
    assert "second order" in result.provenance["solver"]
    assert result.fields["displacement"].values.shape[0] == len(result.mesh.points)


def cantilever(client, solid, tmp_path, discretisation="auto"):
    part = upload(client, solid, tmp_path)
    study = twin.StaticStress(
        STEEL,
        [twin.Fixed(on=select.plane((0, 0, 0), (1, 0, 0)))],
        [twin.Force((0, 0, -1000), on=select.plane((0.1, 0, 0), (1, 0, 0)))],
    )
    return solve(client, part, study, discretisation, quantities=["max_displacement"])


def bar() -> trimesh.Trimesh:
    solid = trimesh.creation.box(extents=LENGTHS)
    solid.apply_translation(LENGTHS / 2)
    for _ in range(4):
        solid = solid.subdivide()
    return solid


def with_holes(solid: trimesh.Trimesh) -> trimesh.Trimesh:
    """Every 40th triangle of the long sides is missing."""
    inside = (solid.triangles_center[:, 0] > 0.02) & (solid.triangles_center[:, 0] < 0.08)
    solid.update_faces(~(inside & (np.arange(len(solid.faces)) % 40 == 0)))
    return solid


def overlapping(_: trimesh.Trimesh) -> trimesh.Trimesh:
    """The same bar from two that overlap."""
    halves = []
    for start, end in ((0.0, 0.06), (0.04, 0.1)):
        half = trimesh.creation.box(extents=(end - start, *LENGTHS[1:]))
        half.apply_translation(((start + end) / 2, *LENGTHS[1:] / 2))
        halves.append(half)
    return trimesh.util.concatenate(halves)


@pytest.mark.slow
@pytest.mark.parametrize("damage", [with_holes, overlapping])
def test_a_damaged_surface_answers_like_the_whole_one(client, tmp_path, damage):
    clean = cantilever(client, bar(), tmp_path, "tet")
    found = cantilever(client, damage(bar()), tmp_path, "grid")
    assert found.quantities["max_displacement"].value == pytest.approx(
        clean.quantities["max_displacement"].value, rel=0.03
    )


@pytest.mark.parametrize("discretisation", ["grid", "tet"])
@pytest.mark.parametrize(
    "shift",
    [
        (0, 0, LENGTHS[2]),
        pytest.param((0, 0, 0.015), marks=pytest.mark.slow),
        pytest.param((0.02, 0, 0), marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_faces_between_bodies_carry_no_load(client, tmp_path, shift, discretisation):
    """A selector that takes faces inside the material, and some twice: the outside counts, once."""
    lower, upper = bar(), bar()
    upper.apply_translation(shift)
    part = upload(client, trimesh.util.concatenate([lower, upper]), tmp_path)
    study = twin.StaticStress(
        STEEL,
        [twin.Fixed(on=select.plane((0, 0, 0), (1, 0, 0)))],
        [twin.Pressure(1e6, on=select.facing((0, 0, 1), "6 deg"))],
    )
    reaction = (
        solve(client, part, study, discretisation, 0.2, max_unknowns=200_000)
        .quantities["reaction_force"]
        .value[2]
    )
    assert reaction == pytest.approx(1e6 * (LENGTHS[0] + shift[0]) * LENGTHS[1], rel=2e-3)


@pytest.mark.parametrize("discretisation", ["grid", pytest.param("tet", marks=pytest.mark.slow)])
def test_a_face_that_is_covered_in_part_carries_the_rest(client, tmp_path, discretisation):
    """A block stands on the plate: the pressure acts on the plate's shoulder and on the block, once everywhere."""
    lower, upper = bar(), trimesh.creation.box(extents=(0.06, 0.02, 0.02))
    upper.apply_translation((0.05, 0.02, LENGTHS[2] + 0.01))
    part = upload(client, trimesh.util.concatenate([lower, upper]), tmp_path)
    root = twin.Fixed(on=select.plane((0, 0, 0), (1, 0, 0)))
    above = twin.Pressure(1e6, on=select.facing((0, 0, 1), "6 deg"))
    study = twin.StaticStress(STEEL, [root], [above])
    result = solve(client, part, study, discretisation, 0.2, max_unknowns=100_000)
    reaction = result.quantities["reaction_force"].value[2]
    assert reaction == pytest.approx(1e6 * LENGTHS[0] * LENGTHS[1], rel=5e-3)


def finned() -> trimesh.Trimesh:
    """A block with a fin of 0.04 mm on top, which no cell can follow."""
    fin = trimesh.creation.box(extents=(0.02, 4e-5, 0.005))
    fin.apply_translation((0.05, 0.02, LENGTHS[2] + 0.0025))
    return trimesh.boolean.union([bar(), fin], engine="manifold")


def test_a_wall_without_cells_is_told(client, tmp_path):
    part = upload(client, finned(), tmp_path)
    root, top = twin.Fixed(on=select.plane((0, 0, 0), (1, 0, 0))), LENGTHS[2] + 0.005
    end = twin.Force((0, 0, -1000), on=select.plane((0.1, 0, 0), (1, 0, 0)))
    result = solve(client, part, twin.StaticStress(STEEL, [root], [end]), "grid", 0.5)
    assert any("no cells beneath" in warning for warning in result.warnings)
    tip = twin.Force((0, 0, -1), on=select.plane((0, 0, top), (0, 0, 1)))
    with pytest.raises(twin.TwinError, match=r"too thin for the cells.*Allow more unknowns"):
        solve(client, part, twin.StaticStress(STEEL, [root], [tip]), "grid", 0.5, max_unknowns=100_000)


def test_what_would_do_for_thin_walls_is_told(client, tmp_path):
    """A sheet of 0.1 mm fills no cell of those that are allowed."""
    part = upload(client, trimesh.creation.box(extents=(0.3, 0.3, 1e-4)), tmp_path)
    root, weight = twin.Fixed(on=select.plane((-0.15, 0, 0), (1, 0, 0))), twin.Gravity((0, 0, -9.81))
    with pytest.raises(
        twin.TwinError, match=r"about 0\.1 mm, make about 40,000,000 unknowns: allow that many"
    ):
        solve(client, part, twin.StaticStress(STEEL, [root], [weight]), "grid", 0.5, max_unknowns=20_000)


@pytest.mark.slow
def test_unknowns_on_a_thin_plate_stay_within_what_is_allowed(client, tmp_path):
    plate = trimesh.creation.box(extents=(0.3, 0.3, 0.001))
    part = upload(client, plate, tmp_path)
    study = twin.StaticStress(
        STEEL,
        [twin.Fixed(on=select.plane((-0.15, 0, 0), (1, 0, 0)))],
        [twin.Force((0, 0, -1), on=select.plane((0.15, 0, 0), (1, 0, 0)))],
    )
    result = solve(client, part, study, "grid", 0.5, max_unknowns=20_000)
    assert all(row.unknowns <= 20_000 for row in result.convergence)


@pytest.mark.parametrize("discretisation", ["grid", "tet"])
def test_a_rigid_coupling_on_a_held_face_is_refused(client, block, discretisation):
    load = twin.RemoteForce((0, 0, -500), at=turned(0.1, 0, 0), on=face(0, 0.0), coupling="rigid")
    with pytest.raises(twin.TwinError, match="held by a support"):
        solve(client, block, twin.StaticStress(STEEL, ROOT, [load]), discretisation)


@pytest.mark.slow
def test_bodies_apart_must_each_be_held(client, tmp_path):
    lower, upper = bar(), bar()
    upper.apply_translation((0, 0, 0.1))
    both = trimesh.util.concatenate([lower, upper])
    for discretisation in ("grid", "tet"):
        result = cantilever(client, both, tmp_path, discretisation)
        alone = cantilever(client, bar(), tmp_path, discretisation)
        assert result.quantities["max_displacement"].value == pytest.approx(
            alone.quantities["max_displacement"].value / 2, rel=0.03
        )
    loose = bar()
    loose.apply_translation((0.02, 0, 0.1))
    part = upload(client, trimesh.util.concatenate([lower, loose]), tmp_path)
    study = twin.StaticStress(
        STEEL,
        [twin.Fixed(on=select.plane((0, 0, 0), (1, 0, 0)))],
        [twin.Force((0, 0, -1000), on=select.plane((0.1, 0, 0), (1, 0, 0)))],
    )
    for discretisation in ("grid", "tet"):
        with pytest.raises(twin.TwinError, match="don't touch"):
            solve(client, part, study, discretisation)


class Silent:
    """A monitor to which nobody listens."""

    def progress(self, *_args):
        """Not even to that."""


def bend(tmp_path, accuracy, discretisation, seconds=600):
    """The analysis of a bent bar in this process, so that its parts can be made to fail."""
    path = tmp_path / "bar.stl"
    bar().export(path)
    study = twin.StaticStress(
        STEEL,
        [twin.Fixed(on=select.plane((0, 0, 0), (1, 0, 0)))],
        [twin.Force((0, 0, -1000), on=select.plane((0.1, 0, 0), (1, 0, 0)))],
    )
    request = Request(
        accuracy, discretisation=discretisation, quantities=("max_displacement",), max_seconds=seconds
    )
    surface, report = parse(path, "m", "bar.stl")
    return run(surface, report, study, request, source=None, monitor=Silent(), workdir=tmp_path)


FAILURES = {
    "no mesh": (on_mesh, "mesh_volume", MeshingFailed("every rung failed"), "every rung failed"),
    "no solution": (steady, "solve", SolveError("it diverges"), "it diverges"),
    "no time": (on_mesh, "mesh_volume", OutOfTimeError(), "too much of max_seconds"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_where_tetrahedra_fail_the_grid_answers_and_says_so(tmp_path, monkeypatch, name):
    room, function, failure, told = FAILURES[name]

    def fails(*_args, **_options):
        raise failure

    monkeypatch.setattr(room, function, fails)
    with pytest.raises((MeshingFailed, SolveFailed, DeadlineExceeded)):
        bend(tmp_path, 0.2, "tet")
    outcome = bend(tmp_path, 0.2, "auto")
    assert len(outcome.hexahedra)
    assert told in " ".join(outcome.warnings)
    assert "grid discretisation answers" in " ".join(outcome.warnings)


def test_an_answer_is_kept_where_the_second_mesh_gives_none(tmp_path, monkeypatch):
    """The solution on the first mesh is real; on the second one the solver is made to fail."""
    solve, calls = steady.solve, []

    def fails_later(*arguments, **options):
        calls.append(arguments)
        if len(calls) > 2:  # the first mesh takes two: the load case, and what tells its error
            raise SolveError("it diverges")
        return solve(*arguments, **options)

    monkeypatch.setattr(steady, "solve", fails_later)
    outcome = bend(tmp_path, 0.001, "auto")
    assert len(outcome.tets)
    assert "it diverges" in " ".join(outcome.warnings)


def test_a_mesher_that_fails_for_want_of_time_ends_the_budget(tmp_path, monkeypatch):
    """The first mesh is real; on the second one the mesher uses up the time that it is given, as on a slow machine."""
    mesh, calls = on_mesh.mesh_volume, []

    def too_slow(*arguments, time_limit, **options):
        calls.append(arguments)
        if len(calls) > 1:
            time.sleep(time_limit)
            raise MeshingFailed("the time was over")
        return mesh(*arguments, time_limit=60.0, **options)

    monkeypatch.setattr(on_mesh, "mesh_volume", too_slow)
    monkeypatch.setattr(on_mesh, "MESH_SHARE", 0.01)
    outcome = bend(tmp_path, 0.001, "tet", seconds=100)
    assert outcome.ended == "max_seconds"
    assert len(outcome.tets)
