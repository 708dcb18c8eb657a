"""Low-discrepancy sequences of designs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np

from twin.errors import StudyError

MOST: Final = 100_000  # designs in a sweep


@final
@dataclass(frozen=True)
class Sobol:
    """The scrambled sequence of Sobol' (Owen 1998): as evenly as can be, most so where `count` is a power of 2.

    skip: how many of the sequence come before
    """

    count: int
    seed: int = 0
    skip: int = 0

    def __post_init__(self) -> None:
        sequence(self.count, self.seed, self.skip)


@final
@dataclass(frozen=True)
class Halton:
    """The scrambled sequence of Halton, even for any `count`, in a few dimensions. skip: as of Sobol."""

    count: int
    seed: int = 0
    skip: int = 0

    def __post_init__(self) -> None:
        sequence(self.count, self.seed, self.skip)


def sequence(count: int, seed: int, skip: int) -> None:
    whole("count", count, 1, MOST)
    whole("seed", seed, 0, 2**63 - 1)
    whole("skip", skip, 0, MOST)


def whole(what: str, value: Any, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= value <= high:
        raise StudyError(f"{what} is a whole number from {low} to {high}, not {value!r}.")
