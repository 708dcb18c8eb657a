"""Dirt is mended, said, and the volume comes back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.twin.geometry.shapes import CUBE_TRIANGLES, CUBE_VERTICES, stl_binary
from twin.errors import GeometryError
from twin.geometry.reader import read
from twin.geometry.surface import Report


def report_of(vertices: np.ndarray, triangles: np.ndarray) -> Report:
    return read(stl_binary(vertices, triangles), "m", "part.stl")[1]


@settings(max_examples=25, deadline=None)
@given(flips=st.lists(st.booleans(), min_size=12, max_size=12))
def test_any_triangles_may_be_flipped(flips: list[bool]) -> None:
    triangles = np.where(np.array(flips)[:, None], CUBE_TRIANGLES[:, ::-1], CUBE_TRIANGLES)
    report = report_of(CUBE_VERTICES, triangles)
    assert report.watertight
    assert report.volume == pytest.approx(1.0)
    assert bool(report.repairs) == any(flips)


def test_doubles_are_dropped() -> None:
    report = report_of(CUBE_VERTICES, np.concatenate([CUBE_TRIANGLES, CUBE_TRIANGLES[:5]]))
    assert report.watertight
    assert report.triangles == 12
    assert "5 triangles that were there twice" in " ".join(report.repairs)


@pytest.mark.parametrize("missing", range(12))
def test_a_small_hole_is_closed(missing: int) -> None:
    report = report_of(CUBE_VERTICES, np.delete(CUBE_TRIANGLES, missing, axis=0))
    assert report.watertight
    assert report.volume == pytest.approx(1.0)
    assert "closed 1 hole" in " ".join(report.repairs)


def test_a_missing_side_is_told_and_not_invented() -> None:
    report = report_of(CUBE_VERTICES, CUBE_TRIANGLES[2:])
    assert not report.watertight
    assert report.volume == 0
    assert "not closed" in " ".join(report.warnings)


def test_no_nan_survives() -> None:
    data = bytearray(stl_binary(CUBE_VERTICES, CUBE_TRIANGLES))
    data[96:100] = np.float32(np.nan).tobytes()
    surface, report = read(bytes(data), "m", "part.stl")
    assert np.isfinite(surface.vertices).all()
    assert report.volume == pytest.approx(1.0)
    assert "no numbers" in " ".join(report.repairs)


def test_exploded_coordinates_are_refused() -> None:
    vertices = CUBE_VERTICES.copy()
    vertices[0] = 3e38
    with pytest.raises(GeometryError, match="damaged"):
        report_of(vertices, CUBE_TRIANGLES)


def test_a_cavity_is_no_body_but_a_loose_piece_is() -> None:
    inner = 0.25 + 0.5 * CUBE_VERTICES
    both = np.concatenate([CUBE_VERTICES, inner])
    cavity = report_of(both, np.concatenate([CUBE_TRIANGLES, CUBE_TRIANGLES[:, ::-1] + 8]))
    assert (cavity.bodies, cavity.volume) == (1, pytest.approx(1 - 0.125))
    overlap = report_of(both, np.concatenate([CUBE_TRIANGLES, CUBE_TRIANGLES + 8]))
    assert overlap.bodies == 2
    assert "overlap" in " ".join(overlap.warnings)
    loose = report_of(
        np.concatenate([CUBE_VERTICES, 2 + CUBE_VERTICES]),
        np.concatenate([CUBE_TRIANGLES, CUBE_TRIANGLES + 8]),
    )
    assert (loose.bodies, loose.volume) == (2, pytest.approx(2.0))
    assert "not connected" in " ".join(loose.warnings)


def test_bodies_that_touch_along_an_edge_are_two() -> None:
    beside = CUBE_VERTICES + np.array([1, 1, 0])
    report = report_of(
        np.concatenate([CUBE_VERTICES, beside]), np.concatenate([CUBE_TRIANGLES, CUBE_TRIANGLES + 8])
    )
    assert report.watertight
    assert (report.bodies, report.volume) == (2, pytest.approx(2.0))


def test_an_inside_out_part_is_turned() -> None:
    report = report_of(CUBE_VERTICES, CUBE_TRIANGLES[:, ::-1])
    assert report.volume == pytest.approx(1.0)
    assert "inside out" in " ".join(report.repairs)


def test_an_absurd_size_is_told() -> None:
    assert "is the unit" in " ".join(report_of(30 * CUBE_VERTICES, CUBE_TRIANGLES).warnings)


def test_a_t_junction_is_split() -> None:
    """One side is cut along its middle, its neighbours are not: four triangles would be left out otherwise."""
    middle = np.array([[0.25, 0.0, 0.0], [0.25, 0.0, 1.0], [0.5, 0.0, 0.0]])
    vertices = np.concatenate([CUBE_VERTICES, middle])  # of the side y = 0: 0, 1, 4, 5
    side = np.array([[0, 8, 1], [8, 9, 1], [8, 10, 9], [10, 4, 9], [4, 5, 9]])
    report = report_of(vertices, np.concatenate([np.delete(CUBE_TRIANGLES, [4, 5], axis=0), side]))
    assert (report.watertight, report.volume) == (True, pytest.approx(1.0))
    assert "T-junctions" in " ".join(report.repairs)
    assert len(report.patches) == 6


def test_slivers_are_replaced() -> None:
    """A triangle without height between two that are cut differently."""
    vertices = np.concatenate([CUBE_VERTICES, [[0.5, 0.0, 0.0]]])
    side = np.array([[0, 4, 8], [0, 8, 1], [8, 5, 1], [8, 4, 5]])
    report = report_of(vertices, np.concatenate([np.delete(CUBE_TRIANGLES, [4, 5], axis=0), side]))
    assert (report.watertight, report.volume) == (True, pytest.approx(1.0))
    assert "without height" in " ".join(report.repairs)


def test_too_much_nonsense_is_refused() -> None:
    data = bytearray(stl_binary(CUBE_VERTICES, CUBE_TRIANGLES))
    for triangle in range(3):
        data[96 + 50 * triangle : 100 + 50 * triangle] = np.float32(np.nan).tobytes()
    with pytest.raises(GeometryError, match="3 of the 12 triangles"):
        read(bytes(data), "m", "part.stl")


def test_lost_digits_are_told_or_refused() -> None:
    far = CUBE_VERTICES + np.array([1e4, 0, 0])
    assert "move it to the origin" in " ".join(report_of(far, CUBE_TRIANGLES).warnings)
    with pytest.raises(GeometryError, match="shape is lost"):
        report_of(CUBE_VERTICES + np.array([2e5, 0, 0]), CUBE_TRIANGLES)


def test_open_edges_are_counted_and_placed() -> None:
    told = " ".join(report_of(10 * CUBE_VERTICES, CUBE_TRIANGLES[2:]).warnings)
    assert "4 open edges bound a hole of up to 1.41e+04 mm" in told
    assert "around (0, 5000, 5000) mm" in told


def test_a_soup_has_no_inside() -> None:
    random = np.random.default_rng(0)
    report = report_of(random.random((300, 3)), np.arange(300).reshape(-1, 3))
    assert not report.watertight
    assert not report.repairs
    assert report.groups == ()
    assert "100 pieces" in " ".join(report.warnings)
