"""A part that was read in the wrong unit is refused; a building in the wind is not."""

from __future__ import annotations

from pathlib import Path

import pytest
import trimesh

from twin.analyses.checks import LONGEST_IN_WIND, check_part
from twin.errors import GeometryError
from twin.geometry.parse import parse


@pytest.mark.parametrize("meters", [60.0, 3000.0])
def test_how_long_a_part_may_be(tmp_path: Path, meters: float) -> None:
    path = tmp_path / "block.stl"
    trimesh.creation.box(extents=[meters, 10, 10]).export(path)
    part = parse(path, "m", path.name)
    with pytest.raises(GeometryError, match="most likely the unit is wrong"):
        check_part(*part)
    if meters < LONGEST_IN_WIND:
        check_part(*part, LONGEST_IN_WIND)
    else:
        with pytest.raises(GeometryError, match="unit='mm'"):
            check_part(*part, LONGEST_IN_WIND)
