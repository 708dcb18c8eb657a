"""Means of what fluctuates: where the start ends, and how far a mean of finite length may be off."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_LATEST: Final = 0.5  # of a series: a start that has not ended by then has not ended
_WINDOW: Final = 5.0  # correlation times that correlations are summed over (Sokal 1997)
_LEAST: Final = 20.0  # correlation times without which the error is not known


@dataclass(frozen=True)
class Average:
    """A mean. error: its standard error, infinite where the series is too short to tell; start: samples left out;

    correlation: samples until the next one says something new
    """

    mean: float
    error: float
    start: int
    correlation: float


def average(series: Floats, start: int | None = None) -> Average:
    """Of samples at equal distances (n,), without the start. start: samples to leave out; found where not given."""
    begin = settled(series) if start is None else start
    rest = series[begin:]
    if len(rest) < 2:
        return Average(float(series[-1]), np.inf, begin, np.inf)
    spread = float(rest.std(ddof=1))
    if spread <= 1e-12 * max(abs(float(rest.mean())), np.finfo(np.float64).tiny):
        return Average(float(rest.mean()), 0.0, begin, 1.0)
    correlation = correlation_time(rest)
    known = len(rest) >= _LEAST * correlation
    error = spread * np.sqrt(correlation / len(rest)) if known else np.inf
    return Average(float(rest.mean()), float(error), begin, correlation)


def settled(series: Floats) -> int:
    """Samples of the start: without them the mean has the least standard error (White 1997, MSER)."""
    count = len(series)
    left = count - np.arange(count)
    sums, squares = (np.cumsum(each[::-1])[::-1] for each in (series, series**2))
    variance = np.maximum(squares / left - (sums / left) ** 2, 0)
    latest = max(int(_LATEST * count), 1)
    return int(np.argmin((variance / left)[:latest]))


def correlation_time(series: Floats) -> float:
    """Samples that count as one: one and twice the sum of the correlations, at least one."""
    count = len(series)
    away = series - series.mean()
    spectrum = np.abs(np.fft.rfft(away, 2 * count)) ** 2
    correlations = np.fft.irfft(spectrum)[:count]
    summed = 2 * np.cumsum(correlations / correlations[0]) - 1
    far_enough = np.flatnonzero(np.arange(count) >= _WINDOW * summed)
    return max(1.0, float(summed[far_enough[0] if len(far_enough) else -1]))
