"""Steady heat conduction: what the temperature of a part is tied to, and what heats it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from twin.errors import StudyError
from twin.materials import Material
from twin.select import Selector, check, describe
from twin.studies import words
from twin.studies.bodies import Body, listed, property_of_all
from twin.sweeps.parameters import Choice
from twin.units import Scalar, quantity


@dataclass(frozen=True, slots=True, init=False)
class Temperature:
    """A given temperature [K] of the selection; "20 degC" is read too."""

    value: float
    on: Selector

    def __init__(self, value: Scalar, on: Selector) -> None:
        check(on, "Temperature")
        object.__setattr__(self, "value", _absolute(value, "Temperature"))
        object.__setattr__(self, "on", on)


@dataclass(frozen=True, slots=True, init=False)
class Convection:
    """Heat exchange with a fluid: heat transfer coefficient [W/(m^2 K)] and temperature of the fluid [K]."""

    coefficient: float
    ambient: float
    on: Selector

    def __init__(self, coefficient: Scalar, ambient: Scalar, on: Selector) -> None:
        check(on, "Convection")
        value = quantity(coefficient, "W/m^2/K", "coefficient of Convection")
        if value <= 0:
            raise StudyError(
                f"The heat transfer coefficient of Convection on {describe(on)} must be above 0, not {value:g} "
                "W/(m^2 K). Leave the Convection out where the surface is insulated."
            )
        object.__setattr__(self, "coefficient", value)
        object.__setattr__(self, "ambient", _absolute(ambient, "ambient of Convection"))
        object.__setattr__(self, "on", on)


@dataclass(frozen=True, slots=True, init=False)
class HeatFlux:
    """Heat per area [W/m^2] into the part; negative takes heat out."""

    value: float
    on: Selector

    def __init__(self, value: Scalar, on: Selector) -> None:
        check(on, "HeatFlux")
        object.__setattr__(self, "value", quantity(value, "W/m^2", "HeatFlux"))
        object.__setattr__(self, "on", on)


@dataclass(frozen=True, slots=True, init=False)
class HeatFlow:
    """A total heat [W] into the part, spread evenly over the selected area; negative takes heat out."""

    value: float
    on: Selector

    def __init__(self, value: Scalar, on: Selector) -> None:
        check(on, "HeatFlow")
        object.__setattr__(self, "value", quantity(value, "W", "HeatFlow"))
        object.__setattr__(self, "on", on)


@dataclass(frozen=True, slots=True, init=False)
class HeatSource:
    """Heat per volume [W/m^3] that arises in the whole part."""

    value: float

    def __init__(self, value: Scalar) -> None:
        object.__setattr__(self, "value", quantity(value, "W/m^3", "HeatSource"))


ThermalSupport = Temperature | Convection
ThermalLoad = HeatFlux | HeatFlow | HeatSource
THERMAL_SUPPORTS = (Temperature, Convection)
THERMAL_LOADS = (HeatFlux, HeatFlow, HeatSource)


@dataclass(frozen=True, slots=True, init=False)
class HeatConduction:
    """Steady temperature of one part: what it is made of, what its temperature is tied to, what heats it.

    material: a name in the library, or a Material; its thermal_conductivity counts; that of single bodies is given by
    `bodies`. supports (Temperature, Convection) tie the temperature in every load case; what is not named is insulated.
    Either `loads`, or `load_cases` by name; `cases` has them all (a plain list of loads is the case "default"). Without
    loads, heat flows between the supports.
    Raises StudyError, MaterialError or SelectionError for what can't work on any part.
    """

    material: Material
    supports: tuple[ThermalSupport, ...]
    cases: dict[str, tuple[ThermalLoad, ...]]
    bodies: tuple[Body, ...]

    def __init__(
        self,
        material: Material | str | Choice,
        supports: Iterable[ThermalSupport] = (),
        loads: Iterable[ThermalLoad] = (),
        load_cases: Mapping[str, Iterable[ThermalLoad]] | None = None,
        bodies: Iterable[Body] = (),
    ) -> None:
        object.__setattr__(self, "material", words.material(material))
        example = "twin.Temperature('20 degC', on=...)"
        object.__setattr__(self, "supports", words.items(supports, THERMAL_SUPPORTS, "supports", example))
        cases = words.cases(loads, load_cases, THERMAL_LOADS, "twin.HeatFlux('1 kW/m^2', on=...)")
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
        property_of_all(self.materials, "thermal_conductivity", "Heat conduction")
        if not self.supports:
            raise StudyError(
                "Nothing ties the temperature of the part, which is insulated all around: it would rise or fall for "
                "ever. Add a twin.Temperature(...) or a twin.Convection(...) to supports."
            )


def _absolute(value: Scalar, what: str) -> float:
    kelvin = quantity(value, "K", what)
    if kelvin < 0:
        raise StudyError(
            f"{what} is {kelvin:g} K, below absolute zero. Numbers are in kelvin; write '20 degC' for degrees Celsius."
        )
    return kelvin
