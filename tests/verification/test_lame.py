"""Thick cylinder and thick sphere under inner pressure (Lamé): values through the service, orders by the solver."""

import numpy as np
import pytest

import twin
from solvers import quadrature
from solvers.elasticity.law import lame
from solvers.precision import float64
from solvers.tet10 import element, loads, steady
from solvers.tet10.faces import boundary_facets
from solvers.tet10.facets import facet_quadrature
from solvers.tet10.recovery import Recovery
from tests.verification import shapes

YOUNG, POISSON = 210e9, 0.3
STEEL = twin.Material(YOUNG, POISSON, 7800)
A, B, P = 0.1, 0.2, 50e6
PLANES = [twin.select.plane((0, 0, 0), axis) for axis in ((1, 0, 0), (0, 1, 0), (0, 0, 1))]


def within(quantity, exact):
    """The true error is covered by the estimate."""
    return abs(quantity.value - exact) <= quantity.error


def test_thick_cylinder(client, tmp_path):
    """Plane strain: hoop stress at the bore p (a^2 + b^2) / (b^2 - a^2)."""
    length = 0.05
    part = client.upload(shapes.write_step(shapes.quarter_cylinder(A, B, length), tmp_path / "cylinder.step"))
    bore = twin.select.cylinder((0, 0, 0), (0, 0, 1), 1.05 * A) & ~(
        PLANES[0]
        | PLANES[1]
        | twin.select.facing((0, 0, 1), "10 deg")
        | twin.select.facing((0, 0, -1), "10 deg")
    )
    ends = [*PLANES, twin.select.plane((0, 0, length), (0, 0, 1))]
    study = twin.StaticStress(
        STEEL, supports=[twin.Symmetry(on=face) for face in ends], loads=[twin.Pressure(P, on=bore)]
    )
    result = client.simulate(part, study, accuracy=0.02).result()
    hoop = P * (A**2 + B**2) / (B**2 - A**2)
    stress = result.probe("stress", [[A, 0, length / 2], [0, A, length / 3]]).values
    assert [stress[0][1], stress[1][0]] == pytest.approx([hoop, hoop], rel=0.01)
    axial, radial = POISSON * (hoop - P), -P
    mises = np.sqrt(((hoop - radial) ** 2 + (radial - axial) ** 2 + (axial - hoop) ** 2) / 2)
    found = result.quantities["max_von_mises"]
    assert found.value == pytest.approx(mises, rel=0.02)
    assert within(found, mises)
    moved = (1 + POISSON) / YOUNG * P * A**2 / (B**2 - A**2) * ((1 - 2 * POISSON) * A + B**2 / A)
    assert result.quantities["max_displacement"].value == pytest.approx(moved, rel=0.002)
    assert within(result.quantities["max_displacement"], moved)


def test_thick_sphere(client, tmp_path):
    """Hoop stress at the inner face p (b^3 + 2 a^3) / (2 (b^3 - a^3))."""
    part = client.upload(shapes.write_step(shapes.octant_sphere(A, B), tmp_path / "sphere.step"))
    inside = twin.select.sphere((0, 0, 0), 1.05 * A) & ~(PLANES[0] | PLANES[1] | PLANES[2])
    study = twin.StaticStress(
        STEEL, supports=[twin.Symmetry(on=face) for face in PLANES], loads=[twin.Pressure(P, on=inside)]
    )
    result = client.simulate(part, study, accuracy=0.01).result()
    hoop = P * (B**3 + 2 * A**3) / (2 * (B**3 - A**3))
    d = A / np.sqrt(3)
    stress = result.probe("stress", [[d, d, d]]).values[0]
    normal = np.ones(3) / np.sqrt(3)
    tensor = np.array(
        [
            [stress[0], stress[3], stress[5]],
            [stress[3], stress[1], stress[4]],
            [stress[5], stress[4], stress[2]],
        ]
    )
    assert normal @ tensor @ normal == pytest.approx(-P, rel=0.05)
    assert (np.trace(tensor) - normal @ tensor @ normal) / 2 == pytest.approx(hoop, rel=0.015)
    assert within(result.quantities["max_von_mises"], hoop + P)
    assert result.quantities["max_von_mises"].value == pytest.approx(hoop + P, rel=0.02)
    # A quarter of each symmetry plane's share of the pressure: p times the projected area.
    assert np.abs(result.quantities["reaction_force"].value) == pytest.approx(P * np.pi * A**2 / 4, rel=2e-3)


def exact_sphere(points):
    """Displacement [m] and stress (n, 6) [Pa] of the thick sphere."""
    r = np.linalg.norm(points, axis=-1)
    factor = P * A**3 / (B**3 - A**3)
    radial, hoop = factor * (1 - B**3 / r**3), factor * (1 + B**3 / (2 * r**3))
    moved = factor / YOUNG * ((1 - 2 * POISSON) * r + (1 + POISSON) * B**3 / (2 * r**2))
    n = points / r[..., None]
    outer = n[..., [0, 1, 2, 0, 1, 2]] * n[..., [0, 1, 2, 1, 2, 0]]
    unit = np.array([1, 1, 1, 0, 0, 0])
    return moved[..., None] * n, (radial - hoop)[..., None] * outer + hoop[..., None] * unit


def test_order_of_convergence_on_curved_geometry():
    """Displacement falls with the third, stress with the second power of the element size at least."""
    sizes, moved, stressed = [], [], []
    for size in (0.05, 0.025, 0.0125):
        points, tets = shapes.mesh(shapes.octant_sphere(A, B), size)
        held = (np.abs(points) < 1e-9)[:, :, None] * np.eye(3)
        facets, _ = boundary_facets(tets)
        radius = np.linalg.norm(points, axis=1)
        inside = np.flatnonzero((radius[facets] < 1.01 * A).all(1))
        where = facet_quadrature(points, facets, inside)
        load = quadrature.traction(where, -P * where.normal, len(points))
        problem = steady.prepare(points, tets, float64(lame)(YOUNG, POISSON), held, np.zeros_like(points))
        solution = steady.solve(problem, load)
        stress = Recovery(problem, points, tets)(solution.field)
        shape = element.shape(loads.VOLUME_POINTS)
        slope = element.shape_gradient(loads.VOLUME_POINTS)
        weight = np.linalg.det(np.einsum("eac,qar->eqcr", points[tets], slope)) * loads.VOLUME_WEIGHTS
        u, s = exact_sphere(np.einsum("qa,eai->eqi", shape, points[tets]))
        du = np.einsum("qa,eai->eqi", shape, solution.field[tets]) - u
        ds = np.einsum("qa,eai->eqi", shape, stress.nodal[tets]) - s
        sizes.append((weight.sum() / len(tets)) ** (1 / 3))
        moved.append(np.sqrt((weight * (du**2).sum(2)).sum() / (weight * (u**2).sum(2)).sum()))
        stressed.append(np.sqrt((weight * (ds**2).sum(2)).sum() / (weight * (s**2).sum(2)).sum()))
    order = [np.polyfit(np.log(sizes), np.log(errors), 1)[0] for errors in (moved, stressed)]
    assert order[0] > 2.7
    assert order[1] > 1.9
