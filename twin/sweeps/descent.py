"""Designs along the slopes: sequential quadratic programming (Kraft, SLSQP, 1988) as SciPy has it.

Its state is not kept: it is run again over the journal until it asks for a design, or for slopes, that are not there
yet. Where a step ends at a design without an answer it begins again from the best so far, in a box of half the step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from twin.errors import StudyError
from twin.sweeps.expressions import Formula
from twin.sweeps.goals import from_shares, goals, shares
from twin.sweeps.sequential import Descent
from twin.sweeps.space import Space

Floats = NDArray[np.float64]
Slopes = Callable[[int], Mapping[str, Floats] | None]

_SAME: Final = 1e-9  # of the ranges
_ALIKE: Final = 1e-4  # of the ranges: what is nearer differs by less than meshes do
_LATEST: Final = 3  # designs that are alike before it ends
_STEP: Final = 1e-6  # relative, of arithmetic that is differentiated by differences
_NEAREST: Final = 1e-3  # of the ranges: half the box within which a step is given up
_TOLERANCE: Final = 1e-6  # of the objective over its first value
_MARGIN: Final = 1e-5  # relative, to constraints of parameters: a design that breaks them has no answer
_MET: Final = 1e-3  # relative, of constraints at the end
_LINE_SEARCH: Final = 8  # SLSQP's word for an end where no step is better, as at a kink or within rounding


@final
@dataclass(frozen=True)
class Wanted:
    """What the next step needs: a design (p,), or the slopes of the one by this number."""

    point: Floats | None = None
    slopes_of: int | None = None


class _Missing(Exception):  # noqa: N818
    def __init__(self, wanted: Wanted) -> None:
        super().__init__()
        self.wanted = wanted


class _Unanswered(Exception):  # noqa: N818
    """A step ends where there is no answer."""

    def __init__(self, place: Floats) -> None:
        super().__init__()
        self.place = place


def propose(
    space: Space, asked: Descent, points: Floats, columns: Mapping[str, Floats], slopes: Slopes
) -> Wanted | None:
    """What is needed next, None where nothing better is to be had near.

    points: the designs before (n, p); columns: what was found (n,), NaN without an answer
    slopes: of the design by a number, each column's derivatives (p,) with respect to the parameters; None: not known
    Raises StudyError where the first design has no answer, or the constraints can't be met.
    """
    journal = _Journal(space, asked, points, columns, slopes)
    centre, radius = shares(space, points[:1])[0], 1.0
    try:
        while radius > _NEAREST:
            low, high = np.maximum(centre - radius, 0.0), np.minimum(centre + radius, 1.0)
            try:
                reached = _minimised(journal, asked, centre, np.stack([low, high], axis=1))
            except _Unanswered as unanswered:
                centre = journal.best
                radius = min(radius, np.abs(unanswered.place - centre).max()) / 2
                continue
            at_side = (np.abs(reached - centre) > 0.99 * radius) & (reached > _SAME) & (reached < 1 - _SAME)
            if not at_side.any():
                break
            centre = reached
    except _Missing as missing:
        if not journal.settled(missing.wanted):
            return missing.wanted
    broken = journal.broken(journal.best)
    if (broken > _MET).any():
        worst = journal.formulas[int(broken.argmax())].text
        raise StudyError(f"No design near meets {worst}: start elsewhere, or allow more.")
    return None


def _minimised(journal: _Journal, asked: Descent, start: Floats, bounds: Floats) -> Floats:
    """Where SLSQP ends within bounds (p, 2)."""
    from scipy.optimize import minimize

    constraints = [
        {
            "type": "ineq",
            "fun": lambda x, index=index: -journal.broken(x)[index],
            "jac": lambda x, index=index: -journal.slopes_of_broken(x)[index],
        }
        for index in range(len(journal.formulas))
    ]
    found = minimize(
        journal.objective, start, jac=journal.slopes_of_objective, bounds=bounds, constraints=constraints,
        method="SLSQP", options={"ftol": _TOLERANCE, "maxiter": 10 * asked.count},
    )  # fmt: skip
    if not found.success and found.status != _LINE_SEARCH:
        raise StudyError(
            f"The descent can't go on from here ({found.message}): start elsewhere, or allow more."
        )
    reached: Floats = found.x
    return reached


class _Journal:
    """The journal as functions of shares of the ranges (p,)."""

    def __init__(
        self,
        space: Space,
        asked: Descent,
        points: Floats,
        columns: Mapping[str, Floats],
        slopes: Slopes,
    ) -> None:
        self._space, self._points, self._columns, self._slopes = space, points, columns, slopes
        self._places = shares(space, points)
        self._name, how = next(iter(asked.objectives.items()))
        values, _ = goals(space, asked, points, columns)
        if not np.isfinite(values[0, 0]):
            raise StudyError(
                "The first design has no answer, so nothing can be said of what is better: start elsewhere."
            )
        self._values = values[:, 0] / max(abs(values[0, 0]), 1e-300)
        self._sign = (1.0 if how == "min" else -1.0) / max(abs(values[0, 0]), 1e-300)
        self.formulas = [
            *(Formula(text, comparison=True) for text in asked.subject_to),
            *space.constraints,
        ]
        self._margins = np.array([0.0] * len(asked.subject_to) + [_MARGIN] * len(space.constraints))
        self._widths = np.array([np.ptp(parameter.bounds) for parameter in space.parameters])

    @property
    def best(self) -> Floats:
        """The place of the best design with an answer: of those that break constraints the one that does so least."""
        answered = np.flatnonzero(np.isfinite(self._values))
        broken = [max(self.broken(self._places[index]).max(initial=0.0) - _MET, 0.0) for index in answered]
        place: Floats = self._places[answered[np.lexsort((self._values[answered], broken))[0]]]
        return place

    def settled(self, wanted: Wanted) -> bool:
        """Do the latest designs, and the one that is wanted, differ from the best by less than answers are good for?"""
        if wanted.point is None or len(self._places) < _LATEST:
            return False
        latest = np.vstack([self._places[1 - _LATEST :], shares(self._space, wanted.point[None])])
        return bool((np.abs(latest - self.best) < _ALIKE).all())

    def objective(self, x: Floats) -> float:
        return float(self._values[self._at(x)])

    def slopes_of_objective(self, x: Floats) -> Floats:
        return self._sign * self._slopes_at(self._at(x))[self._name] * self._widths

    def broken(self, x: Floats) -> Floats:
        """How far constraints are from being met (k,), 0 or less where they are."""
        values = self._named(self._at(x))
        return np.array([float(formula.violation(values)) for formula in self.formulas]) + self._margins

    def slopes_of_broken(self, x: Floats) -> Floats:
        """(k, p)."""
        index = self._at(x)
        values, slopes = self._named(index), None
        rows = []
        for formula in self.formulas:
            row = np.zeros(len(self._widths))
            for name in formula.names:
                by_value = _difference(formula, values, name)
                if name in self._space.numbers:
                    row[self._space.numbers[name]] += by_value
                else:
                    slopes = self._slopes_at(index) if slopes is None else slopes
                    row += by_value * slopes[name]
            rows.append(row * self._widths)
        return np.array(rows)

    def _named(self, index: int) -> dict[str, float]:
        found = {name: float(column[index]) for name, column in self._columns.items()}
        return {**{name: float(v) for name, v in self._space.named(self._points[index]).items()}, **found}

    def _slopes_at(self, index: int) -> Mapping[str, Floats]:
        found = self._slopes(index)
        if found is None:
            raise _Missing(Wanted(slopes_of=index))
        return found

    def _at(self, x: Floats) -> int:
        """The number of the design there."""
        near = np.flatnonzero(np.abs(self._places - np.clip(x, 0, 1)).max(axis=1) < _SAME)
        if not len(near):
            raise _Missing(Wanted(point=from_shares(self._space, x[None])[0]))
        if not np.isfinite(self._values[near[0]]):
            raise _Unanswered(x)
        return int(near[0])


def _difference(formula: Formula, values: Mapping[str, float], name: str) -> float:
    step = _STEP * max(abs(values[name]), 1e-12)
    above, below = ({**values, name: values[name] + sign * step} for sign in (1, -1))
    return (float(formula.violation(above)) - float(formula.violation(below))) / (2 * step)
