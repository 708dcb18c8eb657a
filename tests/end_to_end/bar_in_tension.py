"""The part of the end-to-end tests."""

from __future__ import annotations

import numpy as np

import twin

SIZE = (0.1, 0.02, 0.01)
"""Edges of the bar, along x, y, z [m]; a corner lies at the origin."""


def face(axis: int, place: float) -> twin.select.Plane:
    """The face of the bar where the coordinate `axis` is `place`."""
    point, normal = np.zeros(3), np.zeros(3)
    point[axis], normal[axis] = place, 1.0
    return twin.select.plane(point, normal)
