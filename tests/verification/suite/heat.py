"""Cases of heat conduction."""

from __future__ import annotations

import math
from typing import Any

from netgen import occ

import twin
from tests.verification import shapes
from tests.verification.suite.case import (
    ALUMINIUM,
    KELVIN,
    ORIGIN,
    SOFT,
    STEEL,
    Case,
    Target,
    Z,
    block,
    face,
    filleted,
    hole,
    probe,
    quantity,
)  # fmt: skip
from twin import select


def cooled_plane() -> Case:
    """NAFEMS T4."""
    air = [twin.Convection(750.0, KELVIN, on) for on in (face(0, 0.6), face(1, 1.0))]
    return Case(
        "NAFEMS T4",
        lambda: block(0.6, 1.0, 0.1),
        twin.HeatConduction(STEEL, [twin.Temperature(100 + KELVIN, face(1, 0.0)), *air]),
        {},
        (
            Target(
                "temperature at (0.6, 0.2) [degC]",
                lambda r: probe("temperature", (0.6 - 1e-6, 0.2, 0.05), 0)(r) - KELVIN,
                18.2538,
            ),
        ),
        0.01,
    )


def hot_pipe() -> Case:
    """A pipe, hot inside, cooled by convection outside: a logarithm across its wall."""
    a, b, length, h = 0.05, 0.1, 0.04, 200.0
    ends = face(0, 0) | face(1, 0) | face(2, 0) | face(2, length)
    inside = select.cylinder(ORIGIN, Z, 1.02 * a) & ~ends
    outside = ~select.cylinder(ORIGIN, Z, 0.98 * b) & ~ends
    resistance = (math.log(b / a) / 52.0 + 1 / (h * b)) / (math.pi / 2 * length)
    flow = 80.0 / resistance
    return Case(
        "pipe wall",
        lambda: shapes.quarter_cylinder(a, b, length),
        twin.HeatConduction(STEEL, [twin.Temperature(373.15, inside), twin.Convection(h, 293.15, outside)]),
        {
            "min_temperature": 293.15 + flow / (h * b * math.pi / 2 * length),
            "heat_flow": flow,
            "max_heat_flux": flow / (math.pi / 2 * a * length),
        },
        (
            Target("heat_flow", quantity("heat_flow"), flow),
            Target("max_heat_flux", quantity("max_heat_flux"), flow / (math.pi / 2 * a * length)),
        ),
    )


def heat_sink() -> Case:
    """Fins on a heated base."""

    def shape() -> Any:
        base = block(0.04, 0.03, 0.005)
        for k in range(4):
            base = base + block(0.004, 0.03, 0.025).Move((0.012 * k, 0, 0))
        return base

    return Case(
        "heat sink",
        shape,
        twin.HeatConduction(
            ALUMINIUM,
            [twin.Convection(60.0, 293.15, ~face(2, 0.0))],
            [twin.HeatFlow(30.0, face(2, 0.0) & select.box((0.012, 0.01, -1), (0.026, 0.02, 1)))],
        ),
    )


def hot_block() -> Case:
    """A source in a block of a poor conductor, cooled on two sides."""
    return Case(
        "heated block",
        lambda: block(0.06, 0.04, 0.02) - hole(0.02, 0.02, 0.006, 0.02),
        twin.HeatConduction(
            SOFT,
            [twin.Temperature(300.0, face(0, 0.06)), twin.Convection(15.0, 290.0, face(1, 0.0))],
            [twin.HeatSource(5e4)],
        ),
    )


def hot_shell() -> Case:
    """A thick sphere, hot inside, cooled by convection outside: an inverse of the radius across its wall."""
    a, b, h, hot, air = 0.05, 0.1, 150.0, 400.0, 300.0
    flat = face(0, 0) | face(1, 0) | face(2, 0)
    inside = select.sphere(ORIGIN, 1.02 * a) & ~flat
    outside = ~select.sphere(ORIGIN, 0.98 * b) & ~flat
    resistance = (1 / a - 1 / b) / 52.0 + 1 / (h * b**2)  # over an eighth of the solid angle
    per_angle = (hot - air) / resistance
    return Case(
        "spherical shell",
        lambda: shapes.octant_sphere(a, b),
        twin.HeatConduction(STEEL, [twin.Temperature(hot, inside), twin.Convection(h, air, outside)]),
        {
            "max_temperature": hot,
            "min_temperature": air + per_angle / (h * b**2),
            "heat_flow": math.pi / 2 * per_angle,
            "max_heat_flux": per_angle / a**2,
        },
    )


def heated_cylinder() -> Case:
    """A thick cylinder with a source, insulated inside, cooled by convection outside."""
    a, b, length, h, air, source, k = 0.02, 0.08, 0.03, 100.0, 300.0, 2e6, 52.0
    outside = ~select.cylinder(ORIGIN, Z, 0.98 * b)
    outside = outside & ~(face(0, 0) | face(1, 0) | face(2, 0) | face(2, length))
    wall = air + source * (b**2 - a**2) / (2 * h * b)
    rise = source / (4 * k) * (b**2 - a**2) - source * a**2 / (2 * k) * math.log(b / a)
    return Case(
        "cylinder with a source",
        lambda: shapes.quarter_cylinder(a, b, length),
        twin.HeatConduction(STEEL, [twin.Convection(h, air, outside)], [twin.HeatSource(source)]),
        {
            "max_temperature": wall + rise,
            "min_temperature": wall,
            "heat_flow": source * math.pi / 4 * (b**2 - a**2) * length,
            "max_heat_flux": source * (b**2 - a**2) / (2 * b),
        },
    )


def cooled_hole() -> Case:
    """A strip that is hot at one end, cooled through a hole."""
    x, y, z, radius = 0.08, 0.04, 0.01, 0.007
    wall = select.cylinder((x / 2, y / 2, z / 2), Z, 1.02 * radius) & ~(face(2, 0.0) | face(2, z))
    return Case(
        "strip cooled through a hole",
        lambda: block(x, y, z) - hole(x / 2, y / 2, radius, z),
        twin.HeatConduction(
            STEEL, [twin.Temperature(400.0, face(0, 0.0)), twin.Convection(2e3, 300.0, wall)]
        ),
    )


def pin_fin() -> Case:
    """A pin on a hot wall, in air all around."""
    radius, length = 0.005, 0.05
    return Case(
        "pin fin",
        lambda: occ.Cylinder(occ.Pnt(0, 0, 0), occ.Z, r=radius, h=length),
        twin.HeatConduction(
            STEEL, [twin.Temperature(400.0, face(2, 0.0)), twin.Convection(200.0, 300.0, ~face(2, 0.0))]
        ),
    )


def hot_bracket() -> Case:
    """An angle with a rounded inner corner, heated at one end and cooled at the other and by the air."""

    def shape() -> Any:
        legs = block(0.06, 0.03, 0.012) + block(0.012, 0.03, 0.06)
        return filleted(legs, 0.005, lambda c: abs(c.x - 0.012) < 1e-6 and abs(c.z - 0.012) < 1e-6)

    ends = face(0, 0.06) | face(2, 0.06)
    return Case(
        "hot bracket",
        shape,
        twin.HeatConduction(
            SOFT,
            [twin.Convection(20.0, 290.0, ~ends), twin.Convection(60.0, 280.0, face(2, 0.06))],
            [twin.HeatFlux(4e3, face(0, 0.06))],
        ),
        # at corners of the heated end, which are at 375.6 K on all meshes, all three fluxes are given
        {"max_heat_flux": math.sqrt(4e3**2 + 2 * (20.0 * (375.6 - 290.0)) ** 2)},
    )
