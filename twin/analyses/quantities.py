"""The numbers that a static stress study reports, each with an estimate of its discretisation error.

Two sources, the larger one counts: the recovered stress against the discrete one on the final mesh, and the change
of the number since the coarser mesh before it. Estimates, not bounds: a safety factor covers what both miss.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solvers.elasticity.invariants import von_mises
from solvers.law import Recovered
from twin.materials import Material
from twin.quantities import Quantity

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Trust:
    """How far the estimates of a discretisation are trusted.

    compliance, displacement: times the share of energy that the recovery finds in error; stress: times its error there
    order: assumed, at which numbers approach their limit from mesh to mesh (smooth parts do better); factors: least
    and most of a change since a coarser mesh that may count as error
    """

    compliance: float
    displacement: float
    stress: float
    order: float
    factors: tuple[float, float]


# The error in energy is that of the compliance, seen through an estimate which is low by up to a factor of 1.9 on
# coarse meshes; the largest displacement, at one point, was off by up to 3.6 times its share (thick sphere, block
# with a hole). The recovered stress at the surface is up to 1.7 times further off than its distance to the discrete
# stress says (thick cylinder, four meshes: tests/verification/test_lame.py).
ON_MESH = Trust(compliance=2.5, displacement=4.5, stress=2.5, order=1.5, factors=(0.25, 1.5))
# A grid's estimate of its own error is what stress changes within half a cell, far above the error in bending, but its
# geometry is no better than its cells: numbers approach their limit at first order, and not evenly. The thick sphere
# is off by 1.0, 0.8, 0.6, 0.5 % on grids of 1/8 to 1/25 of its wall (tests/verification/test_grid.py).
ON_GRID = Trust(compliance=0.5, displacement=0.5, stress=1.0, order=0.5, factors=(1.5, 5.0))


@dataclass(frozen=True)
class Values:
    """The raw numbers of one case on one mesh, and their error as the recovery sees it.

    peak: where the von Mises stress is largest (3,) [m]
    """

    values: Mapping[str, float]
    errors: Mapping[str, float]
    peak: Floats


def measure(trust: Trust, points: Floats, displacement: Floats, work: float, stress: Recovered) -> Values:
    """Numbers of a case: nodes (n, 3) [m], displacement (n, 3) [m], work of the loads [J]."""
    magnitude = np.linalg.norm(displacement, axis=1)
    mises = von_mises(stress.nodal)
    peak = int(np.argmax(mises))
    energy_share = stress.relative_energy_error**2
    largest = float(magnitude.max())
    return Values(
        {"max_displacement": largest, "max_von_mises": float(mises[peak]), "compliance": work},
        {
            "max_displacement": trust.displacement * energy_share * largest,
            "max_von_mises": trust.stress * float(stress.nodal_error[peak]),
            "compliance": trust.compliance * energy_share * abs(work),
        },
        points[peak],
    )


def errors(
    trust: Trust, fine: Values, coarse: Values | None, ratio: float, ratio_at_peak: float
) -> dict[str, float]:
    """Error of each number; ratios of element sizes, coarse over fine, on the whole and where the stress peaks."""
    if coarse is None:
        return dict(fine.errors)

    def change(name: str) -> float:
        finer = ratio_at_peak if name == "max_von_mises" else ratio
        factor = float(np.clip(1 / (max(finer, 1.01) ** trust.order - 1), *trust.factors))
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
