"""A simulation that was stopped goes on as if it had not been."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import trimesh

import twin
from twin.analyses.external_flow.schedule import plan
from twin.analyses.external_flow.setting import setting
from twin.analyses.external_flow.tunnel import Tunnel, tunnel
from twin.analyses.flow import checkpoints
from twin.analyses.flow.checkpoints import Checkpoints
from twin.analyses.flow.simulation import Course, Floats, beginning, simulate
from twin.geometry.parse import parse

LOOKS = 8


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Tunnel:
    path = tmp_path_factory.mktemp("ball") / "ball.stl"
    trimesh.creation.icosphere(subdivisions=3, radius=0.05).export(path)
    study = twin.ExternalFlow((2, 0, 0), twin.Fluid(1.2, 0.0024))
    return tunnel(setting(parse(path, "m", path.name)[0], study), 6.0)


def moved(course: Course) -> Course:
    """As some looks at the numbers would leave it."""
    course.pushes += 0.5
    course.series = [np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0, 6.0])]
    course.settled, course.seconds = True, 7.5
    return course


def test_what_is_known_comes_back(ready: Tunnel, tmp_path: Path) -> None:
    kept = Checkpoints(tmp_path)
    kept.keep(1, moved(beginning(ready)))
    assert kept.load(1, beginning(ready)).series == []  # a minute has not passed
    kept.begun -= 100.0
    kept.keep(1, moved(beginning(ready)), now=True)
    after = Checkpoints(tmp_path)
    assert after.begun == pytest.approx(kept.begun, abs=5.0)
    found = after.load(1, beginning(ready))
    np.testing.assert_array_equal(found.series, [[1, 2, 3], [4, 5, 6]])
    np.testing.assert_array_equal(found.pushes, np.full_like(ready.touched, 0.5))
    assert (found.settled, found.seconds) == (True, 7.5)
    assert after.load(0, beginning(ready)).series == []


def test_what_is_of_other_arrays_or_broken_off_is_passed_over(ready: Tunnel, tmp_path: Path) -> None:
    kept = Checkpoints(tmp_path)
    kept.keep(0, moved(beginning(ready)), now=True)
    other = beginning(ready)
    other.sums = tuple(type(each)(*(array[..., :-1] for array in vars(each).values())) for each in other.sums)
    assert kept.load(0, other).series == []
    path = tmp_path / "lattice-0.npz"
    path.write_bytes(path.read_bytes()[:5000])
    assert Checkpoints(tmp_path).load(0, beginning(ready)).series == []


@pytest.mark.slow
def test_numbers_are_those_of_a_simulation_that_was_not_stopped(
    ready: Tunnel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "_EVERY", 0.0)
    monkeypatch.setattr(checkpoints, "_SHARE", 1e9)

    def until(looks: int, course: Course, kept: Checkpoints) -> Floats:
        def tell(_: float, series: Floats) -> bool:
            return len(series) < looks

        return simulate(ready, plan(ready, 0.0), tell, course, partial(kept.keep, 0)).series

    whole = until(LOOKS, beginning(ready), Checkpoints(tmp_path))
    (tmp_path / "lattice-0.npz").unlink()
    until(LOOKS // 2, beginning(ready), Checkpoints(tmp_path))
    kept = Checkpoints(tmp_path)
    course = kept.load(0, beginning(ready))
    assert len(course.series) == LOOKS // 2
    np.testing.assert_allclose(until(LOOKS, course, kept), whole, rtol=1e-6, atol=1e-7)
