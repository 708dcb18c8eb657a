"""The most severe value of each quantity over several load cases."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

import numpy as np

from twin.quantities import Quantity

# Where small is severe. Of everything else it is the largest, of vectors the longest.
_SMALLEST: Final = frozenset(("safety_factor", "min_temperature"))


def envelope(cases: Mapping[str, Mapping[str, Quantity]]) -> dict[str, Quantity]:
    """Quantities by name, each of the case where it is worst; its note names that case where they differ."""
    if len(cases) == 1:
        return dict(next(iter(cases.values())))
    names = dict.fromkeys(name for quantities in cases.values() for name in quantities)
    return {name: _worst(name, {case: q[name] for case, q in cases.items() if name in q}) for name in names}


def worst_case(name: str, candidates: Mapping[str, Quantity]) -> str:
    """Of the quantities `name` of several cases the case where it is most severe."""
    pick: Callable[..., str] = min if name in _SMALLEST else max
    return pick(candidates, key=lambda key: float(np.linalg.norm(candidates[key].value)))


def _worst(name: str, candidates: Mapping[str, Quantity]) -> Quantity:
    case = worst_case(name, candidates)
    worst = candidates[case]
    if all(np.array_equal(worst.value, other.value) for other in candidates.values()):
        return worst
    return replace(worst, note=f"load case {case}{'; ' if worst.note else ''}{worst.note}")
