"""Whether a part is one of those that a surrogate was trained on.

Two views: the latents that the networks make of it, and plain statistics of its surface, which no network has had a
say in. Each is a distance of Mahalanobis from the training parts, in units of what held-out parts of the same kind
have. And loads are exact: a surrogate that has never seen a part pulled sideways knows nothing of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.covariance import LedoitWolf

Floats = NDArray[np.float64]
_LEAST: Final = 0.05  # of the usual deviation, that counts as one
_IN_SPAN: Final = 1e-3  # of the largest singular value, from where on loads count as seen


@dataclass(frozen=True, eq=False)
class Gauge:
    """Distances from known vectors: their mean (d,), a whitening (d, d), and the distance from where on one is far."""

    mean: Floats
    whitening: Floats
    far: float

    @staticmethod
    def of(known: Floats, held_out: Floats, false_alarms: float) -> Gauge:
        """Of vectors (n, d), so that at most this share of vectors like those held out (m, d) are far."""
        deviation = known.std(axis=0)
        # What hardly differs among the known still counts where it is another, though not by its last digits.
        scale = np.maximum(
            deviation, _LEAST * np.median(deviation[deviation > 0]) if deviation.any() else 1.0
        )
        fitted = LedoitWolf(assume_centered=True).fit((known - known.mean(axis=0)) / scale)
        values, vectors = np.linalg.eigh(fitted.covariance_)
        whitening = vectors / np.sqrt(np.maximum(values, _LEAST**2 * values.max())) / scale[:, None]
        gauge = Gauge(known.mean(axis=0), whitening, 1.0)
        distances = np.sort(gauge.distances(held_out))
        rank = int(np.ceil((len(distances) + 1) * (1 - false_alarms)))
        last = distances[min(rank, len(distances)) - 1]
        # Where there are too few to know so rare a distance, some more than the largest stands for it.
        return Gauge(gauge.mean, whitening, float(last if rank <= len(distances) else 1.25 * last))

    def distances(self, vectors: Floats) -> Floats:
        """Of vectors (n, d), in units of `far`: (n,)."""
        apart = (np.atleast_2d(vectors) - self.mean) @ self.whitening
        return np.asarray(np.linalg.norm(apart, axis=1) / self.far)


@dataclass(frozen=True, eq=False)
class Domain:
    """latents, surface: gauges of the two views; loads (r, bases): orthonormal, what loads were combined of."""

    latents: Gauge
    surface: Gauge
    loads: Floats

    def distance(self, latents: Floats, surface: Floats) -> float:
        """The larger one, over all problems of a part: above 1 it is a stranger."""
        seen = [self.latents.distances(latents).max(), self.surface.distances(surface).max()]
        return float(max(seen))

    def unseen_load(self, coefficients: Floats) -> Floats:
        """What of loads (problems, bases) is no combination of loads that were seen (bases,), relative to them."""
        outside = coefficients - (coefficients @ self.loads.T) @ self.loads
        size = np.linalg.norm(coefficients)
        return np.asarray(np.abs(outside).max(axis=0) / (size if size > 0 else 1.0))


def span(coefficients: Floats) -> Floats:
    """Orthonormal rows (r, bases) that loads (n, bases) are combinations of."""
    _, singular, rows = np.linalg.svd(coefficients, full_matrices=False)
    return np.asarray(rows[singular > _IN_SPAN * singular.max(initial=0.0)])


def surface_statistics(tokens: NDArray[np.floating]) -> Floats:
    """Of problems (p, n, features): mean and deviation of each feature over the surface (p, 2 features)."""
    values = tokens.astype(np.float64)
    return np.concatenate([values.mean(axis=1), values.std(axis=1)], axis=1)
