"""What an ensemble expects the displacement to be, on a mesh: where a solution starts from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.learning.evaluation import Evaluation
from twin.learning.samples import queries_of

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Expectation:
    """Of a part and its study; a `twin.analyses.task.Expected`."""

    evaluation: Evaluation

    def __call__(self, points: Floats, facets: NDArray[np.int64]) -> Mapping[str, Floats]:
        """Of each load case (n, 3) [m], at points (n, 3) [m], of which facets (f, 6) lie on the surface."""
        evaluation = self.evaluation
        question, tokens = evaluation.question, evaluation.ensemble.size.tokens
        on_surface = np.zeros(len(points), bool)
        on_surface[facets] = True
        found = np.zeros((len(question.cases), len(points), 3))
        normals = node_normals(points, facets)[on_surface]
        there = evaluation.fields(evaluation.ask(points[on_surface], normals))
        found[:, on_surface] = there.mean[..., :3]
        inside = points[~on_surface]
        depth, normals = question.cloud.below(inside)
        queries = queries_of(question.problems, inside, normals, depth, tokens)
        found[:, ~on_surface] = evaluation.fields(queries, surface=False).mean[..., :3]
        return dict(zip(question.cases, found, strict=True))


def node_normals(points: Floats, faces: NDArray[np.integer]) -> Floats:
    """Of triangles of three nodes or six (f, k): at each node (n, 3) that of the largest triangle around it."""
    corners = points[faces[:, :3]]
    vectors = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    sizes = np.linalg.norm(vectors, axis=1)
    order = np.argsort(sizes)  # the largest comes last, and stays
    normals = np.zeros_like(points)
    unit = vectors / np.maximum(sizes, np.finfo(float).tiny)[:, None]
    normals[faces[order].ravel()] = np.repeat(unit[order], faces.shape[1], axis=0)
    return normals
