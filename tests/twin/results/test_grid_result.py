"""A result found on a grid: written, drawn, probed."""

import dataclasses

import numpy as np
import pytest
import pyvista

from solvers.cutcell.element import CORNERS, VTK_ORDER
from twin.errors import InvalidInput
from twin.quantities import Field
from twin.results import storage
from twin.results.files import save
from twin.results.grid import GridInterpolator
from twin.results.picture import plot
from twin.results.scalars import scalar
from twin.results.skin import skin


def bent(points):
    """A displacement that is linear in every coordinate, as a cell can hold it."""
    x, y, z = points.T
    return np.stack([x * z, 2 * x * y, 1 + x * y * z], axis=1)


@pytest.fixture
def gridded(beam):
    """The beam of the other tests on cells of 5 mm that stick out of it by a part of a cell."""
    edge = 0.005
    low = beam.surface_vertices.min(0) - 0.3 * edge
    shape = np.ceil((beam.surface_vertices.max(0) - low) / edge).astype(int)
    count = shape + 1
    place = np.stack(np.meshgrid(*map(np.arange, count), indexing="ij"), -1).reshape(-1, 3)
    points = low + edge * place
    index = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1).reshape(-1, 1, 3) + CORNERS
    corners = (index[..., 0] * count[1] + index[..., 1]) * count[2] + index[..., 2]
    case = beam.cases["default"]
    fields = {
        "displacement": Field("displacement", bent(points), "m", "node"),
        "von_mises": Field("von_mises", 1e6 * (1 + points[:, :1]), "Pa", "node"),
    }
    return dataclasses.replace(
        beam,
        points=points,
        tets=np.zeros((0, 10), np.int32),
        hexahedra=corners[:, VTK_ORDER].astype(np.int32),
        cases={"default": dataclasses.replace(case, fields=fields)},
    )


def test_it_comes_back_from_storage(gridded):
    manifest, arrays = storage.dump(gridded)
    assert "mesh.tets" not in arrays
    back = storage.load(manifest, arrays.__getitem__)
    assert np.array_equal(back.hexahedra, gridded.hexahedra)
    assert back.tets.shape == (0, 10)


def test_its_vtu_has_hexahedra_of_positive_volume(gridded, tmp_path):
    grid = pyvista.read(save(gridded, tmp_path / "beam.vtu"))
    assert set(grid.celltypes) == {pyvista.CellType.HEXAHEDRON}
    sizes = grid.compute_cell_sizes()["Volume"]
    assert sizes == pytest.approx(np.full(len(sizes), 0.005**3))


def test_values_between_nodes_are_trilinear(gridded):
    find = GridInterpolator(gridded.points, gridded.hexahedra)
    where = np.random.default_rng(0).uniform(
        gridded.surface_vertices.min(0), gridded.surface_vertices.max(0), (50, 3)
    )
    assert np.allclose(find(bent(gridded.points), where), bent(where), atol=1e-12)
    with pytest.raises(InvalidInput, match="outside the part"):
        find(bent(gridded.points), np.array([[1.0, 0, 0]]))


def test_what_is_seen_is_the_uploaded_surface(gridded):
    part = skin(gridded)
    low, high = gridded.surface_vertices.min(0), gridded.surface_vertices.max(0)
    assert (part.points >= low - 1e-12).all()
    assert (part.points <= high + 1e-12).all()
    assert np.allclose(part.at(bent(gridded.points)), bent(part.points), atol=1e-12)
    assert len(part.faces) > len(gridded.surface_triangles)


def test_it_can_be_drawn(gridded, tmp_path):
    assert plot(gridded, tmp_path / "grid.png", deformation=0).stat().st_size > 10_000
    assert save(gridded, tmp_path / "grid.glb").stat().st_size > 1000


def test_an_invariant_is_made_of_what_is_interpolated(gridded):
    """Shear that changes its sign from node to node has no stress half way, whatever the nodes have."""
    stress = np.zeros((len(gridded.points), 6))
    stress[:, 3] = np.where(np.rint(gridded.points[:, 0] / 0.005 + 0.3) % 2, 1e6, -1e6)
    case = gridded.cases["default"]
    fields = {**case.fields, "stress": Field("stress", stress, "Pa", "node")}
    mean = np.mean(scalar(dataclasses.replace(case, fields=fields), "von_mises", skin(gridded).at).values)
    assert mean < 0.9 * np.sqrt(3) * 1e6
