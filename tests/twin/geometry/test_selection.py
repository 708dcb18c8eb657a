"""Selections have the areas that geometry says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.twin.geometry.shapes import CUBE_TRIANGLES, CUBE_VERTICES, stl_binary
from twin import select as s
from twin.errors import SelectionError
from twin.geometry.reader import read
from twin.geometry.selection import Selected, select
from twin.geometry.surface import Surface

CUBE, REPORT = read(stl_binary(CUBE_VERTICES, CUBE_TRIANGLES), "m", "cube.stl")
TOP = s.plane((0, 0, 1), (0, 0, -1))

EXACT = [
    (s.all(), 6.0),
    (TOP, 1.0),
    (~TOP, 5.0),
    (s.facing((0, 0, 1), "10 deg"), 1.0),
    (s.facing((0, 0, 1), "90 deg"), 5.0),
    (s.box((0.75, 0.75, 0.75), (2, 2, 2)), 3 / 16),
    (s.box((0, 0, 0), (1, 1, 0.25)), 2.0),
    (~s.box((0, 0, 0), (1, 1, 0.25)), 4.0),
    (s.box((-1, -1, -1), (2, 2, 2)), 6.0),
    (TOP & s.box((0.1, 0.2, 0), (0.4, 0.9, 2)), 0.21),
    (TOP & ~s.box((0.1, 0.2, 0), (0.4, 0.9, 2)), 0.79),
    (TOP | s.box((0, 0, 0), (1, 1, 0.5)), 1 + 3.0),
    (s.box((0, 0, 0), (0.5, 1, 1)) & s.box((0.25, 0, 0), (1, 1, 1)), 4 * 0.25),
    (s.patch(0, 1, 2), 3.0),
]


@pytest.mark.parametrize(
    ("selector", "area"), EXACT, ids=lambda value: s.describe(value) if not isinstance(value, float) else ""
)
def test_flat_borders_are_exact(selector: s.Selector, area: float) -> None:
    selection = select(CUBE, selector, resolution=0.5)
    assert selection.area == pytest.approx(area, rel=1e-9)
    assert np.allclose(np.cross(selection.normals, CUBE.normals[selection.source]), 0)


ROUND = [
    (s.sphere((0.5, 0.5, 1.0), 0.3), np.pi * 0.09),
    (s.cylinder((0.5, 0.5, 0.5), (0, 0, 1), 0.2), 2 * np.pi * 0.04),
    (s.cylinder((0.5, 0.5, 1.0), (0, 0, 1), 0.2, 0.5), np.pi * 0.04),
    (TOP & ~s.sphere((0.5, 0.5, 1.0), 0.3), 1 - np.pi * 0.09),
    (s.sphere((0, 0, 0), 0.5), 3 / 4 * np.pi * 0.25),
]


@pytest.mark.parametrize(("selector", "area"), ROUND)
def test_round_borders_converge_with_second_order(selector: s.Selector, area: float) -> None:
    coarse, fine = (abs(select(CUBE, selector, resolution).area - area) for resolution in (0.04, 0.01))
    assert coarse < 5e-3 * area
    assert fine < coarse / 8


@settings(max_examples=30, deadline=None)
@given(
    center=st.tuples(*[st.floats(-0.2, 1.2)] * 3),
    radius=st.floats(0.3, 1.0),
    low=st.tuples(*[st.floats(-0.5, 0.4)] * 3),
)
def test_a_selection_and_its_complement_make_the_whole(
    center: tuple[float, float, float], radius: float, low: tuple[float, float, float]
) -> None:
    selector = s.sphere(center, radius) & s.box(low, (2, 2, 2))
    areas = []
    for part in (selector, ~selector):
        try:
            areas.append(select(CUBE, part, 0.05).area)
        except SelectionError:
            areas.append(0.0)
    assert sum(areas) == pytest.approx(6.0, rel=1e-3)


def test_the_width_is_that_of_a_band() -> None:
    narrow = select(CUBE, s.box((-1, -1, 0.495), (2, 2, 0.505)), 0.1)  # all round the cube
    assert narrow.width == pytest.approx(0.01)
    strip = select(CUBE, TOP & s.box((0, 0.4, 0), (1, 0.42, 2)), 0.1)
    assert strip.width == pytest.approx(2 * 0.02 / 2.04)
    assert select(CUBE, TOP, 0.1).width == pytest.approx(0.5)
    assert select(CUBE, s.all(), 0.1).width == np.inf
    places = np.sort(strip.centres(0.05)[:, 0])
    assert np.diff(places, prepend=0, append=1).max() < 0.05


def test_centroid() -> None:
    selection = select(CUBE, TOP & s.box((0, 0, 0), (0.5, 0.5, 2)), 0.1)
    assert selection.centroid == pytest.approx([0.25, 0.25, 1.0])


@pytest.mark.parametrize("selector", [selector for selector, _ in EXACT + ROUND])
def test_points_agree_with_areas(selector: s.Selector) -> None:
    random = np.random.default_rng(3)
    count = 20_000
    triangle = random.integers(0, len(CUBE.triangles), count).astype(np.int32)  # all of one area
    weights = random.dirichlet(np.ones(3), count)
    points = np.einsum("pc,pcd->pd", weights, CUBE.corners[triangle])
    share = Selected(CUBE, selector).mask(points, triangle).mean()
    assert 6 * share == pytest.approx(select(CUBE, selector, 0.02).area, abs=0.1)


def bored_plate(facets: int) -> Surface:
    """A ring: inner radius 0.5, outer 1, height 1; the bore is a polygon inscribed in its circle."""
    angle = np.linspace(0, 2 * np.pi, facets, endpoint=False)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    rings = [
        np.column_stack([r * circle, np.full(facets, z)]) for r, z in ((0.5, 0), (1, 0), (1, 1), (0.5, 1))
    ]
    i, j = np.arange(facets), (np.arange(facets) + 1) % facets
    strips = []
    for a, b in ((0, 3), (3, 2), (2, 1), (1, 0)):
        strips += [np.stack([a * facets + i, b * facets + i, a * facets + j], axis=1)]
        strips += [np.stack([a * facets + j, b * facets + i, b * facets + j], axis=1)]
    return read(stl_binary(np.concatenate(rings), np.concatenate(strips)), "m", "ring.stl")[0]


def test_a_cylinder_of_the_bores_own_radius_takes_the_bore() -> None:
    ring = bored_plate(60)
    assert ring.closed
    selector = s.cylinder((0, 0, 0), (0, 0, 1), 0.5)
    selection = select(ring, selector, 0.05)
    assert selection.area == pytest.approx(60 * 2 * 0.5 * np.sin(np.pi / 60), rel=3e-3)
    bore = (np.abs(ring.normals[:, 2]) < 0.1) & (np.linalg.norm(ring.corners[:, 0, :2], axis=1) < 0.6)
    triangle = np.flatnonzero(bore).astype(np.int32)
    on_circle = ring.corners[triangle].mean(axis=1)
    on_circle[:, :2] *= 0.5 / np.linalg.norm(on_circle[:, :2], axis=1, keepdims=True)
    on_circle[:, :2] *= 1.0005  # a curved element may bulge out of the cylinder
    assert Selected(ring, selector).mask(on_circle, triangle).all()


@pytest.mark.parametrize(
    ("selector", "words"),
    [
        (s.sphere((0.5, 0.5, 1.5), 0.2), r"Nearest is patch \d at .* 300 mm outside"),
        (s.cylinder((0, 0, 40), (0, 1, 0), 8, 1), "units right"),
        (s.plane((0, 0, 0.9), (0, 0, 1)), r"parallel to it is patch \d, 100 mm away"),
        (s.plane((0, 0, 0.9), (1, 1, 1)), "No face is parallel"),
        (s.facing((1, 1, 1), "5 deg"), r"54\.7 degrees off"),
        (s.patch(7), "patches 0 to 5"),
        (s.group("clevis"), "no groups"),
        (TOP & s.plane((0, 0, 0.5), (0, 0, 1)), "Already its part 'plane"),
        (TOP & s.plane((0, 0, 0), (0, 0, 1)), "no area in common"),
        (s.plane((0, 0, 0), (0, 0, 1)) & s.sphere((0.5, 0.4, 1), 0.1), "no area in common"),
        (~s.all(), "selects nothing"),
        (s.sphere((0.5, 0.5, 0.5), 0.4), "Nearest"),
    ],
)
def test_an_empty_selection_says_what_is_near(selector: s.Selector, words: str) -> None:
    with pytest.raises(SelectionError, match=words):
        select(CUBE, selector, 0.1)
