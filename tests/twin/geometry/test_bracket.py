"""The example part is a sound solid, and its bores can be selected by the constants of its script."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from pathlib import Path

import pytest

from twin import select as s
from twin.geometry.parse import parse
from twin.geometry.selection import select
from twin.meshing import mesh_volume
from twin.meshing.volume_mesh import volume

SCRIPT = Path(__file__).parents[3] / "examples" / "bracket.py"


@pytest.fixture(scope="module")
def bracket(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("bracket")
    done = subprocess.run(
        [sys.executable, str(SCRIPT)], cwd=folder, check=True, capture_output=True, text=True, timeout=120
    )
    return folder / "bracket.step", done.stdout


def test_the_bracket(bracket: tuple[Path, str]) -> None:
    path, told = bracket
    surface, report = parse(path, "mm", path.name)
    said = re.search(r"([\d.]+) cm3", told)
    assert said is not None
    assert (report.watertight, report.bodies, report.unit) == (True, 1, "mm")
    assert report.volume == pytest.approx(float(said.group(1)) * 1e-6, rel=1e-3)
    assert report.bounds[0] == pytest.approx((-0.05, -0.03, 0.0), abs=1e-8)
    assert report.bounds[1] == pytest.approx((0.05, 0.03, 0.06), abs=2e-5)  # the round top has facets
    bore = select(surface, s.cylinder((0, 0, "40 mm"), (0, 1, 0), "8 mm"), 1e-3)
    assert bore.area == pytest.approx(2 * math.pi * 0.008 * 0.012, rel=2e-3)
    for x in (-0.038, 0.038):
        for y in (-0.018, 0.018):
            hole = select(surface, s.cylinder((x, y, 0), (0, 0, 1), "4.5 mm"), 1e-3)
            assert hole.area == pytest.approx(2 * math.pi * 0.0045 * 0.006, rel=5e-3)
    underside = select(surface, s.plane((0, 0, 0), (0, 0, 1)), 1e-3)
    exact = 0.1 * 0.06 - (4 - math.pi) * 0.01**2 - 4 * math.pi * 0.0045**2
    assert underside.area == pytest.approx(exact, rel=1e-3)
    mesh = mesh_volume(surface, 5e-3, source=path)
    assert "STEP" in mesh.mesher
    assert volume(mesh.points, mesh.tets) == pytest.approx(float(said.group(1)) * 1e-6, rel=1e-3)
