"""NAFEMS LE1 and LE10 (The Standard NAFEMS Benchmarks, 1990)."""

import numpy as np
import pytest

import twin
from solvers import quadrature
from solvers.elasticity.law import lame
from solvers.precision import float64
from solvers.tet10 import steady
from solvers.tet10.faces import boundary_facets
from solvers.tet10.facets import facet_quadrature
from solvers.tet10.recovery import Recovery
from tests.verification import shapes

STEEL = twin.Material(210e9, 0.3, 7800)


def test_le1_elliptic_membrane(client, tmp_path):
    """sigma_yy at the inner end of the x axis: 92.7 MPa; a converged value is 92.66."""
    thickness = 0.1
    part = client.upload(shapes.write_step(shapes.elliptic_plate(thickness), tmp_path / "le1.step"))
    flat = (
        twin.select.plane((0, 0, 0), (1, 0, 0))
        | twin.select.plane((0, 0, 0), (0, 1, 0))
        | twin.select.facing((0, 0, 1), "10 deg")
        | twin.select.facing((0, 0, -1), "10 deg")
    )
    outer = ~flat & ~twin.select.cylinder((0, 0, 0), (0, 0, 1), 2.4)
    study = twin.StaticStress(
        STEEL,
        supports=[
            twin.Symmetry(on=twin.select.plane((0, 0, 0), axis)) for axis in ((1, 0, 0), (0, 1, 0), (0, 0, 1))
        ],
        loads=[twin.Pressure("-10 MPa", on=outer)],
    )
    result = client.simulate(part, study, accuracy=0.02).result()
    stress = result.probe("stress", [[2.0, 0.0, thickness / 2]]).values[0]
    assert stress[1] == pytest.approx(92.66e6, rel=0.02)


@pytest.mark.slow
def test_le10_thick_plate():
    """sigma_yy on the upper face at the inner end of the x axis: -5.38 MPa; refined meshes tend to -5.40.

    The outer face is held at mid-height along a line, which a mesh of two layers has.
    """
    points, tets = shapes.mesh(shapes.elliptic_plate(0.6, layers=2), 0.09)
    x, y, z = points.T
    outer = (x / 3.25) ** 2 + (y / 2.75) ** 2 > 1 - 1e-6
    held = np.zeros((len(points), 3))
    held[y < 1e-9, 1] = held[x < 1e-9, 0] = 1
    held[outer, :2] = 1
    held[outer & (np.abs(z - 0.3) < 1e-9), 2] = 1
    facets, _ = boundary_facets(tets)
    top = np.flatnonzero((z[facets] > 0.6 - 1e-9).all(1))
    where = facet_quadrature(points, facets, top)
    load = quadrature.traction(where, -1e6 * where.normal, len(points))
    assert load[:, 2].sum() == pytest.approx(-1e6 * np.pi / 4 * (3.25 * 2.75 - 2), rel=1e-4)
    directions = held[:, :, None] * np.eye(3)
    problem = steady.prepare(points, tets, float64(lame)(210e9, 0.3), directions, np.zeros_like(points))
    solution = steady.solve(problem, load)
    stress = Recovery(problem, points, tets)(solution.field)
    at = int(np.argmin(np.linalg.norm(points - [2, 0, 0.6], axis=1)))
    assert points[at] == pytest.approx([2, 0, 0.6], abs=1e-6)
    assert stress.nodal[at, 1] == pytest.approx(-5.38e6, rel=0.02)
