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
