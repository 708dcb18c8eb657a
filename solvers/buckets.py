"""Shapes rounded up to a geometric series, so that parts of similar size share one compiled program.

One count of a part, its elements or cells, names its bucket. The lengths of all other arrays follow from that bucket as
they do for most parts, so that parts of one bucket agree in them too.
"""

import math

import numpy as np
from jaxtyping import Shaped

GROWTH = 1.25
STEP = 1.5  # between the lengths of an array that parts of one bucket may have


def bucket(count: int, multiple: int = 1, growth: float = GROWTH) -> int:
    """Smallest member of the series `multiple * growth**k`, rounded to `multiple`, that holds `count`."""
    if count <= multiple:
        return multiple
    exponent = math.ceil(math.log(count / multiple, growth) - 1e-9)
    members = (multiple * math.ceil(growth**k - 1e-9) for k in (exponent - 1, exponent))
    return next(member for member in members if member >= count)  # rounding may lift the one below so far


def companion(count: int, usual: float, multiple: int = 1) -> int:
    """Rows of an array that goes with a bucket: what is `usual` in it, and half as many again until `count` fit."""
    exponent = max(0, math.ceil(math.log(max(count, 1) / usual, STEP) - 1e-9))
    return multiple * math.ceil(max(usual * STEP**exponent, count) / multiple - 1e-9)


def evenly(count: int, most: int, multiple: int) -> tuple[int, int]:
    """How many parts of at most `most` rows hold `count`, and the rows of each, a multiple; `most` is one too."""
    parts = -(-count // most)
    return parts, multiple * -(-count // (parts * multiple))


def pad(
    array: Shaped[np.ndarray, "n ..."], length: int, fill: float = 0, dtype: type | None = None
) -> Shaped[np.ndarray, "length ..."]:
    """`array`, of its own type or of another, with rows of `fill` appended up to `length` rows."""
    padded = np.empty((length, *array.shape[1:]), dtype or array.dtype)
    padded[: len(array)] = array
    padded[len(array) :] = fill
    return padded
