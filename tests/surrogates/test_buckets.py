"""Programs are compiled for a few numbers of points, whatever meshes come."""

from __future__ import annotations

from collections.abc import Iterator

import jax
import numpy as np
import pytest
from flax import nnx
from numpy.typing import NDArray

from surrogates.cloud import Cloud
from surrogates.elasticity import Hold, Problem
from surrogates.ensemble import Ensemble
from surrogates.operator import Operator
from tests.surrogates.beams import FORCES, SIZE, box, end
from twin.geometry.subdivision import subdivide


def meshes(count: int) -> Iterator[tuple[Problem, NDArray[np.intp]]]:
    """Problems of boxes of all sizes and finenesses, and which points of their clouds are asked about."""
    random = np.random.default_rng(0)
    for _ in range(count):
        width, height = random.uniform(0.05, 0.4, 2)
        vertices, triangles, _ = subdivide(*box(width, height), float(np.exp(random.uniform(-3.5, 0))))
        cloud = Cloud.of(vertices, triangles, volume=width * height)
        problem = Problem(
            cloud, (Hold(end(0.0, width, height), (True, True, True)),), end(1.0, width, height), 0.3
        )
        number = int(np.exp(random.uniform(0, np.log(60_000))))
        yield problem, random.integers(0, len(cloud.points), number)


@pytest.mark.parametrize(
    "count", [20, pytest.param(1000, marks=[pytest.mark.slow, pytest.mark.timeout(3600)])]
)
def test_no_mesh_compiles_a_program_of_its_own(count: int) -> None:
    compiled: list[str] = []
    jax.monitoring.register_event_duration_secs_listener(
        lambda event, *_, **__: compiled.append(event) if event.endswith("backend_compile_duration") else None
    )
    ensemble = Ensemble(SIZE, (Operator(SIZE, nnx.Rngs(0)),))
    coefficients = np.zeros((len(FORCES), 1, SIZE.bases))
    coefficients[:, 0, :3] = FORCES

    def ask(problem: Problem, chosen: NDArray[np.intp]) -> None:
        cloud = problem.cloud
        encoded = ensemble.encode(problem.tokens(SIZE.tokens).astype(np.float32)[None])
        where = cloud.points[chosen], cloud.normals[chosen], cloud.seen[chosen]
        queries = problem.queries(*where, np.zeros(len(chosen)), SIZE.tokens)
        queries = queries._replace(features=np.asarray(queries.features)[None])
        found = ensemble.predict(encoded, coefficients, queries)
        assert found.mean.shape == (len(FORCES), len(chosen), 9)

    first, *others = meshes(count)
    for number in 2 ** np.arange(17):  # every length that there is
        ask(first[0], np.resize(first[1], number))
    warm = len(compiled)
    assert warm
    for each in others:
        ask(*each)
    assert len(compiled) == warm
