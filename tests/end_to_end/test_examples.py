"""The examples run and end in numbers that make sense; so does the command on their study file."""

from __future__ import annotations

import importlib
import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import twin
from twin.cli.demo import SHIPPED
from twin.units import quantity

EXAMPLES = Path(__file__).parents[2] / "examples"
COARSE: dict[str, Any] = {"accuracy": 1.0, "max_unknowns": 60_000}


@pytest.fixture
def coarse(monkeypatch: pytest.MonkeyPatch, client: twin.Client, tmp_path: Path) -> None:
    """Examples in a folder of their own, with coarse answers: the words are what is tested."""
    simulate = twin.Client.simulate

    def quick(self: twin.Client, part: twin.Part, study: Any, **options: Any) -> twin.Run:
        return simulate(self, part, study, **(options | COARSE))

    monkeypatch.setattr(twin.Client, "simulate", quick)
    monkeypatch.syspath_prepend(str(EXAMPLES))
    monkeypatch.chdir(tmp_path)


@pytest.mark.slow
def test_sweep(tmp_path):
    few = (EXAMPLES / "sweep.toml").read_text().replace("count = 32", "count = 3")
    (tmp_path / "sweep.toml").write_text(few.replace("max_unknowns = 40_000", "max_unknowns = 15_000"))
    subprocess.run([sys.executable, EXAMPLES / "bracket.py"], cwd=tmp_path, check=True, capture_output=True)
    command = [
        sys.executable,
        "-m",
        "twin",
        "sweep",
        "bracket.step",
        "--study",
        "sweep.toml",
        "--out",
        "sweep.csv",
    ]
    environment = {**os.environ, "TWIN_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [*command, "--out", "sweep.html"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    designs = [line for line in map(json.loads, done.stdout.splitlines()) if line["kind"] == "design"]
    assert {design["state"] for design in designs} == {"DONE", "INFEASIBLE"}
    rows = (tmp_path / "sweep.csv").read_text().splitlines()
    assert len(rows) == 1 + 3
    assert "What nothing beats" in (tmp_path / "sweep.html").read_text()


@pytest.mark.slow
@pytest.mark.usefixtures("coarse")
def test_heat(tmp_path, capsys):
    runpy.run_path(str(EXAMPLES / "heat.py"), run_name="__main__")
    *_, hottest, flow = capsys.readouterr().out.splitlines()
    assert hottest.split()[1] == "K"
    assert flow.startswith("15 W ±")
    assert (tmp_path / "heat.png").stat().st_size > 10_000


@pytest.mark.slow
@pytest.mark.usefixtures("client")
def test_manifold(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(EXAMPLES / "manifold.py"), run_name="__main__")
    *_, near, far, _ = (line.split() for line in capsys.readouterr().out.splitlines())
    assert float(near[1]) + float(far[1]) == pytest.approx(1e-4 / 60, rel=0.05)  # 0.1 l/min
    assert (tmp_path / "manifold.png").stat().st_size > 10_000


@pytest.mark.slow
@pytest.mark.usefixtures("coarse")
def test_gradient(capsys):
    runpy.run_path(str(EXAMPLES / "gradient.py"), run_name="__main__")
    *_, change = capsys.readouterr().out.splitlines()
    slower, heavier = change.split(" µm ")[0], change.split(" and ")[1].split(" g ")[0]
    assert float(slower) < 0  # thicker is stiffer
    # the area of the face, a rectangle and half a disc less the bore and a fillet, times the density of titanium
    assert float(heavier) == pytest.approx(4430e-6 * 1.43e3, rel=0.1)


@pytest.mark.usefixtures("coarse")
def test_quickstart(tmp_path, capsys):
    runpy.run_path(str(EXAMPLES / "quickstart.py"), run_name="__main__")
    assert "MPa ±" in capsys.readouterr().out
    assert (tmp_path / "stress.png").stat().st_size > 10_000


@pytest.mark.slow
@pytest.mark.usefixtures("coarse")
def test_load_cases(tmp_path, capsys):
    import load_cases

    result = load_cases.main(tmp_path)
    assert result.cases == ("lift", "brake", "twist")
    stress = {name: result.case(name).quantities["max_von_mises"].value for name in result.cases}
    assert result.quantities["max_von_mises"].value == max(stress.values())
    assert max(stress, key=stress.__getitem__) in capsys.readouterr().out.splitlines()[-1]
    assert (tmp_path / "worst.png").stat().st_size > 10_000


def test_study_file_by_the_command_line(client, tmp_path):
    def run(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, *words], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=300
        )
        return done.stdout

    run(str(EXAMPLES / "bracket.py"))
    study = ("--study", str(EXAMPLES / "study.toml"), "--accuracy", "1", "--max-unknowns", "60000")
    files = ("--out", "bracket.vtu", "--out", "bracket.glb")
    lines = [
        json.loads(line) for line in run("-m", "twin", "solve", "bracket.step", *study, *files).splitlines()
    ]
    (case,) = (line for line in lines if line["kind"] == "case")
    assert case["quantities"]["max_displacement"]["value"] == pytest.approx(2.7e-5, rel=0.1)
    assert case["quantities"]["reaction_force"]["value"] == pytest.approx([-3e3, 1e3, -18e3], rel=1e-4)
    assert [line["path"] for line in lines if line["kind"] == "file"] == ["bracket.vtu", "bracket.glb"]


@pytest.mark.slow  # `make demo` asks it too
def test_the_surrogate_that_ships_knows_the_example(client, tmp_path):
    """Its bounds hold what the solver finds to a few per cent; half the load is half of all, another material not."""
    bracket, family = (importlib.import_module(f"examples.{name}") for name in ("bracket", "bracket_family"))
    path = bracket.main(tmp_path / "bracket.step")
    client.load_surrogate(SHIPPED, family.NAME).surrogate(timeout=120)
    part, study = client.upload(path), family.pulled(0.04, 0.008)
    found = client.predict(part, study, family.NAME)
    solved = client.simulate(part, study, accuracy=0.1, method="solver", max_unknowns=100_000).result()
    for case in study.cases:
        for name in ("max_displacement", "compliance"):
            one, other = (result.case(case).quantities[name] for result in (found, solved))
            assert abs(one.value - other.value) <= one.error + other.error
            assert one.relative_error < 0.5
    assert found.rungs[0].answered


def test_sizes_at_the_ends_of_their_ranges_make_brackets():
    family = importlib.import_module("examples.bracket_family")
    ends = {name: [quantity(end, "m") for end in between] for name, between in family.RANGES.items()}
    least, most = ({name: between[which] for name, between in ends.items()} for which in (0, 1))
    most["rib_length"] = family.REACH - most["upright"] / 2 - most["fillet"]
    mixed = {name: between[index % 2] for index, (name, between) in enumerate(ends.items())}
    for sizes in (least, most, mixed):
        solid = family.build(**sizes)
        assert len(solid.solids) == 1
        assert solid.mass > 2e4  # mm^3


@pytest.mark.slow
def test_demo(home, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "twin", "demo", "--in", str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )
    solver, surrogate = (
        line["quantities"] for line in map(json.loads, done.stdout.splitlines()) if line["kind"] == "case"
    )
    for name in ("max_displacement", "max_von_mises", "compliance"):
        one, other = solver[name], surrogate[name]
        assert abs(one["value"] - other["value"]) <= one["error"] + other["error"]
    for name in ("bracket.step", "stress.png", "bracket.vtu", "report.html", "comparison.png"):
        assert (tmp_path / name).stat().st_size > 10_000
