"""Peak stress at a hole that cuts the cells of a grid, a sixteenth of its radius large: Kirsch and Lamé in 3D.

The part is a quarter of a slice in plane strain, all of whose sides but the hole carry the exact tractions or are
planes of symmetry; every cell at the hole is cut another way.
"""

import numpy as np
import pytest

import twin
from solvers import quadrature
from solvers.cutcell import immersed
from solvers.cutcell.recovery import recover
from solvers.elasticity.law import lame
from solvers.precision import float64
from twin import select
from twin.analyses.immersed_boundary import ImmersedBoundary
from twin.analyses.static_stress.immersed_supports import supported
from twin.geometry.subdivision import subdivide
from twin.geometry.surface import Surface
from twin.gridding import fill

RADIUS, SIZE, THICK = 1.0, 3.0, 0.25
STEEL = float64(lame)(210e9, 0.3)
FACETS = 192  # of the quarter hole: what is left of the error is the grid's
FAR = 100e6


def quarter(outer):
    """Between the hole and a line from (outer, 0) to (0, outer): points (n, 2) of it by their angle."""
    angle = np.linspace(0, np.pi / 2, FACETS + 1)
    along = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    rings = np.concatenate([RADIUS * along, outer(along)])
    count = len(angle)
    levels = [np.column_stack([rings, np.full(len(rings), z)]) for z in (0.0, THICK)]
    first = np.arange(count - 1)
    inner, far, top = first, first + count, 2 * count

    def quads(a, b, c, d):
        return np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])

    sides = [
        quads(inner, inner + 1, far + 1, far),  # below
        quads(inner + top, far + top, far + 1 + top, inner + 1 + top),
        quads(inner, inner + top, inner + 1 + top, inner + 1),  # the hole
        quads(far, far + 1, far + 1 + top, far + top),
    ]
    for column, turned in ((0, False), (count - 1, True)):
        corners = np.array([[column], [column + count], [column + count + top], [column + top]])
        sides.append(quads(*(corners[::-1] if turned else corners)))
    patch = np.repeat(np.arange(len(sides)), [len(side) for side in sides])
    return Surface(np.concatenate(levels), np.concatenate(sides).astype(np.int32), patch.astype(np.int32))


def square(along):
    return SIZE * along / np.abs(along).max(axis=1)[:, None]


def kirsch(points):
    """Stress (n, 2, 2) of a hole under tension along x."""
    radius, angle = np.hypot(*points.T), np.arctan2(points[:, 1], points[:, 0])
    s, c2, s2 = (RADIUS / radius) ** 2, np.cos(2 * angle), np.sin(2 * angle)
    radial = FAR / 2 * (1 - s + (1 - 4 * s + 3 * s**2) * c2)
    hoop = FAR / 2 * (1 + s - (1 + 3 * s**2) * c2)
    shear = -FAR / 2 * (1 + 2 * s - 3 * s**2) * s2
    return in_plane(angle, radial, hoop, shear)


def in_plane(angle, radial, hoop, shear):
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]).transpose(2, 0, 1)
    polar = np.array([[radial, shear], [shear, hoop]]).transpose(2, 0, 1)
    return turn @ polar @ turn.transpose(0, 2, 1)


def lame_stress(points):
    """Stress (n, 2, 2) of a hole under a pressure, in a body without end."""
    radius, angle = np.hypot(*points.T), np.arctan2(points[:, 1], points[:, 0])
    hoop = FAR * (RADIUS / radius) ** 2
    return in_plane(angle, -hoop, hoop, 0 * hoop)


def plane(axis, at):
    return select.plane(tuple(at * np.eye(3)[axis]), tuple(np.eye(3)[axis]))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("exact", "order", "off", "anywhere"),
    [
        (kirsch, 1, 0.02, 0.02),
        (lame_stress, 1, 0.02, 0.02),
        (kirsch, 2, 0.01, 0.01),
        (lame_stress, 2, 0.01, 0.01),
    ],
    ids=["Kirsch, first order", "Lamé, first order", "Kirsch, second order", "Lamé, second order"],
)
def test_peak_stress_at_a_hole(exact, order, off, anywhere):
    """off: of the peak, anywhere: of stress along the hole over the peak."""
    surface = quarter(square)
    cells = fill(surface, RADIUS / 16, order)
    boundary = ImmersedBoundary(surface, cells)
    planes = [twin.Symmetry(on=plane(axis, at)) for axis, at in ((0, 0), (1, 0), (2, 0), (2, THICK))]
    held = supported(boundary, STEEL, tuple(planes))
    load = held.force(np.zeros_like(cells.points))
    hole = select.cylinder((0, 0, 0), (0, 0, 1), 1.01 * RADIUS) & ~(plane(2, 0) | plane(2, THICK))
    for side in (plane(0, SIZE), plane(1, SIZE), hole & ~(plane(0, 0) | plane(1, 0))):
        where = boundary.quadrature(side)
        traction = np.zeros((len(where.weight), 3))
        traction[:, :2] = np.einsum("pij,pj->pi", exact(where.position[:, :2]), where.normal[:, :2])
        load += quadrature.traction(where, traction, len(cells.points))
    problem = immersed.prepare(cells, STEEL, held)
    solution = immersed.solve(problem, load)
    assert solution.iterations <= 40
    stress = recover(cells, STEEL, solution.field).nodal
    on_hole = subdivide(surface.vertices, surface.triangles[surface.patch == 2], RADIUS / 32)[0]
    on_hole = on_hole[np.hypot(on_hole[:, 0], on_hole[:, 1]) < 1.0001 * RADIUS]
    found = boundary.interpolate(stress, on_hole)
    tangent = np.stack([-on_hole[:, 1], on_hole[:, 0]], axis=1) / RADIUS
    hoop = (
        tangent[:, 0] ** 2 * found[:, 0]
        + tangent[:, 1] ** 2 * found[:, 1]
        + 2 * tangent[:, 0] * tangent[:, 1] * found[:, 3]
    )
    wanted = np.einsum("pi,pij,pj->p", tangent, exact(on_hole[:, :2]), tangent)
    peak = wanted.max()
    assert hoop.max() == pytest.approx(peak, rel=off)
    assert np.abs(hoop - wanted).max() < anywhere * peak
