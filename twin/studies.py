"""What users ask of a part: supports, loads, the study of them. What needs no geometry is refused here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar, get_args

from twin import materials
from twin.errors import MaterialError, StudyError
from twin.materials import Material
from twin.select import Selector, check, describe
from twin.units import Scalar, Vector, quantity, vector

T = TypeVar("T")
Triple = tuple[float, float, float]
FoundationDirection = Literal["normal", "all"]
Coupling = Literal["distributing", "rigid"]
Method = Literal["auto", "solver", "surrogate"]
Discretisation = Literal["auto", "tet", "grid"]

DEFAULT_CASE = "default"
DEFAULT_ACCURACY = 0.05
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
_QUANTITY = re.compile(r"[a-z][a-z0-9_]{0,63}")


@dataclass(frozen=True, slots=True)
class Fixed:
    """No displacement on the selection."""

    on: Selector

    def __post_init__(self) -> None:
        check(self.on, "Fixed")


@dataclass(frozen=True, slots=True)
class Symmetry:
    """No displacement along the face normal, free along the face. On a curved face: a roller."""

    on: Selector

    def __post_init__(self) -> None:
        check(self.on, "Symmetry")


Roller = Symmetry


@dataclass(frozen=True, slots=True, init=False)
class Displacement:
    """Prescribed displacement of single components [m]; None leaves a component free."""

    on: Selector
    x: float | None
    y: float | None
    z: float | None

    def __init__(
        self, on: Selector, x: Scalar | None = None, y: Scalar | None = None, z: Scalar | None = None
    ) -> None:
        check(on, "Displacement")
        if x is None and y is None and z is None:
            raise StudyError(
                f"Displacement on {describe(on)} prescribes no component. Give at least one of x, y, z "
                f"(0 holds it, None leaves it free)."
            )
        object.__setattr__(self, "on", on)
        for axis, value in (("x", x), ("y", y), ("z", z)):
            si = None if value is None else quantity(value, "m", f"{axis} of Displacement")
            object.__setattr__(self, axis, si)


@dataclass(frozen=True, slots=True, init=False)
class ElasticFoundation:
    """Springs spread over the selection: traction per displacement [N/m^3], along the normal or all ways."""

    on: Selector
    stiffness: float
    direction: FoundationDirection

    def __init__(self, on: Selector, stiffness: Scalar, direction: FoundationDirection = "normal") -> None:
        check(on, "ElasticFoundation")
        value = quantity(stiffness, "N/m^3", "stiffness of ElasticFoundation")
        if value <= 0:
            raise StudyError(f"The stiffness of an ElasticFoundation must be above 0, not {value:g} N/m^3.")
        object.__setattr__(self, "on", on)
        object.__setattr__(self, "stiffness", value)
        object.__setattr__(
            self, "direction", _one_of("direction of ElasticFoundation", direction, FoundationDirection)
        )


@dataclass(frozen=True, slots=True, init=False)
class Force:
    """A total force [N], spread evenly over the selected area."""

    vector: Triple
    on: Selector

    def __init__(self, vector: Vector, on: Selector) -> None:
        check(on, "Force")
        object.__setattr__(self, "vector", _vector(vector, "N", "Force"))
        object.__setattr__(self, "on", on)


@dataclass(frozen=True, slots=True, init=False)
class Traction:
    """A force per area [Pa], in the coordinates of the part."""

    vector: Triple
    on: Selector

    def __init__(self, vector: Vector, on: Selector) -> None:
        check(on, "Traction")
        object.__setattr__(self, "vector", _vector(vector, "Pa", "Traction"))
        object.__setattr__(self, "on", on)


@dataclass(frozen=True, slots=True, init=False)
class Pressure:
    """A pressure [Pa]; positive pushes into the material."""

    value: float
    on: Selector

    def __init__(self, value: Scalar, on: Selector) -> None:
        check(on, "Pressure")
        object.__setattr__(self, "value", quantity(value, "Pa", "Pressure"))
        object.__setattr__(self, "on", on)


@dataclass(frozen=True, slots=True, init=False)
class Gravity:
    """The part's own weight; vector: acceleration of gravity [m/s^2], (0, 0, -9.81) if z points up."""

    vector: Triple

    def __init__(self, vector: Vector) -> None:
        object.__setattr__(self, "vector", _vector(vector, "m/s^2", "Gravity"))


@dataclass(frozen=True, slots=True, init=False)
class Centrifugal:
    """Steady rotation of the part about an axis through `point` [m]; rate [rad/s] or "3000 rpm"."""

    axis: Triple
    point: Triple
    rate: float

    def __init__(self, axis: Vector, point: Vector, rate: Scalar) -> None:
        direction = _vector(axis, "1", "axis of Centrifugal")
        if not any(direction):
            raise StudyError("The axis of Centrifugal is the zero vector, which has no direction.")
        object.__setattr__(self, "axis", direction)
        object.__setattr__(self, "point", _vector(point, "m", "point of Centrifugal"))
        object.__setattr__(self, "rate", quantity(rate, "rad/s", "rate of Centrifugal"))


@dataclass(frozen=True, slots=True, init=False)
class RemoteForce:
    """A force [N] and moment [N m] at a point `at` [m] off the part, carried by the selection.

    coupling: "distributing" spreads statically equivalent tractions weighted by area, the face may deform;
    "rigid" makes the face move as a rigid body.
    """

    force: Triple
    at: Triple
    on: Selector
    moment: Triple
    coupling: Coupling

    def __init__(
        self,
        force: Vector,
        at: Vector,
        on: Selector,
        moment: Vector = (0, 0, 0),
        coupling: Coupling = "distributing",
    ) -> None:
        check(on, "RemoteForce")
        object.__setattr__(self, "force", _vector(force, "N", "force of RemoteForce"))
        object.__setattr__(self, "at", _vector(at, "m", "at of RemoteForce"))
        object.__setattr__(self, "on", on)
        object.__setattr__(self, "moment", _vector(moment, "N*m", "moment of RemoteForce"))
        object.__setattr__(self, "coupling", _one_of("coupling of RemoteForce", coupling, Coupling))


Support = Fixed | Symmetry | Displacement | ElasticFoundation
Load = Force | Traction | Pressure | Gravity | Centrifugal | RemoteForce
SUPPORTS = (Fixed, Symmetry, Displacement, ElasticFoundation)
LOADS = (Force, Traction, Pressure, Gravity, Centrifugal, RemoteForce)


@dataclass(frozen=True, slots=True, init=False)
class StaticStress:
    """Linear static stress of one part: what it is made of, what holds it, what acts on it.

    material: a name in the library, or a Material. supports hold in every load case. Either `loads`, or
    `load_cases` by name; `cases` has them all (a plain list of loads is the case "default").
    Raises StudyError, MaterialError or SelectionError for what can't work on any part.
    """

    material: Material
    supports: tuple[Support, ...]
    cases: dict[str, tuple[Load, ...]]

    def __init__(
        self,
        material: Material | str,
        supports: Iterable[Support] = (),
        loads: Iterable[Load] = (),
        load_cases: Mapping[str, Iterable[Load]] | None = None,
    ) -> None:
        object.__setattr__(self, "material", _material(material))
        object.__setattr__(self, "supports", _items(supports, SUPPORTS, "supports", "twin.Fixed(on=...)"))
        plain = _items(loads, LOADS, "loads", "twin.Force((0, 0, '-1 kN'), on=...)")
        if plain and load_cases is not None:
            raise StudyError(
                "Give either loads or load_cases, not both: put the loads into a case of their own."
            )
        cases = {DEFAULT_CASE: plain} if load_cases is None else _cases(load_cases)
        object.__setattr__(self, "cases", cases)
        self._check()

    def __hash__(self) -> int:
        return hash((self.material, self.supports, tuple(self.cases.items())))

    def _check(self) -> None:
        if not self.supports:
            raise StudyError(
                "Nothing holds the part, so that any load would push it away. Add a support such as "
                "twin.Fixed(on=twin.select.plane(...)), or an ElasticFoundation."
            )
        prescribed = any(
            isinstance(s, Displacement) and any(c for c in (s.x, s.y, s.z)) for s in self.supports
        )
        for name, loads in self.cases.items():
            if not loads and not prescribed:
                where = "" if name == DEFAULT_CASE else f" in load case '{name}'"
                raise StudyError(
                    f"Nothing acts on the part{where}: the answer would be zero everywhere. Add a load such "
                    f"as twin.Force(...), or a Displacement that is not zero."
                )


@dataclass(frozen=True, slots=True, init=False)
class Request:
    """How a study is to be answered.

    accuracy: relative error wished for, in (0, 1]. quantities: the names it speaks of, None for all.
    max_seconds, max_unknowns: limits, None for those of the service.
    """

    accuracy: float
    method: Method
    discretisation: Discretisation
    quantities: tuple[str, ...] | None
    max_seconds: float | None
    max_unknowns: int | None

    def __init__(
        self,
        accuracy: Scalar = DEFAULT_ACCURACY,
        method: Method = "auto",
        discretisation: Discretisation = "auto",
        quantities: Sequence[str] | None = None,
        max_seconds: Scalar | None = None,
        max_unknowns: int | None = None,
    ) -> None:
        wished = quantity(accuracy, "1", "accuracy")
        if not 0 < wished <= 1:
            raise StudyError(
                f"accuracy is a relative error above 0 and at most 1 (0.05 is 5 %), not {wished:g}."
            )
        object.__setattr__(self, "accuracy", wished)
        object.__setattr__(self, "method", _one_of("method", method, Method))
        object.__setattr__(self, "discretisation", _one_of("discretisation", discretisation, Discretisation))
        object.__setattr__(self, "quantities", _quantity_names(quantities))
        seconds = None if max_seconds is None else quantity(max_seconds, "s", "max_seconds")
        if seconds is not None and seconds <= 0:
            raise StudyError(f"max_seconds must be above 0, not {seconds:g}.")
        object.__setattr__(self, "max_seconds", seconds)
        if max_unknowns is not None and not (max_unknowns >= 1 and max_unknowns == int(max_unknowns)):
            raise StudyError(f"max_unknowns must be a whole number above 0, not {max_unknowns!r}.")
        object.__setattr__(self, "max_unknowns", None if max_unknowns is None else int(max_unknowns))


Study = StaticStress
"""Union of all studies; further physics join here."""


def _vector(value: Vector, unit: str, what: str) -> Triple:
    return vector(value, unit, what)


def _one_of(what: str, value: str, literal: object) -> str:
    allowed = get_args(literal)
    if value not in allowed:
        raise StudyError(f"{what} is {value!r}; it can be {', '.join(repr(a) for a in allowed)}.")
    return value


def _material(value: Material | str) -> Material:
    if isinstance(value, Material):
        return value
    if isinstance(value, str):
        return materials.material(value)
    raise MaterialError(f"material must be a name such as 'Ti-6Al-4V' or a twin.Material, not {value!r}.")


def _items(values: Iterable[T], kinds: tuple[type[T], ...], what: str, example: str) -> tuple[T, ...]:
    if isinstance(values, kinds):
        values = (values,)  # one support instead of a list of one is clear enough
    if isinstance(values, str | Mapping) or not isinstance(values, Iterable):
        raise StudyError(f"{what} must be a list such as [{example}], not {values!r}.")
    items = tuple(values)
    for item in items:
        if not isinstance(item, kinds):
            names = ", ".join(kind.__name__ for kind in kinds)
            raise StudyError(f"{what} can hold {names}; {item!r} is none of them. Example: {example}.")
    if len(items) > 256:
        raise StudyError(f"{what} has {len(items)} entries, more than 256. Join selections with | instead.")
    return items


def _cases(load_cases: Mapping[str, Iterable[Load]]) -> dict[str, tuple[Load, ...]]:
    if not isinstance(load_cases, Mapping) or not load_cases:
        raise StudyError("load_cases must be a dict with at least one case: {'name': [loads]}.")
    if len(load_cases) > 64:
        raise StudyError(
            f"There are {len(load_cases)} load cases, more than 64. Split them over several runs."
        )
    for name in load_cases:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise StudyError(
                f"{name!r} can't name a load case: use 1 to 64 letters, digits, '_', '-' or '.'."
            )
    return {
        name: _items(loads, LOADS, f"load case '{name}'", "twin.Force((0, 0, '-1 kN'), on=...)")
        for name, loads in load_cases.items()
    }


def _quantity_names(names: Sequence[str] | None) -> tuple[str, ...] | None:
    if names is None:
        return None
    if isinstance(names, str):
        names = (names,)
    for name in names:
        if not isinstance(name, str) or not _QUANTITY.fullmatch(name):
            raise StudyError(f"{name!r} is not the name of a quantity, such as 'max_von_mises'.")
    if len(set(names)) != len(names) or not 1 <= len(names) <= 64:
        raise StudyError("quantities needs 1 to 64 different names, or None for all.")
    return tuple(names)
