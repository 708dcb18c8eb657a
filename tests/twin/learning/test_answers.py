"""What a surrogate does not know is not left out of its answer."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import trimesh

import twin
from twin.analyses.monitor import Silent
from twin.errors import FailedPrecondition
from twin.geometry.parse import parse
from twin.learning import answers
from twin.learning.answers import Consultation, refuse_unknown
from twin.quantities import Quantity
from twin.studies import Request

FOUND = {"pull": {"max_displacement": Quantity(1e-3, "m", 1e-5)}}


def test_a_quantity_that_it_cannot_tell_is_refused() -> None:
    with pytest.raises(FailedPrecondition, match="can't tell compliance of load case pull"):
        refuse_unknown("surrogates/a", FOUND, Request(quantities=["max_displacement", "compliance"]))


@pytest.mark.parametrize("names", [None, ["max_displacement"]])
def test_what_it_tells_is_not(names: list[str] | None) -> None:
    refuse_unknown("surrogates/a", FOUND, Request(quantities=names))


class Broken:
    """A surrogate whose device is gone."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"no device for {name}")


def ask(folder: Path, method: Any) -> Any:
    trimesh.creation.box((0.1, 0.02, 0.02)).export(folder / "block.stl")
    surface, report = parse(folder / "block.stl", "m", "block.stl")
    held, pulled = (twin.select.plane((side * 0.05, 0, 0), (1, 0, 0)) for side in (-1, 1))
    study = twin.StaticStress("steel", [twin.Fixed(held)], [twin.Force((0, 0, -10), pulled)])
    consultation = Consultation(study, {"surrogates/a": SimpleNamespace(ensemble=Broken(), domain=Broken())})  # type: ignore[dict-item]
    request = Request(method=method, surrogate="a")
    return answers.answer(
        surface, report, consultation, request, source=None, monitor=Silent(), workdir=folder
    )


def test_where_asking_breaks_down_the_solver_answers_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "_solved", lambda _, refused: refused)
    refused = ask(tmp_path, "auto")
    assert "fault of ours (RuntimeError)" in refused.reasons["surrogates/a"]
    assert refused.expected is None
    assert not refused.rung.answered


def test_where_a_surrogate_alone_is_to_answer_its_fault_is_no_answer(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="no device"):
        ask(tmp_path, "surrogate")


@pytest.mark.parametrize("error", [0.5, float("nan"), float("inf")])
def test_a_bound_that_is_no_number_meets_no_accuracy(error: float) -> None:
    found = {"pull": {"max_displacement": Quantity(1.0, "m", error)}}
    said = answers._too_wide(found, Request(accuracy=0.1, quantities=["max_displacement"]))
    assert "above the requested 10" in said
