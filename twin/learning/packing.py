"""A surrogate as named arrays, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from surrogates.conformal import Calibration
from surrogates.domain import Domain, Gauge, Loads
from surrogates.elasticity import FEATURES
from surrogates.ensemble import Ensemble
from twin.errors import InvalidInput
from twin.learning.training import Trained
from twin.results.card import ModelCard

_WEIGHTS: Final = "weights"
_SCORES: Final = "scores."
_WHOLE: Final = "whole."
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
    arrays |= _loads("single", trained.domain.single)
    for count, whole in trained.domain.whole.items():
        arrays |= _loads(f"{_WHOLE}{count}", whole)
    return arrays


def _loads(name: str, loads: Loads) -> dict[str, NDArray[Any]]:
    return {f"{name}.directions": loads.directions, f"{name}.most": loads.most}


def unpack(names: Iterable[str], card: ModelCard, get: Callable[[str], NDArray[Any]]) -> Trained:
    """What `pack` took apart. names: of all arrays; get: reads one. Raises InvalidInput where that is no surrogate."""
    try:
        return _unpacked(list(names), card, get)
    except (KeyError, ValueError, TypeError, IndexError, AttributeError) as error:
        raise InvalidInput(
            f"this is no surrogate of this version ({error or type(error).__name__}): train it again"
        ) from error


def _unpacked(names: Sequence[str], card: ModelCard, get: Callable[[str], NDArray[Any]]) -> Trained:
    latents, surface = (
        Gauge(get(f"{view}.mean"), get(f"{view}.whitening"), float(get(f"{view}.far")[0])) for view in _VIEWS
    )

    def loads(name: str) -> Loads:
        return Loads(get(f"{name}.directions"), get(f"{name}.most"))

    whole = {
        int(name.removeprefix(_WHOLE).removesuffix(".most")): loads(name.removesuffix(".most"))
        for name in names
        if name.startswith(_WHOLE) and name.endswith(".most")
    }
    scores = {
        name.removeprefix(_SCORES): get(name).astype(np.float64) for name in names if name.startswith(_SCORES)
    }
    broken = [name for name, values in scores.items() if values.ndim != 1 or not np.isfinite(values).all()]
    if broken:
        raise ValueError(f"the scores of {', '.join(broken)} are no numbers")
    ensemble = Ensemble.load(get(_WEIGHTS).tobytes())
    if ensemble.size.features != FEATURES:
        raise ValueError(f"its networks are told {ensemble.size.features} numbers of a point, not {FEATURES}")
    return Trained(
        ensemble,
        Calibration(scores),
        Domain(latents, surface, loads("single"), whole),
        card,
    )
