"""Whether a part is one of those that a surrogate was trained on.

Two views: the latents that the networks make of it, and plain statistics of its surface, which no network has had a
say in. Each is a distance of Mahalanobis from the training parts; together they are measured in what held-out parts of
the same kind have. And loads are exact: a surrogate that has never seen a part pulled sideways knows nothing of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.covariance import LedoitWolf

Floats = NDArray[np.float64]
_LEAST: Final = 0.05  # of the usual deviation, that counts as one
_ALIKE: Final = 1e-12  # variance or distance below which parts are the same
_UNSEEN: Final = 1e-3  # of a load, that may act along what was never seen
_MORE: Final = 2.0  # times the largest share of a load along a direction that was seen


@dataclass(frozen=True, eq=False)
class Gauge:
    """Distances from known vectors: their mean (d,), a whitening (d, d), and the distance from where on one is far."""

    mean: Floats
    whitening: Floats
    far: float = 1.0

    @staticmethod
    def of(known: Floats) -> Gauge:
        """Of vectors (n, d)."""
        deviation = known.std(axis=0)
        # What hardly differs among the known still counts where it is another, though not by its last digits.
        usual = np.median(deviation[deviation > 0]) if deviation.any() else 1.0
        scale = np.maximum(deviation, _LEAST * usual)
        fitted = LedoitWolf(assume_centered=True).fit((known - known.mean(axis=0)) / scale)
        values, vectors = np.linalg.eigh(fitted.covariance_)
        least = max(_LEAST**2 * values.max(), _ALIKE)
        return Gauge(known.mean(axis=0), vectors / np.sqrt(np.maximum(values, least)) / scale[:, None])

    def distance(self, vectors: Floats) -> float:
        """The largest of vectors (n, d), in units of `far`."""
        apart = (np.atleast_2d(vectors) - self.mean) @ self.whitening
        return float(np.linalg.norm(apart, axis=1).max() / self.far)


@dataclass(frozen=True, eq=False)
class Loads:
    """Loads that were seen, each of size one, as rows (problems * BASES or BASES) of whole cases or of single regions.

    directions (r, d), orthonormal; most (r,): the largest part along each
    """

    directions: Floats
    most: Floats

    @staticmethod
    def of(rows: Floats) -> Loads:
        """Of rows (n, d)."""
        _, singular, directions = np.linalg.svd(rows, full_matrices=False)
        kept = directions[singular > 1e-9 * singular.max(initial=0.0)]
        return Loads(kept, np.abs(rows @ kept.T).max(axis=0, initial=0.0))

    def unseen(self, rows: Floats) -> Floats:
        """What of rows (n, d) there was never so much of (n, d)."""
        along = rows @ self.directions.T
        allowed = np.maximum(_MORE * self.most, _UNSEEN)
        within = np.clip(along, -allowed, allowed) @ self.directions
        rest = rows - within
        return np.where(np.linalg.norm(rest, axis=1, keepdims=True) > _UNSEEN, rest, 0.0)


@dataclass(frozen=True, eq=False)
class Domain:
    """latents, surface: gauges of the two views; single: loads on one region; whole: of all regions of a case, by their

    number, where those were never told apart
    """

    latents: Gauge
    surface: Gauge
    single: Loads
    whole: Mapping[int, Loads]

    @staticmethod
    def of(
        known: Sequence[tuple[Floats, Floats]],
        held_out: Sequence[tuple[Floats, Floats]],
        cases: Sequence[Floats],
        false_alarms: float,
    ) -> Domain:
        """Of parts, so that at most this share of parts like those held out are strangers.

        Args:
            known, held_out: of each part the vectors of both views, of all its problems (n, d)
            cases: loads that were learned from (problems, BASES), each of size one
        """
        gauges = [Gauge.of(np.concatenate([part[view] for part in known])) for view in (0, 1)]
        distances = np.array(
            [[gauge.distance(part[view]) for view, gauge in enumerate(gauges)] for part in held_out]
        )
        usual = np.maximum(np.median(distances, axis=0), _ALIKE)
        ranked = np.sort((distances / usual).max(axis=1))
        rank = int(np.ceil((len(ranked) + 1) * (1 - false_alarms)))
        # Where there are too few to know so rare a distance, some more than the largest stands for it.
        last = ranked[rank - 1] if rank <= len(ranked) else 1.25 * ranked[-1]
        latents, surface = (
            Gauge(gauge.mean, gauge.whitening, float(max(last * size, _ALIKE)))
            for gauge, size in zip(gauges, usual, strict=True)
        )
        return Domain(latents, surface, Loads.of(np.concatenate(cases)), _together(cases))

    def distance(self, latents: Floats, surface: Floats) -> float:
        """The larger one, over all problems of a part: it is a stranger unless this is at most 1."""
        return float(np.max([self.latents.distance(latents), self.surface.distance(surface)]))

    def unseen_load(self, loads: Floats) -> Floats:
        """What of loads (problems, BASES) of size one was never seen (problems, BASES): zero where all was."""
        unseen = self.single.unseen(loads)
        if unseen.any() or not self.whole:
            return unseen
        known = self.whole.get(len(loads))
        return loads if known is None else known.unseen(loads.reshape(1, -1)).reshape(loads.shape)


def _together(cases: Sequence[Floats]) -> dict[int, Loads]:
    """Loads of whole cases by the number of their regions; none where each region was loaded by itself, too.

    What two regions do that were always loaded alike nobody can tell apart.
    """
    grouped: dict[int, list[Floats]] = {}
    for case in cases:
        grouped.setdefault(len(case), []).append(case)
    apart = True
    for group in grouped.values():
        rows = np.stack(group)
        whole = np.linalg.matrix_rank(rows.reshape(len(rows), -1), tol=1e-6 * len(rows) ** 0.5)
        single = sum(
            np.linalg.matrix_rank(rows[:, i], tol=1e-6 * len(rows) ** 0.5) for i in range(rows.shape[1])
        )
        apart = apart and whole == single
    return (
        {}
        if apart
        else {n: Loads.of(np.stack(group).reshape(len(group), -1)) for n, group in grouped.items()}
    )


def surface_statistics(tokens: NDArray[np.floating]) -> Floats:
    """Of problems (p, n, features): mean and deviation of each feature over the surface (p, 2 features)."""
    values = tokens.astype(np.float64)
    return np.concatenate([values.mean(axis=1), values.std(axis=1)], axis=1)
