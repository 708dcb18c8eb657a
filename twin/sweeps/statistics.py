"""What a table of designs says: which parameters matter, and which designs nothing beats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from twin.sweeps import sampling
from twin.sweeps.emulator import Emulator
from twin.sweeps.sequences import Sobol
from twin.sweeps.space import Space

Floats = NDArray[np.float64]

SKILL: Final = 0.8  # of an emulator, from which on it is believed
_SAMPLES: Final = 1024  # of Saltelli's scheme, times the parameters and two
_OTHERS: Final = 256  # designs over which an effect is averaged
_STEPS: Final = 33


@final
@dataclass(frozen=True)
class Indices:
    """Shares of the variance: of each parameter alone, and with all that it takes part in; with 95 % intervals."""

    first: Floats
    total: Floats
    first_interval: Floats
    total_interval: Floats


@final
@dataclass(frozen=True)
class Effect:
    """What a quantity is on average where a parameter has each of these values (n,)."""

    at: Floats
    mean: Floats


def sobol_indices(emulator: Emulator, seed: int = 0) -> Indices:
    """Sobol' indices of what an emulator predicts, all parameters independent and even over their range.

    By Saltelli's scheme (Saltelli et al., Comput. Phys. Commun. 181, 2010) as SALib has it.
    """
    from SALib.analyze import sobol as analyze
    from SALib.sample import sobol as sample

    space = emulator.space
    names = [parameter.name for parameter in space.parameters]
    problem = {"num_vars": len(names), "names": names, "bounds": [[0.0, 1.0]] * len(names)}
    shares = sample.sample(problem, _SAMPLES, calc_second_order=False, seed=seed)
    points = np.stack(
        [p.at(np.minimum(s, 1 - 1e-12)) for p, s in zip(space.parameters, shares.T, strict=True)], axis=1
    )
    found = analyze.analyze(problem, emulator(points), calc_second_order=False, seed=seed)
    return Indices(*(np.asarray(found[key]) for key in ("S1", "ST", "S1_conf", "ST_conf")))


def effect(emulator: Emulator, position: int) -> Effect:
    """Of the parameter at a position, over its values or its range, averaged over all others."""
    space = emulator.space
    parameter = space.parameters[position]
    values = parameter.values
    at = values if values is not None and len(values) <= _STEPS else np.linspace(*parameter.bounds, _STEPS)
    others = sampling.points(Sobol(_OTHERS), space.parameters)
    means = []
    for value in at:
        points = others.copy()
        points[:, position] = value
        means.append(emulator(points).mean())
    return Effect(at, np.array(means))


def pareto(objectives: Floats) -> NDArray[np.bool_]:
    """Which of the designs (n, k) no other one is better than in one objective and as good in all; less is better."""
    alone = np.ones(len(objectives), bool)
    for index, own in enumerate(objectives):
        as_good = (objectives <= own).all(axis=1)
        better = (objectives < own).any(axis=1)
        alone[index] = not (as_good & better).any()
    return alone


def varying(columns: Sequence[Floats]) -> list[int]:
    """Positions of the columns that are not the same throughout."""
    found = []
    for position, column in enumerate(columns):
        known = column[np.isfinite(column)]
        if len(known) and np.ptp(known) > 1e-9 * np.abs(known).max():
            found.append(position)
    return found


def points_of(space: Space, columns: Sequence[NDArray[np.generic]]) -> Floats:
    """Points (n, p) from columns as tables have them, with words of choices."""
    return np.stack(
        [
            np.array([parameter.read(value) for value in column.tolist()], float)
            for parameter, column in zip(space.parameters, columns, strict=True)
        ],
        axis=1,
    )
