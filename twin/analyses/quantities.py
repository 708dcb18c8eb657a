"""The numbers that a static stress study reports, each with an estimate of its discretisation error.

Two sources, the larger one counts: the recovered stress against the discrete one on the final mesh, and the change
of the number since the coarser mesh before it. Estimates, not bounds: a safety factor covers what both miss.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solvers.elasticity.recovery import RecoveredStress, von_mises
from twin.materials import Material
from twin.quantities import Quantity

Floats = NDArray[np.float64]

# The error in energy is that of the compliance, seen through an estimate which is low by up to a factor of 1.9 on
# coarse meshes; the largest displacement, at one point, was off by up to 3.6 times its share (thick sphere, block
# with a hole).
COMPLIANCE_SAFETY, DISPLACEMENT_SAFETY = 2.5, 4.5
# The recovered stress at the surface is up to 1.7 times further off than its distance to the discrete stress says
# (thick cylinder, four meshes: tests/verification/test_lame.py).
STRESS_SAFETY = 2.5
# Assumed order at which numbers approach their limit from mesh to mesh; smooth parts do better.
ASSUMED_ORDER = 1.5
FACTOR_RANGE = (0.25, 1.5)


@dataclass(frozen=True)
class Values:
    """The raw numbers of one case on one mesh, and their error as the recovery sees it.

    peak: where the von Mises stress is largest (3,) [m]
    """

    values: Mapping[str, float]
    errors: Mapping[str, float]
    peak: Floats


def measure(points: Floats, displacement: Floats, work: float, stress: RecoveredStress) -> Values:
    """Numbers of a case: nodes (n, 3) [m], displacement (n, 3) [m], work of the loads [J]."""
    magnitude = np.linalg.norm(displacement, axis=1)
    mises = von_mises(stress.nodal)
    peak = int(np.argmax(mises))
    energy_share = stress.relative_energy_error**2
    largest = float(magnitude.max())
    return Values(
        {"max_displacement": largest, "max_von_mises": float(mises[peak]), "compliance": work},
        {
            "max_displacement": DISPLACEMENT_SAFETY * energy_share * largest,
            "max_von_mises": STRESS_SAFETY * float(stress.nodal_error[peak]),
            "compliance": COMPLIANCE_SAFETY * energy_share * abs(work),
        },
        points[peak],
    )


def errors(fine: Values, coarse: Values | None, ratio: float, ratio_at_peak: float) -> dict[str, float]:
    """Error of each number; ratios of element sizes, coarse over fine, on the whole and where the stress peaks."""
    if coarse is None:
        return dict(fine.errors)

    def change(name: str) -> float:
        finer = ratio_at_peak if name == "max_von_mises" else ratio
        factor = float(np.clip(1 / (max(finer, 1.01) ** ASSUMED_ORDER - 1), *FACTOR_RANGE))
        return factor * abs(fine.values[name] - coarse.values[name])

    return {name: max(fine.errors[name], change(name)) for name in fine.values}


def quantities(
    fine: Values,
    error: Mapping[str, float],
    *,
    mass: Quantity,
    reaction: Floats,
    reaction_error: float,
    material: Material,
    accuracy: float,
) -> dict[str, Quantity]:
    """Everything that is reported of a case."""

    def quantity(name: str, unit: str) -> Quantity:
        value, off = fine.values[name], error[name]
        above = off > accuracy * abs(value)
        note = f"error estimate above the requested {accuracy:.3g}" if above else ""
        return Quantity(value, unit, off, note)

    mises = quantity("max_von_mises", "Pa")
    found = {
        "max_displacement": quantity("max_displacement", "m"),
        "max_von_mises": mises,
        "compliance": quantity("compliance", "J"),
        "mass": mass,
        "reaction_force": Quantity(reaction, "N", reaction_error),
    }
    if material.yield_strength is not None:
        found["safety_factor"] = _safety_factor(material.yield_strength, mises)
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
