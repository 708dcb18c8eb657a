"""What a number at a node leaves out: the field between nodes."""

import pytest

from solvers.tet10.element import EDGES
from tests.verification import shapes
from twin.analyses import goals
from twin.meshing import VolumeMesh


@pytest.fixture(scope="module")
def mesh():
    points, tets = shapes.mesh(shapes.beam(1.0, 1.0, 1.0), 0.25)
    return VolumeMesh(points, tets, "NETGEN", 0.0, ())


@pytest.mark.parametrize("share", [0.2, 0.25, 0.6, 0.9])
def test_a_peak_on_an_edge_is_as_much_larger_as_the_parabola_through_its_nodes_says(mesh, share):
    start, end = mesh.points[mesh.tets[7, list(EDGES[0])]]
    values = 1 - ((mesh.points - (1 - share) * start - share * end) ** 2).sum(1)
    node = int(values.argmax())
    assert values[node] < 1
    assert goals.between(mesh, values, node) == pytest.approx(1 - values[node], rel=1e-6)


def test_what_rises_evenly_is_largest_at_a_node(mesh):
    values = mesh.points @ (1.0, 0.3, 0.1)
    assert goals.between(mesh, values, int(values.argmax())) == pytest.approx(0, abs=1e-12)
