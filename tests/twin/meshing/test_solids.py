"""Bodies that touch, overlap or stay apart: what is one solid, and that its mesh is one piece."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.twin.geometry.shapes import CUBE_TRIANGLES, CUBE_VERTICES
from twin.geometry.parse import parse
from twin.geometry.patches import find_patches
from twin.geometry.surface import Surface
from twin.meshing import mesh_volume
from twin.meshing.solids import TOUCHING, solids
from twin.meshing.volume_mesh import bodies, volume

Triple = tuple[float, float, float]
Box = tuple[Triple, Triple]  # lower corner, extent

UNIT: Box = ((0, 0, 0), (1, 1, 1))
DIAGONAL = np.sqrt(6.0)  # of two unit cubes in a row


def boxes(*wanted: Box, turned: bool = False, hollow: bool = False) -> Surface:
    """Closed boxes, in unit lengths times 10 mm; the last one a cavity if `hollow`."""
    vertices = np.concatenate([np.array(at) + CUBE_VERTICES * np.array(extent) for at, extent in wanted])
    triangles = [CUBE_TRIANGLES + 8 * number for number in range(len(wanted))]
    if hollow:
        triangles[-1] = triangles[-1][:, ::-1]
    if turned:
        q, _ = np.linalg.qr(np.random.default_rng(4).normal(size=(3, 3)))
        vertices = vertices @ (q * np.sign(np.linalg.det(q)))
    corners = np.concatenate(triangles)
    return Surface(0.01 * vertices, corners.astype(np.int32), find_patches(vertices, corners))


@pytest.mark.parametrize(
    ("second", "total"),
    [
        (((0, 0, 1), (1, 1, 1)), 2.0),  # face on face
        (((0.2, 0.3, 1), (0.5, 0.5, 1)), 1.25),  # a small face on a large one
        (((0.5, 0.3, 0.2), (1, 1, 1)), 2 - 0.5 * 0.7 * 0.8),  # overlapping
        (((0.2, 0.2, 0.2), (0.5, 0.5, 0.5)), 1.0),  # one inside the other
        (((0, 0, 1 + 0.5 * TOUCHING * DIAGONAL), (1, 1, 1)), 2.0),  # a gap that counts as contact
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_what_touches_or_overlaps_is_one_solid(second: Box, total: float, turned: bool) -> None:
    found = solids(boxes(UNIT, second, turned=turned))
    assert found.sound
    assert len(found.surfaces) == 1
    assert found.surfaces[0].closed
    assert found.surfaces[0].volume == pytest.approx(total * 1e-6, rel=2e-4)
    assert any("joined into one solid" in note for note in found.notes)
    assert any("count as contact" in note for note in found.notes) == (second[0][2] > 1)


@pytest.mark.parametrize("at", [(3, 0, 0), (1, 1, 0), (1, 1, 1), (0, 0, 1 + 10 * TOUCHING * DIAGONAL)])
def test_what_is_apart_or_shares_an_edge_or_a_corner_stays_apart(at: Triple) -> None:
    found = solids(boxes(UNIT, (at, (1, 1, 1))))
    assert len(found.surfaces) == 2
    assert [part.volume for part in found.surfaces] == pytest.approx([1e-6, 1e-6])


def test_a_cavity_stays_with_its_solid() -> None:
    outer: Box = ((0, 0, 0), (3, 3, 3))
    beside: Box = ((3, 0, 0), (1, 1, 1))
    within: Box = ((1.3, 1.3, 1.3), (0.4, 0.4, 0.4))
    found = solids(boxes(outer, beside, within, ((1, 1, 1), (1, 1, 1)), hollow=True))
    assert [part.volume for part in found.surfaces] == pytest.approx([27e-6, 0.064e-6])


def test_bodies_that_touch_are_meshed_as_one_piece() -> None:
    mesh = mesh_volume(boxes(UNIT, ((0.2, 0.3, 1), (0.5, 0.5, 1))), 2.5e-3)
    assert bodies(mesh.tets) == 1
    assert volume(mesh.points, mesh.tets) == pytest.approx(1.25e-6, rel=1e-6)
    assert any("joined into one solid" in note for note in mesh.notes)


def test_bodies_apart_are_meshed_each() -> None:
    mesh = mesh_volume(boxes(UNIT, ((3, 0, 0), (1, 2, 1))), 4e-3)
    assert bodies(mesh.tets) == 2
    assert volume(mesh.points, mesh.tets) == pytest.approx(3e-6, rel=1e-9)
    assert np.array_equal(np.unique(mesh.tets), np.arange(len(mesh.points)))


@pytest.mark.parametrize(("shift", "total", "count"), [(1.0, 2.0, 1), (0.5, 1.5, 1), (3.0, 2.0, 2)])
def test_solids_of_a_step_file(tmp_path: Path, shift: float, total: float, count: int) -> None:
    from netgen import occ

    path = tmp_path / "two.step"
    shapes = [occ.Box((x, 0, 0), (x + 10, 10, 10)) for x in (0, 10 * shift)]
    occ.Compound(shapes).WriteStep(str(path))
    surface, _ = parse(path, None, path.name)
    mesh = mesh_volume(surface, 4e-3, source=path)
    assert "STEP" in mesh.mesher
    assert bodies(mesh.tets) == count
    assert volume(mesh.points, mesh.tets) == pytest.approx(total * 1e-6, rel=1e-6)
