"""Isosurface stuffing: any surface, with all that a mesh must be."""

from __future__ import annotations

import numpy as np
import pytest

from tests.twin.geometry.shapes import CUBE_TRIANGLES, CUBE_VERTICES
from tests.twin.meshing.test_mesh_volume import CUBE, assert_sound
from tests.twin.meshing.test_solids import UNIT, boxes
from twin.errors import MeshingFailed
from twin.geometry.patches import find_patches
from twin.geometry.surface import Surface, closest
from twin.meshing import VolumeMesh, ladder, mesh_volume
from twin.meshing.stuffing.lattice import lattice, refine
from twin.meshing.stuffing_mesher import fill
from twin.meshing.volume_mesh import FACES, boundary, dihedral_angles, quality, straight_jacobians, volume

NOWHERE = np.zeros((0, 3)), np.zeros(0)


@pytest.fixture(autouse=True)
def _no_netgen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ladder, "_ON_TRIANGLES", ())


def surface_of(vertices: np.ndarray, triangles: np.ndarray) -> Surface:
    return Surface(vertices, triangles.astype(np.int32), find_patches(vertices, triangles))


def sphere(radius: float, rings: int) -> Surface:
    """A closed sphere of triangles between meridians and parallels."""
    theta = np.linspace(0, np.pi, rings + 1)[1:-1]
    phi = np.arange(2 * rings) * np.pi / rings
    t, p = np.meshgrid(theta, phi, indexing="ij")
    body = np.stack([np.sin(t) * np.cos(p), np.sin(t) * np.sin(p), np.cos(t)], axis=-1).reshape(-1, 3)
    vertices = radius * np.concatenate([body, [[0, 0, 1], [0, 0, -1]]])
    row, column = np.meshgrid(np.arange(rings - 2), np.arange(2 * rings), indexing="ij")
    a, b = row * 2 * rings + column, row * 2 * rings + (column + 1) % (2 * rings)
    c, d = a + 2 * rings, b + 2 * rings
    i, j = np.arange(2 * rings), (np.arange(2 * rings) + 1) % (2 * rings)
    last, north = (rings - 2) * 2 * rings, len(body)
    caps = [np.stack([i * 0 + north, i, j], -1), np.stack([i * 0 + north + 1, last + j, last + i], -1)]
    sides = [np.stack([a, c, b], -1).reshape(-1, 3), np.stack([b, c, d], -1).reshape(-1, 3)]
    return surface_of(vertices, np.concatenate([*sides, *caps]).astype(np.int64))


def watertight(mesh: VolumeMesh) -> bool:
    """Whether the area vectors of the mesh's boundary add up to nothing: no element hides behind another."""
    faces, _ = boundary(mesh.tets)
    a, b, c = (mesh.points[faces[:, i]] for i in range(3))
    vectors = np.cross(b - a, c - a)
    return bool(np.abs(vectors.sum(axis=0)).max() < 1e-9 * np.abs(vectors).sum())


def test_the_lattice_fits_together_and_fills_its_box() -> None:
    points, tets = lattice(np.zeros(3), np.ones(3), 0.2, lambda at, _: np.ones(len(at), dtype=bool))
    before = np.abs(straight_jacobians(points, tets)).sum()
    assert quality(points, tets).min() == pytest.approx(quality(points, tets).max())
    points, tets = refine(points, tets, lambda at: np.where(at[:, 0] < 0.3, 0.05, 0.2))
    assert np.abs(straight_jacobians(points, tets)).sum() == pytest.approx(before)
    faces = np.sort(tets[:, FACES].reshape(-1, 3), axis=1)
    unique, count = np.unique(faces, axis=0, return_counts=True)
    assert count.max() == 2
    # a face of one tetrahedron lies on the border: no vertex hangs on the face of a neighbour
    alone = points[unique[count == 1]]
    vectors = np.cross(alone[:, 1] - alone[:, 0], alone[:, 2] - alone[:, 0])
    assert np.isclose(np.abs(vectors).max(axis=1), np.linalg.norm(vectors, axis=1), rtol=0.3).all()
    assert len(tets) > 10_000


def test_a_cube_keeps_its_edges_and_corners() -> None:
    mesh = mesh_volume(CUBE, 2e-3)
    assert_sound(mesh)
    assert watertight(mesh)
    assert mesh.mesher == "isosurface stuffing"
    assert volume(mesh.points, mesh.tets) == pytest.approx(1e-6, rel=1e-9)
    for corner in CUBE.vertices:
        assert np.abs(mesh.points - corner).max(axis=1).min() < 1e-9
    assert any("dihedral angles from" in note for note in mesh.notes)


def test_a_turned_box_is_followed_closely() -> None:
    part = boxes(((0, 0, 0), (1, 1.2, 2)), turned=True)
    mesh = mesh_volume(part, 1.5e-3)
    assert_sound(mesh)
    assert watertight(mesh)
    assert volume(mesh.points, mesh.tets) == pytest.approx(2.4e-6, rel=5e-3)


def test_a_sphere_is_round() -> None:
    part = sphere(0.01, 40)
    mesh = mesh_volume(part, 3e-3)
    assert_sound(mesh)
    assert watertight(mesh)
    assert volume(mesh.points, mesh.tets) == pytest.approx(part.volume, rel=1e-3)
    skin = np.unique(boundary(mesh.tets)[0])
    assert closest(part, mesh.points[skin])[0].max() < 1e-9
    least, most = dihedral_angles(mesh.points, mesh.tets)
    assert least > 10
    assert most < 160


def test_sizes_are_honoured_where_asked() -> None:
    plain, _, _ = fill(CUBE, 3e-3, 0.3, *NOWHERE)
    finer, tets, _ = fill(CUBE, 3e-3, 0.3, np.zeros((1, 3)), np.array([2e-4]))
    near, near_plain = ((np.linalg.norm(points, axis=1) < 1e-3).sum() for points in (finer, plain))
    assert near > 20 * near_plain
    assert quality(finer, tets).min() > 0.05


def test_an_open_box_is_closed_by_its_winding_number() -> None:
    part = surface_of(0.01 * CUBE_VERTICES, CUBE_TRIANGLES[2:].astype(np.int64))
    assert not part.closed
    mesh = mesh_volume(part, 2e-3)
    assert_sound(mesh)
    assert watertight(mesh)
    assert 0.8e-6 < volume(mesh.points, mesh.tets) < 1e-6
    assert any("winding number" in note for note in mesh.notes)


def test_a_soup_of_triangles_that_do_not_quite_meet() -> None:
    random = np.random.default_rng(0)
    vertices = 0.01 * CUBE_VERTICES[CUBE_TRIANGLES].reshape(-1, 3) + random.normal(0, 2e-5, (36, 3))
    part = Surface(vertices, np.arange(36, dtype=np.int32).reshape(-1, 3), np.arange(12, dtype=np.int32))
    mesh = mesh_volume(part, 2e-3)
    assert_sound(mesh)
    assert volume(mesh.points, mesh.tets) == pytest.approx(1e-6, rel=0.01)


def test_a_surface_that_crosses_itself_counts_once() -> None:
    """Two boxes that cross, told as one body: the divergence theorem counts what they share twice."""
    both = boxes(UNIT, ((0.5, 0.3, 0.2), (1, 1, 1)))
    mesh = ladder._climb(
        ladder._Task(2e-3, None, NOWHERE, 0.3, None, None, ladder.time.monotonic() + 60), both, True, []
    )
    assert volume(mesh.points, mesh.tets) == pytest.approx((2 - 0.5 * 0.7 * 0.8) * 1e-6, rel=0.01)
    assert any("crosses itself" in note for note in mesh.notes)


def test_thin_walls_are_resolved_or_refused() -> None:
    plate = boxes(((0, 0, 0), (3, 3, 0.15)))
    mesh = mesh_volume(plate, 4e-3)
    assert_sound(mesh)
    assert volume(mesh.points, mesh.tets) == pytest.approx(plate.volume, rel=2e-3)
    with pytest.raises(MeshingFailed, match="thin"):
        mesh_volume(boxes(((0, 0, 0), (3, 3, 0.005))), 4e-3)


def test_a_thin_fin_on_a_block_is_not_lost_silently() -> None:
    with pytest.raises(MeshingFailed, match="misses"):
        mesh_volume(boxes(((0, 0, 0), (3, 3, 1)), ((1, 1, 0.9), (1, 0.004, 0.6))), 4e-3)
