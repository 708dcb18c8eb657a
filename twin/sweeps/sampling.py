"""Which designs: points in the space of the parameters, the same for the same seed whenever they are asked for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

from twin.errors import StudyError
from twin.sweeps.parameters import Choice, Parameter
from twin.sweeps.sequences import MOST, Halton, Sobol, whole
from twin.sweeps.sequential import (
    Adaptive,
    Bayesian,
    Descent,
    Evolution,
    Optimiser,
    Sequential,
    Verification,
)

Floats = NDArray[np.float64]

_OPTIMISED: Final = (
    400  # designs up to which a Latin hypercube is spread out by trials, which takes their square
)


@final
@dataclass(frozen=True)
class Factorial:
    """All combinations. levels: of a Range, ends included; other parameters take all their values."""

    levels: int = 3

    def __post_init__(self) -> None:
        whole("levels", self.levels, 2, 1000)


@final
@dataclass(frozen=True)
class LatinHypercube:
    """The range of each parameter in `count` strata, one design in each."""

    count: int
    seed: int = 0

    def __post_init__(self) -> None:
        whole("count", self.count, 1, MOST)
        whole("seed", self.seed, 0, 2**63 - 1)


@final
@dataclass(frozen=True, init=False)
class Points:
    """A table of one's own. rows: a value of each parameter, in their order (of a choice the position of the word)."""

    rows: tuple[tuple[float, ...], ...]

    def __init__(self, rows: Sequence[Sequence[float]]) -> None:
        object.__setattr__(self, "rows", tuple(tuple(float(value) for value in row) for row in rows))
        if not self.rows:
            raise StudyError("The table of designs is empty.")
        if len(self.rows) > MOST:
            raise StudyError(f"The table has {len(self.rows):,} designs, more than {MOST:,}.")


Sampling = Factorial | LatinHypercube | Sobol | Halton | Points | Sequential
SAMPLINGS: Final = (
    Factorial, LatinHypercube, Sobol, Halton, Points, Adaptive, Evolution, Bayesian, Descent, Verification,
)  # fmt: skip


def table(parameters: Sequence[Parameter], columns: dict[str, Sequence[Any]]) -> Points:
    """A table by columns, one for each parameter; values as users write them."""
    names = [parameter.name for parameter in parameters]
    if set(columns) != set(names):
        raise StudyError(f"The table has the columns {', '.join(columns)}; it needs {', '.join(names)}.")
    if len({len(column) for column in columns.values()}) != 1:
        raise StudyError("The columns of the table are not of the same length.")
    return Points(
        list(zip(*(map(parameter.read, columns[parameter.name]) for parameter in parameters), strict=True))
    )


def size(sampling: Sampling, parameters: Sequence[Parameter]) -> int:
    """How many designs. Raises StudyError where they are more than a sweep can have, or rows of another length."""
    match sampling:
        case Factorial():
            count = math.prod(len(_levels(parameter, sampling.levels)) for parameter in parameters)
        case Points(rows):
            for index, row in enumerate(rows):
                _refuse_outside(parameters, index, row)
            count = len(rows)
        case _:
            count = sampling.count
    if count > MOST:
        raise StudyError(
            f"The sweep would have {count:,} designs, more than {MOST:,}: sample it, or split it."
        )
    return count


@lru_cache(maxsize=16)
def points(
    sampling: Factorial | LatinHypercube | Sobol | Halton | Points, parameters: tuple[Parameter, ...]
) -> Floats:
    """The designs (n, parameters); of a choice the position of the word."""
    match sampling:
        case Factorial(levels):
            axes = [_levels(parameter, levels) for parameter in parameters]
            return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(parameters))
        case Points(rows):
            return np.array(rows)
        case _:
            shares = _shares(sampling, len(parameters))
    return np.stack(
        [parameter.at(share) for parameter, share in zip(parameters, shares.T, strict=True)], axis=1
    )


def longer(samplings: Sequence[Sampling], count: int) -> list[Sampling]:
    """With so many more, as the last one goes on. Raises StudyError for one that doesn't."""
    *before, last = samplings
    if isinstance(last, Optimiser | Verification):  # it goes on; another one would begin anew
        return [*before, last.longer(count)]
    return [*samplings, following(last, count)]


def following(sampling: Sampling, count: int) -> Sampling:
    """So many more, as a sampling goes on. Raises StudyError for one that doesn't."""
    match sampling:
        case Sobol() | Halton():
            return replace(sampling, count=count, skip=sampling.skip + sampling.count)
        case LatinHypercube():
            return LatinHypercube(count, sampling.seed + 1)
        case Adaptive():
            return replace(sampling, count=count, initial=0)
    raise StudyError("All combinations, or a table, don't go on by themselves: say which designs come next.")


def _shares(sampling: LatinHypercube | Sobol | Halton, dimensions: int) -> Floats:
    """Points in the unit cube."""
    from scipy.stats import qmc  # takes a while to import; clients only name samplings

    match sampling:
        case LatinHypercube(count, seed):
            optimisation = "random-cd" if 2 < count <= _OPTIMISED and dimensions > 1 else None
            return qmc.LatinHypercube(dimensions, optimization=optimisation, rng=seed).random(count)
        case Sobol(count, seed, skip):
            whole = qmc.Sobol(dimensions, rng=seed).random_base2(math.ceil(math.log2(max(skip + count, 1))))
            return whole[skip : skip + count]
        case Halton(count, seed, skip):
            return qmc.Halton(dimensions, rng=seed).random(skip + count)[skip:]


def _levels(parameter: Parameter, levels: int) -> Floats:
    if parameter.values is not None:
        return parameter.values
    spread = np.linspace(*parameter.bounds, levels)
    return spread if parameter.holds(spread).all() else np.unique(np.round(spread))


def _refuse_outside(parameters: Sequence[Parameter], index: int, row: Sequence[float]) -> None:
    if len(row) != len(parameters):
        raise StudyError(f"Design {index} has {len(row)} values, and there are {len(parameters)} parameters.")
    for parameter, value in zip(parameters, row, strict=True):
        if not parameter.holds(np.array(value)):
            low, high = parameter.bounds
            allowed = (
                f"a position from 0 to {high:.0f}"
                if isinstance(parameter, Choice)
                else f"{parameter.label(low)} to {parameter.label(high)}"
                if parameter.values is None
                else ", ".join(map(parameter.label, parameter.values[:20]))
            )
            raise StudyError(f"Design {index}: {parameter.name} is {value:g}, which is not one of {allowed}.")
