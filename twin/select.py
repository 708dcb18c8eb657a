"""Selectors: which part of the true surface a support or load acts on. Combine with & (and), | (or), ~ (not).

    clamp = select.cylinder((0, 0, 0), axis=(0, 0, 1), radius="5 mm") & ~select.facing((0, 0, 1), "10 deg")

plane, facing, patch, group and all take whole triangles; box, sphere and cylinder take what lies inside them,
triangles being split at the border. Lengths are metres or strings with a unit, angles radians or "20 deg".
`twin.geometry.selection` evaluates them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from twin.errors import SelectionError
from twin.quantities import engineering
from twin.units import Scalar, Vector, quantity, vector

MAX_DEPTH = 16
"""How deep combinations may nest; what arrives from outside must not exhaust the stack."""

Point = Annotated[tuple[float, float, float], "m"]
Direction = tuple[float, float, float]


class _Combinable:
    """Mix-in of the three operators; selectors themselves are final."""

    __slots__ = ()

    def __and__(self, other: Selector) -> And:
        return And(_flat(And, self, other))

    def __or__(self, other: Selector) -> Or:
        return Or(_flat(Or, self, other))

    def __invert__(self) -> Not:
        return Not(self)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Plane(_Combinable):
    """Triangles in the plane through `point` [m]; the sign of `normal` is ignored.

    tolerance [m]: largest distance of their vertices from it, None for 1e-5 of the part's diagonal.
    """

    point: Point
    normal: Direction
    tolerance: float | None = None

    def __post_init__(self) -> None:
        _direction("normal of a plane", self.normal)
        if self.tolerance is not None:
            _positive("tolerance of a plane", self.tolerance)


@dataclass(frozen=True, slots=True)
class Box(_Combinable):
    """Surface inside the axis-aligned box from `min` to `max` [m]."""

    min: Point
    max: Point

    def __post_init__(self) -> None:
        for axis, low, high in zip("xyz", self.min, self.max, strict=True):
            if not low < high:
                raise SelectionError(
                    f"A box needs min below max, but along {axis} it goes from {_length(low)} to "
                    f"{_length(high)}. To select a flat face, use select.plane or a thicker box."
                )


@dataclass(frozen=True, slots=True)
class Sphere(_Combinable):
    """Surface inside a sphere [m]."""

    center: Point
    radius: float

    def __post_init__(self) -> None:
        _positive("radius of a sphere", self.radius)


@dataclass(frozen=True, slots=True)
class Cylinder(_Combinable):
    """Surface inside a cylinder [m]; `point` is the middle of its axis, length None is infinite."""

    point: Point
    axis: Direction
    radius: float
    length: float | None = None

    def __post_init__(self) -> None:
        _direction("axis of a cylinder", self.axis)
        _positive("radius of a cylinder", self.radius)
        if self.length is not None:
            _positive("length of a cylinder", self.length)


@dataclass(frozen=True, slots=True)
class Facing(_Combinable):
    """Triangles whose outward normal is within `max_angle` [rad] of `direction`."""

    direction: Direction
    max_angle: float

    def __post_init__(self) -> None:
        _direction("direction to face", self.direction)
        if not 0 < self.max_angle <= math.pi:
            raise SelectionError(
                f"The angle of select.facing must be above 0 and at most 180 degrees, not "
                f"{math.degrees(self.max_angle):.6g}. A plain number is radians; write '20 deg' for degrees."
            )


@dataclass(frozen=True, slots=True)
class Patch(_Combinable):
    """Faces by their numbers in the report of the geometry."""

    ids: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.ids:
            raise SelectionError("select.patch needs at least one number. part.report.patches lists them.")
        if any(i < 0 for i in self.ids):
            raise SelectionError(
                f"Patch numbers start at 0, {min(self.ids)} is none. part.report.patches lists them."
            )


@dataclass(frozen=True, slots=True)
class Group(_Combinable):
    """Faces by a name in the file."""

    name: str

    def __post_init__(self) -> None:
        if not self.name or len(self.name) > 256:
            raise SelectionError(
                "select.group needs a name of 1 to 256 characters. part.report.groups lists them."
            )


@dataclass(frozen=True, slots=True)
class All(_Combinable):
    """The whole surface."""


@dataclass(frozen=True, slots=True)
class And(_Combinable):
    """What every one of `selectors` selects."""

    selectors: tuple[Selector, ...]

    def __post_init__(self) -> None:
        _operands(self)


@dataclass(frozen=True, slots=True)
class Or(_Combinable):
    """What at least one of `selectors` selects."""

    selectors: tuple[Selector, ...]

    def __post_init__(self) -> None:
        _operands(self)


@dataclass(frozen=True, slots=True)
class Not(_Combinable):
    """What `selector` does not select."""

    selector: Selector

    def __post_init__(self) -> None:
        check(self.selector, "select")
        _bounded(self)


Selector = Plane | Box | Sphere | Cylinder | Facing | Patch | Group | All | And | Or | Not
KINDS = (Plane, Box, Sphere, Cylinder, Facing, Patch, Group, All, And, Or, Not)


def plane(point: Vector, normal: Vector, tolerance: Scalar | None = None) -> Plane:
    """Faces in a plane; the sign of the normal is ignored. tolerance: default 1e-5 of the diagonal."""
    return Plane(
        vector(point, "m", "point of the plane"),
        vector(normal, "1", "normal of the plane"),
        None if tolerance is None else quantity(tolerance, "m", "tolerance of the plane"),
    )


def box(min: Vector, max: Vector) -> Box:  # noqa: A002  the words of the contract
    """What lies inside the axis-aligned box."""
    return Box(vector(min, "m", "min of the box"), vector(max, "m", "max of the box"))


def sphere(center: Vector, radius: Scalar) -> Sphere:
    """What lies inside the sphere."""
    return Sphere(vector(center, "m", "center of the sphere"), quantity(radius, "m", "radius of the sphere"))


def cylinder(point: Vector, axis: Vector, radius: Scalar, length: Scalar | None = None) -> Cylinder:
    """What lies inside the cylinder. point: the middle of its axis. No length: infinite."""
    return Cylinder(
        vector(point, "m", "point of the cylinder"),
        vector(axis, "1", "axis of the cylinder"),
        quantity(radius, "m", "radius of the cylinder"),
        None if length is None else quantity(length, "m", "length of the cylinder"),
    )


def facing(direction: Vector, max_angle: Scalar) -> Facing:
    """Faces whose outward normal is within `max_angle` (radians, or "20 deg") of the direction."""
    return Facing(vector(direction, "1", "direction to face"), quantity(max_angle, "rad", "max_angle"))


def patch(*ids: int | Iterable[int]) -> Patch:
    """Faces by their numbers in the report: patch(3, 4) or patch([3, 4])."""
    numbers = [n for i in ids for n in (i if isinstance(i, Iterable) else (i,))]
    try:
        return Patch(tuple(int(n.__index__()) for n in numbers))
    except AttributeError:
        raise SelectionError(
            f"select.patch takes patch numbers, not {ids!r}. Use select.group for names."
        ) from None


def group(name: str) -> Group:
    """Faces by a name in the file (STEP, OBJ, ...)."""
    return Group(name)


def all() -> All:  # noqa: A001  the word of the contract
    """The whole surface."""
    return All()


def describe(selector: Selector) -> str:
    """A phrase for people, such as "cylinder at (0, 0, 20) mm, radius 5 mm, along (0, 0, 1)"."""
    match selector:
        case Plane(point, normal, _):
            return f"plane through {_point(point)}, normal {_vector(normal)}"
        case Box(low, high):
            return f"box from {_point(low)} to {_point(high)}"
        case Sphere(center, radius):
            return f"sphere at {_point(center)}, radius {_length(radius)}"
        case Cylinder(point, axis, radius, length):
            long = "" if length is None else f", length {_length(length)}"
            return f"cylinder at {_point(point)}, radius {_length(radius)}{long}, along {_vector(axis)}"
        case Facing(direction, max_angle):
            return f"faces within {math.degrees(max_angle):.4g}° of {_vector(direction)}"
        case Patch(ids):
            shown = ", ".join(str(i) for i in ids[:8]) + (", ..." if len(ids) > 8 else "")
            return f"patch {shown}" if len(ids) == 1 else f"patches {shown}"
        case Group(name):
            return f"group '{name}'"
        case All():
            return "whole surface"
        case And(selectors):
            return " and ".join(_bracketed(s) for s in selectors)
        case Or(selectors):
            return " or ".join(_bracketed(s) for s in selectors)
        case Not(inner):
            return f"not {_bracketed(inner)}"


def check(value: object, what: str) -> None:
    """Raise SelectionError unless `value` is a selector."""
    if not isinstance(value, KINDS):
        raise SelectionError(
            f"{what} needs a selector such as twin.select.plane(...) or twin.select.patch(3), not {value!r}."
        )


def _flat(kind: type[And] | type[Or], left: object, right: object) -> tuple[Selector, ...]:
    # a & b & c is one combination of three, however it is bracketed.
    operands: list[Selector] = []
    for side in (left, right):
        check(side, "a combination with & or |")
        operands += side.selectors if isinstance(side, kind) else (side,)  # type: ignore[arg-type]
    return tuple(operands)


def _operands(combination: And | Or) -> None:
    if not 1 <= len(combination.selectors) <= 64:
        raise SelectionError(
            f"A combination takes 1 to 64 selectors, not {len(combination.selectors)}. "
            f"select.patch takes any number of patches at once."
        )
    for selector in combination.selectors:
        check(selector, "a combination")
    _bounded(combination)


def _depth(selector: Selector) -> int:
    match selector:
        case And(selectors) | Or(selectors):
            return 1 + max(_depth(s) for s in selectors)
        case Not(inner):
            return 1 + _depth(inner)
        case _:
            return 1


def _bounded(selector: Selector) -> None:
    if _depth(selector) > MAX_DEPTH:
        raise SelectionError(f"Selectors are nested more than {MAX_DEPTH} deep. Combine them in fewer steps.")


def _direction(what: str, direction: Direction) -> None:
    if not any(direction):
        raise SelectionError(f"The {what} is the zero vector, which has no direction.")


def _positive(what: str, value: float) -> None:
    if not (value > 0 and math.isfinite(value)):
        raise SelectionError(f"The {what} must be above 0, not {value:g}.")


def _bracketed(selector: Selector) -> str:
    return f"({describe(selector)})" if isinstance(selector, And | Or) else describe(selector)


def _length(value: float) -> str:
    factor, unit = engineering(value, "m")
    return f"{value / factor:.4g} {unit}"


def _point(point: Point) -> str:
    factor, unit = engineering(max(abs(c) for c in point), "m")
    return f"{_vector(tuple(c / factor for c in point))} {unit}"


def _vector(values: tuple[float, ...]) -> str:
    return "(" + ", ".join(f"{v:.4g}" for v in values) + ")"
