"""The numbers that a study of heat conduction reports."""

import numpy as np
from numpy.typing import NDArray

from twin.analyses.analysis import CaseSolution
from twin.analyses.estimates import Trust, Values, largest
from twin.analyses.heat_conduction.loads import ROUND_OFF
from twin.results.outcome import HeatBalance
from twin.studies import Convection, Temperature

Floats = NDArray[np.float64]
SUPPORTS = {Temperature.__name__, Convection.__name__}
Ints = NDArray[np.int64]


def measure(trust: Trust, zone: Ints, case: CaseSolution, given: tuple[float, float]) -> Values:
    """Numbers of a case.

    zone: (n,) singular place that its points are near, or -1; given: lowest and highest temperature of the supports [K]

    Errors of temperatures are relative to their range, those that are given included.
    """
    assert isinstance(case.balance, HeatBalance)
    lowest, highest = float(case.field.min()), float(case.field.max())
    span = max(highest, given[1]) - min(lowest, given[0])
    if span < ROUND_OFF * given[1]:
        lowest = highest = sum(given) / 2
        span = 0.0
    size = np.linalg.norm(case.flux.nodal, axis=1)
    peak, within = largest(size, zone)
    share = case.flux.relative_energy_error**2
    entering = sum(max(term.heat, 0.0) for term in case.balance.terms)
    brought = sum(
        max(term.heat, 0.0) for term in case.balance.terms if term.kind in SUPPORTS
    )  # loads are given
    return Values(
        trust,
        {
            "max_temperature": highest,
            "min_temperature": lowest,
            "heat_flow": entering,
            "max_heat_flux": float(size[peak]),
        },
        {
            name: {"goal": case.goals[name].size} if name in case.goals else {"field": share * span}
            for name in ("max_temperature", "min_temperature")
        }
        | {
            "heat_flow": {"energy": share * brought, "imbalance": case.balance.residual * entering},
            "max_heat_flux": {"flux": float(case.flux.nodal_error[peak])},
        },
        {"max_temperature": "K", "min_temperature": "K", "heat_flow": "W", "max_heat_flux": "W/m^2"},
        "max_heat_flux",
        within,
        not (zone < 0).any(),
        {"max_temperature": span, "min_temperature": span},
    )
