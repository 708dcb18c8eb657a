"""What a quantity is between the designs: a Gaussian process on them, with how well it predicts.

For main effects and Sobol' indices, and to choose designs by. It stands for no solution: where it predicts badly, so it
says. Rasmussen & Williams, Gaussian Processes for Machine Learning, 2006.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

from twin.sweeps.parameters import Choice
from twin.sweeps.space import Space

Floats = NDArray[np.float64]

FEWEST: Final = 8  # designs that it can be made of, at least
MOST: Final = 400  # designs that it is made of: its cost goes with their cube
_FOLDS: Final = 5


def encoded(space: Space, points: Floats) -> Floats:
    """Points (n, p) for a machine: numbers in shares of their range, a column for each word of a choice (n, q)."""
    columns = []
    for parameter, values in zip(space.parameters, points.T, strict=True):
        if isinstance(parameter, Choice):
            columns += [(values == position).astype(float) for position in range(len(parameter.words))]
        else:
            low, high = parameter.bounds
            columns.append((values - low) / (high - low) if high > low else np.zeros(len(values)))
    return np.stack(columns, axis=1)


@final
@dataclass(frozen=True)
class Emulator:
    """A fitted process. skill: 1 - the squared error of predictions of left-out designs over their variance."""

    space: Space
    process: Any
    skill: float

    def __call__(self, points: Floats) -> Floats:
        """The mean at points (n, p)."""
        found: Floats = self.process.predict(encoded(self.space, points))
        return found

    def given(self, points: Floats, values: Floats) -> Emulator:
        """The same process of other designs (n, p) and values (n,)."""
        known = _fitted(encoded(self.space, points), values, 0, kernel=self.process.kernel_)
        return Emulator(self.space, known, self.skill)

    def spread(self, points: Floats) -> tuple[Floats, Floats]:
        """The mean and its standard deviation at points (n, p)."""
        mean, deviation = self.process.predict(encoded(self.space, points), return_std=True)
        return mean, deviation


def fit(space: Space, points: Floats, values: Floats, seed: int = 0, fewest: int = FEWEST) -> Emulator | None:
    """Of designs (n, p) and what was found (n,); None where they are fewer, or all the same.

    Below FEWEST nothing is known of its skill, which is NaN.
    """
    known = np.isfinite(values)
    points, values = points[known], values[known]
    if len(values) > MOST:
        chosen = np.random.default_rng(seed).choice(len(values), MOST, replace=False)
        points, values = points[chosen], values[chosen]
    if len(values) < fewest or np.ptp(values) <= 1e-12 * np.abs(values).max():
        return None
    inputs = encoded(space, points)
    process = _fitted(inputs, values, seed)
    if len(values) < FEWEST:
        return Emulator(space, process, np.nan)
    folds = np.random.default_rng(seed).permutation(len(values)) % _FOLDS
    missed = np.zeros(len(values))
    for fold in range(_FOLDS):
        out = folds == fold
        part = _fitted(inputs[~out], values[~out], seed, kernel=process.kernel_)
        missed[out] = part.predict(inputs[out]) - values[out]
    skill = 1.0 - float((missed**2).sum() / ((values - values.mean()) ** 2).sum())
    return Emulator(space, process, skill)


def _fitted(inputs: Floats, values: Floats, seed: int, kernel: Any = None) -> Any:
    """kernel: with its lengths, which are kept; None: found by the likelihood."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

    lengths = RBF(np.ones(inputs.shape[1]), (0.05, 50.0))
    start = ConstantKernel(1.0, (1e-2, 1e4)) * lengths + WhiteKernel(1e-6, (1e-10, 1e-1))
    process = GaussianProcessRegressor(
        start if kernel is None else kernel,
        normalize_y=True,
        random_state=seed,
        optimizer="fmin_l_bfgs_b" if kernel is None else None,
    )
    with warnings.catch_warnings():
        # lengths at the end of their range are those of parameters that do nothing, which is an answer
        warnings.simplefilter("ignore", ConvergenceWarning)
        return process.fit(inputs, values)
