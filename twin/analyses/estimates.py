"""How far numbers are off.

Two sources, the larger one counts: the recovered flux against the discrete one on the final mesh, and the change of the
number since the coarser mesh before it. Estimates, not bounds: a safety factor covers what both miss.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Trust:
    """How far the estimates of a discretisation are trusted.

    energy, field: times the share of energy that the recovery finds in error; goal: times what the dual solution
    finds; flux: times the recovery's error at the peak
    order: assumed, at which numbers approach their limit from mesh to mesh (smooth parts do better); factors: least
    and most of a change since a coarser mesh that may count as error
    """

    energy: float
    field: float
    goal: float
    flux: float
    order: float
    factors: tuple[float, float]

    def of_goal(self, contributions: Floats | None, share: float) -> float:
        """Error of a number by its dual solution; where that was not solved, `share` of it is like that in energy."""
        return self.field * share if contributions is None else self.goal * abs(float(contributions.sum()))


# The error in energy is that of the compliance, seen through an estimate which is low by up to a factor of 1.9 on
# coarse meshes; the largest displacement, at one point, was off by up to 3.6 times its share (thick sphere, block
# with a hole). The recovered stress at the surface is up to 1.7 times further off than its distance to the discrete
# stress says (thick cylinder, four meshes: tests/verification/test_lame.py).
ON_MESH = Trust(energy=2.5, field=4.5, goal=2.0, flux=2.5, order=1.5, factors=(0.25, 1.5))
# A grid's estimate of its own error is what stress changes within half a cell, far above the error in bending, but its
# geometry is no better than its cells: numbers approach their limit at first order, and not evenly. The thick sphere
# is off by 1.0, 0.8, 0.6, 0.5 % on grids of 1/8 to 1/25 of its wall (tests/verification/test_grid.py).
ON_GRID = Trust(energy=0.5, field=0.5, goal=0.5, flux=1.0, order=0.5, factors=(1.5, 5.0))


@dataclass(frozen=True)
class Values:
    """The raw numbers of one case on one mesh, and their error as the recovery sees it.

    units: SI; peak: where the flux is largest (3,) [m]; at_peak: the number that is taken there
    in_zones: the largest flux in the zone of each singular place where it is larger than outside
    scales: what errors are relative to, where that is not the number itself
    """

    values: Mapping[str, float]
    errors: Mapping[str, float]
    units: Mapping[str, str]
    peak: Floats
    at_peak: str
    in_zones: Mapping[int, float] = field(default_factory=dict)
    scales: Mapping[str, float] = field(default_factory=dict)

    def scale(self, name: str) -> float:
        """What the error of a number is relative to."""
        return self.scales.get(name, abs(self.values[name]))


def largest(flux: Floats, zone: NDArray[np.int64]) -> tuple[int, dict[int, float]]:
    """Where a flux (n,) is largest outside of singular places' zones (n,), -1 for none, or, where there is nothing
    outside, anywhere; and how large it is in each zone where it is larger.
    """
    outside = zone < 0
    if not outside.any():
        return int(flux.argmax()), {}
    peak = int(np.where(outside, flux, -1.0).argmax())
    inside = np.full(int(zone.max()) + 2, -1.0)
    np.maximum.at(inside, zone + 1, flux)
    return peak, {int(i): float(inside[i + 1]) for i in np.flatnonzero(inside[1:] > flux[peak])}


def errors(
    trust: Trust, fine: Values, coarse: Values | None, ratio: float, ratio_at_peak: float
) -> dict[str, float]:
    """Error of each number; ratios of element sizes, coarse over fine, on the whole and where the flux peaks."""
    if coarse is None:
        return dict(fine.errors)

    def change(name: str) -> float:
        finer = ratio_at_peak if name == fine.at_peak else ratio
        factor = float(np.clip(1 / (max(finer, 1.01) ** trust.order - 1), *trust.factors))
        return factor * abs(fine.values[name] - coarse.values[name])

    return {name: max(fine.errors[name], change(name)) for name in fine.values}
