import numpy as np
import pytest

from twin.results.raster import View, barycentric, looking, visible
from twin.results.skin import edge_normals, face_normals, skin


def test_the_skin_of_a_box_is_closed_and_faces_outward(beam):
    part = skin(beam)
    points = part.points
    vectors = face_normals(points, part.triangles) / 2.0
    area = 2 * (0.1 * 0.02 + 0.1 * 0.01 + 0.02 * 0.01)
    assert np.linalg.norm(vectors, axis=1).sum() == pytest.approx(area)
    assert np.abs(vectors.sum(axis=0)).max() < 1e-12 * area
    volume = np.einsum("ij,ij->", points[part.triangles].mean(axis=1), vectors) / 3.0
    assert volume == pytest.approx(0.1 * 0.02 * 0.01)
    assert len(part.faces) == 2 * 2 * (10 * 3 + 10 * 2 + 3 * 2)


def test_the_edges_of_a_box_are_its_twelve(beam):
    part = skin(beam)
    points = part.points
    edges, _ = part.edges
    first, second = edge_normals(part, points)
    sharp = edges[(first * second).sum(axis=1) < 0.5]
    lengths = np.linalg.norm(points[sharp[:, 2]] - points[sharp[:, 0]], axis=1)
    assert lengths.sum() == pytest.approx(4 * (0.1 + 0.02 + 0.01))
    assert np.allclose(np.abs(first).max(axis=1), 1.0)


def test_a_curved_face_is_smooth_where_its_quadratic_elements_are():
    """Two six-node faces on a cylinder of radius 1, bent by 45 degrees each: flat facets meet at 45 degrees,
    the curved ones at almost none."""
    angles = np.radians([0.0, 22.5, 45.0, 67.5, 90.0])
    ring = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    points = np.array([[*ring[k], z] for z in (0.0, 0.5, 1.0) for k in range(5)])

    def node(k, z):
        return 5 * z + k

    faces = np.array(
        [
            [node(0, 0), node(2, 0), node(2, 2), node(1, 0), node(2, 1), node(1, 1)],
            [node(2, 0), node(4, 0), node(2, 2), node(3, 0), node(3, 1), node(2, 1)],
        ]
    )
    from twin.results.skin import Skin

    part = Skin(points, faces, np.arange(len(points))[:, None], np.ones((len(points), 1)))
    # both faces know the shared edge by its midside node
    edges, _ = part.edges
    assert edges[:, 1].tolist() == [node(2, 1)]
    first, second = edge_normals(part, points)
    assert float((first * second).sum()) > np.cos(np.radians(15.0))


def frontal(scale=10.0, width=64, height=48):
    return View(
        np.array([1.0, 0, 0]), np.array([0, 1.0, 0]), np.array([0, 0, 1.0]), np.zeros(3), scale, width, height
    )


def test_area_and_depth_of_a_tilted_triangle():
    points = np.array([[-2.0, -1.5, 0.3], [2.0, -1.5, 0.7], [0.0, 2.0, -0.5]])
    view = frontal(100.0, 640, 480)
    projected = view.project(points)
    seen = visible(projected, np.array([[0, 1, 2]]), 640, 480)
    rows, columns = np.nonzero(seen.triangle == 0)
    assert len(rows) == pytest.approx(100.0**2 * 7.0, rel=2e-3)
    weights = barycentric(projected, np.tile([0, 1, 2], (len(rows), 1)), columns + 0.5, rows + 0.5)
    expected = -(weights @ points)[:, 2]
    assert np.abs(seen.depth[rows, columns] - expected).max() < 1e-6


def test_the_nearer_triangle_wins_and_back_faces_are_culled():
    square = np.array([[-1.0, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]])
    points = np.concatenate([square, square * 0.5 + [0, 0, 1]])
    faces = np.array([[0, 1, 2], [0, 2, 3], [4, 5, 6], [4, 6, 7]])
    seen = visible(frontal().project(points), faces, 64, 48)
    assert set(np.unique(seen.triangle)) == {-1, 0, 1, 2, 3}
    assert (seen.triangle >= 2).sum() == 100
    assert (seen.triangle >= 0).sum() == 400
    hidden = visible(frontal().project(points), faces[:, ::-1], 64, 48)
    assert (hidden.triangle == -1).all()


def test_neighbours_share_no_pixel_and_leave_none():
    """A fan of random triangles fills its square exactly once: no gaps, whatever the rounding."""
    rng = np.random.default_rng(3)
    inner = rng.uniform(-1.0, 1.0, (200, 2))
    corners = np.array([[-1.0, -1], [1, -1], [1, 1], [-1, 1]])
    from scipy.spatial import Delaunay

    flat = np.concatenate([corners, inner])
    points = np.column_stack([flat, np.zeros(len(flat))])
    triangles = Delaunay(flat).simplices.astype(np.int64)
    seen = visible(frontal(20.0).project(points), triangles, 64, 48, cull=False)
    assert (seen.triangle >= 0).sum() == 1600


def test_triangles_off_the_screen_do_no_harm():
    points = np.array([[-900.0, -900, 0], [900, -900, 0], [0, 900, 0], [50, 50, 0], [51, 50, 0], [50, 51, 0]])
    seen = visible(frontal().project(points), np.array([[0, 1, 2], [3, 4, 5]]), 64, 48)
    assert (seen.triangle == 0).all()
    empty = visible(frontal().project(points), np.empty((0, 3), int), 64, 48)
    assert np.isinf(empty.depth).all()


def test_axes_of_a_view_are_orthonormal():
    axes = np.stack(looking(np.array([1.0, -2.0, 0.7]), np.array([0.0, 0.0, 1.0])))
    assert np.allclose(axes @ axes.T, np.eye(3), atol=1e-12)
    assert np.allclose(np.cross(axes[0], axes[1]), axes[2])
