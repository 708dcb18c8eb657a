"""The largest flux outside of a zone is that at its border, wherever the nodes lie."""

from dataclasses import replace

import numpy as np
import pytest

from solvers.law import Recovered
from tests.verification import shapes
from twin.analyses.analysis import CaseSolution
from twin.analyses.peaks import looked_at
from twin.meshing import VolumeMesh
from twin.results.outcome import Equilibrium, Singularity
from twin.results.zones import Zones

RADIUS = 0.3


@pytest.fixture(scope="module")
def mesh():
    """A unit cube, the origin in the middle of one of its long edges."""
    points, tets = shapes.mesh(shapes.beam(1.0, 1.0, 1.0), 0.25)
    return VolumeMesh(points, tets, "NETGEN", 0.0, ())


def solved(flux):
    """A case with this flux (n, s) at the nodes, a hundredth of it in error."""
    still = Equilibrium(*[np.zeros(3)] * 4, 0.0)
    found = Recovered(flux, np.abs(flux[:, 0]) / 100, np.zeros(1), 1.0)
    return CaseSolution(flux[:, :3], 0.0, found, still, 0, 0.0)


def test_the_border_of_a_zone_is_looked_at(mesh):
    edge = np.array([[[0.0, -0.5, -0.5], [0.0, 0.5, -0.5]]])
    zones = Zones([Singularity("inner edge", "the edge", edge, RADIUS)])
    falling = 3.0 - zones.depth(mesh.points)[:, None] * np.ones(6)
    zone, there = looked_at(mesh, zones, solved(falling))
    outside = there.flux.nodal[zone < 0]
    assert outside.max() == pytest.approx(2.0, abs=1e-12)  # at depth 1; no node lies there
    assert falling[zones.at(mesh.points) < 0].max() < 1.999
    assert (there.flux.nodal[: len(mesh.points)] == falling).all()
    assert len(there.field) == len(zone) == len(there.flux.nodal_error)


def test_at_the_border_of_a_zone_the_flux_is_as_far_off_as_on_both_sides_of_it(mesh):
    edge = np.array([[[0.0, -0.5, -0.5], [0.0, 0.5, -0.5]]])
    zones = Zones([Singularity("inner edge", "the edge", edge, RADIUS)])
    case = solved(np.ones((len(mesh.points), 6)))
    off = np.where(zones.at(mesh.points) >= 0, 0.2, 0.0)
    zone, there = looked_at(mesh, zones, replace(case, flux=replace(case.flux, nodal_error=off)))
    border = np.arange(len(zone)) >= len(mesh.points)
    own = there.flux.nodal_error[border]
    assert own.min() > 0
    assert own.max() < 0.2  # of which only the side within has its share
    assert (there.flux.nodal_error[~border & (zone < 0)] == 0).all()


def test_without_zones_the_nodes_are_all_there_is_and_the_worst_around_counts(mesh):
    flux = np.zeros((len(mesh.points), 6))
    worst = int(mesh.tets[0, 0])
    flux[worst] = 1.0
    zone, there = looked_at(mesh, Zones([]), solved(flux))
    assert len(zone) == len(mesh.points)
    around = np.unique(mesh.tets[(mesh.tets == worst).any(1)])
    assert (there.flux.nodal_error > 0).nonzero()[0].tolist() == around.tolist()
