"""Bodies that touch, nest and overlap are counted as they are, and every triangle belongs to one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.twin.geometry.shapes import CUBE_TRIANGLES, CUBE_VERTICES, stl_binary
from twin.geometry.reader import read
from twin.geometry.surface import Report, Surface

Part = tuple[np.ndarray, np.ndarray]


def cube(low: tuple[float, float, float] = (0, 0, 0), size: float = 1.0, inwards: bool = False) -> Part:
    triangles = CUBE_TRIANGLES[:, ::-1] if inwards else CUBE_TRIANGLES
    return np.array(low) + size * CUBE_VERTICES, triangles


def read_all(*parts: Part) -> tuple[Surface, Report]:
    starts = np.cumsum([0, *(len(vertices) for vertices, _ in parts)])
    triangles = np.concatenate([t + start for (_, t), start in zip(parts, starts, strict=False)])
    return read(stl_binary(np.concatenate([v for v, _ in parts]), triangles), "m", "part.stl")


def volumes(surface: Surface) -> list[float]:
    a, b, c = surface.corners.transpose(1, 0, 2)
    return np.bincount(surface.body, np.einsum("ij,ij->i", a, np.cross(b, c)) / 6).tolist()


TOUCHING = {
    "face": (cube(), cube((1, 0, 0))),
    "edge": (cube(), cube((1, 1, 0))),
    "vertex": (cube(), cube((1, 1, 1))),
    "row": (cube(), cube((1, 0, 0)), cube((2, 0, 0))),
    "block": tuple(cube((x, y, z)) for x in (0, 1) for y in (0, 1) for z in (0, 1)),
    "checkers": (cube(), cube((1, 1, 0)), cube((1, 0, 1)), cube((0, 1, 1))),
}


@pytest.mark.parametrize("name", TOUCHING)
def test_touching_cubes(name: str) -> None:
    parts = TOUCHING[name]
    surface, report = read_all(*parts)
    assert (report.bodies, report.watertight) == (len(parts), True)
    assert report.triangles == 12 * len(parts)
    assert volumes(surface) == pytest.approx([1.0] * len(parts))
    assert "twice" not in " ".join(report.repairs)
    for body in range(len(parts)):  # each is a whole cube
        corners = surface.corners[surface.body == body].reshape(-1, 3)
        assert np.ptp(corners, axis=0) == pytest.approx([1, 1, 1])


def test_touching_faces_cut_along_other_diagonals() -> None:
    other = CUBE_TRIANGLES.copy()
    other[:2] = [[0, 1, 2], [1, 3, 2]]  # the side that touches
    surface, report = read_all(cube(), (CUBE_VERTICES + np.array([1, 0, 0]), other))
    assert (report.bodies, report.watertight) == (2, True)
    assert volumes(surface) == pytest.approx([1.0, 1.0])


def test_a_body_is_a_shell_with_its_cavities() -> None:
    surface, report = read_all(
        cube(size=10),
        cube((1, 1, 1), 8, inwards=True),
        cube((2, 2, 2), 6),  # loose in the cavity
        cube((3, 3, 3), 1, inwards=True),
        cube((5, 5, 5), 2, inwards=True),
        cube((20, 0, 0), 3),
    )
    assert report.bodies == 3
    assert report.watertight
    assert volumes(surface) == pytest.approx([1000 - 512, 216 - 1 - 8, 27])
    assert not [sentence for sentence in report.warnings if "overlap" in sentence]


def test_a_hollow_part_inside_out_stays_hollow() -> None:
    surface, report = read_all(cube(size=3, inwards=True), cube((1, 1, 1)))
    assert (report.bodies, report.volume) == (1, pytest.approx(26.0))
    assert "inside out" in " ".join(report.repairs)
    assert surface.closed


def test_what_was_assumed_of_a_shell_in_another_one_is_told() -> None:
    _, report = read_all(cube(size=3), cube((1, 1, 1)))
    assert report.bodies == 2
    assert "assumed to be solid bodies" in " ".join(report.warnings)


def test_doubled_faces_are_no_second_body() -> None:
    vertices, triangles = cube()
    both_ways = np.concatenate([triangles, triangles[3:7, ::-1], triangles[:2]])
    _, report = read_all((vertices, both_ways))
    assert (report.bodies, report.triangles, report.volume) == (1, 12, pytest.approx(1.0))
    assert "6 triangles that were there twice" in " ".join(report.repairs)


def test_a_body_that_fills_the_hole_of_another() -> None:
    surface, report = read_all(cube(size=3), cube((1, 1, 1), inwards=True), cube((1, 1, 1)))
    assert (report.bodies, report.watertight) == (2, True)
    assert volumes(surface) == pytest.approx([26, 1])


def test_a_doubled_face_in_the_middle_of_a_part_is_dropped() -> None:
    vertices, triangles = cube((1, 1, 1))
    doubled = (vertices, np.concatenate([triangles[:, ::-1], triangles[:2]]))
    _, report = read_all(cube(size=3), doubled)
    assert (report.bodies, report.watertight, report.volume) == (1, True, pytest.approx(26))


def test_a_surface_with_two_sides_is_one_body() -> None:
    _, report = read_all(cube(size=3), cube(size=3, inwards=True))
    assert (report.bodies, report.triangles, report.volume) == (1, 12, pytest.approx(27.0))


def test_bodies_are_numbered_by_falling_volume_and_survive_a_file(tmp_path: Path) -> None:
    surface, _ = read_all(cube(size=1), cube((5, 0, 0), 3), cube((10, 0, 0), 2))
    assert volumes(surface) == pytest.approx([27, 8, 1])
    surface.save(tmp_path / "surface.npz")
    again = Surface.load(tmp_path / "surface.npz")
    assert again.body.dtype == np.int32
    assert np.array_equal(again.body, surface.body)
