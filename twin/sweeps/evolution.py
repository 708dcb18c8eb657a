"""Designs by evolution: offspring of the best of those before.

NSGA-II (Deb, Pratap, Agarwal & Meyarivan, IEEE TEC 6, 2002) as pymoo has it; CMA-ES (Hansen & Ostermeier, Evol. Comput.
9, 2001) as Hansen's own library has it. Of designs that break constraints the one that breaks them less is better. The
state of an algorithm is not kept: it is run again over the journal, which gives the same designs again. Designs without
an answer have no offspring, and no penalty either.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twin.errors import StudyError
from twin.sweeps.goals import from_shares, goals, shares, total_violation
from twin.sweeps.sequential import Evolution
from twin.sweeps.space import Space

Floats = NDArray[np.float64]

_STEP: Final = (
    0.25  # of the ranges: how far CMA-ES looks around the best design of the first generation, at first
)


def propose(
    space: Space, asked: Evolution, points: Floats, columns: Mapping[str, Floats], count: int
) -> Floats:
    """The next designs (count, p) of the batch that is begun, or of the next one.

    points: the designs before (n, p); columns: what was found (n,). Raises StudyError for an objective or a constraint
    that speaks of what no design has, and where nothing is left to try.
    """
    objectives, broken = goals(space, asked, points, columns)
    if asked.algorithm == "CMA-ES":
        return from_shares(space, _cma_es(asked, shares(space, points), objectives[:, 0], broken)[:count])
    return from_shares(space, _nsga_ii(asked, shares(space, points), objectives, broken)[:count])


def _nsga_ii(asked: Evolution, before: Floats, objectives: Floats, broken: Floats) -> Floats:
    """What is not planned yet of the offspring that come after designs (n, p)."""
    from pymoo.algorithms.moo.nsga2 import NSGA2
    from pymoo.core.population import Population
    from pymoo.core.problem import Problem

    problem = Problem(
        n_var=before.shape[1], n_obj=objectives.shape[1], n_ieq_constr=broken.shape[1], xl=0.0, xu=1.0
    )
    algorithm = NSGA2(
        pop_size=asked.population, n_offsprings=asked.batch, sampling=before[: asked.population]
    )
    algorithm.setup(problem, seed=asked.seed, termination=("n_gen", 1 << 30), verbose=False)
    algorithm.ask()  # the first generation is the journal's, whatever the algorithm makes of it
    answered = np.asarray(np.isfinite(objectives).all(axis=1))
    begin, told, parents = min(asked.population, len(before)), 0, 0
    while True:
        new = np.arange(told, asked.known(begin))
        new, told = new[answered[new]], asked.known(begin)
        parents += len(new)
        if not parents:
            raise StudyError("No design of the first generation has an answer to go on from.")
        if len(new):
            # of the journal throughout: where a design got its answer late, the replay would have had other offspring
            algorithm.tell(infills=Population.new(X=before[new], F=objectives[new], G=broken[new]))
        offspring = algorithm.ask()
        if offspring is None or not len(offspring):
            raise StudyError(f"Evolution finds no design that is not among the {len(before)} before.")
        if begin + len(offspring) > len(before):
            rest: Floats = np.array(offspring[len(before) - begin :].get("X"), float)
            return rest
        begin += len(offspring)


def _cma_es(asked: Evolution, before: Floats, objective: Floats, broken: Floats) -> Floats:
    """What is not planned yet of the generation that comes after designs (n, p).

    It goes by ranks alone, so constraints are part of the order; a design without an answer is the last.
    """
    import cma

    violation = np.where(np.isfinite(objective), total_violation(broken), np.inf)
    order = np.lexsort((np.where(np.isfinite(objective), objective, np.inf), violation))
    rank = np.empty(len(before))
    rank[order] = np.arange(len(before))
    size = asked.population
    first = int(rank[:size].argmin())
    if not np.isfinite(objective[:size]).any():
        raise StudyError("No design of the first generation has an answer to go on from.")
    options = {"seed": asked.seed + 1, "popsize": size, "bounds": [0.0, 1.0], "verbose": -9}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what it thinks of ranks and of repeated designs
        strategy: Any = cma.CMAEvolutionStrategy(before[first], _STEP, options)
        for begin in range(size, len(before) + 1, size):
            offspring: Floats = np.array(strategy.ask())
            if begin + size > len(before):
                return offspring[len(before) - begin :]
            strategy.tell(list(offspring), rank[begin : begin + size].tolist())
    raise AssertionError  # the journal has a first generation at least
