"""How full the cells of a grid are: volumes of known bodies, whole, overlapping and damaged."""

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.errors import GeometryError
from twin.geometry.occupancy import Occupancy
from twin.geometry.surface import Surface
from twin.gridding import fill


def surface(solid: trimesh.Trimesh) -> Surface:
    return Surface(solid.vertices, solid.faces, np.zeros(len(solid.faces), np.int32))


def box(*lengths: float, at=(0.0, 0.0, 0.0)) -> trimesh.Trimesh:
    solid = trimesh.creation.box(extents=lengths)
    solid.apply_translation(at)
    return solid


def second_moments(cells) -> np.ndarray:
    """About the origin (3, 3) [m^5], by the quadrature of all cells."""
    lattice = cells.lattice
    points = lattice.origin + lattice.edge * (lattice.index[:, None] + cells.element.points)
    return lattice.edge**3 * np.einsum("cq,cqi,cqj->ij", cells.weights, points, points)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("edge", [0.09, 0.031])
def test_a_box_is_filled_to_its_volume_and_its_second_moments(edge, order):
    """Exact but for the boxes at its edges, which one plane can't tell: second order in the size of a cell."""
    lengths = np.array([1.0, 0.7, 0.33])
    off = 0.02 * (edge / lengths.min()) ** 2
    cells = fill(surface(box(*lengths)), edge, order)
    assert cells.volume == pytest.approx(lengths.prod(), rel=off)
    exact = np.diag(lengths.prod() * lengths**2 / 12)
    assert np.diag(second_moments(cells)) == pytest.approx(np.diag(exact), rel=3 * off)


@pytest.mark.parametrize("depths", [(0.19, 0.84, 0.85), (0.19, 0.17, 0.9), (0.6, 0.6, 0.6), (0.9, 0.95, 0.3)])
def test_a_cell_at_a_corner_holds_what_all_three_faces_leave(depths):
    """Also where the nearest one is the same for all of its boxes. Two more boxes hold the grid's lines in place."""
    low, high = 4 - np.array(depths), np.array([6.3, 6.2, 6.4])
    solid = box(*(high - low), at=(low + high) / 2)
    ends = [box(1, 1, 1, at=(at,) * 3) for at in (0.5, 9.5)]
    cells = fill(surface(trimesh.util.concatenate([solid, *ends])), 1.0)
    (corner,) = np.flatnonzero((cells.lattice.index == 3).all(axis=1))
    assert cells.fraction[corner] == pytest.approx(np.prod(depths), abs=2e-3)
    (beside,) = np.flatnonzero((cells.lattice.index == (4, 3, 3)).all(axis=1))
    assert cells.fraction[beside] == pytest.approx(np.prod(depths[1:]), abs=2e-3)


def test_a_cell_at_an_inner_edge_lacks_what_is_beyond_both_faces():
    whole = box(5.0, 5.0, 6.0, at=(5.5, 5.5, 5.0))  # from 3, 3, 2
    notch = box(4.0, 4.0, 8.0, at=(6.3 + 2, 5.6 + 2, 5.0))
    solid = trimesh.boolean.difference([whole, notch], engine="manifold")
    ends = [box(1, 1, 1, at=(at,) * 3) for at in (0.5, 9.5)]
    cells = fill(surface(trimesh.util.concatenate([solid, *ends])), 1.0)
    (cell,) = np.flatnonzero((cells.lattice.index == (6, 5, 4)).all(axis=1))
    assert cells.fraction[cell] == pytest.approx(1 - 0.7 * 0.4, abs=2e-3)


@settings(max_examples=15, deadline=None)
@given(st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda n: np.linalg.norm(n) > 0.1), st.floats(0, 3))
def test_planes_cut_cells_at_any_angle(axis, angle):
    turn = trimesh.transformations.rotation_matrix(angle, axis)
    lengths = np.array([1.0, 0.8, 0.6])
    solid = box(*lengths)
    solid.apply_transform(turn)
    cells = fill(surface(solid), 0.13, 2)
    exact = turn[:3, :3] @ np.diag(lengths.prod() * lengths**2 / 12) @ turn[:3, :3].T
    assert cells.volume == pytest.approx(lengths.prod(), rel=6e-3)
    assert second_moments(cells) == pytest.approx(exact, abs=1e-2 * np.trace(exact))


def test_a_sphere_is_approached_at_second_order():
    sphere = trimesh.creation.icosphere(5)
    errors = [abs(fill(surface(sphere), edge).volume / sphere.volume - 1) for edge in (0.2, 0.1, 0.05)]
    assert errors[0] < 4e-3
    assert errors[2] < errors[0] / 10


@pytest.mark.parametrize(
    ("solids", "volume"),
    [
        ([box(1, 1, 1), box(1, 1, 1, at=(1, 0, 0))], 2.0),
        ([box(1, 1, 1), box(1, 1, 1, at=(0.5, 0.03, 0))], 2 - 0.5 * 0.97),
        ([box(1, 1, 1), box(1, 1, 1, at=(0, 0, 2))], 2.0),
        ([box(240, 300, 1), box(240, 300, 1, at=(500, 0, 0))], 2 * 240 * 300.0),
        ([box(300, 300, 1), box(10, 10, 10, at=(0, 0, 40))], 300 * 300 + 1000.0),
        ([box(300, 200, 1), box(1, 200, 300, at=(150.5, 0, 149.5))], 2 * 300 * 200.0),
    ],
    ids=["touching", "overlapping", "apart", "thin plates", "a plate and a cube", "touching sheets"],
)
def test_bodies_count_once_where_they_overlap(solids, volume):
    assert Occupancy(surface(trimesh.util.concatenate(solids))).volume[0] == pytest.approx(volume, rel=0.01)


def test_holes_do_no_harm():
    solid = box(1, 1, 1)
    for _ in range(4):
        solid = solid.subdivide()
    solid.update_faces(np.arange(len(solid.faces)) % 50 != 0)
    volume, deviation = Occupancy(surface(solid)).volume
    assert volume == pytest.approx(1.0, rel=0.02)
    assert deviation < 0.002


def test_a_sheet_encloses_nothing():
    sheet = Surface([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0.2]], [[0, 1, 2], [1, 3, 2]], [0, 0])
    with pytest.raises(GeometryError, match="No cell"):
        fill(sheet, 0.1)


def test_dust_that_hangs_on_an_edge_is_left_out():
    """Two cells that share an edge turn about it as about a hinge: of a small piece nothing would hold that."""
    block, crumb = box(1, 1, 1, at=(0.5, 0.5, 0.5)), box(0.05, 0.05, 0.05, at=(1.025, 0.5, 1.025))
    found = fill(surface(trimesh.util.concatenate([block, crumb])), 0.05)
    assert set(found.lattice.pieces) == {0}
    assert found.volume == pytest.approx(1.0, rel=1e-5)
