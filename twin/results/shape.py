"""Which case to show, and how far to show it deformed."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from twin.errors import InvalidInput
from twin.results.display import round_down
from twin.results.outcome import CaseOutcome, Outcome

Floats = NDArray[np.floating]
Deformation = float | Literal["auto"]

_VISIBLE_DEFORMATION = 0.06  # of the diagonal, what "auto" makes of the largest displacement


def case_name(outcome: Outcome, case: str | None) -> str:
    """The case asked for, or the only or worst one. Raises InvalidInput for an unknown one."""
    if case is None:
        return outcome.worst_case
    if case not in outcome.cases:
        raise InvalidInput(f"the result has no load case {case!r}; it has {', '.join(outcome.cases)}")
    return case


def deformation_factor(motion: Floats, points: Floats, deformation: Deformation) -> float:
    """Factor on the displacement (n, 3); "auto": the largest drawn as up to 6 % of the diagonal."""
    if deformation != "auto":
        if not np.isfinite(deformation):
            raise InvalidInput(f"deformation must be 'auto' or a finite factor, not {deformation}")
        return float(deformation)
    largest = float(np.linalg.norm(motion, axis=1).max(initial=0.0))
    diagonal = float(np.linalg.norm(np.ptp(points, axis=0)))
    if largest <= 1e-12 * diagonal:
        return 0.0
    wanted = _VISIBLE_DEFORMATION * diagonal / largest
    return 1.0 if wanted <= 1.0 else round_down(wanted)


def displacement(case: CaseOutcome, count: int) -> Floats:
    """(count, 3) at the nodes [m]; zero where the case has no such field."""
    if "displacement" not in case.fields:
        return np.zeros((count, 3))
    return np.asarray(case.fields["displacement"].values, dtype=np.float64)
