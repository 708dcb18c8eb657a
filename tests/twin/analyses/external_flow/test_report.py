"""What users are warned of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh

import twin
from twin.analyses.external_flow.report import warnings_of
from twin.analyses.external_flow.setting import setting
from twin.analyses.external_flow.tunnel import tunnel
from twin.analyses.flow.simulation import Simulation
from twin.geometry.parse import parse


def said(folder: Path, study: twin.ExternalFlow, y_plus: float) -> str:
    """Of a cube of 0.1 m about the origin, before the first step."""
    trimesh.creation.box((0.1, 0.1, 0.1)).export(folder / "cube.stl")
    surface, _ = parse(folder / "cube.stl", "m", "cube.stl")
    made = tunnel(setting(surface, study), 6.0)
    nothing = np.zeros_like(made.touched)
    return "\n".join(
        warnings_of(Simulation(made, np.zeros((1, 6)), 1, 0, nothing, (), True, True, 1.0), y_plus)
    )


def test_of_all_that_makes_an_answer_worth_less(tmp_path: Path) -> None:
    wheel = twin.Rotating((0, 1, 0), (0, 0, 0), "60 rpm", twin.select.all())
    study = twin.ExternalFlow((150, 0, 0), "air", ground=twin.Ground(-0.02), rotating=wheel)
    found = said(tmp_path, study, 500.0)
    for words in ("Mach number is 0.44", "30.0% of the part's height", "y+ = 5e+02", "it stirs the fluid"):
        assert words in found
    assert "ground is left out" not in found


@pytest.mark.parametrize(("height", "left_out"), [(-0.5, False), (-2.0, True)])
def test_of_ground_that_is_not_felt(tmp_path: Path, height: float, left_out: bool) -> None:
    study = twin.ExternalFlow((1, 0, 0), twin.Fluid(1.2, 0.001), ground=twin.Ground(height))
    assert ("The ground is left out" in said(tmp_path, study, 1.0)) == left_out


def test_of_nothing_where_all_is_well(tmp_path: Path) -> None:
    assert said(tmp_path, twin.ExternalFlow((1, 0, 0), twin.Fluid(1.2, 0.001)), 1.0) == ""
