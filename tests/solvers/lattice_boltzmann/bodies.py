"""Bodies whose surface is known exactly, between the cells of a box."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from solvers.lattice_boltzmann.velocities import VelocitySet
from solvers.lattice_boltzmann.walls import Links


def ball(
    velocities: VelocitySet,
    shape: Sequence[int],
    centre: Sequence[float],
    radius: float,
    axes: Sequence[int] = (0, 1, 2),
) -> tuple[NDArray[np.bool_], Links]:
    """What is solid, and the links that its surface cuts. axes: across which it is round; two make it a cylinder."""
    chosen = np.isin(np.arange(3), axes)
    cells = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
    away = (cells - np.asarray(centre, float)) * chosen
    beyond = (away**2).sum(axis=-1) - radius**2
    found = []
    for i, direction in enumerate(velocities.directions):
        back = -np.array(direction) * chosen
        if not back.any():
            continue
        a, b = back @ back, away @ back
        root = b**2 - a * beyond
        along = np.where(root > 0, (-b - np.sqrt(np.maximum(root, 0))) / a, 2.0)
        cut = np.argwhere((beyond > 0) & (along > 0) & (along <= 1))
        found.append((cut, np.full(len(cut), i), along[tuple(cut.T)]))
    cell, velocity, distance = (np.concatenate(each) for each in zip(*found, strict=True))
    return beyond <= 0, Links(cell, velocity, distance)
