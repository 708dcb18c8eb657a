"""The best that was found by previews, to be solved in earnest.

Where both answers are known, their quotient (their difference, where signs vary) corrects those of previews, by
inverse distance between the designs (Shepard, Proc. ACM Nat. Conf., 1968): what looked good by an error of the preview
is passed over for the next best, and an optimiser that goes on goes by what is corrected.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from twin.errors import StudyError
from twin.sweeps.goals import goals, shares, total_violation
from twin.sweeps.sequential import Optimiser
from twin.sweeps.space import Space
from twin.sweeps.statistics import pareto

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_SAME: Final = 1e-12  # of the ranges


def corrected(
    space: Space, points: Floats, columns: Mapping[str, Floats], previews: Bools
) -> dict[str, Floats]:
    """What is to be expected of designs (n,) where it is not known: previews by those that were verified.

    points: the designs (n, p); columns: what was found (n,), NaN without an answer; previews: which were (n,)
    """
    pairs = _pairs(points, previews)
    weights = _weights(shares(space, points), pairs[:, 0])
    return {name: _corrected(column, previews, pairs, weights) for name, column in columns.items()}


def propose(
    space: Space, goal: Optimiser, points: Floats, columns: Mapping[str, Floats], previews: Bools, count: int
) -> Floats | None:
    """At most `count` of the previewed designs (k, p); None where none of them is expected to be better.

    points: the designs before (n, p); columns: as of `corrected`; previews: which were (n,). Raises StudyError where no
    preview has an answer.
    """
    objectives, broken = goals(space, goal, points, columns)
    violation = total_violation(broken)
    answered = np.isfinite(objectives).all(axis=1) & np.isfinite(violation)
    unanswered = {tuple(point) for point in points[~previews & ~answered].tolist()}
    verified = {tuple(point) for point in points[~previews].tolist()}
    left = np.flatnonzero(previews & answered)
    if not len(left):
        raise StudyError("No preview has an answer, so there is nothing to verify.")
    left = left[np.sort(np.unique(points[left], axis=0, return_index=True)[1])]
    left = left[[tuple(point) not in unanswered for point in points[left].tolist()]]
    chosen: list[int] = []
    while len(left) and len(chosen) < count:
        front = _front(objectives[left], violation[left])
        new = [index for index in left[front] if tuple(points[index].tolist()) not in verified]
        if not new and not chosen:
            return None  # the best of all are known already
        spread = np.linspace(0, len(new) - 1, min(count - len(chosen), len(new))).round().astype(int)
        chosen += [new[position] for position in spread]
        left = np.delete(left, front)
    return points[chosen] if chosen else None


def _front(objectives: Floats, violation: Floats) -> NDArray[np.intp]:
    """The positions of those that no other one beats, in the order of the first objective.

    Where none meets the constraints, of the one that breaks them least.
    """
    order = np.lexsort((objectives[:, 0], np.maximum(violation, 0.0)))
    met = order[violation[order] <= 0]
    if not len(met) or objectives.shape[1] == 1:
        return order[:1]
    return met[pareto(objectives[met])]


def _pairs(points: Floats, previews: Bools) -> NDArray[np.intp]:
    """Designs that are the same, as a preview and in earnest (m, 2)."""
    first = {tuple(points[index].tolist()): index for index in np.flatnonzero(previews)[::-1]}
    both = ((first.get(tuple(points[index].tolist())), index) for index in np.flatnonzero(~previews))
    return np.array([pair for pair in both if pair[0] is not None], np.intp).reshape(-1, 2)


def _weights(places: Floats, known: NDArray[np.intp]) -> Floats:
    """By inverse square distance of places (n, p) to those that are known (n, m)."""
    distances: Floats = cdist(places, places[known])
    return 1.0 / np.maximum(distances, _SAME) ** 2


def _corrected(column: Floats, previews: Bools, pairs: NDArray[np.intp], weights: Floats) -> Floats:
    """What is to be expected of previews (n,) by the designs that have both answers."""
    use = np.isfinite(column[pairs]).all(axis=1)
    if not use.any():
        return column
    before, after = column[pairs[use]].T
    known = column[np.isfinite(column)]
    by_quotient = bool((known > 0).all() or (known < 0).all())
    off = after / before if by_quotient else after - before
    expected = (weights[:, use] * off).sum(axis=1) / weights[:, use].sum(axis=1)
    return np.where(previews, column * expected if by_quotient else column + expected, column)
