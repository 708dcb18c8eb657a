"""Numbers of a part by Gaussian processes on statistics of its surface: what a network has to be better than."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

Floats = NDArray[np.float64]
_COMPONENTS = 12  # principal ones of the features, with a length scale each


@dataclass(frozen=True, eq=False)
class GaussianProcess:
    """One process for the logarithm of each number."""

    reduction: Any
    processes: tuple[GaussianProcessRegressor, ...]

    @staticmethod
    def fit(features: Floats, values: Floats, seed: int = 0) -> GaussianProcess:
        """Of features (n, d) and positive values (n, q)."""
        count = min(_COMPONENTS, len(features) - 1, features.shape[1])
        reduction = make_pipeline(StandardScaler(), PCA(count, whiten=True, random_state=seed))
        reduced = reduction.fit_transform(features)
        kernel = ConstantKernel(1.0, (1e-3, 1e3)) * RBF(np.full(count, 3.0), (0.1, 1e3)) + WhiteKernel(
            1e-4, (1e-8, 1)
        )
        with warnings.catch_warnings():
            # of components that tell nothing the length scale grows to its bound, as it should
            warnings.simplefilter("ignore", ConvergenceWarning)
            fitted = [
                GaussianProcessRegressor(
                    kernel, normalize_y=True, n_restarts_optimizer=2, random_state=seed
                ).fit(reduced, np.log(column))
                for column in values.T
            ]
        return GaussianProcess(reduction, tuple(fitted))

    def predict(self, features: Floats) -> tuple[Floats, Floats]:
        """Values (n, q), and by what share of them they are uncertain (n, q)."""
        reduced = self.reduction.transform(features)
        found = [process.predict(reduced, return_std=True) for process in self.processes]
        means, deviations = (np.stack(each, axis=1) for each in zip(*found, strict=True))
        return np.exp(means), deviations
