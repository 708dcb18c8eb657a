"""Surfaces on a grid of points, against formulas, and broken."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from solvers.lattice_boltzmann.velocities import D3Q19
from tests.twin.geometry.shapes import CUBE_TRIANGLES, CUBE_VERTICES
from twin.geometry.surface import Surface
from twin.geometry.voxels import voxelise

WAYS = [direction for direction in D3Q19.directions if any(direction)]


def surface(vertices: NDArray[np.float64], triangles: NDArray[np.int64]) -> Surface:
    return Surface(vertices, triangles.astype(np.int32), np.zeros(len(triangles), np.int32))


@pytest.mark.parametrize("shift", [0.0, 0.37, 0.5])
def test_a_cube_cuts_what_reaches_into_it_where_its_faces_are(shift: float) -> None:
    count, spacing = 12, 0.1
    origin = np.full(3, -spacing * (1 + shift))
    found = voxelise(surface(0.7 * CUBE_VERTICES, CUBE_TRIANGLES), origin, spacing, (count,) * 3, WAYS)
    points = origin + spacing * np.stack(np.meshgrid(*[np.arange(count)] * 3, indexing="ij"), axis=-1)
    within = ((points > 1e-9) & (points < 0.7 - 1e-9)).all(axis=-1)
    border = ((points > -1e-9) & (points < 0.7 + 1e-9)).all(axis=-1) & ~within
    assert (found.inside == within)[~border].all()
    ways = np.array(WAYS)[found.crossings.direction]
    at = origin + spacing * (found.crossings.point + found.crossings.distance[:, None] * ways)
    off = np.abs(at[..., None] - np.array([0.0, 0.7])).min(axis=(1, 2))
    assert off.max() < 2e-4 * spacing  # each ends on a face
    # Every way between a point within and one beyond is cut, from both of its ends.
    cut = np.zeros((count, count, count, len(WAYS)), bool)
    cut[(*found.crossings.point.T, found.crossings.direction)] = True
    for number, way in enumerate(WAYS):
        inner = np.argwhere(within)
        outer = inner + way
        beyond = ~within[tuple(outer.T)] & ~border[tuple(outer.T)]
        assert cut[(*inner[beyond].T, number)].all()
        assert cut[(*outer[beyond].T, WAYS.index(tuple(-np.array(way))))].all()


def test_a_sheet_that_no_point_lies_in_still_stands_in_the_way() -> None:
    vertices = np.array([[0.5, 0.1, 0.1], [0.5, 0.9, 0.1], [0.5, 0.9, 0.9], [0.5, 0.1, 0.9]])
    found = voxelise(
        surface(vertices, np.array([[0, 1, 2], [0, 2, 3]])), np.full(3, 0.03), 0.1, (10,) * 3, WAYS
    )
    assert not found.inside.any()
    along = found.crossings.direction == WAYS.index((1, 0, 0))
    assert (found.crossings.point[along][:, 0] == 4).all()
    assert along.sum() == 64
    np.testing.assert_allclose(found.crossings.distance[along], 0.7)


@pytest.mark.parametrize("fault", ["a hole", "a face turned round", "twice"])
def test_broken_surfaces_still_have_an_inside(fault: str) -> None:
    vertices, triangles = CUBE_VERTICES, CUBE_TRIANGLES.copy()
    whole = voxelise(surface(vertices, triangles), np.full(3, -0.23), 0.1, (15,) * 3, WAYS).inside
    if fault == "a hole":
        triangles = triangles[1:]
    elif fault == "a face turned round":
        triangles[0] = triangles[0, ::-1]
    else:
        triangles = np.concatenate([triangles, triangles])
    found = voxelise(surface(vertices, triangles), np.full(3, -0.23), 0.1, (15,) * 3, WAYS).inside
    assert (found != whole).sum() < (0.02 if fault == "twice" else 0.2) * whole.sum()
