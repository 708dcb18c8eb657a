"""Loads -> nodal heat, and what enters and leaves the part."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solvers import quadrature
from solvers.quadrature import FacetQuadrature
from solvers.tet10.sensitivity import Places
from twin.analyses.boundary import MeshBoundary
from twin.analyses.immersed_boundary import ImmersedBoundary
from twin.results.outcome import HeatBalance, HeatTerm
from twin.select import describe
from twin.studies import (
    Convection,
    HeatConduction,
    HeatFlow,
    HeatFlux,
    HeatSource,
    Temperature,
    ThermalLoad,
    ThermalSupport,
)
from twin.studies.bodies import property_of_all

Floats = NDArray[np.float64]

# The numbers of each load and support, with their units.
UNITS: Mapping[type[ThermalLoad | ThermalSupport], Mapping[str, str]] = {
    HeatFlux: {"value": "W/m^2"},
    HeatFlow: {"value": "W"},
    HeatSource: {"value": "W/m^3"},
    Temperature: {"value": "K"},
    Convection: {"coefficient": "W/(m^2 K)", "ambient": "K"},
}
ROUND_OFF = 1e-9  # of the absolute temperature: a range below that is none


def assemble(
    boundary: MeshBoundary | ImmersedBoundary, cases: Mapping[str, tuple[ThermalLoad, ...]]
) -> dict[str, list[Floats]]:
    """Nodal heat (n, 1) [W] of each load of every case."""
    return {name: [_nodal(boundary, load) for load in loads] for name, loads in cases.items()}


def _nodal(boundary: MeshBoundary | ImmersedBoundary, load: ThermalLoad) -> Floats:
    given = parameters(load)
    if isinstance(load, HeatSource):
        return boundary.body_force(given["value"].reshape(1), np.zeros((1, 3)))
    where = boundary.quadrature(load.on)
    return quadrature.traction(where, np.array([[FLUXES[type(load)](given, where)]]), len(boundary.points))


def parameters(item: ThermalLoad | ThermalSupport) -> dict[str, Floats]:
    """The numbers of a load or support by their names, in SI."""
    return {name: np.array(getattr(item, name), dtype=np.float64) for name in UNITS[type(item)]}


def _as_given(given: Mapping[str, Any], where: FacetQuadrature | Places) -> Any:
    return given["value"]


def _spread(given: Mapping[str, Any], where: FacetQuadrature | Places) -> Any:
    return given["value"] / where.area


# Heat per area [W/m^2], at all points the same, of the parameters of a load: as numbers, or traced by JAX.
FLUXES: Mapping[type[ThermalLoad], Callable[[Mapping[str, Any], FacetQuadrature | Places], Any]] = {
    HeatFlux: _as_given,
    HeatFlow: _spread,
}


def given_temperatures(study: HeatConduction) -> tuple[float, float]:
    """The lowest and the highest temperature that supports give [K]."""
    given = [s.value if isinstance(s, Temperature) else s.ambient for s in study.supports]
    return min(given), max(given)


def reference(study: HeatConduction) -> float:
    """The middle of the temperatures that are given [K]."""
    return sum(given_temperatures(study)) / 2


def conductivities(study: HeatConduction) -> tuple[float, ...]:
    """Of its materials [W/(m K)]."""
    return property_of_all(study.materials, "thermal_conductivity", "Heat conduction")


def balance(
    study: HeatConduction, length: float, held: Sequence[float], case: str, loads: Sequence[Floats]
) -> HeatBalance:
    """What each support and each load of a case brings into the part.

    length: of the part [m]; held: heat from each support [W]; loads: nodal heat of each load [W]
    """
    terms = [
        HeatTerm(type(support).__name__, describe(support.on), float(heat))
        for support, heat in zip(study.supports, held, strict=True)
    ]
    for load, nodal in zip(study.cases[case], loads, strict=True):
        on = "" if isinstance(load, HeatSource) else describe(load.on)
        terms.append(HeatTerm(type(load).__name__, on, float(nodal.sum())))
    heat = np.array([term.heat for term in terms])
    # what would flow through the part under a difference that is round-off
    least = ROUND_OFF * max(given_temperatures(study)[1], 1.0) * max(conductivities(study)) * length
    return HeatBalance(tuple(terms), float(abs(heat.sum()) / max(heat[heat > 0].sum(), least)))
