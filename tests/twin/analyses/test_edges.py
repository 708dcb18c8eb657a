"""Heat flux at edges: what is given through the faces that meet there tells how far the recovered one is off."""

import numpy as np
import pytest
import trimesh

import twin
from tests.verification import shapes
from twin import select
from twin.analyses.boundary import MeshBoundary
from twin.analyses.heat_conduction.on_mesh import missed_at_edges
from twin.geometry.patches import find_patches
from twin.geometry.surface import Surface
from twin.meshing import VolumeMesh

STEEL = twin.Material(210e9, 0.3, 7800.0, thermal_conductivity=50.0)
AIR, EXCHANGE, GIVEN, FOUND = 300.0, 20.0, 5e3, 3e3


@pytest.fixture(scope="module")
def boundary():
    points, tets = shapes.mesh(shapes.beam(1.0, 1.0, 1.0), 0.3)
    box = trimesh.creation.box(bounds=[points.min(0), points.max(0)])
    triangles = np.asarray(box.faces, np.int64)
    vertices = np.asarray(box.vertices)
    surface = Surface(vertices, triangles.astype(np.int32), find_patches(vertices, triangles))
    return MeshBoundary(surface, VolumeMesh(points, tets, "NETGEN", 0.0, ()))


def missed(boundary, warm, end):
    """Of a uniform flux along x; the part is so much warmer than the air."""
    count = len(boundary.points)
    study = twin.HeatConduction(
        STEEL, [end], [twin.HeatFlux(GIVEN, on=select.plane((1.0, 0, 0), (1.0, 0, 0)))]
    )
    (case,) = study.cases
    flux = np.tile([FOUND, 0.0, 0.0], (count, 1))
    return missed_at_edges(boundary, study, case, np.full((count, 1), AIR + warm), flux)


def test_where_given_fluxes_meet(boundary):
    start = select.plane((0.0, 0, 0), (1.0, 0, 0))
    off = missed(boundary, 10.0, twin.Convection(EXCHANGE, AIR, on=start))
    x, y, z = boundary.points.T
    rim = np.maximum(np.abs(y), np.abs(z)) > 0.5 - 1e-9
    # heat enters with the slope of the temperature at one end, leaves to the air at the other
    assert off[rim & (x > 1 - 1e-9)] == pytest.approx(GIVEN - FOUND)
    assert off[rim & (x < 1e-9)] == pytest.approx(FOUND - EXCHANGE * 10.0)
    assert off[~rim] == pytest.approx(0.0)  # within a face the distance to the discrete flux says enough
    assert off[rim & (x > 0.01) & (x < 0.99)] == pytest.approx(0.0, abs=1e-9)


def test_edges_of_given_temperatures_tell_nothing(boundary):
    start = select.plane((0.0, 0, 0), (1.0, 0, 0))
    off = missed(boundary, 10.0, twin.Temperature(AIR, on=start))
    assert (off[boundary.points[:, 0] < 1e-9] == 0).all()
    assert off.max() == pytest.approx(GIVEN - FOUND)
