"""Shapes, studies and targets of the reference cases. SI units.

Exact values are from closed forms or published; where there is neither, references.json has those of a far finer
solution (`python -m tests.verification.suite.calibration --references`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from netgen import occ

import twin
from tests.verification import shapes
from twin import select

STEEL = twin.Material(210e9, 0.3, 7800.0, thermal_conductivity=52.0)
ALUMINIUM = twin.Material(70e9, 0.33, 2700.0, thermal_conductivity=200.0)
SOFT = twin.Material(5e9, 0.45, 1200.0, thermal_conductivity=0.3)
KELVIN = 273.15
ORIGIN = (0.0, 0.0, 0.0)
X, Y, Z = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)

Read = Callable[[Any], float]


@dataclass(frozen=True)
class Target:
    """A number of a result and its exact value; tet, grid: how far off it may be, relative."""

    name: str
    read: Read
    exact: float
    tet: float = 0.02
    grid: float = 0.04


@dataclass(frozen=True)
class Case:
    """shape: makes the solid, in metres; exact: known values of the result's quantities; targets: of the table.

    accuracy: that is asked for in the table; calibrates: whether error estimates are compared with true errors
    """

    name: str
    shape: Callable[[], Any]
    study: Any
    exact: Mapping[str, float] = field(default_factory=dict)
    targets: tuple[Target, ...] = ()
    accuracy: float = 0.02
    calibrates: bool = True


def quantity(name: str) -> Read:
    return lambda result: float(result.quantities[name].value)


def probe(name: str, at: tuple[float, float, float], component: int) -> Read:
    return lambda result: float(result.probe(name, [at]).values[0, component])


def face(axis: int, at: float) -> select.Selector:
    """Of all faces those across an axis, in the plane there."""
    place, normal = [0.0] * 3, [0.0] * 3
    place[axis], normal[axis] = at, 1.0
    return select.plane(tuple(place), tuple(normal))


def symmetric(*axes: int) -> list[twin.Symmetry]:
    """Symmetry planes through the origin."""
    return [twin.Symmetry(on=face(axis, 0.0)) for axis in axes]


def block(x: float, y: float, z: float) -> Any:
    return occ.Box(occ.Pnt(0, 0, 0), occ.Pnt(x, y, z))


def hole(x: float, y: float, radius: float, depth: float) -> Any:
    return occ.Cylinder(occ.Pnt(x, y, -depth), occ.Z, r=radius, h=3 * depth)


def filleted(shape: Any, radius: float, chosen: Callable[[Any], bool]) -> Any:
    return shape.MakeFillet([edge for edge in shape.edges if chosen(edge.center)], radius)


def thick_cylinder() -> Case:
    """Lamé, plane strain."""
    a, b, length, p = 0.1, 0.2, 0.05, 50e6
    bore = select.cylinder(ORIGIN, Z, 1.05 * a) & ~(face(0, 0) | face(1, 0) | face(2, 0) | face(2, length))
    hoop, nu, young = p * (a**2 + b**2) / (b**2 - a**2), 0.3, 210e9
    axial = nu * (hoop - p)
    mises = math.sqrt(((hoop + p) ** 2 + (-p - axial) ** 2 + (axial - hoop) ** 2) / 2)
    moved = (1 + nu) / young * p * a**2 / (b**2 - a**2) * ((1 - 2 * nu) * a + b**2 / a)
    work = p * moved * math.pi / 2 * a * length
    supports = [*symmetric(0, 1, 2), twin.Symmetry(on=face(2, length))]
    return Case(
        "thick cylinder (Lamé)",
        lambda: shapes.quarter_cylinder(a, b, length),
        twin.StaticStress(STEEL, supports, [twin.Pressure(p, on=bore)]),
        {"max_displacement": moved, "max_von_mises": mises, "compliance": work},
        (
            Target("hoop stress at the bore", probe("stress", (a, 0.0, length / 2), 1), hoop),
            Target("max_von_mises", quantity("max_von_mises"), mises),
            Target("max_displacement", quantity("max_displacement"), moved),
        ),
    )


def thick_sphere() -> Case:
    """Lamé."""
    a, b, p, nu, young = 0.1, 0.2, 50e6, 0.3, 210e9
    inside = select.sphere(ORIGIN, 1.05 * a) & ~(face(0, 0) | face(1, 0) | face(2, 0))
    hoop = p * (b**3 + 2 * a**3) / (2 * (b**3 - a**3))
    factor = p * a**3 / (b**3 - a**3)
    moved = factor / young * ((1 - 2 * nu) * a + (1 + nu) * b**3 / (2 * a**2))
    return Case(
        "thick sphere (Lamé)",
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
    """NAFEMS LE10; the line at mid-height is a band of a hundredth of the thickness."""
    thick, band = 0.6, 0.006
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
        calibrates=False,  # what rests on a line sinks in without end as the line is followed more closely
    )


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


CASES: dict[str, Case] = {
    case.name: case
    for case in (
        thick_cylinder(), corner_bracket(), thick_sphere(), plate_with_hole(), kirsch(), stepped_shaft(),
        cantilever(), hook(), cook(), sharp_bracket(), elliptic_membrane(), block_under_pressure(),
        elliptic_plate(), tee(), spinning_disc(), hot_pipe(), cooled_plane(), heat_sink(), hot_block(),
    )
}  # fmt: skip
