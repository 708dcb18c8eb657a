"""Solutions that start from what is expected and end early: their numbers are those of the mesh, as far as is told."""

from dataclasses import replace

import numpy as np
import pytest
import trimesh

import twin
from solvers.tet10 import steady
from twin.analyses.boundary import MeshBoundary
from twin.analyses.run import set_up, solved
from twin.analyses.static_stress.certificate import certify
from twin.analyses.static_stress.loads import assemble
from twin.analyses.static_stress.on_mesh import prepare
from twin.analyses.static_stress.supports import hold
from twin.analyses.summary import summarise
from twin.geometry.parse import parse
from twin.studies import Request

SIZE = np.array([0.05, 0.01, 0.01])
ROOT, TIP = twin.select.plane((0, 0, 0), (1, 0, 0)), twin.select.plane((0.05, 0, 0), (1, 0, 0))
STUDY = twin.StaticStress(
    "Ti-6Al-4V",
    [twin.Fixed(ROOT)],
    load_cases={"bend": [twin.Force((0, 0, 10), TIP)], "pull": [twin.Force((1000, 20, 0), TIP)]},
)
NUMBERS = ("max_displacement", "max_von_mises", "compliance")


class Silent:
    def progress(self, *_: object, **__: object) -> None:
        pass


@pytest.fixture(scope="module")
def question(tmp_path_factory):
    """Of an accuracy: what there is to solve."""
    folder = tmp_path_factory.mktemp("bar")
    solid = trimesh.creation.box(extents=SIZE)
    solid.apply_translation(SIZE / 2)
    solid.export(folder / "bar.stl")
    surface, report = parse(folder / "bar.stl", "m", "bar.stl")

    def task(accuracy: float):
        request = Request(accuracy, discretisation="tet", max_unknowns=30_000)
        return set_up(surface, report, STUDY, request, source=None, monitor=Silent(), workdir=folder)

    return task


@pytest.fixture(scope="module")
def to_the_end(question):
    """The solution on the first mesh, which is the same whatever the accuracy is."""
    return solved(question(1.0)).solutions[0]


def bent(points, facets):
    """A beam's deflection, 20 % too large, and rough; stretched likewise."""
    assert len(facets)
    rough = np.random.default_rng(0).standard_normal((len(points), 3))
    x, size = points[:, 0], SIZE[0]
    bend, pull = np.zeros_like(points), np.zeros_like(points)
    bend[:, 2] = 1.2 * 10 * x**2 * (3 * size - x) / (6 * 114e9 * SIZE[1] ** 4 / 12)
    pull[:, 0] = 0.8 * 1000 * x / (114e9 * SIZE[1] ** 2)
    return {
        "bend": bend + 0.05 * np.abs(bend).max() * rough,
        "pull": pull + 0.05 * np.abs(pull).max() * rough,
    }


def useless(points, facets):
    rough = np.random.default_rng(0).standard_normal((len(points), 3))
    return {"bend": rough, "pull": 1e-9 * rough}


@pytest.mark.parametrize(
    ("accuracy", "expected"),
    [
        (0.5, bent),
        (0.02, useless),
        pytest.param(0.5, useless, marks=pytest.mark.slow),
        pytest.param(0.02, bent, marks=pytest.mark.slow),
    ],
)
def test_numbers_are_those_of_the_mesh_within_what_is_told(question, to_the_end, expected, accuracy):
    found = solved(replace(question(accuracy), expected=expected)).solutions[0]
    assert found.unknowns == to_the_end.unknowns
    for name, case in found.cases.items():
        assert case.certificate is not None
        assert case.iterations < to_the_end.cases[name].iterations
        for number in NUMBERS:
            true, told = to_the_end.measured[name].values[number], case.certificate.numbers[number]
            assert told.error <= 0.1 * accuracy
            off = abs(found.measured[name].values[number] / true - 1)
            assert off <= max(told.error, 1e-6)
            assert found.measured[name].discrete[number] == pytest.approx(told.error * true, rel=0.1)


def test_what_a_field_is_off_by_is_told(question, to_the_end):
    """Of a field that is 3 % too large, whose numbers are, and whose work is by 1.03 in f . v."""
    mesh, law = to_the_end.discretised.mesh, question(0.5).analysis.laws[0]
    boundary = MeshBoundary(question(0.5).surface, mesh)
    held = hold(boundary, STUDY.supports)
    problem = prepare(law, mesh, held, [])
    for name, loads in assemble(boundary, STUDY.materials, STUDY.cases).items():
        exact = to_the_end.cases[name].field
        rest = loads.nodal - steady.internal_force(problem, 1.03 * exact)
        energy = float(np.vdot(loads.nodal, exact))
        near = steady.Approach(1.03 * exact, rest, 0, 0.03, energy)
        numbers = certify(
            problem, mesh, law, loads.nodal, mesh.tets, near, lambda *_: None
        ).certificate.numbers
        for number in ("max_displacement", "compliance"):
            told, true = numbers[number], 1 / 1.03 - 1
            assert told.correction == pytest.approx(true, abs=told.remainder + 1e-6)
            assert told.remainder < 0.5 * abs(true)
        assert 0.03 < numbers["max_von_mises"].error < 0.3


def test_what_can_not_be_certified_is_solved(question, to_the_end, monkeypatch):
    monkeypatch.setattr("twin.analyses.static_stress.certificate.SHARE", 0.0)
    found = solved(replace(question(0.5), expected=bent)).solutions[0]
    for name, case in found.cases.items():
        assert case.certificate is None
        assert case.residual < 1e-8
        for number in NUMBERS:
            assert found.measured[name].values[number] == pytest.approx(
                to_the_end.measured[name].values[number], rel=1e-6
            )


def test_the_answer_says_how_far_its_equations_were_solved(question):
    task = replace(question(0.5), expected=bent)
    outcome = summarise(task, solved(task))
    assert 1e-8 < float(outcome.provenance["linear_tolerance"]) < 0.1
    for case in outcome.cases.values():
        assert case.balance.residual < 0.01
