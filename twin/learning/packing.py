"""A surrogate as named arrays, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from surrogates.conformal import Calibration
from surrogates.domain import Domain, Gauge
from surrogates.ensemble import Ensemble
from twin.learning.training import Trained
from twin.results.card import ModelCard

_WEIGHTS: Final = "weights"
_SCORES: Final = "scores."
_VIEWS: Final = ("latents", "surface")


def pack(trained: Trained) -> dict[str, NDArray[Any]]:
    """Arrays by name."""
    arrays: dict[str, NDArray[Any]] = {_WEIGHTS: np.frombuffer(trained.ensemble.dump(), np.uint8)}
    for name, scores in trained.calibration.scores.items():
        arrays[_SCORES + name] = scores
    for view in _VIEWS:
        gauge: Gauge = getattr(trained.domain, view)
        arrays[f"{view}.mean"], arrays[f"{view}.whitening"] = gauge.mean, gauge.whitening
        arrays[f"{view}.far"] = np.array([gauge.far])
    arrays["loads"] = trained.domain.loads
    return arrays


def unpack(names: Mapping[str, object], card: ModelCard, get: Callable[[str], NDArray[Any]]) -> Trained:
    """What `pack` took apart. names: of all arrays; get: reads one."""
    latents, surface = (
        Gauge(get(f"{view}.mean"), get(f"{view}.whitening"), float(get(f"{view}.far")[0])) for view in _VIEWS
    )
    scores = {
        name.removeprefix(_SCORES): get(name).astype(np.float64) for name in names if name.startswith(_SCORES)
    }
    return Trained(
        Ensemble.load(get(_WEIGHTS).tobytes()),
        Calibration(scores),
        Domain(latents, surface, get("loads")),
        card,
    )
