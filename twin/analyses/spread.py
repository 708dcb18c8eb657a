"""Points spread over a selection, for what is drawn on it."""

import numpy as np
from numpy.typing import NDArray

from twin.geometry.selection import Selection

Floats = NDArray[np.float64]

MOST = 60  # glyphs of one support or load


def spread(selection: Selection) -> tuple[Floats, Floats]:
    """Points (k, 3) [m] spread by area, and normals (k, 3) there."""
    reached = (np.arange(MOST) + 0.5) / MOST * selection.area
    places = np.searchsorted(np.cumsum(selection.areas), reached).clip(0, len(selection.areas) - 1)
    chosen = np.unique(places)
    return selection.triangles[chosen].mean(1), selection.normals[chosen]
