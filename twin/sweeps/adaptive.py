"""Designs where least is known: each batch where Gaussian processes on those before are least sure.

Greedy maximum of the posterior variance, which falls with each design that is chosen before its value is known (Krause,
Singh & Guestrin, J. Mach. Learn. Res. 9, 2008). The same journal, the same designs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.errors import StudyError
from twin.sweeps import emulator, sampling
from twin.sweeps.emulator import encoded
from twin.sweeps.sequences import Sobol
from twin.sweeps.sequential import Adaptive
from twin.sweeps.space import Space

Floats = NDArray[np.float64]

_CANDIDATES: Final = 1024
_KNOWN: Final = 2000  # designs that count as known, the latest: cost goes with their cube
_NUGGET: Final = 1e-8  # of the variance: what keeps a factorisation sound


def propose(
    space: Space, asked: Adaptive, points: Floats, columns: Mapping[str, Floats], count: int
) -> Floats:
    """The next designs (count, p).

    points: all before (n, p); columns: what was found (n,) by name, NaN where a design has none; of these the ones
    asked for, or all, count alike. Raises StudyError for a quantity that is asked for and not found.
    """
    for name in asked.quantities:
        if columns and name not in columns:
            raise StudyError(
                f"No design has the quantity {name}, by which others are to be chosen; there are "
                f"{', '.join(columns)}."
            )
    rest = _candidates(space, asked, points)
    wished = asked.quantities or tuple(columns)
    fitted = [emulator.fit(space, points, columns[name], asked.seed) for name in wished if name in columns]
    kernels = [one.process.kernel_ for one in fitted if one is not None]
    if not kernels:
        return rest[:count]
    chosen: list[int] = []
    # of designs without an answer too: to ask beside them once more would tell as little
    known, open_ones = encoded(space, points[-_KNOWN:]), encoded(space, rest)
    residues = [conditioned(kernel, known, open_ones) for kernel in kernels]
    for _ in range(min(count, len(rest))):
        unsure = np.sum([np.diag(residue) / np.diag(residue).max() for residue in residues], axis=0)
        unsure[chosen] = -np.inf
        best = int(unsure.argmax())
        chosen.append(best)
        for residue in residues:  # as if its value were known
            residue -= np.outer(residue[:, best], residue[best]) / (residue[best, best] + _NUGGET)
    return rest[chosen]


def _candidates(space: Space, asked: Adaptive, points: Floats) -> Floats:
    """Designs that could come next: of a sequence, without those that break a constraint or were before."""
    found = sampling.points(Sobol(_CANDIDATES, asked.seed + 1, len(points)), space.parameters)
    before = {tuple(point) for point in points.tolist()}
    kept = [point for point in found if tuple(point.tolist()) not in before and not space.broken(point)]
    return np.array(kept) if kept else found


def conditioned(kernel: object, known: Floats, unknown: Floats) -> Floats:
    """Covariance of the unknown given the known, in units of the process's variance."""
    assert callable(kernel)
    own, cross, others = kernel(known), kernel(known, unknown), kernel(unknown)
    own = own + _NUGGET * np.trace(own) / len(own) * np.eye(len(own))
    covariance: Floats = others - cross.T @ np.linalg.solve(own, cross)
    return covariance / np.diag(others).mean()
