"""A part in a box of cells: turned into the flow, as large as it is, with units that are worth what they should be."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import trimesh
from numpy.typing import NDArray

import twin
from solvers.lattice_boltzmann import flow, refinement
from twin.analyses.external_flow.boxes import Box, boxes
from twin.analyses.external_flow.setting import setting
from twin.analyses.external_flow.tunnel import cells, tunnel
from twin.errors import GeometryError, SelectionError, StudyError
from twin.geometry.parse import parse
from twin.geometry.surface import Surface

RADIUS = 0.05
SPEED, REYNOLDS = 3.0, 200.0


@pytest.fixture
def ball(tmp_path: Path) -> Surface:
    path = tmp_path / "ball.stl"
    solid = trimesh.creation.icosphere(subdivisions=4, radius=RADIUS)
    solid.apply_translation([0.3, 0.2, 0.1])
    solid.export(path)
    return parse(path, "m", path.name)[0]


def study(**others: object) -> twin.ExternalFlow:
    fluid = twin.Fluid(1.2, 1.2 * SPEED * 2 * RADIUS / REYNOLDS)
    return twin.ExternalFlow((0, -SPEED, 0), fluid, **others)  # type: ignore[arg-type]


def test_a_part_is_turned_into_the_flow(ball: Surface) -> None:
    placed = setting(ball, study(up=(0, 1, 2)))
    np.testing.assert_allclose(placed.axes, [[0, -1, 0], [1, 0, 0], [0, 0, 1]], atol=1e-12)
    np.testing.assert_allclose(placed.surface.vertices.mean(axis=0), (-0.2, 0.3, 0.1), atol=1e-3)
    assert placed.area == pytest.approx(np.pi * RADIUS**2, rel=0.005)
    assert placed.length == pytest.approx(2 * RADIUS, rel=0.01)
    assert placed.reynolds_number == pytest.approx(REYNOLDS * np.sqrt(np.pi) / 2, rel=0.005)


def test_cells_are_inside_where_the_part_is_and_walls_are_on_it(ball: Surface) -> None:
    made = tunnel(setting(ball, study()), 6.0)
    spacing, innermost = made.scales.length, made.boxes[-1]
    assert made.solid.shape == innermost.grid.shape
    assert cells(made.setting, 6.0) == made.cells == sum(box.cells for box in made.boxes)
    assert made.solid.sum() * spacing**3 == pytest.approx(4 / 3 * np.pi * RADIUS**3, rel=0.1)
    middle = np.array(innermost.origin) + spacing * np.argwhere(made.solid).mean(axis=0)
    np.testing.assert_allclose(middle, made.setting.surface.vertices.mean(axis=0), atol=0.1 * spacing)
    on_body = np.asarray(made.walls.body).any(axis=0)
    away = np.linalg.norm(made.touched[on_body] - made.setting.surface.vertices.mean(axis=0), axis=1)
    np.testing.assert_allclose(away, RADIUS, atol=0.2 * spacing)
    assert made.unresolved == 0


def test_no_cell_is_shut_in_where_faces_go_through_the_middle_of_cells(tmp_path: Path) -> None:
    trimesh.creation.box((0.1, 0.1, 0.1)).export(tmp_path / "box.stl")
    surface, _ = parse(tmp_path / "box.stl", "m", "box.stl")
    made = tunnel(setting(surface, study(ground=twin.Ground(-0.05 - 3.5 / 90))), 9.0)
    assert made.solid.sum() == 9 * 9 * 10
    distances = np.asarray(made.walls.distances * made.walls.body)
    along = [i for i, c in enumerate(made.schemes[-1].velocities.directions) if np.abs(c).sum() == 1]
    assert ((distances[along] > 0).sum(axis=0) <= 1).all()


def test_cells_lie_alike_on_either_side_of_the_part(ball: Surface) -> None:
    for across in (6.0, 7.1, 9.3):
        solid = tunnel(setting(ball, study()), across).solid
        places = np.argwhere(solid)
        for axis in range(3):
            ends = places[:, axis].min(), places[:, axis].max() + 1
            body = np.take(solid, range(*ends), axis=axis)
            np.testing.assert_array_equal(body, np.flip(body, axis))


@pytest.mark.parametrize("across", [6.0, 9.3, 20.0])
@pytest.mark.parametrize("ground", [None, twin.Ground("20 mm")])
def test_boxes_lie_inside_each_other_cell_on_cells(
    ball: Surface, across: float, ground: twin.Ground | None
) -> None:
    placed = setting(ball, study(ground=ground))
    found = boxes(placed, placed.size / across)
    assert found[-1].spacing == pytest.approx(placed.size / across)
    lower, upper = placed.surface.bounds
    begin, end = extent(found[-1])
    assert (begin[:2] < np.array(lower)[:2] - 0.5 * placed.size).all()
    assert (end > np.array(upper) + 0.5 * placed.size).all()
    for outer, inner in pairwise(found):
        assert outer.spacing == pytest.approx(2 * inner.spacing)
        corner = extent(outer)[0] + outer.spacing * np.array(inner.corner)
        np.testing.assert_allclose(extent(inner)[0], corner, atol=1e-9)
        apart = np.array([extent(inner)[0] - extent(outer)[0], extent(outer)[1] - extent(inner)[1]])
        if ground is not None:
            assert apart[0, 2] == pytest.approx(0, abs=1e-9)
            apart[0, 2] = np.inf
        assert (apart > 2.9 * outer.spacing).all()
        refinement.coupling(outer.grid, inner.grid, inner.corner)


def extent(box: Box) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    begin = np.array(box.origin) - 0.5 * box.spacing
    return begin, begin + box.spacing * np.array(box.grid.shape)


def test_a_lattice_has_the_reynolds_number_and_the_speed_of_the_study(ball: Surface) -> None:
    made = tunnel(setting(ball, study()), 6.0)
    diameter = 2 * RADIUS / made.scales.length
    assert made.speed * diameter / float(made.conditions[-1].viscosity) == pytest.approx(REYNOLDS, rel=1e-5)
    assert made.speed * made.scales.speed == pytest.approx(SPEED)
    assert 0.5 * made.speed**2 * made.scales.pressure == pytest.approx(0.5 * 1.2 * SPEED**2)


def test_the_ground_is_where_it_was_asked_for(ball: Surface) -> None:
    for ground, height in ((twin.Ground("20 mm"), 0.02), (twin.Ground(), 0.05)):
        made = tunnel(setting(ball, study(ground=ground)), 6.0)
        for box in made.boxes:
            assert box.origin[2] - 0.5 * box.spacing == pytest.approx(height, abs=1e-9)
    with pytest.raises(GeometryError, match="under the ground"):
        setting(ball, study(ground=twin.Ground("1 m")))


def test_a_surface_that_turns_moves_beside_the_fluid(ball: Surface) -> None:
    """Half of the ball, about an axis across the flow: faster than the fluid at its edge."""
    middle, rate = np.array([0.3, 0.2, 0.1]), 2 * SPEED / RADIUS
    half = twin.Rotating((0, 0, 2), tuple(middle), rate, twin.select.box((0.3, 0, 0), (1, 1, 1)))
    placed = setting(ball, study(rotating=[half]))
    assert placed.fastest == pytest.approx(2 * SPEED, rel=0.01)
    made = tunnel(placed, 8.0)
    body = np.asarray(made.walls.body).any(axis=0)
    touched = made.touched[body] @ placed.axes - middle
    moving = made.scales.speed * np.asarray(made.walls.moving).T[body] @ placed.axes
    turned = np.cross((0, 0, rate), touched)
    for chosen, expected in (
        (touched[:, 0] > 0.1 * RADIUS, turned),
        (touched[:, 0] < -0.1 * RADIUS, 0 * turned),
    ):
        away = np.linalg.norm((moving - expected)[chosen], axis=1)
        assert away.max() < 0.5 * rate * made.scales.length  # where a cell touches it is a fit
    assert np.linalg.norm(np.asarray(made.walls.moving), axis=0).max() < 0.08


def test_what_lies_under_the_ground_casts_no_shadow(ball: Surface) -> None:
    placed = setting(ball, study(ground=twin.Ground(height=0.1)))
    assert placed.area == pytest.approx(np.pi * RADIUS**2 / 2, rel=0.005)
    assert placed.under_ground == pytest.approx(0.5, abs=0.01)


def test_a_sheet_seen_edge_on_has_the_area_of_its_edge(tmp_path: Path) -> None:
    path = tmp_path / "sheet.stl"
    trimesh.creation.box(extents=[1.0, 0.5, 2e-4]).export(path)
    placed = setting(parse(path, "m", path.name)[0], study())
    assert placed.area == pytest.approx(2e-4, rel=1e-3)


@pytest.mark.parametrize(
    ("turn", "axis"), [(0.0, "y"), (0.7, "y"), (0.2, "x")], ids=["upright", "aslant", "swept"]
)
def test_cells_are_counted_along_what_the_flow_passes(tmp_path: Path, turn: float, axis: str) -> None:
    """Not along the root of a shadow that is long across the flow."""
    rod = trimesh.creation.cylinder(0.01, 1.0, sections=64)
    rod.apply_transform(trimesh.transformations.rotation_matrix(turn, [axis == each for each in "xyz"]))
    path = tmp_path / "rod.stl"
    rod.export(path)
    placed = setting(parse(path, "m", path.name)[0], study())
    assert placed.area == pytest.approx(0.02, rel=0.03)
    assert placed.size == pytest.approx(1.5 * 0.02, rel=0.05)


def test_of_a_post_in_the_ground_what_stands_out_counts(tmp_path: Path) -> None:
    trimesh.creation.cylinder(0.05, 0.2, sections=64).export(tmp_path / "post.stl")
    placed = setting(parse(tmp_path / "post.stl", "m", "post.stl")[0], study(ground=twin.Ground(0.0)))
    assert placed.size == pytest.approx(0.1, rel=0.01)  # the root of its shadow


def test_the_wind_begins_with_an_eddy_at_the_part(ball: Surface) -> None:
    """It breaks the symmetry, compresses nothing and is gone far from the part."""
    made = tunnel(setting(ball, study()), 6.0)
    far, _, near, _ = (
        np.asarray(flow.macroscopic(*each).velocity) / made.speed - np.array([1, 0, 0])[:, None, None, None]
        for each in zip(made.schemes, made.conditions, made.initial(), strict=True)
    )
    assert np.abs(far[:, 0]).max() < 1e-6
    assert all(0.001 < np.abs(component).max() < 0.02 for component in near)
    mirrored = [
        (near[2], -near[2][:, :, ::-1]),
        (near[1], -near[1][:, ::-1]),
        (near[1], near[2].swapaxes(1, 2)),
    ]
    for component, image in mirrored:
        assert np.abs(component - image).max() > 0.001
    slopes = np.array([np.gradient(near[axis], axis=axis)[1:-1, 1:-1, 1:-1] for axis in range(3)])
    assert np.abs(slopes).max() > 1e-3
    assert np.abs(slopes.sum(axis=0)).max() < 0.2 * np.abs(slopes).max()


def test_ground_that_is_far_below_is_left_out(ball: Surface) -> None:
    near, far = (setting(ball, study(ground=twin.Ground(height))) for height in ("-0.5 m", "-5 m"))
    assert near.ground == pytest.approx(-0.5)
    assert near.on_road
    assert far.ground is None
    assert not far.on_road
    assert boxes(far, 0.01) == boxes(setting(ball, study()), 0.01)


def test_what_turns_much_faster_than_the_wind_is_refused(ball: Surface) -> None:
    turning = twin.Rotating((0, 0, 1), (0.3, 0.2, 0.1), 40 * SPEED / RADIUS, twin.select.all())
    with pytest.raises(StudyError, match="40 times the fluid"):
        setting(ball, study(rotating=[turning]))


def test_flow_with_shocks_is_refused(ball: Surface) -> None:
    fast = twin.ExternalFlow((300, 0, 0), "air")
    with pytest.raises(StudyError, match=r"Mach number is 0\.8"):
        setting(ball, fast)


def test_a_surface_that_turns_takes_whole_triangles(ball: Surface) -> None:
    sliver = twin.select.box((0.2999, 0.1, 0), (0.3001, 0.3, 0.2))
    turning = twin.Rotating((0, 0, 1), (0.3, 0.2, 0.1), 10.0, sliver)
    with pytest.raises(SelectionError, match="takes no triangle"):
        setting(ball, study(rotating=[turning]))


def test_a_surface_that_turns_is_somewhere(ball: Surface) -> None:
    with pytest.raises(SelectionError):
        setting(
            ball, study(rotating=twin.Rotating((0, 0, 1), (0, 0, 0), 1, twin.select.sphere((9, 9, 9), 0.1)))
        )


@pytest.mark.parametrize("closed", [True, False], ids=["plate", "sheet"])
def test_what_is_thinner_than_cells_is_met_from_both_sides(tmp_path: Path, closed: bool) -> None:
    plate = trimesh.creation.box((0.1, 0.0003, 0.1))
    if not closed:
        plate.update_faces(plate.face_normals[:, 1] > 0.9)
    plate.export(tmp_path / "plate.stl")
    surface, _ = parse(tmp_path / "plate.stl", "m", "plate.stl")
    made = tunnel(setting(surface, study(ground=twin.Ground(-0.1))), 10.0)
    assert not made.solid.any()
    body = np.asarray(made.walls.body)
    directions = np.array(made.schemes[-1].velocities.directions)
    against, along = (body[np.flatnonzero((directions == (sign, 0, 0)).all(axis=1))[0]] for sign in (-1, 1))
    assert against.sum() == along.sum() >= 100
