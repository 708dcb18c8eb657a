"""Designs where an improvement is most to be expected, by Gaussian processes of the objective and of the constraints.

Expected improvement (Jones, Schonlau & Welch, J. Global Optim. 13, 1998) times the probability that the constraints are
met (Gardner et al., ICML 2014). What is being computed counts as if it came out as predicted, but no better than the
best (kriging believer, Ginsbourger, Le Riche & Carraro 2010); so does what has no answer, which would be proposed again
and again else. The same journal, the same designs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.errors import StudyError
from twin.sweeps import emulator, sampling
from twin.sweeps.emulator import Emulator
from twin.sweeps.goals import from_shares, goals, shares, total_violation
from twin.sweeps.sequences import Sobol
from twin.sweeps.sequential import Bayesian
from twin.sweeps.space import Space

Floats = NDArray[np.float64]

_FEWEST: Final = 3  # designs that a process is made of
_CANDIDATES: Final = 1024  # of a sequence, that are looked at first
_NEAR: Final = (0.1, 0.03, 0.01, 0.003)  # of the ranges: steps around the best of those, one after the other
_AROUND: Final = 8, 24  # how many are stepped from, and how often


def propose(
    space: Space, asked: Bayesian, points: Floats, columns: Mapping[str, Floats], count: int
) -> Floats:
    """The next designs (count, p).

    points: the designs before (n, p); columns: what was found (n,), NaN where nothing is known. Raises StudyError for
    an objective or a constraint that speaks of what no design has, and where nothing is left to try.
    """
    objectives, broken = goals(space, asked, points, columns)
    objective = objectives[:, 0]
    answered = np.isfinite(objective)
    if not answered.any():
        raise StudyError("None of the first designs has an answer to go on from.")
    # of a constraint that is no number nothing is known but that it is not met
    broken = np.clip(np.nan_to_num(broken, nan=1.0, posinf=1.0, neginf=-1.0), -2.0, 2.0)
    allowed = answered & (total_violation(broken) == 0)
    best = objective[allowed].min() if allowed.any() else None
    fits = [
        emulator.fit(space, points[answered], values[answered], asked.seed, _FEWEST)
        for values in (objective, *broken.T)
    ]
    chosen, found = points, np.column_stack([objective, broken])
    found[~answered] = _believed(fits, points[~answered], best)
    for _ in range(count):
        latest = slice(max(0, len(chosen) - emulator.MOST), None)  # cost goes with their cube
        models = [
            None if fit is None else fit.given(chosen[latest], found[latest, column])
            for column, fit in enumerate(fits)
        ]
        chosen = np.vstack([chosen, _best(space, asked, models, best, chosen)])
        found = np.vstack([found, _believed(models, chosen[-1:], best)])
    return chosen[len(points) :]


def _believed(models: Sequence[Emulator | None], points: Floats, best: float | None) -> Floats:
    """What designs (n, p) are taken to have found (n, 1 + constraints) before they have."""
    if not len(points):
        return np.zeros((0, len(models)))
    columns = [np.zeros(len(points)) if model is None else model(points) for model in models]
    if best is not None:
        columns[0] = np.maximum(columns[0], best)
    return np.stack(columns, axis=1)


def _best(
    space: Space,
    asked: Bayesian,
    models: Sequence[Emulator | None],
    best: float | None,
    before: Floats,
) -> Floats:
    """The design (p,) from which most is to be expected."""
    rng = np.random.default_rng((asked.seed, len(before)))
    taken = {tuple(point) for point in before.tolist()}

    def new(points: Floats) -> Floats:
        kept = [point for point in points if tuple(point.tolist()) not in taken and not space.broken(point)]
        return np.array(kept).reshape(-1, points.shape[1])

    candidates = new(sampling.points(Sobol(_CANDIDATES, asked.seed + 1, len(before)), space.parameters))
    if not len(candidates):
        raise StudyError(f"Bayesian optimisation finds no design that is not among the {len(before)} before.")
    for step in _NEAR:
        order = np.argsort(-_score(models, best, candidates), kind="stable")
        near = np.repeat(shares(space, candidates[order[: _AROUND[0]]]), _AROUND[1], axis=0)
        moved = new(from_shares(space, near + step * rng.standard_normal(near.shape)))
        candidates = np.vstack([candidates[order[: _AROUND[0]]], moved])
    winner: Floats = candidates[_score(models, best, candidates).argmax()]
    return winner


def _score(models: Sequence[Emulator | None], best: float | None, points: Floats) -> Floats:
    """Logarithm of what is to be expected of points (n, p): an improvement, if anything is allowed yet."""
    from scipy.stats import norm

    objective, *constraints = models
    score = np.zeros(len(points))
    for model in constraints:
        if model is not None:
            mean, deviation = model.spread(points)
            score += norm.logcdf(-mean / np.maximum(deviation, 1e-12))
    if best is not None and objective is not None:
        mean, deviation = objective.spread(points)
        deviation = np.maximum(deviation, 1e-12)
        z = (best - mean) / deviation
        score += np.log(np.maximum(deviation * (z * norm.cdf(z) + norm.pdf(z)), 1e-300))
    return score
