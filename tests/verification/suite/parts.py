"""Stress cases such as are met in machines; what is right comes from far finer solutions."""

from __future__ import annotations

from typing import Any

from netgen import occ

import twin
from tests.verification import shapes
from tests.verification.suite.case import (
    ALUMINIUM,
    ORIGIN,
    SOFT,
    STEEL,
    Case,
    X,
    Z,
    block,
    face,
    filleted,
    hole,
    symmetric,
)  # fmt: skip
from twin import select


def corner_bracket() -> Case:
    """An L with a rounded inner corner."""

    def shape() -> Any:
        legs = block(0.1, 0.04, 0.02) + block(0.02, 0.04, 0.1)
        return filleted(legs, 0.008, lambda c: abs(c.x - 0.02) < 1e-6 and abs(c.z - 0.02) < 1e-6)

    return Case(
        "L-bracket, rounded",
        shape,
        twin.StaticStress(
            ALUMINIUM, [twin.Fixed(on=face(2, 0.1))], [twin.Force((0, 0, -500), on=face(0, 0.1))]
        ),
    )


def sharp_bracket() -> Case:
    """The same with a sharp inner corner: its stress is that outside of the zone."""
    case = corner_bracket()
    return Case("L-bracket, sharp", lambda: block(0.1, 0.04, 0.02) + block(0.02, 0.04, 0.1), case.study)


def plate_with_hole() -> Case:
    """A strip with a hole, bent and pulled."""
    x, y, z = 0.12, 0.04, 0.008
    return Case(
        "strip with a hole",
        lambda: block(x, y, z) - hole(x / 2, y / 2, 0.008, z),
        twin.StaticStress(STEEL, [twin.Fixed(on=face(0, 0.0))], [twin.Force((4e3, 0, 150), on=face(0, x))]),
    )


def stepped_shaft() -> Case:
    """A shaft with a rounded shoulder in torsion and bending."""

    def shape() -> Any:
        thick = occ.Cylinder(occ.Pnt(0, 0, 0), occ.Z, r=0.02, h=0.05)
        thin = occ.Cylinder(occ.Pnt(0, 0, 0), occ.Z, r=0.012, h=0.12)
        return filleted(thick + thin, 0.003, lambda c: abs(c.z - 0.05) < 1e-6 and c.x**2 + c.y**2 < 0.013**2)

    twist = twin.RemoteForce((200.0, 0, 0), at=(0, 0, 0.12), on=face(2, 0.12), moment=(0, 0, 40.0))
    return Case(
        "shaft with a shoulder", shape, twin.StaticStress(STEEL, [twin.Fixed(on=face(2, 0.0))], [twist])
    )


def hook() -> Case:
    """Half a ring, clamped at one end and pulled at the other."""

    def shape() -> Any:
        ring = occ.Cylinder(occ.Pnt(0, 0, 0), occ.Z, r=0.05, h=0.02) - hole(0, 0, 0.03, 0.02)
        return ring * occ.Box(occ.Pnt(-1, 0, -1), occ.Pnt(1, 1, 1))

    left, right = select.box((-1, -1, -1), (0, 1e-6, 1)), select.box((0, -1, -1), (1, 1e-6, 1))
    return Case(
        "curved beam",
        shape,
        twin.StaticStress(
            ALUMINIUM,
            [twin.Fixed(on=face(1, 0.0) & left)],
            [twin.Force((300.0, 900.0, 100.0), on=face(1, 0.0) & right)],
        ),
    )


def block_under_pressure() -> Case:
    """A soft cube pressed on a corner, nearly incompressible, on a foundation."""
    return Case(
        "soft block on a foundation",
        lambda: block(0.05, 0.05, 0.03),
        twin.StaticStress(
            SOFT,
            [twin.ElasticFoundation(on=face(2, 0.0), stiffness=1e12), *symmetric(0, 1)],
            [twin.Pressure(2e6, on=face(2, 0.03) & select.box((-1, -1, 0), (0.02, 0.02, 1)))],
        ),
    )


def tee() -> Case:
    """A rib on a plate with rounded roots under a side force and its own weight."""

    def shape() -> Any:
        rib = block(0.01, 0.06, 0.05).Move((0.035, 0, 0))
        return filleted(
            block(0.08, 0.06, 0.012) + rib,
            0.005,
            lambda c: abs(c.z - 0.012) < 1e-6 and abs(c.x - 0.04) < 0.006,
        )

    return Case(
        "rib on a plate",
        shape,
        twin.StaticStress(
            STEEL,
            [twin.Fixed(on=face(0, 0.0)), twin.Fixed(on=face(0, 0.08))],
            [twin.Force((1500, 0, 200), on=face(2, 0.05)), twin.Gravity((0, 0, -9.81))],
        ),
    )


def notched_bar() -> Case:
    """An eighth of a flat bar with two round notches, pulled."""
    x, y, z = 0.05, 0.02, 0.006
    return Case(
        "notched bar",
        lambda: block(x, y, z) - hole(0, y, 0.006, z),
        twin.StaticStress(STEEL, symmetric(0, 1, 2), [twin.Pressure(-50e6, on=face(0, x))]),
    )


def cross_bore() -> Case:
    """A quarter of a thick tube with a bore through its wall, both under pressure."""
    a, b, length, radius = 0.03, 0.05, 0.05, 0.008
    ends = face(0, 0.0) | face(1, 0.0) | face(2, 0.0) | face(2, length)

    def shape() -> Any:
        across = occ.Cylinder(occ.Pnt(-b, 0, 0), occ.X, r=radius, h=4 * b)
        return shapes.quarter_cylinder(a, b, length) - across

    wet = (select.cylinder(ORIGIN, Z, 1.02 * a) | select.cylinder(ORIGIN, X, 1.02 * radius)) & ~ends
    return Case(
        "cross bore", shape, twin.StaticStress(STEEL, symmetric(0, 1, 2), [twin.Pressure(30e6, on=wet)])
    )


def clamped_plate() -> Case:
    """A quarter of a plate under pressure, clamped all around."""
    side, thick = 0.08, 0.006
    rim = twin.Fixed(on=face(0, side) | face(1, side))
    return Case(
        "clamped plate",
        lambda: block(side, side, thick),
        twin.StaticStress(ALUMINIUM, [*symmetric(0, 1), rim], [twin.Pressure(2e5, on=face(2, thick))]),
    )


def lug() -> Case:
    """An eye at the end of a bar, pulled and pushed aside all around its bore."""
    x, y, z, radius = 0.06, 0.036, 0.01, 0.009

    def shape() -> Any:
        eye = occ.Cylinder(occ.Pnt(x, y / 2, 0), occ.Z, r=y / 2, h=z)
        return block(x, y, z) + eye - hole(x, y / 2, radius, z)

    pin = select.cylinder((x, y / 2, z / 2), Z, 1.02 * radius) & ~(face(2, 0.0) | face(2, z))
    return Case(
        "lug",
        shape,
        twin.StaticStress(STEEL, [twin.Fixed(on=face(0, 0.0))], [twin.Force((6e3, 1e3, 0), on=pin)]),
    )
