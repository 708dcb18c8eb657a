"""Designs by evolution: each generation from the best of those before, by NSGA-II as pymoo has it.

Deb, Pratap, Agarwal & Meyarivan, A fast and elitist multiobjective genetic algorithm, IEEE TEC 6, 2002;
of designs that break constraints the one that breaks them less is better. The state of the algorithm is not kept: it is
run again over the journal, which gives the same generations again. Designs without an answer have no offspring, and no
penalty either.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.errors import StudyError
from twin.sweeps.expressions import Formula
from twin.sweeps.parameters import Parameter
from twin.sweeps.sampling import Evolution
from twin.sweeps.space import Space

Floats = NDArray[np.float64]


def propose(
    space: Space, asked: Evolution, points: Floats, columns: Mapping[str, Floats], count: int
) -> Floats:
    """The next designs (count, p) of the generation that is begun, or of the next one.

    points: the designs before (n, p); columns: what was found (n,). Raises StudyError for an objective or a constraint
    that speaks of what no design has, and where nothing is left to try.
    """
    from pymoo.core.population import Population

    objectives, broken = goals(space, asked, points, columns)
    algorithm = _algorithm(
        asked, len(space.parameters), broken.shape[1], shares(space, points[: asked.population])
    )
    algorithm.ask()  # the first generation is the journal's, whatever the algorithm makes of it
    begin, generation, parents = 0, min(asked.population, len(points)), 0
    while True:
        if begin:
            offspring = algorithm.ask()
            if offspring is None or not len(offspring):
                raise StudyError(f"Evolution finds no design that is not among the {len(points)} before.")
            generation = len(offspring)
            if begin + generation > len(points):
                rest: Floats = np.array(offspring[len(points) - begin :].get("X"), float)
                return _points(space, rest[:count])
        own = np.arange(begin, begin + generation)
        answered = own[np.isfinite(objectives[own]).all(axis=1)]
        parents += len(answered)
        if not parents:
            raise StudyError("No design of the first generation has an answer to go on from.")
        if len(answered):
            # of the journal throughout: where a design got its answer late, the replay would have had other offspring
            told = Population.new(
                X=shares(space, points[answered]), F=objectives[answered], G=broken[answered]
            )
            algorithm.tell(infills=told)
        begin += generation


def goals(
    space: Space, asked: Evolution, points: Floats, columns: Mapping[str, Floats]
) -> tuple[Floats, Floats]:
    """What is to be small (n, objectives), NaN without an answer; how far each constraint is broken (n, k)."""
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


def shares(space: Space, points: Floats) -> Floats:
    """Points (n, p) in shares of the ranges, the middle of its own for each value of those that have some."""
    return np.stack(
        [_share(parameter, column) for parameter, column in zip(space.parameters, points.T, strict=True)],
        axis=1,
    )


def _share(parameter: Parameter, values: Floats) -> Floats:
    if parameter.values is not None:
        return (np.searchsorted(parameter.values, values) + 0.5) / len(parameter.values)
    low, high = parameter.bounds
    return (values - low) / (high - low)


def _points(space: Space, found: Floats) -> Floats:
    below_one = np.clip(found, 0.0, 1.0 - 1e-12)
    return np.stack(
        [parameter.at(column) for parameter, column in zip(space.parameters, below_one.T, strict=True)],
        axis=1,
    )


def _algorithm(asked: Evolution, dimensions: int, constraints: int, first: Floats) -> Any:
    from pymoo.algorithms.moo.nsga2 import NSGA2
    from pymoo.core.problem import Problem

    problem = Problem(n_var=dimensions, n_obj=len(asked.objectives), n_ieq_constr=constraints, xl=0.0, xu=1.0)
    algorithm = NSGA2(pop_size=asked.population, sampling=first)
    algorithm.setup(problem, seed=asked.seed, termination=("n_gen", 1 << 30), verbose=False)
    return algorithm
