"""The numbers that a static stress study reports."""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from solvers.elasticity.invariants import von_mises
from twin.analyses.analysis import CaseSolution
from twin.analyses.estimates import Trust, Values, largest
from twin.materials import Material
from twin.quantities import Quantity
from twin.results.outcome import Equilibrium

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

UNITS = {"max_displacement": "m", "max_von_mises": "Pa", "compliance": "J"}


def measure(trust: Trust, zone: Ints, case: CaseSolution) -> Values:
    """Numbers of a case; zone: (n,) singular place that its points are near, or -1."""
    magnitude = np.linalg.norm(case.field, axis=1)
    mises = von_mises(case.flux.nodal)
    peak, within = largest(mises, zone)
    share = case.flux.relative_energy_error**2
    moved = float(magnitude.max())
    goal = case.goals.get("max_displacement")
    return Values(
        trust,
        {"max_displacement": moved, "max_von_mises": float(mises[peak]), "compliance": case.work},
        {
            "max_displacement": {"field": share * moved} if goal is None else {"goal": goal.size},
            "max_von_mises": {"flux": float(case.flux.nodal_error[peak])},
            "compliance": {"energy": share * abs(case.work)},
        },
        UNITS,
        "max_von_mises",
        within,
        not (zone < 0).any(),
    )


def quantities(
    measured: Mapping[str, Quantity], balance: Equilibrium, volume: Quantity, material: Material
) -> dict[str, Quantity]:
    """Everything that is reported of a case."""
    imbalance = float(np.linalg.norm(np.add(balance.applied_force, balance.reaction_force)))
    mass = Quantity(
        material.density * float(volume), "kg", material.density * float(np.max(volume.error)), volume.note
    )
    found = {
        **measured,
        "mass": mass,
        "reaction_force": Quantity(np.array(balance.reaction_force), "N", imbalance),
    }
    if material.yield_strength is not None:
        found["safety_factor"] = _safety_factor(material.yield_strength, measured["max_von_mises"])
    return found


def _safety_factor(strength: float, mises: Quantity) -> Quantity:
    stress, off = float(mises.value), float(np.max(mises.error))
    if stress == 0:
        return Quantity(math.inf, "", math.inf, "nothing is stressed")
    factor = strength / stress
    # The larger stress gives the smaller factor: the distance to that one is not the smaller of the two.
    lowest = strength / (stress + off)
    highest = strength / (stress - off) if off < stress else math.inf
    return Quantity(factor, "", max(factor - lowest, highest - factor), mises.note)
