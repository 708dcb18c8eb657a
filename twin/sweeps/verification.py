"""The best that was found by previews, to be solved in earnest.

Where both answers are known, their quotient (their difference, where signs vary) corrects those of previews, by
inverse distance between the designs (Shepard, Proc. ACM Nat. Conf., 1968): what looked good by an error of the preview
is passed over for the next best.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.errors import StudyError
from twin.sweeps.goals import goals, shares, total_violation
from twin.sweeps.sequential import Optimiser
from twin.sweeps.space import Space
from twin.sweeps.statistics import pareto

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_SAME: Final = 1e-12  # of the ranges


def propose(
    space: Space, goal: Optimiser, points: Floats, columns: Mapping[str, Floats], previews: Bools, count: int
) -> Floats | None:
    """At most `count` of the previewed designs (k, p); None where none of them is expected to be better.

    points: the designs before (n, p); columns: what was found (n,), NaN without an answer; previews: which were (n,).
    Raises StudyError where no preview has an answer.
    """
    places = shares(space, points)
    corrected = {name: _corrected(places, column, previews) for name, column in columns.items()}
    objectives, broken = goals(space, goal, points, corrected)
    violation = total_violation(broken)
    candidates = np.flatnonzero(previews & np.isfinite(objectives).all(axis=1) & np.isfinite(violation))
    if not len(candidates):
        raise StudyError("No preview has an answer, so there is nothing to verify.")
    _, first = np.unique(points[candidates], axis=0, return_index=True)
    candidates = candidates[np.sort(first)]
    unanswered = {tuple(point) for point in points[~previews & ~np.isfinite(objectives).all(axis=1)].tolist()}
    verified = {tuple(point) for point in points[~previews].tolist()}
    left = np.array([index for index in candidates if tuple(points[index].tolist()) not in unanswered], int)
    chosen: list[int] = []
    while len(left) and len(chosen) < count:
        front = _front(objectives[left], violation[left])
        new = [index for index in left[front] if tuple(points[index].tolist()) not in verified]
        if not new and not chosen:
            return None  # the best of all are known already
        new.sort(key=lambda index: (objectives[index, 0], index))
        spread = np.linspace(0, len(new) - 1, min(count - len(chosen), len(new))).round().astype(int)
        chosen += [new[position] for position in spread]
        left = left[~front]
    return points[chosen] if chosen else None


def _front(objectives: Floats, violation: Floats) -> Bools:
    """Those that no other one beats, of designs that meet the constraints; if none does, the one that is nearest."""
    met = violation <= 0
    if not met.any():
        nearest: Bools = np.arange(len(violation)) == int(violation.argmin())
        return nearest
    front = np.zeros(len(violation), bool)
    front[met] = pareto(objectives[met])
    return front


def _corrected(places: Floats, column: Floats, previews: Bools) -> Floats:
    """What is to be expected of previews (n,) by the designs that have both answers."""
    pairs = [
        (before, index)
        for index in np.flatnonzero(~previews & np.isfinite(column))
        for before in np.flatnonzero(
            previews & np.isfinite(column) & (np.abs(places - places[index]).max(axis=1) <= _SAME)
        )[:1]
    ]
    if not pairs:
        return column
    before, after = np.array(pairs).T
    known = column[np.isfinite(column)]
    by_quotient = bool((known > 0).all() or (known < 0).all())
    off = column[after] / column[before] if by_quotient else column[after] - column[before]
    distances = np.linalg.norm(places[:, None] - places[before], axis=-1)
    weights = 1.0 / np.maximum(distances, _SAME) ** 2
    expected = (weights * off).sum(axis=1) / weights.sum(axis=1)
    return np.where(previews, column * expected if by_quotient else column + expected, column)
