"""Deformed parts: their volume, what selectors take of them, what can't be."""

from dataclasses import replace

import numpy as np
import pytest
import trimesh

import twin
from twin.analyses.shape import deformed
from twin.geometry.selection import Selected, select
from twin.geometry.surface import Surface

SIZE = np.array([0.1, 0.02, 0.01])


def bar():
    solid = trimesh.creation.box(extents=SIZE)
    return Surface(solid.vertices + SIZE / 2, solid.faces, np.arange(12) // 2)


def end_moves(last, by):
    return {(last, j, k): (by, 0, 0) for j in range(2) for k in range(2)}


def stretched(by):
    return twin.FreeForm((0, 0, 0), SIZE, (2, 2, 2), end_moves(1, by))


def test_a_stretched_bar_is_longer():
    found = deformed(bar(), [stretched(0.05)])
    assert found.volume == pytest.approx(1.5 * SIZE.prod(), rel=1e-12)
    assert found.bounds[1][0] == pytest.approx(0.15)
    assert found.closed


def test_a_bump_has_the_volume_of_its_polynomial():
    """The top of 3 x 2 x 2 control points, its middle lifted by h: 2 s (1 - s) h above, a third of h on average."""
    bump = twin.FreeForm((0, 0, 0), SIZE, (3, 2, 2), {(1, 0, 1): (0, 0, "3 mm"), (1, 1, 1): (0, 0, "3 mm")})
    found = deformed(bar(), [bump])
    assert found.volume == pytest.approx(SIZE.prod() + SIZE[0] * SIZE[1] * 3e-3 / 3, rel=1e-3)


def test_a_box_around_a_part_in_single_precision_holds_all_of_it():
    surface = bar()
    rounded = replace(surface, vertices=surface.vertices.astype(np.float32).astype(float))
    assert (rounded.vertices.max(axis=0) > SIZE).any()
    longer = deformed(rounded, [stretched(0.02)])
    assert np.ptp(longer.vertices[:, 0]) == pytest.approx(SIZE[0] + 0.02, rel=1e-6)


def test_boxes_act_one_after_the_other():
    again = twin.FreeForm((0, 0, 0), SIZE * (1.5, 1, 1), (2, 2, 2), end_moves(1, 0.05))
    found = deformed(bar(), [stretched(0.05), again])
    assert found.bounds[1][0] == pytest.approx(0.2)


def test_selectors_speak_of_the_part_before():
    found = deformed(bar(), [stretched(0.05)])
    end = select(found, twin.select.plane((0.1, 0, 0), (1, 0, 0)), 1.0)
    assert end.area == pytest.approx(SIZE[1] * SIZE[2])
    assert end.triangles[..., 0] == pytest.approx(0.15)
    half = twin.select.box((0.05, -1, -1), (1, 1, 1))
    piece = select(found, half, 1.0)
    assert piece.triangles[..., 0].min() == pytest.approx(0.075)
    top = np.flatnonzero(np.isclose(found.corners[..., 2], 0.01).all(axis=1))
    centres = found.corners[top].mean(axis=1)
    taken = Selected(found, half).mask(centres, top.astype(np.int32))
    assert (taken == (centres[:, 0] > 0.075)).all()


@pytest.mark.parametrize(
    ("box", "said"),
    [
        (twin.FreeForm((1, 1, 1), (2, 2, 2), (2, 2, 2), {(0, 0, 0): (1, 0, 0)}), "holds nothing of the part"),
        (stretched(-0.099), "fold the box over"),
        (twin.FreeForm((0.05, -1, -1), (1, 1, 1), (2, 2, 2), {(0, 0, 0): (0.01, 0, 0)}), "torn by"),
    ],
)
def test_what_can_not_be_is_refused(box, said):
    with pytest.raises(twin.StudyError, match=said):
        deformed(bar(), [box])


def test_a_part_that_goes_through_a_side_that_stays_is_fine():
    box = twin.FreeForm((0.05, -0.01, -0.01), (0.15, 0.03, 0.02), (3, 2, 2), end_moves(2, 0.02))
    found = deformed(bar(), [box])
    assert found.closed
    assert found.volume > SIZE.prod()
    left = found.vertices[:, 0] < 0.05
    assert (found.vertices[left] == found.before.vertices[left]).all()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"min": (1, 0, 0)}, "below max"),
        ({"control": (1, 2, 2)}, "from 2 to 12"),
        ({"moves": {(2, 0, 0): (0, 0, 0)}}, "no control point"),
        ({"moves": {(0, 0, 0): "3 N"}}, "move of control point"),
    ],
)
def test_boxes_that_make_no_sense(change, said):
    given = {"min": (0, 0, 0), "max": (1, 1, 1), "control": (2, 2, 2), "moves": {}}
    with pytest.raises(twin.InvalidInput, match=said):
        twin.FreeForm(**(given | change))
