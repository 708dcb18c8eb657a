"""Whatever can be read stands in the way of a flow: open, inverted, crossing, thin."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import twin
from twin.analyses.external_flow.setting import setting
from twin.analyses.external_flow.tunnel import tunnel
from twin.errors import TwinError
from twin.geometry.parse import parse

DATA = Path(__file__).parents[2].parent / "shared" / "data"
FOLDERS = ("aero", "cad", "nasty-crafted", "nasty-real", "prim", "vehicle")
FILES = sorted(path for folder in FOLDERS for path in (DATA / folder).glob("*.*") if path.suffix != ".dat")
BROKEN = ("nasty-crafted", "nasty-real")  # some of these can't be read; all others can
ACROSS = 12.0
_EVERY = 4  # of the files, one is tried by default

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not DATA.exists(), reason=f"needs the real geometry in {DATA}"),
]


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(
            path, marks=pytest.mark.slow if number % _EVERY else (), id=f"{path.parent.name}/{path.name}"
        )
        for number, path in enumerate(FILES)
    ],
)
def test_a_part_that_can_be_read_is_met_by_the_flow(path: Path) -> None:
    try:
        surface, report = parse(path, None, path.name)
    except TwinError:
        try:
            surface, report = parse(path, "mm", path.name)
        except TwinError as refused:
            if path.parent.name not in BROKEN:
                raise
            pytest.skip(f"refused: {refused}")
    placed = setting(surface, twin.ExternalFlow((1, 0.2, 0.1)))
    made = tunnel(placed, ACROSS)
    links = np.asarray(made.walls.body)
    assert links.any()
    distances = np.asarray(made.walls.distances)
    assert np.isfinite(distances).all()
    assert (distances[links] > 0).all()
    if report.watertight and report.bodies == 1:
        cells = made.solid.sum() * made.scales.length**3
        assert abs(cells - surface.volume) < 0.5 * made.scales.length * surface.area
