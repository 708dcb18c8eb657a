"""How far off numbers are that were found on cells of a finite size."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


_WIDTH: Final = 0.05  # of a cell, to which it is known how far walls are from each other


def of_cells(sizes: Sequence[float], values: Sequence[Floats], least: Floats) -> Floats:
    """Of numbers (k,) found on ever smaller cells, how far off the last ones may be; infinite where there is one.

    The error falls at least with the size of cells, so that it is the change since the size before over what the size
    has changed. One small change may be chance: half of what the one before it says counts too, and it is no less than
    `least` (k,).
    """
    if len(sizes) < 2:
        return np.full_like(values[-1], np.inf)
    found, finest = least.copy(), sizes[-1]
    trust = (*[0.5] * (len(sizes) - 2), 1.0)
    for coarse, fine, before, after, share in zip(sizes, sizes[1:], values, values[1:], trust, strict=False):
        change = np.abs(after - before)
        found = np.maximum(found, share * change / (coarse / fine - 1) * finest / fine)
    return found


def of_walls(across: float) -> float:
    """Share of a force or a loss that is not known since cells tell no better where walls are: as much as it changes an
    area that has so many cells across.
    """
    return 2 * _WIDTH / across
