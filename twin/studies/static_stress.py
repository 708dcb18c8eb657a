"""Linear static stress: what holds a part and what acts on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from twin import units
from twin.errors import StudyError
from twin.materials import Material
from twin.select import Selector, check, describe
from twin.studies import words
from twin.studies.bodies import Body, listed
from twin.studies.words import DEFAULT_CASE
from twin.sweeps.parameters import Choice
from twin.units import Scalar, Triple, Vector, quantity

FoundationDirection = Literal["normal", "all"]
Coupling = Literal["distributing", "rigid"]


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
            self, "direction", words.one_of("direction of ElasticFoundation", direction, FoundationDirection)
        )


@dataclass(frozen=True, slots=True, init=False)
class Force:
    """A total force [N], spread evenly over the selected area."""

    vector: Triple
    on: Selector

    def __init__(self, vector: Vector, on: Selector) -> None:
        check(on, "Force")
        object.__setattr__(self, "vector", units.vector(vector, "N", "Force"))
        object.__setattr__(self, "on", on)


@dataclass(frozen=True, slots=True, init=False)
class Traction:
    """A force per area [Pa], in the coordinates of the part."""

    vector: Triple
    on: Selector

    def __init__(self, vector: Vector, on: Selector) -> None:
        check(on, "Traction")
        object.__setattr__(self, "vector", units.vector(vector, "Pa", "Traction"))
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
        object.__setattr__(self, "vector", units.vector(vector, "m/s^2", "Gravity"))


@dataclass(frozen=True, slots=True, init=False)
class Centrifugal:
    """Steady rotation of the part about an axis through `point` [m]; rate [rad/s] or "3000 rpm"."""

    axis: Triple
    point: Triple
    rate: float

    def __init__(self, axis: Vector, point: Vector, rate: Scalar) -> None:
        direction = units.vector(axis, "1", "axis of Centrifugal")
        if not any(direction):
            raise StudyError("The axis of Centrifugal is the zero vector, which has no direction.")
        object.__setattr__(self, "axis", direction)
        object.__setattr__(self, "point", units.vector(point, "m", "point of Centrifugal"))
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
        object.__setattr__(self, "force", units.vector(force, "N", "force of RemoteForce"))
        object.__setattr__(self, "at", units.vector(at, "m", "at of RemoteForce"))
        object.__setattr__(self, "on", on)
        object.__setattr__(self, "moment", units.vector(moment, "N*m", "moment of RemoteForce"))
        object.__setattr__(self, "coupling", words.one_of("coupling of RemoteForce", coupling, Coupling))


Support = Fixed | Symmetry | Displacement | ElasticFoundation
Load = Force | Traction | Pressure | Gravity | Centrifugal | RemoteForce
SUPPORTS = (Fixed, Symmetry, Displacement, ElasticFoundation)
LOADS = (Force, Traction, Pressure, Gravity, Centrifugal, RemoteForce)


@dataclass(frozen=True, slots=True, init=False)
class StaticStress:
    """Linear static stress of one part: what it is made of, what holds it, what acts on it.

    material: a name in the library, or a Material; that of single bodies is given by `bodies`. supports hold in every
    load case. Either `loads`, or `load_cases` by name; `cases` has them all (a plain list of loads is the case
    "default").
    Raises StudyError, MaterialError or SelectionError for what can't work on any part.
    """

    material: Material
    supports: tuple[Support, ...]
    cases: dict[str, tuple[Load, ...]]
    bodies: tuple[Body, ...]

    def __init__(
        self,
        material: Material | str | Choice,
        supports: Iterable[Support] = (),
        loads: Iterable[Load] = (),
        load_cases: Mapping[str, Iterable[Load]] | None = None,
        bodies: Iterable[Body] = (),
    ) -> None:
        object.__setattr__(self, "material", words.material(material))
        object.__setattr__(
            self, "supports", words.items(supports, SUPPORTS, "supports", "twin.Fixed(on=...)")
        )
        cases = words.cases(loads, load_cases, LOADS, "twin.Force((0, 0, '-1 kN'), on=...)")
        object.__setattr__(self, "cases", cases)
        object.__setattr__(self, "bodies", listed(bodies))
        self._check()

    def __hash__(self) -> int:
        return hash((self.material, self.supports, tuple(self.cases.items()), self.bodies))

    @property
    def materials(self) -> tuple[Material, ...]:
        """That of the part, then that of each of `bodies`."""
        return self.material, *(body.material for body in self.bodies)

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
