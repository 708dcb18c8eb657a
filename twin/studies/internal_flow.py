"""Flow through a part: a manifold, a cooling channel."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeVar

from twin import materials
from twin.errors import StudyError
from twin.materials import Fluid
from twin.select import Selector, check
from twin.studies.words import DEFAULT_CASE, one_of
from twin.units import Scalar, quantity

InletProfile = Literal["developed", "uniform"]
OpeningT = TypeVar("OpeningT", "Inlet", "Outlet")

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")
_MOST: Final = 64
_TAKEN: Final = "drop"


@dataclass(frozen=True, slots=True, init=False)
class Inlet:
    """A flat face that fluid comes in through, square to it.

    velocity: in the mean over the face [m/s], or flow_rate: [m^3/s], such as "0.5 l/min"
    profile: "developed", as laminar flow is after a long straight duct of the face's shape, or "uniform": equally fast
        everywhere. Uniform flow is sheared at the rim without bound: the pressure there, and in creeping flow the whole
        loss, depends on the size of cells.
    Raises StudyError unless velocity or flow_rate is above 0.
    """

    on: Selector
    velocity: float | None
    flow_rate: float | None
    profile: InletProfile

    def __init__(
        self,
        on: Selector,
        velocity: Scalar | None = None,
        flow_rate: Scalar | None = None,
        profile: InletProfile = "developed",
    ) -> None:
        check(on, "Inlet")
        object.__setattr__(self, "on", on)
        object.__setattr__(self, "profile", one_of("profile of Inlet", profile, InletProfile))
        if (velocity is None) == (flow_rate is None):
            raise StudyError("Give Inlet either a velocity or a flow_rate, such as velocity='2 m/s'.")
        for name, value, unit in (("velocity", velocity, "m/s"), ("flow_rate", flow_rate, "m^3/s")):
            known = None if value is None else quantity(value, unit, f"{name} of Inlet")
            if known is not None and known <= 0:
                raise StudyError(
                    f"{name} of Inlet must be above 0, not {known:g} {unit}: fluid comes in. Where it goes out is an "
                    "Outlet."
                )
            object.__setattr__(self, name, known)


@dataclass(frozen=True, slots=True, init=False)
class Outlet:
    """A flat face that fluid goes out through. pressure: held there in the mean [Pa]; only differences count."""

    on: Selector
    pressure: float

    def __init__(self, on: Selector, pressure: Scalar = 0.0) -> None:
        check(on, "Outlet")
        object.__setattr__(self, "on", on)
        object.__setattr__(self, "pressure", quantity(pressure, "Pa", "pressure of Outlet"))


@dataclass(frozen=True, slots=True, init=False)
class InternalFlow:
    """Steady or unsteady flow of constant density through a part, which is the space that the fluid fills.

    inlets, outlets: by name: all that is selected by none of them is wall. A single one may be given without a name,
    and is called "inlet" or "outlet". fluid: "air", "water", or a Fluid.
    Raises StudyError, MaterialError or UnitError for what can't work on any part.
    """

    inlets: Mapping[str, Inlet]
    outlets: Mapping[str, Outlet]
    fluid: Fluid

    def __init__(
        self,
        inlets: Mapping[str, Inlet] | Inlet,
        outlets: Mapping[str, Outlet] | Outlet,
        fluid: Fluid | str = "air",
    ) -> None:
        object.__setattr__(self, "inlets", _named(inlets, Inlet, "inlets"))
        object.__setattr__(self, "outlets", _named(outlets, Outlet, "outlets"))
        both = sorted(self.inlets.keys() & self.outlets.keys())
        if both:
            raise StudyError(
                f"{both[0]!r} is an inlet and an outlet. Give them different names.", {"name": both[0]}
            )
        object.__setattr__(self, "fluid", materials.fluid(fluid))

    def __hash__(self) -> int:
        return hash((tuple(self.inlets.items()), tuple(self.outlets.items()), self.fluid))

    @property
    def cases(self) -> dict[str, tuple[()]]:
        """It has one."""
        return {DEFAULT_CASE: ()}

    @property
    def openings(self) -> dict[str, Inlet | Outlet]:
        """All by name, inlets first."""
        return {**self.inlets, **self.outlets}


def _named(given: Mapping[str, OpeningT] | OpeningT, kind: type[OpeningT], what: str) -> dict[str, OpeningT]:
    if isinstance(given, kind):
        return {kind.__name__.lower(): given}
    example = f"{{'{what[:-1]}': twin.{kind.__name__}(...)}}"
    if not isinstance(given, Mapping) or not given:
        raise StudyError(f"{what} must be a dict such as {example}, with one at least, not {given!r}.")
    if len(given) > _MOST:
        raise StudyError(f"There are {len(given)} {what}, more than {_MOST}.")
    for name, opening in given.items():
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise StudyError(
                f"{name!r} can't name an opening: use up to 32 small letters, digits and '_', a letter first."
            )
        if name == _TAKEN:
            raise StudyError(
                f"{name!r} can't name an opening, since 'pressure_{name}' is that of all of them."
            )
        if not isinstance(opening, kind):
            raise StudyError(f"{what} can hold {kind.__name__}; {name} is {opening!r}. Example: {example}.")
    return dict(given)
