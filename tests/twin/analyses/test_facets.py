"""Facets in place of a smooth surface: how far they are from it, and what that is worth."""

import math

import numpy as np
import pytest
import trimesh

from twin.analyses.estimates import ON_GRID, Values, errors
from twin.analyses.facets import sagitta
from twin.geometry.patches import find_patches
from twin.geometry.surface import Surface

RADIUS, HEIGHT = 0.03, 0.1


def surface(solid):
    vertices, triangles = np.asarray(solid.vertices), np.asarray(solid.faces, np.int64)
    return Surface(vertices, triangles.astype(np.int32), find_patches(vertices, triangles))


@pytest.mark.parametrize("turned", [False, True])
def test_what_lies_between_a_cylinder_and_its_facets(turned):
    solid = trimesh.creation.cylinder(RADIUS, HEIGHT, sections=48)
    if turned:
        solid.invert()  # a bore: the smooth surface lies inwards
    found = surface(solid)
    lost = math.pi * RADIUS**2 * HEIGHT - abs(found.volume)
    assert sagitta(found) @ found.areas == pytest.approx(-lost if turned else lost, rel=0.01)
    ends = np.abs(found.normals[:, 2]) > 0.5
    assert (sagitta(found)[ends] == 0).all()


def test_what_lies_between_a_sphere_and_its_facets():
    found = surface(trimesh.creation.icosphere(subdivisions=3, radius=RADIUS))
    lost = 4 / 3 * math.pi * RADIUS**3 - found.volume
    assert sagitta(found) @ found.areas == pytest.approx(lost, rel=0.05)


def test_a_flat_face_beside_a_fillet_stays_flat():
    """A block with one rounded edge: what is lost lies between the facets of the fillet and its circle."""
    across, width = 12, 1.0
    angles = np.linspace(0, math.pi / 2, across + 1)
    fillet = RADIUS * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    outline = np.concatenate([[[-width, -width], [RADIUS, -width]], fillet, [[-width, RADIUS]]])
    ring = np.arange(len(outline))
    beside = np.roll(ring, -1)
    sides = np.concatenate(
        [
            np.stack([ring, beside, beside + len(ring)], axis=1),
            np.stack([ring, beside + len(ring), ring + len(ring)], axis=1),
        ]
    )
    vertices = np.concatenate([np.column_stack([outline, np.full(len(ring), z)]) for z in (0.0, HEIGHT)])
    found = Surface(vertices, sides.astype(np.int32), find_patches(vertices, sides))
    lost = (math.pi / 4 * RADIUS**2 - math.sin(angles[1]) * across / 2 * RADIUS**2) * HEIGHT
    assert sagitta(found) @ found.areas == pytest.approx(lost, rel=0.2)
    assert sagitta(found).max() < 0.01 * RADIUS


def test_the_error_of_facets_adds_to_that_of_the_elements_and_does_not_fall_with_it():
    def measured(value, off):
        return Values(
            ON_GRID[2], {"compliance": value}, {"compliance": {"energy": off}}, {}, "max_von_mises",
            geometry={"compliance": 0.5},
        )  # fmt: skip

    without = ON_GRID[2].energy * 0.1  # more than what a single grid never sees, 0.2 %
    assert errors(measured(100.0, 0.1), None)["compliance"] == pytest.approx(0.5 + without)
    assert errors(measured(100.0, 1e-6), None)["compliance"] == pytest.approx(0.5 + 0.2)
    fine, coarse = measured(100.0, 1e-6), measured(100.0, 2e-6)
    assert errors(fine, coarse)["compliance"] == pytest.approx(0.5, rel=1e-3)
