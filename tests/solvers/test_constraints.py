"""Bodies that hang on each other: what the rank of their supports and joints leaves free."""

import numpy as np
import pytest

from solvers.elasticity.constraints import EXACT, Holding, Joints, free_body_motions

CENTRE, RADIUS = np.zeros(3), 2.0
EDGE = np.array([(0.0, 0, z) for z in (0, 0.5, 1)])


def holding(points, *directions):
    points = np.array(points, float)
    projector = sum(np.outer(direction, direction) for direction in np.array(directions, float))
    return Holding(points, np.tile(projector, (len(points), 1, 1)), np.ones(len(points)), EXACT)


def joints(points):
    return Joints(points, np.zeros(len(points), int), np.ones(len(points), int))


CLAMPED = holding([(-1, 0, 0), (-1, 1, 0), (-1, 0, 1)], (1, 0, 0), (0, 1, 0), (0, 0, 1))


@pytest.mark.parametrize(
    ("points", "free"), [(EDGE, 1), (EDGE[:1], 3), (EDGE[:0], 6)], ids=["edge", "corner", "apart"]
)
def test_a_body_that_hangs_on_a_clamped_one(points, free):
    """About an edge it turns, about a corner it turns three ways."""
    motions = free_body_motions([[CLAMPED], []], joints(points), CENTRE, RADIUS)
    assert motions.shape == (free, 2, 6)
    assert np.abs(motions[:, 0]).max() < 1e-9
    if free == 1:
        rotation = motions[0, 1] / np.abs(motions[0, 1]).max()
        assert np.abs(rotation) == pytest.approx([0, 0, 0, 0, 0, 1], abs=1e-9)


def test_two_bodies_hold_each_other():
    """Neither is held by itself, both are together."""
    first = holding([(-1, -1, 0), (0, -1, 0), (-1, -1, 1)], (0, 1, 0), (0, 0, 1))
    second = holding([(1, 0, 0), (1, 1, 0), (1, 0, 1)], (1, 0, 0))
    assert len(free_body_motions([[first], [second]], joints(EDGE), CENTRE, RADIUS)) == 0
    assert len(free_body_motions([[first], [second]], joints(EDGE[:0]), CENTRE, RADIUS)) > 0
