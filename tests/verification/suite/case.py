"""Shapes, studies and targets of the reference cases. SI units.

Exact values are from closed forms or published; where there is neither, references.json has those of a far finer
solution (`python -m tests.verification.suite.calibration --references`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from netgen import occ

import twin
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
    grid: float = 0.02


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
