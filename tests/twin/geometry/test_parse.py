"""Reading in the child: exact shapes from STEP, limits that hold, nothing left behind."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.twin.geometry.shapes import CUBE_TRIANGLES, CUBE_VERTICES, stl_binary
from tests.twin.geometry.step_files import write_step_files
from twin.errors import Cancelled, GeometryError, Internal
from twin.geometry.formats.step_text import StepText
from twin.geometry.parse import parse
from twin.geometry.surface import Surface, closest
from twin.sandbox import child
from twin.sandbox.child import Limits

GENEROUS = Limits(seconds=60.0, memory=8 << 30, file_size=1 << 30)


@pytest.fixture(scope="session")
def step_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_step_files(tmp_path_factory.mktemp("step"))


EXACT: dict[str, tuple[float, float]] = {  # [mm3], [mm2]
    "sphere": (4 / 3 * np.pi * 1000, 4 * np.pi * 100),
    "cylinder": (np.pi * 3000, 2 * np.pi * 100 + 2 * np.pi * 300),
    "bored": (16000 - np.pi * 640, 2 * (1600 - np.pi * 64) + 1600 + 2 * np.pi * 80),
}


@pytest.mark.parametrize("name", EXACT)
def test_step_against_analysis(step_files: dict[str, Path], name: str) -> None:
    surface, report = parse(step_files[name], "mm", f"{name}.step")
    volume, area = EXACT[name]
    assert report.watertight
    assert report.bodies == 1
    assert report.unit == "mm"
    assert report.volume == pytest.approx(volume * 1e-9, rel=5e-3)
    assert report.area == pytest.approx(area * 1e-6, rel=3e-3)
    # the lost volume is at most the chord error over the whole area
    assert abs(report.volume - volume * 1e-9) <= report.chord_error * report.area
    assert 0 < report.chord_error < 5e-5
    assert len(surface.triangles) == report.triangles


def test_chord_error_is_the_distance_to_the_sphere(step_files: dict[str, Path]) -> None:
    surface, report = parse(step_files["sphere"], None, "sphere.step")
    center = np.array([0.03, 0, 0])
    weights = np.random.default_rng(1).dirichlet(np.ones(3), (len(surface.triangles), 20))
    inside = 0.01 - np.linalg.norm(np.einsum("tsc,tcd->tsd", weights, surface.corners) - center, axis=2)
    assert inside.max() <= 1.05 * report.chord_error
    assert inside.max() >= 0.5 * report.chord_error


def test_cylinders_are_recognised(step_files: dict[str, Path]) -> None:
    _, report = parse(step_files["bored"], None, "bored.step")
    (bore,) = [patch for patch in report.patches if patch.kind == "cylinder"]
    assert bore.radius == pytest.approx(0.008, rel=1e-4)
    assert np.abs(bore.axis or ()) == pytest.approx([0, 0, 1], abs=1e-6)
    assert bore.center == pytest.approx((0, 0, 0.005), abs=1e-7)
    assert sum(patch.kind == "plane" for patch in report.patches) == 6


@pytest.mark.parametrize(
    ("written", "name", "metres"),
    [
        (b"SI_UNIT($,.METRE.)", "m", 1.0),
        (b"SI_UNIT(.CENTI.,.METRE.)", "cm", 1e-2),
        (b"inch", "in", 0.0254),
        (b"SI_UNIT(.DECI.,.METRE.)", "0.1 m", 0.1),
    ],
)
def test_the_unit_in_a_step_file_wins(
    step_files: dict[str, Path], tmp_path: Path, written: bytes, name: str, metres: float
) -> None:
    text = step_files["cylinder"].read_bytes()
    unit = b"SI_UNIT(.MILLI.,.METRE.)"
    assert unit in text
    if written == b"inch":
        inch = (
            b"#90001=(LENGTH_UNIT()NAMED_UNIT(*)SI_UNIT($,.METRE.));\n#90002=DIMENSIONAL_EXPONENTS(1.,0.,0.,0.,0.,0.,0.);\n"
            b"#90003=LENGTH_MEASURE_WITH_UNIT(LENGTH_MEASURE(0.0254),#90001);\n"
        )
        text = text.replace(b"DATA;\n", b"DATA;\n" + inch, 1).replace(
            b"NAMED_UNIT(*) " + unit, b"NAMED_UNIT(#90002)"
        )
        text = text.replace(
            b"( LENGTH_UNIT() NAMED_UNIT(#90002)",
            b"( CONVERSION_BASED_UNIT('INCH',#90003) LENGTH_UNIT() NAMED_UNIT(#90002)",
        )
    else:
        text = text.replace(unit, written)
    path = tmp_path / "other.step"
    path.write_bytes(text)
    _, report = parse(path, "mm", "other.step")
    assert report.unit == name
    assert report.volume == pytest.approx(np.pi * 3000 * metres**3, rel=5e-3)
    assert f"own unit is {name}" in " ".join(report.warnings)


def test_an_unpaired_apostrophe_takes_no_time() -> None:
    begun = time.monotonic()
    StepText(b"#1=PRODUCT('" + b"a" * 20_000 + b";\n#2=CLOSED_SHELL('',(#1));")
    assert time.monotonic() - begun < 5.0


def test_nothing_is_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step_files: dict[str, Path]
) -> None:
    here, temporary = tmp_path / "here", tmp_path / "temporary"
    here.mkdir()
    temporary.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    parse(step_files["bored"], "mm", "bored.step")
    assert list(here.iterdir()) == []
    assert list(temporary.iterdir()) == []


def test_a_reader_out_of_time_is_killed(step_files: dict[str, Path]) -> None:
    started = time.monotonic()
    with pytest.raises(GeometryError, match="did not finish"):
        parse(step_files["sphere"], "mm", "sphere.step", limits=Limits(0.05, 8 << 30, 1 << 30))
    assert time.monotonic() - started < 5.0


def test_a_reader_out_of_memory_is_told(tmp_path: Path) -> None:
    path = tmp_path / "long.stl"
    count = 400_000
    path.write_bytes(stl_binary(CUBE_VERTICES, np.tile(CUBE_TRIANGLES, (count // 12, 1))))
    with pytest.raises(GeometryError, match=r"memory|failed|crashed"):
        parse(path, "mm", "long.stl", limits=Limits(60.0, 300 << 20, 1 << 30))


def test_cancelling_kills_the_reader(step_files: dict[str, Path]) -> None:
    def check() -> None:
        raise Cancelled("enough")

    with pytest.raises(Cancelled):
        parse(step_files["sphere"], "mm", "sphere.step", check=check)


@pytest.fixture
def child_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Write a module that a child can run."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def write(body: str) -> str:
        (tmp_path / "a_child.py").write_text(
            "import os, time, subprocess, sys, socket\ndef main(folder):\n    " + body
        )
        return "a_child"

    return write


def test_what_a_child_started_dies_with_it(tmp_path: Path, child_module: Callable[[str], str]) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    body = "open('pid', 'w').write(str(subprocess.Popen(['sleep', '60']).pid)); time.sleep(60)"
    with pytest.raises(child.ChildFailed, match="did not finish"):
        child.run(child_module(body), folder, {}, {}, Limits(3.0, 8 << 30, 1 << 30))
    status = Path(f"/proc/{(folder / 'pid').read_text()}/status")
    deadline = time.monotonic() + 10.0
    while status.exists() and "Z (zombie)" not in status.read_text():  # the kernel may take a moment
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_crash_is_told(tmp_path: Path, child_module: Callable[[str], str]) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    with pytest.raises(child.ChildFailed, match="SIGSEGV"):
        child.run(child_module("os.kill(os.getpid(), 11)"), folder, {}, {}, GENEROUS)


def test_an_incomplete_installation_is_not_the_users_fault(
    tmp_path: Path, child_module: Callable[[str], str]
) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    with pytest.raises(Internal, match="installation"):
        child.run(child_module("import no_such_library"), folder, {}, {}, GENEROUS)


def can_leave_the_network() -> bool:
    """Whether this machine's kernel lets an ordinary process do so."""
    return subprocess.run(["unshare", "--user", "--net", "true"], capture_output=True).returncode == 0


@pytest.mark.skipif(not can_leave_the_network(), reason="the kernel refuses user namespaces here")
def test_a_child_has_no_network(tmp_path: Path, child_module: Callable[[str], str]) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as server:
        body = f"socket.create_connection(('127.0.0.1', {server.getsockname()[1]}), 2.0)"
        with pytest.raises(child.ChildFailed, match=r"unreachable|refused|OSError"):
            child.run(child_module(body), folder, {}, {}, GENEROUS)


def test_a_child_has_no_secrets(
    tmp_path: Path, child_module: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWIN_SECRET", "42")
    folder = tmp_path / "work"
    folder.mkdir()
    body = (
        "open('answer.json', 'w').write('{\"answer\": {\"secret\": \"%s\"}}' % os.environ.get('TWIN_SECRET'))"
    )
    answer, _ = child.run(child_module(body), folder, {}, {}, GENEROUS)
    assert answer == {"secret": "None"}


def test_surfaces_survive_a_file(tmp_path: Path) -> None:
    groups = {"top": np.array([10, 11], dtype=np.int32)}
    surface = Surface(CUBE_VERTICES, CUBE_TRIANGLES, np.zeros(12, dtype=np.int32), groups)
    surface.save(tmp_path / "surface.npz")
    again = Surface.load(tmp_path / "surface.npz")
    assert np.array_equal(again.vertices, surface.vertices)
    assert np.array_equal(again.groups["top"], groups["top"])
    assert os.listdir(tmp_path) == ["surface.npz"]  # noqa: PTH208
    assert again.closed


def test_closest_points_on_a_cube() -> None:
    surface = Surface(CUBE_VERTICES, CUBE_TRIANGLES, np.zeros(12, dtype=np.int32))
    points = np.array([[0.5, 0.5, 2.0], [0.5, 0.4, 0.1], [2.0, 2.0, 2.0]])
    distance, triangle, nearest = closest(surface, points)
    assert distance == pytest.approx([1.0, 0.1, np.sqrt(3)])
    assert nearest == pytest.approx(np.array([[0.5, 0.5, 1.0], [0.5, 0.4, 0.0], [1.0, 1.0, 1.0]]))
    assert surface.normals[triangle[0]] == pytest.approx([0, 0, 1])


@pytest.mark.corpus
def test_step_and_stl_of_one_part_agree(corpus: Path) -> None:
    exact, of_step = parse(corpus / "cad/featuretype.STEP", "mm", "featuretype.STEP")
    meshed, of_stl = parse(corpus / "cad/featuretype.STL", "in", "featuretype.STL")
    assert of_step.unit == "in"
    assert of_step.watertight
    assert of_stl.watertight
    assert of_step.volume == pytest.approx(of_stl.volume, rel=1e-3)
    assert of_step.area == pytest.approx(of_stl.area, rel=1e-3)
    assert np.array(of_step.bounds) == pytest.approx(np.array(of_stl.bounds), abs=1e-6)
    assert closest(exact, meshed.vertices)[0].max() < 1e-4
    assert len(of_step.patches) == len(of_stl.patches)
