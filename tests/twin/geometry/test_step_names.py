"""Names of faces, solids and products in STEP files become groups of the right triangles."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from twin import select as s
from twin.geometry.formats.step_names import Body, label
from twin.geometry.formats.step_text import StepText
from twin.geometry.parse import parse
from twin.geometry.selection import select
from twin.geometry.surface import Surface

WRITE = """
import netgen.occ as occ
plate = occ.Box(occ.Pnt(0, 0, 0), occ.Pnt(40, 30, 10))
drill = occ.Cylinder(occ.Pnt(20, 15, -1), occ.Z, r=6, h=12)
drill.faces.name = "bore"
part = plate - drill
part.faces.Max(occ.Z).name = "clevis"
part.faces.Min(occ.X).name = "end"
part.faces.Max(occ.X).name = "end"
part.solids.name = "plate"
part.WriteStep("one.step")
peg = occ.Cylinder(occ.Pnt(20, 15, 10), occ.Z, r=8, h=5)
peg.faces.Max(occ.Z).name = "top of \\"peg's\\""
peg.solids.name = "peg"
occ.Compound([part, peg.Move((0, 0, 7))]).WriteStep("apart.step")
occ.Compound([part, occ.Box(occ.Pnt(40, 0, 0), occ.Pnt(80, 30, 10))]).WriteStep("touching.step")
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Written in a process of its own: two copies of Open CASCADE don't share one."""
    folder = tmp_path_factory.mktemp("named")
    subprocess.run([sys.executable, "-c", WRITE], check=True, cwd=folder, timeout=120)
    return folder


def area(surface: Surface, name: str) -> float:
    return 1e6 * select(surface, s.group(name), 1.0).area


def test_names_of_faces(files: Path) -> None:
    surface, report = parse(files / "one.step", "mm", "one.step")
    assert set(report.groups) == {"bore", "clevis", "end", "plate"}
    assert area(surface, "clevis") == pytest.approx(1200 - np.pi * 36, rel=1e-3)
    assert np.allclose(surface.normals[surface.groups["clevis"]], (0, 0, 1))
    assert area(surface, "bore") == pytest.approx(2 * np.pi * 6 * 10, rel=5e-3)
    assert area(surface, "end") == pytest.approx(600)
    assert area(surface, "plate") == pytest.approx(1e6 * surface.area)
    assert area(surface, "end") == pytest.approx(
        1e6 * select(surface, s.group("end") & s.group("plate"), 1.0).area
    )


def test_names_of_solids(files: Path) -> None:
    surface, report = parse(files / "apart.step", "mm", "apart.step")
    assert (report.bodies, report.watertight) == (2, True)
    assert set(report.groups) == {"bore", "clevis", "end", "plate", "peg", 'top of "peg\'s"'}
    assert area(surface, 'top of "peg\'s"') == pytest.approx(np.pi * 64, rel=2e-3)
    assert set(surface.body[surface.groups["peg"]].tolist()) == {1}
    assert set(surface.body[surface.groups["plate"]].tolist()) == {0}


def test_touching_solids_are_two_bodies(files: Path) -> None:
    surface, report = parse(files / "touching.step", "mm", "touching.step")
    assert (report.bodies, report.watertight) == (2, True)
    assert report.volume == pytest.approx((24000 - np.pi * 360) * 1e-9, rel=2e-3)
    assert {"plate", "body_1"} <= set(report.groups)
    assert 1e6 * surface.area == pytest.approx(
        2 * (2400 - np.pi * 36) + 80 * 20 + 1200 + 2 * np.pi * 60, rel=2e-3
    )


@pytest.mark.parametrize(
    ("written", "name"),
    [
        (rb"caf\X\E9", "café"),
        (rb"\X2\03B103B2\X0\-1", "αβ-1"),
        (b"it''s; (1)", "it's; (1)"),
        (b"caf\xc3\xa9", "café"),
    ],
)
def test_letters_in_step(files: Path, tmp_path: Path, written: bytes, name: str) -> None:
    content = (files / "one.step").read_bytes().replace(b"'clevis'", b"'" + written + b"'")
    (tmp_path / "one.step").write_bytes(content)
    _, report = parse(tmp_path / "one.step", "mm", "one.step")
    assert name in report.groups


def test_names_without_a_place_are_told(files: Path) -> None:
    text = StepText((files / "one.step").read_bytes())
    body = Body([{"type": "cone"}], [np.arange(3)], None, None)
    labels = label(text, [body], 3, 1.0)
    assert not labels.groups
    assert "could not be placed" in labels.warnings[0]


@pytest.mark.corpus
def test_products_of_an_assembly(corpus: Path) -> None:
    surface, report = parse(corpus / "cad/box_sides.STEP", "mm", "box_sides.STEP")
    assert {"box_base", "side_long", "gusset", "box_top", "Boss-Extrude2"} <= set(report.groups)
    gussets = surface.body[surface.groups["gusset"]]
    assert len(set(gussets.tolist())) == 4
    assert np.isin(surface.body, gussets).sum() == len(gussets)
