"""Triangles that cross are found wherever they are, and those that only touch are not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.twin.geometry.shapes import CUBE_TRIANGLES, CUBE_VERTICES, stl_binary
from twin.geometry.crossings import find_crossings
from twin.geometry.reader import read

BOTH = np.concatenate([CUBE_TRIANGLES, CUBE_TRIANGLES + 8])


def two_cubes(shift: tuple[float, float, float], size: float = 1.0) -> np.ndarray:
    return np.concatenate([CUBE_VERTICES, size * CUBE_VERTICES + np.array(shift)])


def overlap(shift: tuple[float, float, float]) -> bool:
    return all(abs(s) < 1 for s in shift)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(-40, 40), min_size=3, max_size=3, unique_by=abs).map(lambda s: [x / 31 for x in s])
)
def test_two_cubes_cross_where_they_overlap(offsets: list[float]) -> None:
    shift = (offsets[0] + 0.003, offsets[1] + 0.005, offsets[2] + 0.011)  # no edge through another
    found = find_crossings(two_cubes(shift), BOTH)
    assert found is not None
    pairs, places = found
    assert bool(len(pairs)) == overlap(shift)
    assert ((pairs[:, 0] < 12) & (pairs[:, 1] >= 12)).all()
    low, high = np.maximum(0, shift), np.minimum(1, np.array(shift) + 1)
    assert ((places >= low - 1e-9) & (places <= high + 1e-9)).all()


@pytest.mark.parametrize("shift", [(1, 0, 0), (1, 0.3, 0.2), (1, 1, 0.5), (1, 1, 1), (0, 0, 0)])
def test_what_touches_does_not_cross(shift: tuple[float, float, float]) -> None:
    found = find_crossings(two_cubes(shift), BOTH)
    assert found is not None
    assert len(found[0]) == 0


def test_random_triangles_against_all_pairs() -> None:
    random = np.random.default_rng(5)
    vertices = random.random((240, 3)) * 0.3 + 0.4 * np.repeat(random.random((80, 3)), 3, axis=0)
    triangles = np.arange(240).reshape(-1, 3)
    found = find_crossings(vertices, triangles)
    assert found is not None
    expected = set()
    for i in range(80):
        for j in range(i + 1, 80):
            pair = find_crossings(vertices, triangles[[i, j]])
            assert pair is not None
            if len(pair[0]):
                expected.add((i, j))
    assert expected == {(int(i), int(j)) for i, j in found[0]}
    assert len(expected) > 50


def test_overlapping_bodies_are_told() -> None:
    _, report = read(stl_binary(two_cubes((0.5, 0.3, 0.2)), BOTH), "m", "part.stl")
    told = " ".join(report.warnings)
    assert report.bodies == 2
    assert "body_1 and body_2 overlap" in told
    assert "crosses itself" in told
    _, report = read(stl_binary(two_cubes((0.5, 0, 0)), BOTH), "m", "part.stl")  # no edge pierces a face
    assert "body_1 and body_2 overlap" in " ".join(report.warnings)
    _, report = read(stl_binary(two_cubes((1, 0.3, 0)), BOTH), "m", "part.stl")
    assert "overlap" not in " ".join(report.warnings)
    _, report = read(stl_binary(CUBE_VERTICES, CUBE_TRIANGLES), "m", "part.stl")
    assert not report.warnings


def test_a_surface_through_itself_is_told() -> None:
    """A cube of which a side is pushed out through the opposite one."""
    vertices = np.concatenate([CUBE_VERTICES, [[0.5, 0.5, -1.0]]])
    top = np.array([[1, 5, 8], [5, 7, 8], [7, 3, 8], [3, 1, 8]])
    keep = ~np.isin(CUBE_TRIANGLES, [0, 2, 4, 6]).any(axis=1)
    _, report = read(stl_binary(vertices, np.concatenate([CUBE_TRIANGLES[~keep], top])), "m", "part.stl")
    assert report.watertight
    assert "crosses itself" in " ".join(report.warnings)
