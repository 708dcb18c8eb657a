"""An isotropic material."""

from __future__ import annotations

from dataclasses import dataclass

from twin.errors import MaterialError
from twin.units import Scalar, quantity

# Field -> SI unit. Everything but thermal expansion must be positive; Poisson's ratio has a range of its own.
UNITS = {
    "youngs_modulus": "Pa",
    "poissons_ratio": "1",
    "density": "kg/m^3",
    "yield_strength": "Pa",
    "thermal_conductivity": "W/(m*K)",
    "specific_heat": "J/(kg*K)",
    "thermal_expansion": "1/K",
}


@dataclass(frozen=True, slots=True, repr=False)
class Material:
    """Isotropic, linear elastic. Numbers are SI, or strings with a unit ("210 GPa", "7.85 g/cm^3").

    youngs_modulus [Pa], poissons_ratio [1], density [kg/m^3], yield_strength [Pa],
    thermal_conductivity [W/(m K)], specific_heat [J/(kg K)], thermal_expansion [1/K].
    source: where the values come from. Raises MaterialError for values no isotropic material has,
    UnitError for a wrong unit.
    """

    youngs_modulus: float
    poissons_ratio: float
    density: float
    yield_strength: float | None = None
    thermal_conductivity: float | None = None
    specific_heat: float | None = None
    thermal_expansion: float | None = None
    name: str | None = None
    source: str | None = None

    # Written out for the types: callers may pass strings, readers always get floats.
    def __init__(
        self,
        youngs_modulus: Scalar,
        poissons_ratio: Scalar,
        density: Scalar,
        yield_strength: Scalar | None = None,
        thermal_conductivity: Scalar | None = None,
        specific_heat: Scalar | None = None,
        thermal_expansion: Scalar | None = None,
        name: str | None = None,
        source: str | None = None,
    ) -> None:
        given = {
            "youngs_modulus": youngs_modulus,
            "poissons_ratio": poissons_ratio,
            "density": density,
            "yield_strength": yield_strength,
            "thermal_conductivity": thermal_conductivity,
            "specific_heat": specific_heat,
            "thermal_expansion": thermal_expansion,
        }
        where = f" of material '{name}'" if name else ""
        for field, value in given.items():
            si = None if value is None else quantity(value, UNITS[field], field + where)
            object.__setattr__(self, field, si)
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "source", source)
        self._check(where)

    def _check(self, where: str) -> None:
        for field in UNITS:
            value = getattr(self, field)
            if value is None or field in ("poissons_ratio", "thermal_expansion"):
                continue
            if value <= 0:
                raise MaterialError(
                    f"{field}{where} must be above 0, not {value:g} {UNITS[field]}.", {"field": field}
                )
        ratio, facts = self.poissons_ratio, {"field": "poissons_ratio"}
        if ratio == 0.5:
            raise MaterialError(
                f"poissons_ratio{where} is 0.5, an incompressible material, which a displacement solution "
                f"can't describe. Use 0.49 for rubber and the like.",
                facts,
            )
        if not -1 < ratio < 0.5:
            raise MaterialError(
                f"poissons_ratio{where} must lie between -1 and 0.5 (both excluded), not {ratio:g}. "
                f"Metals are near 0.3.",
                facts,
            )
        for field, limit in (("name", 128), ("source", 1024)):
            text = getattr(self, field)
            if text is not None and len(text) > limit:
                raise MaterialError(
                    f"{field} of a material is longer than {limit} characters.", {"field": field}
                )

    def __repr__(self) -> str:
        parts = [repr(self.name)] if self.name else []
        parts += [f"{f}={getattr(self, f):g}" for f in UNITS if getattr(self, f) is not None]
        return f"Material({', '.join(parts)})"
