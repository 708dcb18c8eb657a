"""Profiles of flow that has developed, beside those that are known."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from numpy.typing import NDArray

from twin.analyses.internal_flow.profile import developed

TURN = trimesh.transformations.rotation_matrix(0.7, (1, 2, 3), (0.1, 0, 0))


def end(solid: trimesh.Trimesh) -> NDArray[np.float64]:
    """Triangles of the face with the highest z, turned."""
    top = np.asarray(solid.triangles_center)[:, 2] > solid.bounds[1, 2] - 1e-9
    return np.asarray(solid.copy().apply_transform(TURN).triangles)[top]


def turned(places: NDArray[np.float64], z: float) -> NDArray[np.float64]:
    found: NDArray[np.float64] = trimesh.transform_points(
        np.column_stack([places, np.full(len(places), z)]), TURN
    )
    return found


def test_round_ducts_have_a_parabola() -> None:
    corners = end(trimesh.creation.cylinder(radius=0.005, height=0.02, sections=128))
    radii = np.linspace(0, 0.0049, 20)
    angles = np.linspace(0, 6, 20)
    places = np.column_stack([radii * np.cos(angles), radii * np.sin(angles)])
    found = developed(corners, 0.01, turned(places, 0.01))
    np.testing.assert_allclose(found, 2 * (1 - (radii / 0.005) ** 2), atol=0.01)


@pytest.mark.parametrize(("width", "most"), [(0.01, 2.0963), (0.1, 1.6009)])
def test_in_the_middle_of_rectangles_flow_is_as_fast_as_known(width: float, most: float) -> None:
    """By the series of Boussinesq: Shah & London 1978, Laminar Flow Forced Convection in Ducts, p. 197."""
    corners = end(trimesh.creation.box((width, 0.01, 0.02)))
    places = np.array([[0.0, 0.0], [width / 2, 0.0], [0.0, 0.005]])
    found = developed(corners, 2 * width * 0.01 / (width + 0.01), turned(places, 0.01))
    assert found[0] == pytest.approx(most, rel=0.003)
    np.testing.assert_allclose(found[1:], 0, atol=0.05)  # linear from the last point to the first one outside


def test_rings_have_none_in_the_middle() -> None:
    corners = end(trimesh.creation.annulus(r_min=0.004, r_max=0.008, height=0.02, sections=128))
    radii = np.array([0.0, 0.0035, 0.0058, 0.0085])
    found = developed(corners, 0.008, turned(np.column_stack([radii, 0 * radii]), 0.01))
    inner = 0.5
    middle = 0.0058 / 0.008

    def speed(radius: float) -> float:
        return 1 - radius**2 - (1 - inner**2) * np.log(radius) / np.log(inner)

    mean = (1 + inner**2 + (1 - inner**2) / np.log(inner)) / 2
    np.testing.assert_allclose(found, [0, 0, speed(middle) / mean, 0], atol=0.01)
