"""From the file to the answer through the real service, on a case whose answer is known: a bar in tension."""

from __future__ import annotations

import csv
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from bar_in_tension import SIZE, face

import twin

E, NU, FORCE = 200e9, 0.3, 10e3
AREA = SIZE[1] * SIZE[2]
STRETCH = FORCE * SIZE[0] / (E * AREA)
STEEL = twin.Material("200 GPa", NU, 7800, yield_strength="300 MPa")
# No motion across three faces: nothing hinders the bar from getting thinner, and the state is uniform.
SUPPORTS = [twin.Symmetry(on=face(axis, 0.0)) for axis in range(3)]
PULL = twin.Force((FORCE, 0, 0), on=face(0, SIZE[0]))


@pytest.fixture(scope="module")
def part(client, box):
    return client.upload(box, unit="mm")


@pytest.fixture(scope="module")
def run(client, part):
    study = twin.StaticStress(STEEL, SUPPORTS, loads=[PULL])
    return client.simulate(part, study, accuracy=0.5, name="bar", labels={"purpose": "test"})


@pytest.fixture(scope="module")
def result(run):
    return run.result(timeout=300)


def test_report_of_the_part(client, part, box):
    report = part.report
    assert (report.triangles, report.watertight, report.bodies, report.unit) == (12, True, 1, "mm")
    assert report.volume == pytest.approx(np.prod(SIZE))
    assert np.allclose(report.bounds, ((0, 0, 0), SIZE))
    assert sorted(patch.kind for patch in part.patches) == ["plane"] * 6
    assert client.upload(box) == part
    assert client.part(part.id) == part


def test_watching_tells_the_phases(run):
    updates = list(run.watch())
    phases = {update.phase for update in updates}
    assert {"check", "mesh", "solve", "write"} <= phases
    assert updates[-1].state == "SUCCEEDED"
    assert updates[-1].progress == 1.0
    assert min(update.residual for update in updates if update.residual is not None) < 1e-6
    assert [update.sequence for update in run.watch()] == [update.sequence for update in updates]
    assert run.state == "SUCCEEDED"


def test_quantities_are_those_of_a_bar(result):
    found = result.quantities
    assert found["max_von_mises"].value == pytest.approx(FORCE / AREA, rel=1e-5)
    assert found["compliance"].value == pytest.approx(FORCE * STRETCH, rel=1e-6)
    assert found["mass"].value == pytest.approx(7800 * np.prod(SIZE), rel=1e-6)
    assert found["safety_factor"].value == pytest.approx(300e6 * AREA / FORCE, rel=1e-5)
    assert np.allclose(found["reaction_force"].value, (-FORCE, 0, 0), atol=1e-4 * FORCE)
    tip = np.array((STRETCH, -NU * STRETCH * SIZE[1] / SIZE[0], -NU * STRETCH * SIZE[2] / SIZE[0]))
    assert found["max_displacement"].value == pytest.approx(np.linalg.norm(tip), rel=1e-6)
    for quantity in found.values():
        assert not np.isnan(quantity.error).any()


def test_fields_and_probe(result):
    u, s = result.fields["displacement"], result.fields["stress"]
    assert (u.unit, u.location, u.values.shape[1]) == ("m", "node", 3)
    assert (s.unit, s.location, s.values.shape) == ("Pa", "node", (len(u.values), 6))
    assert np.allclose(s.values, np.array([FORCE / AREA, 0, 0, 0, 0, 0]), atol=1e-4 * FORCE / AREA)
    half = result.probe("displacement", [[SIZE[0] / 2, 0, 0]])
    assert half.values[0, 0] == pytest.approx(STRETCH / 2, rel=1e-6)
    assert result.surface_fields["displacement"].values[:, 0].max() == pytest.approx(STRETCH, rel=1e-6)
    with pytest.raises(twin.InvalidInput, match="outside the part"):
        result.probe("displacement", [[1.0, 0, 0]])


def test_provenance_and_cost(result):
    assert result.provenance
    assert sum(result.cost.seconds.values()) > 0
    assert result.cost.device
    assert result.convergence[-1].residual < 1e-7


def test_files(result, tmp_path):
    for name in ("bar.vtu", "bar.npz", "bar.csv", "bar.glb"):
        assert result.save(tmp_path / name).stat().st_size > 0
    assert ET.parse(tmp_path / "bar.vtu").getroot().get("type") == "UnstructuredGrid"
    with (tmp_path / "bar.csv").open() as file:
        rows = {row["quantity"]: float(row["value"]) for row in csv.DictReader(file)}
    assert rows["max_displacement"] == result.quantities["max_displacement"].value
    with pytest.raises(twin.InvalidInput, match="suffix"):
        result.save(tmp_path / "bar.stl")


def test_picture_and_report(result, tmp_path):
    assert result.plot(tmp_path / "bar.png", size=(640, 400)).read_bytes().startswith(b"\x89PNG")
    page = result.report(tmp_path / "bar.html").read_text()
    for word in (
        "box.stl",
        "von Mises",
        "no motion along the normal",
        "(10, 0, 0) kN",
        "data:image/png;base64",
    ):
        assert word in page
    assert "<script src" not in page
    assert "<link" not in page


def test_the_run_is_found_again(client, part, run, result):
    (info,) = client.runs(labels={"purpose": "test"})
    assert (info.name, info.display_name, info.geometry) == (run.name, "bar", part.id)
    again = client.run(run.name).result()
    assert again.quantities["compliance"] == result.quantities["compliance"]


def test_load_cases_and_their_envelope(client, part):
    cases = {"pull": [PULL], "push harder": []}
    with pytest.raises(twin.StudyError, match="push harder"):
        twin.StaticStress(STEEL, SUPPORTS, load_cases=cases)
    cases = {"pull": [PULL], "push": [twin.Pressure("150 MPa", on=face(0, SIZE[0]))]}
    study = twin.StaticStress(STEEL, SUPPORTS, load_cases=cases)
    result = client.simulate(part, study, accuracy=0.5).result(timeout=300)
    assert result.case("pull").quantities["max_von_mises"].value == pytest.approx(50e6, rel=1e-5)
    worst = result.quantities["max_von_mises"]
    assert worst.value == pytest.approx(150e6, rel=1e-5)
    assert "push" in worst.note
    assert result.quantities["safety_factor"].value == pytest.approx(2.0, rel=1e-5)


@pytest.mark.parametrize(
    ("supports", "loads", "kind", "words"),
    [
        (SUPPORTS[:2], [PULL], twin.UnconstrainedError, "z"),
        ([twin.Fixed(on=face(0, 0.05))], [PULL], twin.SelectionError, "mm"),
        ([twin.Fixed(on=twin.select.patch(77))], [PULL], twin.SelectionError, "77"),
    ],
)
def test_what_cannot_work_is_refused(client, part, supports, loads, kind, words):
    with pytest.raises(kind, match=words):
        client.simulate(part, twin.StaticStress(STEEL, supports, loads)).result(timeout=400)


def test_files_that_are_no_parts(client, tmp_path):
    (tmp_path / "part.stl").write_bytes(b"\x00" * 84)
    with pytest.raises(twin.GeometryError):
        client.upload(tmp_path / "part.stl")
    (tmp_path / "part.docx").write_bytes(b"PK\x03\x04")
    with pytest.raises(twin.GeometryError):
        client.upload(tmp_path / "part.docx")


def test_cancel(client, part):
    run = client.simulate(part, twin.StaticStress(STEEL, SUPPORTS, [PULL]), accuracy=1e-4)
    for update in run.watch():
        if update.state == "RUNNING":
            break
    run.cancel()
    with pytest.raises(twin.Cancelled):
        run.result(timeout=60)


def test_a_run_survives_the_server(home, box, tmp_path):
    """On a home of its own: the shared server goes on as long as the other tests hold it."""
    (tmp_path / "compile-cache").symlink_to((home / "compile-cache").resolve())
    with twin.local(home=tmp_path) as client:
        study = twin.StaticStress(STEEL, SUPPORTS, [PULL])
        name = client.simulate(client.upload(box), study, accuracy=0.5).name
    with twin.local(home=tmp_path) as client:
        result = client.run(name).result(timeout=300)
    assert result.quantities["max_von_mises"].value == pytest.approx(50e6, rel=1e-5)


def test_the_compile_cache_is_kept(home: Path, result):
    assert any((home / "compile-cache").iterdir())
