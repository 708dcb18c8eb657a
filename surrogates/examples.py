"""What networks learn from: problems with the fields that were found, as arrays of one shape.

An example is one part that is held in one way. It has a problem for each region that is loaded, and load cases: fields
of loads on all regions together. Unit loads are shared by all cases, so that a part is looked at once for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32
from numpy.typing import NDArray

from surrogates.operator import Queries, Size

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Target:
    """Fields at points: queries with features (problems, k, features), the others (k, ...); values of each case."""

    queries: Queries
    values: Float32[np.ndarray, "cases k channels"]


@dataclass(frozen=True, eq=False)
class Example:
    """part: equal for all of one part, which are never split apart.

    coefficients: of each unit load, together of size 1 in a case
    """

    part: str
    tokens: Float32[np.ndarray, "problems n features"]
    coefficients: Float32[np.ndarray, "cases problems bases"]
    surface: Target
    volume: Target | None = None


class Batch(NamedTuple):
    """Examples on each other; those of fewer problems or cases have more of coefficient zero."""

    tokens: Array
    coefficients: Array
    surface: tuple[Queries, Array]
    volume: tuple[Queries, Array] | None


def shape_of(examples: Sequence[Example]) -> tuple[int, int]:
    """The most problems, and the most cases, that one has."""
    return max(len(each.tokens) for each in examples), max(len(each.coefficients) for each in examples)


def batch(
    examples: Sequence[Example], shape: tuple[int, int], points: int, random: np.random.Generator
) -> Batch:
    """Put examples on each other, each at so many of its points. shape: of problems and cases, of all alike."""
    problems, cases = shape
    volumes = [example.volume for example in examples]
    return Batch(
        np.stack([_more(example.tokens, problems) for example in examples]),
        np.stack([_more(_more(example.coefficients, cases), problems, axis=1) for example in examples]),
        _drawn([example.surface for example in examples], shape, points, random),
        _drawn([each for each in volumes if each], shape, points, random) if all(volumes) else None,
    )


def statistics(examples: Sequence[Example], size: Size) -> tuple[Array, Array, Array]:
    """Mean and deviation of features, and the root mean square of each group of channels of the fields."""
    rows = np.concatenate([example.tokens.reshape(-1, size.features) for example in examples])
    mean, deviation = rows.mean(axis=0, dtype=np.float64), rows.std(axis=0, dtype=np.float64)
    squares = np.concatenate([np.square(e.surface.values, dtype=np.float64).mean(axis=1) for e in examples])
    sums = np.add.reduceat(squares, np.cumsum([0, *size.groups[:-1]]), axis=1) / np.asarray(size.groups)
    rms = np.exp(0.5 * np.log(np.maximum(sums, np.finfo(np.float32).tiny)).mean(axis=0))
    deviation[deviation < 1e-4] = 1.0
    return mean.astype(np.float32), deviation.astype(np.float32), rms.astype(np.float32)


def _drawn(
    targets: Sequence[Target], shape: tuple[int, int], points: int, random: np.random.Generator
) -> tuple[Queries, Array]:
    (problems, cases), queries, values = shape, [], []
    for target in targets:
        known = target.values.shape[1]
        chosen = random.choice(known, points, replace=known < points)
        features, near, weights, clamp = target.queries
        queries.append(
            Queries(
                _more(np.asarray(features)[:, chosen], problems), near[chosen], weights[chosen], clamp[chosen]
            )
        )
        values.append(_more(target.values[:, chosen], cases))
    return Queries(*(np.stack(each) for each in zip(*queries, strict=True))), np.stack(values)


def _more(array: Array, rows: int, axis: int = 0) -> Array:
    widths = [(0, rows - array.shape[axis] if each == axis else 0) for each in range(array.ndim)]
    return np.pad(array, widths)
