"""The numbers that a static stress study reports."""

import math
from collections.abc import Mapping, Sequence

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

ROUND_OFF = 1e-5  # of the largest stress: a von Mises stress below is none
UNITS = {"max_displacement": "m", "max_von_mises": "Pa", "compliance": "J", "max_utilisation": "1"}


def governing(materials: Sequence[Material]) -> str:
    """The measured number that the safety factor is made of."""
    return "max_von_mises" if len(materials) == 1 else "max_utilisation"


def measure(trust: Trust, zone: Ints, case: CaseSolution, materials: Sequence[Material]) -> Values:
    """Numbers of a case; zone: (n,) singular place that its points are near, or -1."""
    magnitude = np.linalg.norm(case.field, axis=1)
    mises = von_mises(case.flux.nodal)
    peak, within = largest(mises, zone)
    share = case.flux.relative_energy_error**2
    moved = float(magnitude.max())
    goal = case.goals.get("max_displacement")
    values = {"max_displacement": moved, "max_von_mises": float(mises[peak]), "compliance": case.work}
    indicators = {
        "max_displacement": {"field": share * moved} if goal is None else {"goal": goal.size},
        "max_von_mises": {"flux": float(case.flux.nodal_error[peak])},
        "compliance": {"energy": share * abs(case.work)},
    }
    # Where the stress is the same in all directions, only round-off is left of this: errors are relative to the stress.
    largest_stress = float(np.abs(case.flux.nodal).max())
    scales = {"max_von_mises": largest_stress} if mises[peak] < ROUND_OFF * largest_stress else {}
    strengths = [material.yield_strength for material in materials]
    if case.material is not None and None not in strengths:
        strength = np.array(strengths, dtype=np.float64)[case.material]
        used = largest(mises / strength, zone)[0]
        values["max_utilisation"] = float(mises[used] / strength[used])
        indicators["max_utilisation"] = {"flux": float(case.flux.nodal_error[used] / strength[used])}
    discrete: dict[str, float] = {}
    if case.certificate is not None:
        for name, number in case.certificate.numbers.items():
            discrete[name] = number.error * abs(values[name])
            values[name] *= 1 + number.correction
    return Values(
        trust,
        values,
        indicators,
        UNITS,
        "max_von_mises",
        within,
        not (zone < 0).any(),
        scales,
        discrete=discrete,
    )


def quantities(
    measured: Mapping[str, Quantity],
    balance: Equilibrium,
    volume: Quantity,
    shares: Floats,
    materials: Sequence[Material],
) -> dict[str, Quantity]:
    """Everything that is reported of a case; shares: of the volume, by material."""
    imbalance = float(np.linalg.norm(np.add(balance.applied_force, balance.reaction_force)))
    density = [material.density for material in materials]
    mass = Quantity(
        float(shares @ density[: len(shares)]) * float(volume),
        "kg",
        max(density) * float(np.max(volume.error)),
        volume.note,
    )
    found = {
        **measured,
        "mass": mass,
        "reaction_force": Quantity(np.array(balance.reaction_force), "N", imbalance),
    }
    strength = materials[0].yield_strength
    if "max_utilisation" in found:
        found["safety_factor"] = _safety_factor(1.0, found.pop("max_utilisation"))
    elif len(materials) == 1 and strength is not None:
        found["safety_factor"] = _safety_factor(strength, measured["max_von_mises"])
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
