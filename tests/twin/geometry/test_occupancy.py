"""Inside and outside by the winding number: what of a surface bounds material."""

import numpy as np
import pytest
import trimesh

from twin.geometry.occupancy import Occupancy
from twin.geometry.surface import Surface


def surface(*solids: trimesh.Trimesh) -> Surface:
    joined = trimesh.util.concatenate(list(solids))
    return Surface(joined.vertices, joined.faces, np.zeros(len(joined.faces), np.int32))


def box(lower: float, upper: float) -> trimesh.Trimesh:
    """1 x 1 across, from `lower` to `upper` along z."""
    solid = trimesh.creation.box(extents=(1, 1, upper - lower))
    solid.apply_translation((0, 0, (lower + upper) / 2))
    return solid


@pytest.mark.parametrize("start", [0.5, 1.0], ids=["overlapping", "touching"])
def test_the_exposed_surface_is_that_of_the_union(start):
    """Of two boxes on one axis: their faces inside are no boundary, and coinciding sides count once."""
    occupancy = Occupancy(surface(box(0, 1), box(start, 1.5)))
    exposed, source = occupancy.exposed(0.1)
    flat = np.abs(exposed.normals[:, 2]) > 0.5
    assert set(np.round(exposed.corners[flat].mean(1)[:, 2], 9)) == {0.0, 1.5}
    assert exposed.areas[flat].sum() == pytest.approx(2.0)
    assert occupancy.surface.normals[source] == pytest.approx(exposed.normals, abs=1e-9)
    share = occupancy.bounding(exposed.corners.mean(1), exposed.normals)
    assert (share * exposed.areas).sum() == pytest.approx(2 + 4 * 1.5, rel=1e-6)
    assert occupancy.volume[0] == pytest.approx(1.5, rel=1e-3)


def test_what_stands_on_a_plate_hides_only_what_it_covers():
    """Judged by pieces: the shoulder of the plate stays, although its two triangles are covered in the middle."""
    plate, block = trimesh.creation.box(extents=(1, 1, 0.2)), trimesh.creation.box(extents=(0.8, 0.8, 0.5))
    block.apply_translation((0, 0, 0.35))
    exposed, _ = Occupancy(surface(plate, block)).exposed(0.02)
    shoulder = (exposed.normals[:, 2] > 0.5) & (exposed.corners[:, :, 2].max(1) < 0.2)
    assert exposed.areas[shoulder].sum() == pytest.approx(1 - 0.8**2, rel=0.05)


def test_a_sheet_beside_a_solid_bounds_nothing():
    fin = trimesh.Trimesh(
        [(0.6, 0, 0), (1.4, 0, 0.1), (1.4, 0.7, 0.2), (0.6, 0.7, 0.1)], [(0, 1, 2), (0, 2, 3)]
    )
    exposed, source = Occupancy(surface(box(-0.5, 0.5), fin)).exposed(0.1)
    assert exposed.area == pytest.approx(6.0)
    assert source.max() < 12


def test_a_flat_sheet_encloses_nothing():
    sheet = Surface(
        np.array([(0, 0, 0), (1, 0, 0.3), (1, 1, 0.5), (0, 1, 0.2)]),
        np.array([(0, 1, 2), (0, 2, 3)]),
        np.zeros(2, int),
    )
    assert Occupancy(sheet).volume == (0.0, 0.0)
