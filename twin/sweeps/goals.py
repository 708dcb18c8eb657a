"""What optimisers have in common: what is to be small, what is to be met, and parameters as shares of their ranges."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from twin.errors import StudyError
from twin.sweeps.expressions import Formula
from twin.sweeps.parameters import Parameter
from twin.sweeps.sequential import Optimiser
from twin.sweeps.space import Space

Floats = NDArray[np.float64]


def goals(
    space: Space, asked: Optimiser, points: Floats, columns: Mapping[str, Floats]
) -> tuple[Floats, Floats]:
    """What is to be small (n, objectives), NaN without an answer; how far each constraint is broken (n, k).

    Raises StudyError for an objective or a constraint that speaks of what no design has.
    """
    values = {**space.named(points), **columns}
    signs = {"min": 1.0, "max": -1.0}
    for name in asked.objectives:
        if name not in columns and columns:
            raise StudyError(
                f"No design has the quantity {name}, which is an objective; there are {', '.join(columns)}."
            )
    nothing = np.full(len(points), np.nan)
    objectives = [signs[how] * columns.get(name, nothing) for name, how in asked.objectives.items()]
    formulas = [Formula(text, comparison=True) for text in asked.subject_to]
    for formula in formulas:
        formula.check(values if columns else dict.fromkeys((*values, *formula.names)))
    broken = [np.broadcast_to(formula.violation(values), len(points)) for formula in formulas if columns]
    return np.stack(objectives, axis=1), np.stack(broken, axis=1) if broken else np.zeros(
        (len(points), len(formulas))
    )


def total_violation(broken: Floats) -> Floats:
    """How far all constraints are broken together (n,), zero where all are met."""
    total: Floats = np.maximum(broken, 0.0).sum(axis=1)
    return total


def shares(space: Space, points: Floats) -> Floats:
    """Points (n, p) in shares of the ranges, the middle of its own for each value of those that have some."""
    return np.stack(
        [_share(parameter, column) for parameter, column in zip(space.parameters, points.T, strict=True)],
        axis=1,
    )


def from_shares(space: Space, found: Floats) -> Floats:
    """Inverse of `shares`; what lies outside is moved to the nearest end."""
    below_one = np.clip(found, 0.0, 1.0 - 1e-12)
    return np.stack(
        [parameter.at(column) for parameter, column in zip(space.parameters, below_one.T, strict=True)],
        axis=1,
    )


def _share(parameter: Parameter, values: Floats) -> Floats:
    if parameter.values is not None:
        return (np.searchsorted(parameter.values, values) + 0.5) / len(parameter.values)
    low, high = parameter.bounds
    return (values - low) / (high - low)
