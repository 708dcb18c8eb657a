"""Designs that differ in their loads alone: each gets the answer that it has by itself."""

from pathlib import Path

import numpy as np
import pytest
import trimesh

import twin
from twin.analyses.run import run
from twin.analyses.together import run_together
from twin.geometry.parse import parse
from twin.studies import Request

SIZE = np.array([0.05, 0.01, 0.01])
ROOT, TIP = twin.select.plane((0, 0, 0), (1, 0, 0)), twin.select.plane((0.05, 0, 0), (1, 0, 0))


class Silent:
    def progress(self, *_: object, **__: object) -> None:
        pass


@pytest.fixture(scope="module")
def bar(tmp_path_factory):
    """Surface and report."""
    solid = trimesh.creation.box(extents=SIZE)
    solid.apply_translation(SIZE / 2)
    path = tmp_path_factory.mktemp("bar") / "bar.stl"
    solid.export(path)
    return parse(path, "m", "bar.stl")


def study(**cases):
    loads = {name: [twin.Force(vector, TIP)] for name, vector in cases.items()}
    return twin.StaticStress("Ti-6Al-4V", [twin.Fixed(ROOT)], load_cases=loads)


@pytest.mark.parametrize("discretisation", ["tet", pytest.param("grid", marks=pytest.mark.slow)])
def test_together_is_as_alone(bar, discretisation: str, tmp_path: Path):
    request = Request(0.1, discretisation=discretisation, quantities=("max_displacement",))
    beside = {"source": None, "monitor": Silent(), "workdir": tmp_path}
    studies = [study(bend=(0, 0, 10)), study(bend=(0, 0, 30), pull=(1000, 0, 0)), study(twist_free=(0, 7, 0))]
    together = run_together(*bar, studies, request, **beside)
    for asked, outcome in zip(studies, together, strict=True):
        assert list(outcome.cases) == list(asked.cases)
        assert {glyph.case for glyph in outcome.glyphs} <= {None, *asked.cases}
        assert outcome.ended == "accuracy"
        worst = max(case.quantities["max_von_mises"].value for case in outcome.cases.values())
        assert outcome.convergence[-1].quantities["max_von_mises"] == worst
        assert any("together with 2 designs" in said for said in outcome.assumptions)
    first, second = (outcome.cases["bend"].quantities["max_displacement"].value for outcome in together[:2])
    assert second == pytest.approx(3 * first, rel=1e-6)
    alone = run(*bar, studies[1], request, **beside)
    assert list(alone.cases) == ["bend", "pull"]
    for name, case in alone.cases.items():
        expected = case.quantities["max_displacement"]
        found = together[1].cases[name].quantities["max_displacement"]
        assert abs(found.value - expected.value) < found.error + expected.error
        assert found.error < 0.1 * found.value
