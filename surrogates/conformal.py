"""Bounds that hold for a given share of parts like those that they were calibrated on.

Split conformal prediction (Vovk, Gammerman & Shafer 2005; Lei et al. 2018): the scores of held-out parts are a sample
of the score of the next part, so its rank among them is uniform. What is scored is a whole part at once, hence a bound
on a field holds at all its points together. It is about parts drawn as those were, and says nothing about others.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Calibration:
    """scores: of each thing that is bounded, those of the held-out parts, rising (n,): error over what was expected."""

    scores: Mapping[str, Floats]

    def __post_init__(self) -> None:
        ranked = {name: np.sort(np.asarray(scores, np.float64)) for name, scores in self.scores.items()}
        object.__setattr__(self, "scores", ranked)

    def factor(self, name: str, coverage: float) -> float:
        """What the expected error is to be multiplied by; infinite where there are too few parts to say."""
        scores = self.scores[name]
        rank = math.ceil((len(scores) + 1) * coverage - 1e-9)
        return float(scores[rank - 1]) if 1 <= rank <= len(scores) else math.inf


def expected_coverage(parts: int, coverage: float, level: float = 0.9) -> tuple[float, float]:
    """Where the true coverage of one calibration lies with probability `level`: it is itself a draw, from Beta.

    Vovk 2012, Proposition 2a.
    """
    rank = math.ceil((parts + 1) * coverage - 1e-9)
    if rank > parts:
        return coverage, 1.0
    tail = (1 - level) / 2
    low, high = beta.ppf([tail, 1 - tail], rank, parts + 1 - rank)
    return float(low), float(high)
