"""Fluids that flow round parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from twin.errors import MaterialError
from twin.units import Scalar, quantity

_UNITS: Final = {"density": "kg/m^3", "viscosity": "Pa*s", "speed_of_sound": "m/s"}


@dataclass(frozen=True, slots=True, init=False)
class Fluid:
    """A Newtonian fluid of constant density. Numbers are SI, or strings with a unit ("1.8e-5 Pa*s").

    density [kg/m^3]; viscosity: dynamic [Pa s]; speed_of_sound [m/s], None where it is not known: then nobody is warned
    that a flow is too fast for a constant density.
    Raises MaterialError for values that no fluid has, UnitError for a wrong unit.
    """

    density: float
    viscosity: float
    speed_of_sound: float | None
    name: str | None

    def __init__(
        self,
        density: Scalar,
        viscosity: Scalar,
        speed_of_sound: Scalar | None = None,
        name: str | None = None,
    ) -> None:
        given = {"density": density, "viscosity": viscosity, "speed_of_sound": speed_of_sound}
        where = f" of fluid '{name}'" if name else ""
        for field, value in given.items():
            si = None if value is None else quantity(value, _UNITS[field], field + where)
            if si is not None and si <= 0:
                raise MaterialError(
                    f"{field}{where} must be above 0, not {si:g} {_UNITS[field]}.", {"field": field}
                )
            object.__setattr__(self, field, si)
        object.__setattr__(self, "name", name)


FLUIDS: Final[Mapping[str, Fluid]] = MappingProxyType(
    {
        # International Standard Atmosphere (ISO 2533) at sea level, 15 degC; viscosity by its Sutherland law
        "air": Fluid(1.225, 1.7894e-5, 340.29, "air"),
        # IAPWS R6-95 and R12-08 at 20 degC and one atmosphere
        "water": Fluid(998.21, 1.0016e-3, 1482.3, "water"),
    }
)
"""Fluids that a study can name."""


def fluid(value: Fluid | str) -> Fluid:
    """A fluid, or the one of that name. Raises MaterialError."""
    if isinstance(value, Fluid):
        return value
    found = FLUIDS.get(value.strip().lower()) if isinstance(value, str) else None
    if found is None:
        raise MaterialError(
            f"fluid must be one of {', '.join(map(repr, FLUIDS))}, or a twin.Fluid(density, viscosity), not {value!r}."
        )
    return found
