"""On clamped beams whose answers are known: what few more parts are worth, chosen against drawn and fitted against new;
how many of 900 are within the bounds that were calibrated on as many others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

import twin
from surrogates.conformal import Calibration
from surrogates.ensemble import Ensemble
from surrogates.examples import Example
from surrogates.operator import Operator
from surrogates.training import Schedule, relative_errors, train
from tests.surrogates import beams
from tests.surrogates.beams import SIZE
from twin.sweeps import improvement, sampling
from twin.sweeps.space import Space

Floats = NDArray[np.float64]

SPACE: Final = Space([twin.Range("width", 0.06, 0.3), twin.Range("height", 0.06, 0.3)], [])
KNOWN, MORE, TESTED, FEW = 30, 15, 100, 20
NETWORKS, MANY = 2, 900
LEAST: Final = 0.05  # of a field, where networks agree: as twin/learning/evaluation.py has it
SCHEDULE: Final = Schedule(steps=2000, points=128)
FITTING: Final = Schedule(steps=1000, points=128)


def examples(points: Floats) -> list[Example]:
    return [beams.example(f"beam {width:.6f} {height:.6f}", width, height) for width, height in points]


def errors(network: Operator, parts: Sequence[Example]) -> Floats:
    """Of each part, relative, the mean over loads and fields."""
    ensemble, found = Ensemble(SIZE, (network,)), []
    for part in parts:
        fields = ensemble.predict(ensemble.encode(part.tokens), part.coefficients, part.surface.queries).mean
        apart = [
            relative_errors(one, exact, SIZE.groups)
            for one, exact in zip(fields, part.surface.values, strict=True)
        ]
        found.append(float(np.mean(apart)))
    return np.array(found)


def chosen(seed: int) -> dict[str, Any]:
    """Fifteen more beams where a network is off, and as many drawn by chance; both learned from with those before."""
    points = sampling.points(twin.Sobol(KNOWN, seed=seed), SPACE.parameters)
    random = np.random.default_rng(seed)
    held_out = random.permutation(KNOWN) < 0.4 * KNOWN
    network = train(examples(points[~held_out]), SIZE, SCHEDULE, seed=seed)
    known = np.full(KNOWN, np.nan)
    known[held_out] = errors(network, examples(points[held_out]))
    more = {
        "chosen": improvement.propose(SPACE, points, known, MORE, seed),
        "drawn": random.uniform(0.06, 0.3, (MORE, 2)),
    }
    tested = examples(sampling.points(twin.Sobol(TESTED, seed=1000 + seed), SPACE.parameters))
    found: dict[str, Any] = {"seed": seed, "before": _told(errors(network, tested))}
    for name, added in more.items():
        network = train(examples(np.vstack([points, added])), SIZE, SCHEDULE, seed=seed)
        found[name] = _told(errors(network, tested))
    return found


def fitted(seed: int) -> dict[str, Any]:
    """Of twenty thin beams: a network that knows thick ones, made to fit, and a new one, in as many steps."""
    random = np.random.default_rng(seed)
    thick, thin, others = (
        examples(random.uniform(*ends, (count, 2)))
        for ends, count in (((0.15, 0.3), 40), ((0.05, 0.1), FEW), ((0.05, 0.1), TESTED // 2))
    )
    known = train(thick, SIZE, SCHEDULE, seed=seed)
    found: dict[str, Any] = {"seed": seed, "as it was": _told(errors(known, others))}
    for name, start in (("fitted", known), ("new", None)):
        found[name] = _told(errors(train(thin, SIZE, FITTING, seed=seed, start=start), others))
    return found


def covered(seed: int) -> dict[str, Any]:
    """Shares of beams whose fields are within their bounds at all points and under all loads at once."""
    random = np.random.default_rng(seed)
    known, calibrated, tested = (
        examples(random.uniform(0.1, 0.3, (count, 2))) for count in (KNOWN, MANY, MANY)
    )
    networks = tuple(train(known, SIZE, SCHEDULE, seed=10 * seed + number) for number in range(NETWORKS))
    ensemble = Ensemble(SIZE, networks)
    calibration = Calibration({"fields": _scores(ensemble, calibrated)[0]})
    scores, expected = _scores(ensemble, tested)
    found: dict[str, Any] = {"seed": seed, "calibrated": MANY, "tested": MANY}
    for level in (0.8, 0.9, 0.95):
        factor = calibration.factor("fields", level)
        found[f"{level:.0%}"] = {
            "within": float(np.mean(scores <= factor)),
            "width": float(np.median(factor * expected)),
        }
    return found


def _scores(ensemble: Ensemble, parts: Sequence[Example]) -> tuple[Floats, Floats]:
    """Of each part, the largest error over what was expected; and the median of that over the largest value."""
    scores, widths = [], []
    for part in parts:
        found = ensemble.predict(ensemble.encode(part.tokens), part.coefficients, part.surface.queries)
        exact, size = part.surface.values.astype(np.float64), _lengths(found.mean)
        least = LEAST * np.sqrt((size**2).mean(axis=1, keepdims=True))
        expected = found.spread(SIZE.groups) + least
        scores.append(float((_lengths(found.mean - exact) / expected).max()))
        widths.append(float(np.median(expected / size.max(axis=1, keepdims=True))))
    return np.array(scores), np.array(widths)


def _lengths(of: Floats) -> Floats:
    """Of each group of channels."""
    return np.sqrt(np.add.reduceat(of**2, np.cumsum([0, *SIZE.groups[:-1]]), axis=-1))


def _told(of: Floats) -> dict[str, float]:
    return {"mean": float(of.mean()), "worst tenth": float(np.quantile(of, 0.9))}
