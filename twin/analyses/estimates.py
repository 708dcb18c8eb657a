"""How far numbers are off.

Two sources: what the recovered flux says of the final mesh, in energy, at the peak of the flux, or weighted by a dual
solution; and the change of the number since the coarser mesh before, of which that error, having fallen by the factor
that it did, should be a share. Estimates, not bounds: a safety factor covers what both miss. How well:
`python -m tests.verification.suite.calibration`.
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
    finds; flux: times the recovery's error at the peak; change: times what the change since a coarser mesh leaves
    fall: least and most that errors are taken to fall by from one mesh to the next
    peak: least and most of the recovery's error at the peak, times which the change may say
    """

    energy: float
    field: float
    goal: float
    flux: float
    change: float
    fall: tuple[float, float]
    peak: tuple[float, float]

    def of_goal(self, contributions: Floats | None, share: float) -> float:
        """Error of a number by its dual solution; where that was not solved, `share` of it is like that in energy."""
        return self.field * share if contributions is None else self.goal * float(np.abs(contributions).sum())


# Of energies, the recovery finds 0.4 to 0.8 of the true error on all meshes; of displacements the dual solution finds
# 0.3 to 0.9, and less where what is left is the error of curved faces, which the change since the mesh before tells. At
# the peak the recovered flux is up to three times further off than its distance to the discrete one says on coarse
# meshes, and far less on fine ones, where again the change tells.
ON_MESH = Trust(energy=1.9, field=4.5, goal=2.6, flux=2.8, change=1.9, fall=(0.02, 0.8), peak=(0.4, 1.0))
# A grid's estimate of its own error is what stress changes within half a cell, far above the error in bending, but its
# geometry is no better than its cells: numbers approach their limit at first order, and not evenly. The thick sphere
# is off by 1.0, 0.8, 0.6, 0.5 % on grids of 1/8 to 1/25 of its wall (tests/verification/test_grid.py).
ON_GRID = Trust(energy=0.5, field=0.5, goal=0.5, flux=1.0, change=1.0, fall=(0.8, 0.83), peak=(1.0, 1e3))


@dataclass(frozen=True)
class Values:
    """The raw numbers of one case on one mesh, and their error as the recovery sees it.

    units: SI; at_peak: the number that is the largest flux
    in_zones: the largest flux in the zone of each singular place where it is larger than outside, or of every one
    where nothing is outside, which all_in_zones says
    scales: what errors are relative to, where that is not the number itself
    """

    values: Mapping[str, float]
    errors: Mapping[str, float]
    units: Mapping[str, str]
    at_peak: str
    in_zones: Mapping[int, float] = field(default_factory=dict)
    all_in_zones: bool = False
    scales: Mapping[str, float] = field(default_factory=dict)

    def scale(self, name: str) -> float:
        """What the error of a number is relative to."""
        return self.scales.get(name, abs(self.values[name]))


def largest(flux: Floats, zone: NDArray[np.int64]) -> tuple[int, dict[int, float]]:
    """Where a flux (n,) is largest outside of singular places' zones (n,), -1 for none, or, where there is nothing
    outside, anywhere; and how large it is in each zone where it is larger.
    """
    outside = zone < 0
    peak = int(np.where(outside, flux, -1.0).argmax() if outside.any() else flux.argmax())
    inside = np.full(int(zone.max()) + 2, -1.0)
    np.maximum.at(inside, zone + 1, flux)
    more = inside[1:] > flux[peak] if outside.any() else inside[1:] >= 0
    return peak, {int(i): float(inside[i + 1]) for i in np.flatnonzero(more)}


def errors(trust: Trust, fine: Values, coarse: Values | None) -> dict[str, float]:
    """Error of each number on the finer of two meshes, or on the only one."""
    if coarse is None:
        return dict(fine.errors)

    def error(name: str) -> float:
        own, before = fine.errors[name], coarse.errors[name]
        fall = float(np.clip(own / before if before > 0 else 1.0, *trust.fall))
        left = trust.change * fall / (1 - fall) * abs(fine.values[name] - coarse.values[name])
        if name == fine.at_peak:
            least, most = trust.peak
            return float(np.clip(left, least * own, most * own))
        return max(left, own)

    return {name: error(name) for name in fine.values}
