"""Shapes rounded up to a geometric series, so that parts of similar size share one compiled program."""

import math

import numpy as np
from jaxtyping import Shaped

GROWTH = 1.25


def bucket(count: int, multiple: int = 1, growth: float = GROWTH) -> int:
    """Smallest member of the series `multiple * growth**k`, rounded to `multiple`, that holds `count`."""
    if count <= multiple:
        return multiple
    exponent = math.ceil(math.log(count / multiple, growth) - 1e-9)
    return multiple * math.ceil(growth**exponent - 1e-9)


def pad(
    array: Shaped[np.ndarray, "n ..."], length: int, fill: float = 0, dtype: type | None = None
) -> Shaped[np.ndarray, "length ..."]:
    """`array`, of its own type or of another, with rows of `fill` appended up to `length` rows."""
    padded = np.empty((length, *array.shape[1:]), dtype or array.dtype)
    padded[: len(array)] = array
    padded[len(array) :] = fill
    return padded
