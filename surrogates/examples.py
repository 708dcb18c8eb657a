"""What networks learn from: problems with the fields that were found, as arrays of one shape.

An example is one load case of one part. It has a problem for each region that is loaded; the fields are of all
together.
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
    """Fields at points: queries with features (problems, k, features), the others (k, ...); values (k, channels)."""

    queries: Queries
    values: Float32[np.ndarray, "k channels"]


@dataclass(frozen=True, eq=False)
class Example:
    """part: equal for all of one part, which are never split apart.

    tokens (problems, n, features); coefficients (problems, bases), together of size 1
    """

    part: str
    tokens: Float32[np.ndarray, "problems n features"]
    coefficients: Float32[np.ndarray, "problems bases"]
    surface: Target
    volume: Target | None = None


class Batch(NamedTuple):
    """Examples on each other; those of fewer problems have more of coefficient zero."""

    tokens: Array
    coefficients: Array
    surface: tuple[Queries, Array]
    volume: tuple[Queries, Array] | None


def batch(examples: Sequence[Example], points: int, random: np.random.Generator) -> Batch:
    """Put examples on each other, each at so many of its points."""
    problems = max(len(example.tokens) for example in examples)
    volumes = [example.volume for example in examples]
    return Batch(
        np.stack([_more(example.tokens, problems) for example in examples]),
        np.stack([_more(example.coefficients, problems) for example in examples]),
        _drawn([example.surface for example in examples], problems, points, random),
        _drawn([each for each in volumes if each], problems, points, random) if all(volumes) else None,
    )


def statistics(examples: Sequence[Example], size: Size) -> tuple[Array, Array, Array]:
    """Mean and deviation of features, and the root mean square of each group of channels of the fields."""
    rows = np.concatenate([example.tokens.reshape(-1, size.features) for example in examples])
    mean, deviation = rows.mean(axis=0, dtype=np.float64), rows.std(axis=0, dtype=np.float64)
    squares = np.stack([np.square(e.surface.values, dtype=np.float64).mean(axis=0) for e in examples])
    sums = np.add.reduceat(squares, np.cumsum([0, *size.groups[:-1]]), axis=1) / np.asarray(size.groups)
    rms = np.exp(0.5 * np.log(np.maximum(sums, np.finfo(np.float32).tiny)).mean(axis=0))
    deviation[deviation < 1e-4] = 1.0
    return mean.astype(np.float32), deviation.astype(np.float32), rms.astype(np.float32)


def _drawn(
    targets: Sequence[Target], problems: int, points: int, random: np.random.Generator
) -> tuple[Queries, Array]:
    queries, values = [], []
    for target in targets:
        chosen = random.choice(len(target.values), points, replace=len(target.values) < points)
        features, near, weights, clamp = target.queries
        queries.append(
            Queries(_more(features[:, chosen], problems), near[chosen], weights[chosen], clamp[chosen])
        )
        values.append(target.values[chosen])
    return Queries(*(np.stack(each) for each in zip(*queries, strict=True))), np.stack(values)


def _more(array: Array, rows: int) -> Array:
    return np.concatenate([array, np.zeros((rows - len(array), *array.shape[1:]), array.dtype)])
