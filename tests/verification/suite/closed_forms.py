"""Stress cases whose answers are exact or published."""

from __future__ import annotations

import math
from typing import Any

from netgen import occ

import twin
from tests.verification import shapes
from tests.verification.suite.case import (
    ORIGIN,
    STEEL,
    Case,
    Target,
    Z,
    block,
    face,
    hole,
    probe,
    quantity,
    symmetric,
)  # fmt: skip
from twin import select


def pressed_cylinder(name: str, a: float, b: float) -> Case:
    """Lamé, plane strain: radii a and b."""
    length, p = 0.05, 50e6
    bore = select.cylinder(ORIGIN, Z, 1.05 * a) & ~(face(0, 0) | face(1, 0) | face(2, 0) | face(2, length))
    hoop, nu, young = p * (a**2 + b**2) / (b**2 - a**2), 0.3, 210e9
    axial = nu * (hoop - p)
    mises = math.sqrt(((hoop + p) ** 2 + (-p - axial) ** 2 + (axial - hoop) ** 2) / 2)
    moved = (1 + nu) / young * p * a**2 / (b**2 - a**2) * ((1 - 2 * nu) * a + b**2 / a)
    work = p * moved * math.pi / 2 * a * length
    supports = [*symmetric(0, 1, 2), twin.Symmetry(on=face(2, length))]
    return Case(
        name,
        lambda: shapes.quarter_cylinder(a, b, length),
        twin.StaticStress(STEEL, supports, [twin.Pressure(p, on=bore)]),
        {"max_displacement": moved, "max_von_mises": mises, "compliance": work},
        (
            Target("hoop stress at the bore", probe("stress", (a, 0.0, length / 2), 1), hoop),
            Target("max_von_mises", quantity("max_von_mises"), mises),
            Target("max_displacement", quantity("max_displacement"), moved),
        ),
    )


def pressed_sphere(name: str, a: float, b: float) -> Case:
    """Lamé: radii a and b."""
    p, nu, young = 50e6, 0.3, 210e9
    inside = select.sphere(ORIGIN, 1.05 * a) & ~(face(0, 0) | face(1, 0) | face(2, 0))
    hoop = p * (b**3 + 2 * a**3) / (2 * (b**3 - a**3))
    factor = p * a**3 / (b**3 - a**3)
    moved = factor / young * ((1 - 2 * nu) * a + (1 + nu) * b**3 / (2 * a**2))
    return Case(
        name,
        lambda: shapes.octant_sphere(a, b),
        twin.StaticStress(STEEL, symmetric(0, 1, 2), [twin.Pressure(p, on=inside)]),
        {
            "max_displacement": moved,
            "max_von_mises": hoop + p,
            "compliance": p * moved * math.pi / 2 * a**2,
        },
        (
            Target("hoop stress inside", probe("stress", (a, 0.0, 0.0), 1), hoop),
            Target("max_von_mises", quantity("max_von_mises"), hoop + p),
            Target("max_displacement", quantity("max_displacement"), moved),
        ),
    )


def spinning_disc() -> Case:
    """A thin disc with a hole, plane stress (Timoshenko & Goodier, art. 32)."""
    a, b, t, rate, nu, rho, young = 0.05, 0.2, 0.004, 800.0, 0.3, 7800.0, 210e9
    hoop = (3 + nu) / 4 * rho * rate**2 * (b**2 + (1 - nu) / (3 + nu) * a**2)

    def moved(r: float) -> float:
        c = (3 + nu) * (1 - nu) / (8 * young) * rho * rate**2
        return c * r * (a**2 + b**2 + (1 + nu) / (1 - nu) * a**2 * b**2 / r**2 - (1 + nu) / (3 + nu) * r**2)

    return Case(
        "spinning disc with a hole",
        lambda: shapes.quarter_cylinder(a, b, t),
        twin.StaticStress(STEEL, symmetric(0, 1, 2), [twin.Centrifugal(axis=Z, point=ORIGIN, rate=rate)]),
        {"max_von_mises": hoop},
        (
            Target("hoop stress at the hole", probe("stress", (a, 0.0, t / 2), 1), hoop),
            Target("rim moves", probe("displacement", (b, 0.0, t / 2), 0), moved(b)),
        ),
    )


def spinning_cylinder() -> Case:
    """A thick cylinder that spins, in plane strain: the disc's solution with the constants of plane strain."""
    a, b, length, rate, rho = 0.05, 0.1, 0.03, 2000.0, 7800.0
    young, nu = 210e9 / (1 - 0.3**2), 0.3 / (1 - 0.3)
    ring, bulge, slope = a**2 + b**2, (1 + nu) / (1 - nu) * a**2 * b**2, (1 + nu) / (3 + nu)
    pull = (3 + nu) * (1 - nu) / (8 * young) * rho * rate**2
    hoop = (3 + nu) / 4 * rho * rate**2 * (b**2 + (1 - nu) / (3 + nu) * a**2)
    quartic = ring * (b**4 - a**4) / 4 + bulge * (b**2 - a**2) / 2 - slope * (b**6 - a**6) / 6
    supports = [*symmetric(0, 1, 2), twin.Symmetry(on=face(2, length))]
    return Case(
        "spinning cylinder",
        lambda: shapes.quarter_cylinder(a, b, length),
        twin.StaticStress(STEEL, supports, [twin.Centrifugal(axis=Z, point=ORIGIN, rate=rate)]),
        {
            "max_displacement": max(pull * r * (ring + bulge / r**2 - slope * r**2) for r in (a, b)),
            "max_von_mises": hoop * math.sqrt(1 - 0.3 + 0.3**2),
            "compliance": rho * rate**2 * pull * math.pi / 2 * length * quartic,
        },
    )


def kirsch() -> Case:
    """A hole in a wide plate in plane strain, cut out at twelve radii: a quarter of it under the far stress."""
    a, size, thick, far = 0.01, 0.12, 0.01, 100e6
    supports = [*symmetric(0, 1, 2), twin.Symmetry(on=face(2, thick))]
    return Case(
        "hole in a plate (Kirsch)",
        lambda: block(size, size, thick) - hole(0, 0, a, thick),
        twin.StaticStress(STEEL, supports, [twin.Pressure(-far, on=face(0, size))]),
        {},
        (Target("hoop stress at the hole", probe("stress", (0.0, a, thick / 2), 0), 3.04 * far),),
        accuracy=0.01,  # of the quantities, which the stress at that point is none of
    )


def cantilever() -> Case:
    """Timoshenko's beam, nu = 0: no singular rim."""
    length, width, height, force, young = 0.2, 0.02, 0.03, 2e3, 70e9
    inertia, area = width * height**3 / 12, width * height
    moved = force * length**3 / (3 * young * inertia) + force * length / (5 / 6 * young / 2 * area)
    bending = force * length / 2 * (height / 2) / inertia
    return Case(
        "cantilever (Timoshenko)",
        lambda: shapes.beam(length, width, height),
        twin.StaticStress(
            twin.Material(young, 0.0, 2700.0),
            [twin.Fixed(on=face(0, 0.0))],
            [twin.Force((0, 0, -force), on=face(0, length))],
        ),
        {},
        (
            Target("tip moves", probe("displacement", (length, 0.0, 0.0), 2), -moved),
            Target("stress at mid-span", probe("stress", (length / 2, 0.0, height / 2), 0), bending),
        ),
    )


def cook() -> Case:
    """Cook's membrane, plane stress: 48 x 44 x 16, E 1, nu 1/3, unit shear, scaled to millimetres."""
    scale, thick, young, force = 1e-3, 1e-3, 1e9, 1.0
    corners = [(0, 0), (48, 44), (48, 60), (0, 44)]

    def shape() -> Any:
        plane = occ.WorkPlane().MoveTo(*(scale * c for c in corners[0]))
        for x, y in corners[1:]:
            plane = plane.LineTo(scale * x, scale * y)
        return plane.Close().Face().Extrude(thick * occ.Z)

    return Case(
        "Cook's membrane",
        shape,
        twin.StaticStress(
            twin.Material(young, 1 / 3, 1000.0),
            [twin.Displacement(on=face(0, 0.0), x=0.0, y=0.0), *symmetric(2)],
            [twin.Force((0, force, 0), on=face(0, 48 * scale))],
        ),
        {},
        (
            Target(
                "tip rises",
                probe("displacement", (48 * scale, 52 * scale, thick / 2), 1),
                23.965 * force / (young * thick),
            ),
        ),
    )


def elliptic_membrane() -> Case:
    """NAFEMS LE1."""
    thick = 0.1
    flat = face(0, 0.0) | face(1, 0.0) | face(2, 0.0) | face(2, thick)
    outer = ~flat & ~select.cylinder(ORIGIN, Z, 2.4)
    return Case(
        "NAFEMS LE1",
        lambda: shapes.elliptic_plate(thick),
        twin.StaticStress(STEEL, symmetric(0, 1, 2), [twin.Pressure(-10e6, on=outer)]),
        {},
        (Target("stress yy at (2, 0)", probe("stress", (2.0, 0.0, thick / 2), 1), 92.66e6),),
    )


def elliptic_plate() -> Case:
    """NAFEMS LE10; the line at mid-height is a band of a tenth of the thickness.

    Under a line the exact displacement sinks in without end, and the more it does, the less the stress at the inner
    ellipse: -5.40 MPa on this band, -5.31 on one of a third of it, -5.16 on one of a tenth. What is published is of
    elements half as high as the plate, which do not follow a line more closely than such a band.
    """
    thick, band = 0.6, 0.06
    flat = face(0, 0.0) | face(1, 0.0) | face(2, 0.0) | face(2, thick)
    outer = ~flat & ~select.cylinder(ORIGIN, Z, 2.4)
    middle = outer & select.box((-1, -1, (thick - band) / 2), (4, 4, (thick + band) / 2))
    return Case(
        "NAFEMS LE10",
        lambda: shapes.elliptic_plate(thick),
        twin.StaticStress(
            STEEL,
            [
                *symmetric(0, 1),
                twin.Displacement(on=outer, x=0.0, y=0.0),
                twin.Displacement(on=middle, z=0.0),
            ],
            [twin.Pressure(1e6, on=face(2, thick))],
        ),
        {},
        (Target("stress yy at (2, 0), top", probe("stress", (2.0, 0.0, thick), 1), -5.399e6),),
        accuracy=0.01,  # of the quantities, which the stress at that point is none of
        calibrates=False,  # what rests on a line sinks in without end as the line is followed more closely
    )
