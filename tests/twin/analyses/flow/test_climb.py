"""Which cells come next."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from twin.analyses.flow import climb as module
from twin.analyses.flow.checkpoints import Checkpoints
from twin.analyses.flow.climb import UNKNOWNS, Answered, Experiment, Shown, climb
from twin.analyses.flow.simulation import Plan, Simulation
from twin.analyses.task import Stopwatch
from twin.studies import Request

COARSEST, SECONDS = 10.0, 10.0


class Cube(Experiment[Any, float]):
    """What is told of so many cells along a side is their number."""

    size, name, coarsest, reynolds_number = 1.0, "a side", COARSEST, 1.0

    def cells(self, across: float) -> int:
        return round(across**3)

    def lattice(self, across: float, *, continued: bool) -> Any:
        return SimpleNamespace(
            cells=self.cells(across), scales=SimpleNamespace(length=1 / across), across=across
        )

    def plan(self, lattice: Any, before: float | None) -> Plan:
        return Plan(1, 0, 1, 1, lambda _: True)

    def standing(self, lattice: Any, series: Any) -> tuple[str, dict[str, float]]:
        return "", {}

    def measured(self, found: Simulation[Any]) -> float:
        return float(found.lattice.across)

    def shown(self, ladder: Sequence[float]) -> Shown:
        return Shown({}, {}, 0.0)

    def is_accurate(self, ladder: Sequence[float]) -> bool:
        return False

    def is_known_as_well_as_can_be(self, ladder: Sequence[float]) -> bool:
        return len(ladder) == 3


@pytest.fixture(autouse=True)
def simulated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulations that say how long they would have taken, and take none."""

    def simulate(lattice: Any, *_: Any) -> Simulation[Any]:
        seconds = SECONDS * (lattice.across / COARSEST) ** 4
        return Simulation(lattice, np.zeros((3, 1)), 1, 0, np.zeros((0, 3)), (), True, True, seconds)

    monkeypatch.setattr(module, "simulate", simulate)
    monkeypatch.setattr(module, "beginning", lambda *_: None)
    monkeypatch.setattr(module, "resampled", lambda *_: None)
    monkeypatch.setattr(Checkpoints, "load", lambda *_: SimpleNamespace(settled=False))
    monkeypatch.setattr(Checkpoints, "keep", lambda *_, **__: None)


def climbed(folder: Path, **limits: Any) -> Answered[Any, float]:
    monitor = cast("Any", SimpleNamespace(progress=lambda *_, **__: None))
    return climb(Cube(), Request(accuracy=0.01, **limits), monitor, folder, Stopwatch())


def test_cells_get_finer_by_as_much_as_there_is_time_for(tmp_path: Path) -> None:
    assert climbed(tmp_path, max_seconds=1e6).ladder == pytest.approx([10, 15, 22.5])
    shorter = climbed(tmp_path, max_seconds=40)  # ten of which are not spent again
    assert shorter.ladder == pytest.approx([10, 13.5])
    assert shorter.ended == "max_seconds"
    assert climbed(tmp_path, max_seconds=20).ladder == pytest.approx([10, 12])
    assert climbed(tmp_path, max_seconds=10).ladder == pytest.approx([10])


def test_cells_get_finer_by_as_much_as_there_is_room_for(tmp_path: Path) -> None:
    most = UNKNOWNS * 14**3
    found = climbed(tmp_path, max_unknowns=most)
    assert found.ladder == pytest.approx([10, 13.5])
    assert found.ended == "max_unknowns"


def test_an_attempt_goes_on_with_the_cells_of_the_one_before(tmp_path: Path) -> None:
    np.savez(tmp_path / "lattice-12.npz", spent=np.array(0.0))
    assert climbed(tmp_path, max_seconds=1e6).ladder == pytest.approx([10, 12, 18])


def test_the_first_cells_leave_time_to_finer_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it takes until their means are known."""
    spent = [0.0]

    def simulate(lattice: Any, plan: Plan, tell: Callable[[float, Any], bool], *_: Any) -> Simulation[Any]:
        begun, looks, go_on = spent[0], 0, True
        while looks < plan.longest and go_on:
            looks += 1
            spent[0] += (lattice.across / COARSEST) ** 4
            go_on = tell(plan.share(looks), np.zeros((looks, 1)))
        series = np.zeros((looks, 1))
        enough, took = looks >= plan.least, spent[0] - begun
        return Simulation(lattice, series, 1, 0, np.zeros((0, 3)), (), enough, False, took)

    monkeypatch.setattr(module, "simulate", simulate)
    monkeypatch.setattr(module._Climber, "remaining", property(lambda self: self.seconds - spent[0]))
    monkeypatch.setattr(Cube, "plan", lambda *_: Plan(1, 0, 10, 1000, lambda _: False))

    def cells_and_looks(seconds: float) -> list[tuple[float, int]]:
        spent[0] = 0.0
        found = climbed(tmp_path, max_seconds=seconds)
        assert found.ended == "max_seconds"
        return [(across, row.iterations) for across, row in zip(found.ladder, found.rows, strict=True)]

    first, second = cells_and_looks(200)
    assert first == (10, 0.15 * 200)
    assert second == (15, math.ceil(0.85 * 200 / 1.5**4))
    first, second = cells_and_looks(40)
    assert first == (10, 10)  # as long as means are to be at least
    assert second[0] == 13.5
    assert cells_and_looks(30) == [(10, 30)]  # none is left for finer ones


def test_finer_cells_that_have_no_time_for_their_means_do_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where errors are known already, and these are larger."""

    def simulate(lattice: Any, *_: Any) -> Simulation[Any]:
        finished = lattice.across < 20
        return Simulation(lattice, np.zeros((3, 1)), 1, 0, np.zeros((0, 3)), (), True, finished, 1.0)

    def errors(of: Cube, ladder: Sequence[float]) -> Shown:
        return Shown({}, {"drag_force": [np.inf, 0.1, last][len(ladder) - 1]}, 0.0)

    monkeypatch.setattr(module, "simulate", simulate)
    monkeypatch.setattr(Cube, "shown", errors)
    last = 0.2
    assert climbed(tmp_path, max_seconds=1e6).ladder == pytest.approx([10, 15])
    last = 0.05
    assert climbed(tmp_path, max_seconds=1e6).ladder == pytest.approx([10, 15, 22.5])


def test_progress_rises_evenly_to_where_means_may_be_good_enough() -> None:
    plan = Plan(1, 10, 40, 400, lambda _: False)
    shares = np.array([plan.share(looks) for looks in range(401)])
    assert shares[[0, 20, 40, 400]].tolist() == [0, 0.4, 0.8, 1]
    assert (np.diff(shares) > 0).all()
