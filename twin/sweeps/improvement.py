"""Designs that teach a surrogate most: where it is expected to be furthest off, and nothing like it is known yet.

What it was off by at designs that it had not learned from makes a Gaussian process of the logarithm of its error over
the parameters. The next design is where the expected error, times the share of it that the designs before leave
unsure, is largest; each one chosen counts as known for the ones after.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.errors import FailedPrecondition
from twin.sweeps import emulator, sampling
from twin.sweeps.adaptive import conditioned
from twin.sweeps.emulator import encoded
from twin.sweeps.sequences import Sobol
from twin.sweeps.space import Space

Floats = NDArray[np.float64]

_CANDIDATES: Final = 1024
_LEAST: Final = 1e-6  # error: below it all is alike


def propose(space: Space, points: Floats, errors: Floats, count: int, seed: int = 0) -> Floats:
    """The next designs (count, p).

    points: all before (n, p); errors (n,): relative, of the surrogate; NaN where it learned from a design, or none is
    known. Raises FailedPrecondition for fewer than `emulator.FEWEST` known ones.
    """
    fitted = emulator.fit(space, points, np.log(np.maximum(errors, _LEAST)), seed)
    if fitted is None:
        known = int(np.isfinite(errors).sum())
        raise FailedPrecondition(
            f"The surrogate was tested on {known} designs of this sweep, and {emulator.FEWEST} are needed to tell "
            "where it is off: train it on this sweep, or extend the sweep by more designs of its own sampling.",
            {"tested": known, "needed": emulator.FEWEST},
        )
    found = sampling.points(Sobol(_CANDIDATES, seed + 1, len(points)), space.parameters)
    before = {tuple(point) for point in points.tolist()}
    rest = np.array([p for p in found if tuple(p.tolist()) not in before and not space.broken(p)])
    if len(rest) == 0:
        raise FailedPrecondition("No design is left in this sweep's space that meets its constraints.")
    mean, deviation = fitted.spread(rest)
    expected = np.exp(mean + deviation**2 / 2)  # of a number whose logarithm is normal
    residue = conditioned(fitted.process.kernel_, encoded(space, points), encoded(space, rest))
    chosen: list[int] = []
    for _ in range(min(count, len(rest))):
        gain = expected * np.sqrt(np.maximum(np.diag(residue), 0.0))
        gain[chosen] = -np.inf
        best = int(gain.argmax())
        chosen.append(best)
        residue = residue - np.outer(residue[:, best], residue[best]) / max(residue[best, best], 1e-12)
    return rest[chosen]
