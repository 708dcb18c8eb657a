"""Commands against a service that answers at once: what they print, write and end with."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from sdk_fake_service import failure
from typer.testing import CliRunner

import twin
from twin.cli.app import app
from twin.cli.terminal import Terminal

STUDY = """
material = "Ti-6Al-4V"
[[supports]]
type = "Fixed"
on = { patch = 0 }
[[loads]]
type = "Gravity"
vector = [0, 0, -9.81]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TWIN_SERVER", raising=False)
    Path("cube.stl").write_text("solid cube\nendsolid cube\n")
    Path("study.toml").write_text(STUDY)
    return tmp_path


def call(*words: str, code: int = 0) -> list[dict[str, Any]]:
    """The JSON lines of a command that has to end with `code`."""
    done = CliRunner().invoke(app, words)
    assert done.exit_code == code, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


def kinds(lines: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(line["kind"] for line in lines))


def test_solve_tells_everything_and_writes_files(folder, serving):
    words = ("solve", "cube.stl", "--study", "study.toml", "--out", "a.csv", "--out", "a.vtu")
    lines = call(*words, "--server", serving())
    assert kinds(lines) == ["part", "run", "update", "case", "result", "file"]
    (case,) = (line for line in lines if line["kind"] == "case")
    assert case["quantities"]["max_displacement"] == {"value": 1e-3, "unit": "m", "error": 1e-5, "note": ""}
    assert case["quantities"]["safety_factor"]["error"] is None
    assert case["quantities"]["reaction_force"]["value"] == [0, 0, -100]
    assert [line["path"] for line in lines if line["kind"] == "file"] == ["a.csv", "a.vtu"]
    with Path("a.csv").open() as file:
        assert next(csv.DictReader(file))["quantity"] == "max_displacement"


def test_the_server_may_come_from_the_environment(folder, serving, monkeypatch):
    monkeypatch.setenv("TWIN_SERVER", serving())
    (line,) = call("upload", "cube.stl")
    assert line["report"]["bounds"] == [[0, 0, 0], [1, 1, 1]]
    lines = call(
        "solve", line["id"].replace(line["id"], "geometries/known"), "--study", "study.toml", "--detach"
    )
    assert lines[-1]["name"] == "runs/r1"
    assert [line["name"] for line in call("runs")] == ["runs/r1"]
    assert kinds(call("watch", "r1")) == ["run", "update", "case", "result"]
    assert call("runs", "--state", "failed") == []
    assert call("cancel", "runs/r1")[0]["state"] == "CANCELLED"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("solve", "cube.stl", "--study", "none.toml"), 2, "can't be read"),
        (("solve", "none.stl", "--study", "study.toml"), 2, "there is no file none.stl"),
        (("solve", "cube.stl", "--study", "study.toml", "--accuracy", "3"), 2, "accuracy"),
        (("solve", "cube.stl", "--study", "study.toml", "--out", "a.docx"), 2, "the suffix has to be one of"),
        (("solve", "cube.stl", "--study", "study.toml", "--out", "no/a.csv"), 2, "there is no folder no"),
        (("watch", "none"), 2, "there is no runs/none"),
        (("runs", "--state", "lost"), 2, "'lost' is no state"),
    ],
)
def test_wrong_input_ends_with_two(folder, serving, words, code, said):
    lines = call(*words, "--server", serving(), code=code)
    assert lines[-1]["kind"] == "error"
    assert said in lines[-1]["message"]


def test_usage_errors_end_with_two():
    assert CliRunner().invoke(app, ["solve"]).exit_code == 2
    assert CliRunner().invoke(app, ["runs", "--limit", "0"]).exit_code == 2


def test_a_failed_run_ends_with_one(folder, serving):
    server = serving(failure=failure("SOLVE_FAILED", "the solver gave up", iterations="500"))
    lines = call("solve", "cube.stl", "--study", "study.toml", "--server", server, code=1)
    assert lines[-1] == {
        "kind": "error", "reason": "SOLVE_FAILED", "message": "the solver gave up",
        "facts": {"iterations": "500"},
    }  # fmt: skip


def test_detaching_from_a_server_that_ends_with_the_command_is_refused(folder):
    lines = call("solve", "cube.stl", "--study", "study.toml", "--detach", code=2)
    assert "--detach needs a server" in lines[-1]["message"]


def test_materials_are_searched():
    (line,) = call("materials", "6al-4v")
    assert (line["name"], line["youngs_modulus"]) == ("Ti-6Al-4V", 113.8e9)
    assert len(call("materials")) >= 25


def test_what_a_terminal_shows(folder, serving):
    screen = io.StringIO()
    console = Console(file=screen, width=120)
    terminal = Terminal(console, console)
    with twin.connect(serving(cases=("ver", "hor"))) as client:
        part = client.upload("cube.stl")
        study = twin.StaticStress(
            "Ti-6Al-4V", [twin.Fixed(twin.select.patch(0))], [twin.Gravity((0, 0, -9.81))]
        )
        run = client.simulate(part, study)
        terminal.part(part)
        terminal.follow(run)
        terminal.result(run.result())
        terminal.runs(list(client.runs()))
        terminal.error(twin.SolveFailed("the solver [gave] up"))
    text = screen.getvalue()
    for words in ("1000 x 1000 x 1000 mm", "repaired: turned 3 triangles", "✓ Solving", "Done", "100 %"):
        assert words in text
    for words in (
        "hor",
        "max_displacement",
        "2 mm",
        "± 0.5 %",
        "± unknown",
        "SUCCEEDED",
        "the solver [gave] up",
    ):
        assert words in text
