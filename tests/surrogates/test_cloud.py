"""What networks see of a surface."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import cKDTree

from surrogates.cloud import FEATURES, NEIGHBOURS, SCALES, Cloud, spread
from tests.surrogates.beams import box
from twin.geometry.subdivision import subdivide


def sphere(radius: float, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """By latitude and longitude: its triangles are much smaller at the poles."""
    polar = np.linspace(0, np.pi, steps)
    around = np.linspace(0, 2 * np.pi, 2 * steps, endpoint=False)
    grid = np.stack(np.meshgrid(polar, around, indexing="ij"), axis=-1).reshape(-1, 2)
    sine = np.sin(grid[:, 0])
    places = [sine * np.cos(grid[:, 1]), sine * np.sin(grid[:, 1]), np.cos(grid[:, 0])]
    number = np.arange(len(grid)).reshape(steps, 2 * steps)
    a, b = number[:-1], np.roll(number[:-1], -1, axis=1)
    c, d = number[1:], np.roll(number[1:], -1, axis=1)
    quads = np.stack([np.stack([a, c, d], -1), np.stack([a, d, b], -1)]).reshape(-1, 3)
    return radius * np.stack(places, axis=1), quads


@pytest.mark.parametrize("count", [256, 512, 4096])
def test_every_beginning_is_spread_over_the_surface(count: int) -> None:
    cloud = Cloud.of(*box(0.2, 0.4), volume=0.08)
    area = 2 * (0.2 * 0.4 + 0.2 * 1.0 + 0.4 * 1.0)
    assert cloud.area == pytest.approx(area)
    points = cloud.points[:count]
    top = points[np.isclose(points[:, 2], 0.2)]
    assert len(top) / count == pytest.approx(0.2 / area, abs=0.03)
    assert top.mean(axis=0) == pytest.approx([0.5, 0.0, 0.2], abs=0.04)
    if count <= 512:  # no place is far from all of them: at most twice as far as in a lattice of triangles
        gap = cKDTree(points).query(cloud.points)[0].max()
        assert gap < 2 * np.sqrt(2 * area / (3 * np.sqrt(3) * count))


def test_statistics_of_a_surface_do_not_tell_its_triangles() -> None:
    vertices, triangles = box(0.25, 0.25)
    coarse = Cloud.of(vertices, triangles, volume=0.0625)
    fine = Cloud.of(*subdivide(vertices, triangles, 0.05)[:2], volume=0.0625)
    other = Cloud.of(*box(0.29, 0.29), volume=0.0841)
    mean = [each.seen[:512].mean(axis=0) for each in (coarse, fine, other)]
    assert np.linalg.norm(mean[0] - mean[1]) < 0.5 * np.linalg.norm(mean[0] - mean[2])


def test_triangles_do_not_matter() -> None:
    vertices, triangles = sphere(1.0, 24)
    corners = vertices[triangles]
    areas = 0.5 * np.linalg.norm(
        np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1
    )
    points, _ = spread(corners, areas, 4096)
    # Archimedes: of a sphere, slices of the same height have the same area
    shares = np.histogram(points[:, 2] / np.abs(points[:, 2]).max(), bins=8, range=(-1, 1))[0] / len(points)
    assert shares == pytest.approx(np.full(8, 1 / 8), abs=4 * np.sqrt(7 / 64 / len(points)))


def test_curvature_is_that_of_the_sphere() -> None:
    """Neighbours within r of a point of a sphere of radius R lie r^2 / (4 R) behind it in the mean."""
    for radius in (0.5, 2.0):
        cloud = Cloud.of(*sphere(radius, 96), volume=4 / 3 * np.pi * radius**3)
        seen = cloud.look(cloud.points[:64], cloud.normals[:64])
        assert seen.shape == (64, FEATURES)
        reach, front = seen[:, 5] * cloud.length, seen[:, 6]  # at the second scale
        expected = -reach / (4 * radius)
        assert np.median(front / expected) == pytest.approx(1.0, abs=0.15)
        # the farthest of the neighbours among n points of an area A: n pi r^2 / A of them
        assert np.median(SCALES[1] * np.pi * reach**2 / cloud.area) == pytest.approx(NEIGHBOURS, rel=0.25)


def test_walls_show_their_thickness() -> None:
    vertices, triangles = box(1.0, 0.05)
    cloud = Cloud.of(vertices, triangles, volume=0.05)
    middle = np.array([[0.5, 0.0, 0.025]])
    thickness = cloud.look(middle, np.array([[0.0, 0.0, 1.0]]))[0, -1] * cloud.length
    assert thickness == pytest.approx(0.05, abs=0.01)


def test_size_and_place_do_not_matter() -> None:
    vertices, triangles = box(0.2, 0.3)
    one = Cloud.of(vertices, triangles, volume=0.06)
    other = Cloud.of(1e-3 * vertices + 7.0, triangles, volume=0.06e-9)
    assert other.seen == pytest.approx(one.seen, abs=1e-6)
