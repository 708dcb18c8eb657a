"""`twin sweep` and `twin sweeps` against the service, with fake workers."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from harness import cube, running
from typer.testing import CliRunner

from twin.cli.app import app

STUDY = """
material = "Ti-6Al-4V"
[parameters]
force = { low = 10, high = 60 }
[sampling]
type = "Sobol"
count = 6
[[supports]]
type = "Fixed"
on = { plane = { point = [0, 0, 0], normal = [0, 0, 1] } }
[[load_cases.sweep]]
type = "Force"
vector = [0, 0, "=force"]
on = { plane = { point = [0, 0, 0.01], normal = [0, 0, 1] } }
"""
SCRIPT = """
from pathlib import Path
def build(force):
    return Path(__file__).with_name("part.stl")
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "part.stl").write_bytes(cube())
    (tmp_path / "study.toml").write_text(STUDY)
    (tmp_path / "part.py").write_text(SCRIPT)
    with running(tmp_path / "home") as found:
        yield found.address


def call(server: str, *words: str, code: int = 0) -> list[dict[str, Any]]:
    """The JSON lines of a command that has to end with `code`."""
    done = CliRunner().invoke(app, [*words, "--server", server])
    assert done.exit_code == code, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_from_a_file_to_a_table(server: str, tmp_path: Path) -> None:
    out = tmp_path / "sweep.csv"
    lines = call(
        server,
        "sweep",
        str(tmp_path / "part.stl"),
        "--study",
        str(tmp_path / "study.toml"),
        "--out",
        str(out),
    )
    assert lines[0]["kind"] == "part"
    (name,) = {line["name"] for line in lines if line["kind"] == "sweep"}
    designs = [line for line in lines if line["kind"] == "design"]
    assert sorted(design["index"] for design in designs) == list(range(6))
    with out.open() as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        assert float(row["max_displacement [m]"]) == pytest.approx(float(row["force"]) ** 2)
    (listed,) = call(server, "sweeps", "list")
    assert listed["name"] == name
    assert listed["state"] == "COMPLETE"
    assert listed["display_name"] == "study"
    more = call(server, "sweeps", "extend", name, "4", "--out", str(tmp_path / "sweep.parquet"))
    assert len([line for line in more if line["kind"] == "design"]) == 10
    assert more[-1]["kind"] == "file"
    assert call(server, "sweeps", "export", name, "--out", str(tmp_path / "now.csv"))[-1]["kind"] == "file"
    call(server, "sweeps", "delete", name)
    assert call(server, "sweeps", "watch", name, code=2)[0]["reason"] == "NOT_FOUND"


def test_scripts_folders_and_steering(server: str, tmp_path: Path) -> None:
    lines = call(server, "sweep", str(tmp_path / "part.py"), "--study", str(tmp_path / "study.toml"))
    assert {line["state"] for line in lines if line["kind"] == "design"} == {"DONE"}
    folder = tmp_path / "parts"
    folder.mkdir()
    for number, edge in enumerate((10.0, 20.0)):
        (folder / f"{number}.stl").write_bytes(cube(edge))
    (detached,) = [
        line
        for line in call(server, "sweep", str(folder), "--study", str(tmp_path / "study.toml"), "--detach")
        if line["kind"] == "sweep"
    ]
    assert detached["counts"]["designs"] == 6
    assert call(server, "sweeps", "pause", detached["name"])[0]["state"] in ("PAUSED", "COMPLETE")
    followed = call(server, "sweeps", "resume", detached["name"])
    assert len([line for line in followed if line["kind"] == "design"]) == 6
    assert call(server, "sweeps", "cancel", detached["name"])[0]["state"] == "COMPLETE"
    call(server, "sweeps", "retry", detached["name"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--out", "sweep.xlsx"], "can't be written"),
        (["--out", "nowhere/sweep.csv"], "no folder"),
    ],
)
def test_files_that_can_not_be_written_are_refused_first(
    server: str, tmp_path: Path, words: list[str], said: str
) -> None:
    part, study = str(tmp_path / "part.stl"), str(tmp_path / "study.toml")
    lines = call(server, "sweep", part, "--study", study, *words, code=2)
    assert said in lines[0]["message"]


def test_a_folder_without_parts_and_a_script_without_a_function(server: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "none.py").write_text("")
    for part, said in (("empty", "no part in the folder"), ("none.py", "no function build")):
        lines = call(server, "sweep", str(tmp_path / part), "--study", str(tmp_path / "study.toml"), code=2)
        assert said in lines[0]["message"]
