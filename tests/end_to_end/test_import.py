"""Answers of other codes, taken as runs: what comes through, and what is refused with words."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import pyvista
from bar_in_tension import SIZE, face
from typer.testing import CliRunner

import twin
from twin.cli.app import app

E, NU, FORCE = 200e9, 0.3, 10e3
STRESS = FORCE / (SIZE[1] * SIZE[2])
STEEL = twin.Material("200 GPa", NU, 7800)
PULL, PUSH = (twin.Force((sign * FORCE, 0, 0), on=face(0, SIZE[0])) for sign in (1, -1))
SUPPORTS = [twin.Symmetry(on=face(axis, 0.0)) for axis in range(3)]
STUDY = twin.StaticStress(STEEL, SUPPORTS, loads=[PULL])
STRETCH = np.array([1.0, -NU, -NU]) * STRESS / E


@pytest.fixture(scope="module")
def part(client, box):
    return client.upload(box, unit="mm")


def bar() -> pyvista.UnstructuredGrid:
    """Hexahedra of the bar in tension, in mm, N and MPa, with stress as nine components."""
    grid = pyvista.ImageData(dimensions=(21, 5, 3), spacing=tuple(1e3 * np.array(SIZE) / (20, 4, 2)))
    mesh = grid.cast_to_unstructured_grid()
    mesh.point_data["U"] = mesh.points * STRETCH
    stress = np.zeros((mesh.n_points, 9))
    stress[:, 0] = 1e-6 * STRESS
    mesh.point_data["S"] = stress
    return mesh


def saved(mesh: pyvista.DataSet, folder: Path, name: str = "answer.vtu") -> Path:
    mesh.save(folder / name)
    return folder / name


IN_MM = {"fields": {"displacement": "U", "stress": "S"}, "length_unit": "mm", "stress_unit": "MPa"}


def test_an_answer_of_another_code_is_a_run(client, part, tmp_path):
    run = client.import_result(part, STUDY, saved(bar(), tmp_path), 0.03, "Code 1.0", name="theirs", **IN_MM)
    result = run.result(timeout=60)
    found = result.quantities
    assert found["max_displacement"].value == pytest.approx(np.linalg.norm(STRETCH * SIZE), rel=1e-6)
    assert found["max_von_mises"].value == pytest.approx(STRESS, rel=1e-6)
    assert found["compliance"].value == pytest.approx(FORCE * STRETCH[0] * SIZE[0], rel=1e-6)
    assert all(found[name].relative_error == pytest.approx(0.03) for name in ("max_von_mises", "compliance"))
    assert result.provenance["imported"] == "Code 1.0"
    assert any("Code 1.0" in said and "3.0%" in said for said in result.assumptions)
    picture = tmp_path / "stress.png"
    result.plot(picture)
    assert picture.stat().st_size > 10_000
    with pytest.raises(twin.FailedPrecondition, match="surface alone"):
        result.gradient("max_displacement", "loads")


@pytest.mark.slow
def test_what_is_saved_here_is_read_again(client, part, tmp_path):
    cases = twin.StaticStress(STEEL, SUPPORTS, load_cases={"pull": [PULL], "push": [PUSH]})
    solved = client.simulate(part, cases, accuracy=0.5, method="solver").result(timeout=300)
    again = client.import_result(part, cases, solved.save(tmp_path / "both.vtu"), 0.5, "twin").result(60)
    alone = {case: solved.save(tmp_path / f"{case}.vtu", case=case) for case in solved.cases}
    by_case = client.import_result(part, cases, alone, 0.5, "twin").result(60)
    for found in (again, by_case):
        for case in solved.cases:
            for name in ("max_displacement", "max_von_mises", "compliance"):
                ours = solved.case(case).quantities[name].value
                assert found.case(case).quantities[name].value == pytest.approx(ours, rel=2e-3)


def test_arrays_are_read_too(client, part, tmp_path):
    surface = bar().extract_surface(algorithm="dataset_surface").triangulate()
    triangles = surface.faces.reshape(-1, 4)[:, [1, 3, 2]]  # inside out
    stress = np.asarray(surface["S"])[:, [0, 4, 8, 1, 5, 2]]
    path = tmp_path / "answer.npz"
    np.savez(path, points=surface.points, triangles=triangles, U=surface["U"], S=stress)
    result = client.import_result(part, STUDY, path, "3%", "Code", **IN_MM).result(timeout=60)
    assert result.quantities["max_von_mises"].value == pytest.approx(STRESS, rel=1e-6)
    corners = result.mesh.points[result.mesh.faces[:, :3]]
    volumes = np.einsum("ti,ti->t", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) / 6
    assert volumes.sum() == pytest.approx(np.prod(SIZE))


SUFFIX = {"half": "answer.vtp"}


def test_the_command_takes_one_too(client, part, tmp_path, monkeypatch):
    (tmp_path / "study.toml").write_text(
        """
        material = {youngs_modulus = "200 GPa", poissons_ratio = 0.3, density = 7800}
        supports = [
            {type = "Symmetry", on = {plane = {point = [0, 0, 0], normal = [1, 0, 0]}}},
            {type = "Symmetry", on = {plane = {point = [0, 0, 0], normal = [0, 1, 0]}}},
            {type = "Symmetry", on = {plane = {point = [0, 0, 0], normal = [0, 0, 1]}}},
        ]

        [[loads]]
        type = "Force"
        vector = ["10 kN", 0, 0]
        on = {plane = {point = ["100 mm", 0, 0], normal = [1, 0, 0]}}
        """
    )
    saved(bar(), tmp_path)
    monkeypatch.chdir(tmp_path)
    command = "import {} answer.vtu --study study.toml --error 3% --json --code"
    words = [*command.format(part.id).split(), "Code 1.0"]
    units = ["--displacement", "U", "--stress", "S", "--length-unit", "mm", "--stress-unit", "MPa"]
    done = CliRunner().invoke(app, [*words, *units, "--out", "theirs.html"])
    assert done.exit_code == 0, done.output
    (case,) = (line for line in map(json.loads, done.stdout.splitlines()) if line["kind"] == "case")
    assert case["quantities"]["max_von_mises"]["value"] == pytest.approx(STRESS, rel=1e-6)
    report = (tmp_path / "theirs.html").read_text()
    assert "Code 1.0" in report
    assert "estimates of the discretisation error" not in report
    refused = CliRunner().invoke(app, ["import", part.id, "a=1.vtu", "2.vtu", *words[3:]])
    assert refused.exit_code == 2
    assert "case=file" in refused.output


def spoilt(what: str) -> pyvista.DataSet:
    mesh = bar()
    match what:
        case "elsewhere":
            mesh.points += (0, 0, 15)
        case "half":
            surface = mesh.extract_surface(algorithm="dataset_surface").triangulate()
            return surface.remove_cells(surface.cell_centers().points[:, 0] > 60)
        case "cut":
            return mesh.clip("x", origin=(50, 0, 0), crinkle=True)
        case "moves":
            mesh["U"] += (1e-2, 0, 0)
        case "stress in Pa":
            mesh["S"] *= 1e6
        case "shear":
            mesh["S"] = np.roll(mesh["S"], 1, axis=1)
        case "backwards":
            mesh["U"], mesh["S"] = -mesh["U"], -mesh["S"]
        case "still":
            mesh["U"] *= 0
    return mesh


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("elsewhere", "from the surface of the part"),
        ("cut", "from the surface of the part"),
        ("half", "nothing of the part's surface"),
        ("moves", "support moves"),
        ("stress in Pa", "units"),
        ("shear", "order of components"),
        ("backwards", "other way"),
        ("still", "nothing moves"),
    ],
)
def test_what_is_not_of_the_study_is_refused(client, part, tmp_path, what, words):
    run = client.import_result(
        part, STUDY, saved(spoilt(what), tmp_path, SUFFIX.get(what, "answer.vtu")), 0.03, "Code", **IN_MM
    )
    with pytest.raises(twin.InvalidInput, match=words):
        run.result(timeout=60)


def arrays(path, **others):
    np.savez(path, **({"points": np.eye(3), "triangles": [[0, 1, 2]]} | others))
    return path


def test_what_cannot_be_read_is_refused_at_once(client, part, tmp_path):
    path = saved(bar(), tmp_path)
    two = twin.StaticStress(STEEL, SUPPORTS, load_cases={"pull": [PULL], "push": [PUSH]})
    broken = bar()
    broken["U"][7] = np.nan
    (tmp_path / "text.vtu").write_text("no mesh")
    at_cells = bar().point_data_to_cell_data()
    for study, file, options, words in (
        (STUDY, path, {}, "'displacement'.*there are S, U"),
        (STUDY, saved(at_cells, tmp_path, "cells.vtu"), IN_MM, r"U \(at cells\)"),
        (two, path, IN_MM, "load case 'pull'"),
        (two, {"pull": path}, IN_MM, "the study has pull, push"),
        (STUDY, tmp_path / "none.vtu", IN_MM, "there is no file"),
        (STUDY, tmp_path / "text.vtu", IN_MM, "can't be read|no mesh"),
        (STUDY, tmp_path / "answer.odb", IN_MM, "no file"),
        (STUDY, saved(broken, tmp_path, "nan.vtu"), IN_MM, "no finite number"),
        (STUDY, arrays(tmp_path / "real.npz", triangles=[[0.0, 1, 2]]), IN_MM, "float64, not whole numbers"),
        (STUDY, arrays(tmp_path / "words.npz", points=["a", "b"]), IN_MM, "not real numbers"),
        (STUDY, path, IN_MM | {"length_unit": "kg"}, "kg"),
        (STUDY, path, IN_MM | {"fields": {"strain": "E"}}, "strain"),
    ):
        with pytest.raises(twin.InvalidInput, match=words):
            client.import_result(part, study, file, 0.03, "Code", **options)
    soft = twin.StaticStress(STEEL, [twin.ElasticFoundation(face(0, 0.0), 1e12)], loads=[PULL])
    with pytest.raises(twin.InvalidInput, match="gives way"):
        client.import_result(part, soft, path, 0.03, "Code", **IN_MM)
    with pytest.raises(twin.StudyError, match="error"):
        client.import_result(part, STUDY, path, 0.0, "Code", **IN_MM)
    with pytest.raises(twin.StudyError, match="code"):
        client.import_result(part, STUDY, path, 0.03, " ", **IN_MM)
