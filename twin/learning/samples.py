"""What a finished run teaches: fields on the skin of the part and inside, and the numbers that were found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from surrogates.cloud import Cloud, spread
from surrogates.elasticity import Problem, scales, size_of
from surrogates.examples import Example, Target
from surrogates.operator import Queries
from twin.errors import InvalidInput
from twin.learning.questions import Question
from twin.results.outcome import Outcome
from twin.results.skin import face_normals, skin
from twin.results.zones import Zones

Floats = NDArray[np.float64]

SURFACE: Final = 2048  # points of the skin that fields are learned at
VOLUME: Final = 512
LEARNED: Final = ("max_displacement", "max_von_mises", "compliance")


@dataclass(frozen=True, eq=False)
class Sample:
    """One load case of a finished run.

    example: for the networks; scale: what its fields are measured in (channels,) [m, Pa]
    found: the numbers of the solver, by name; errors: its estimates of how far they are off
    outside: which points of the skin lie in no zone around a singular place (k,)
    """

    run: str
    case: str
    question: Question
    example: Example
    scale: Floats
    found: Mapping[str, float]
    errors: Mapping[str, float]
    outside: NDArray[np.bool_]


def samples_of(run: str, part: str, question: Question, outcome: Outcome, tokens: int) -> list[Sample]:
    """What each load case of a run teaches.

    part: equal for runs of one part; tokens: points of a part that networks see

    Raises:
        InvalidInput: its fields are missing or no numbers
    """
    cloud = question.cloud
    seen = [problem.tokens(tokens).astype(np.float32) for problem in question.problems]
    surface = _on_skin(outcome)
    inside, depth, normals = _inside(outcome, cloud)
    on_skin = queries_of(
        question.problems, surface.points, surface.normals, np.zeros(len(surface.points)), tokens
    )
    within = (
        queries_of(question.problems, outcome.points[inside], normals, depth, tokens) if len(inside) else None
    )
    found = []
    for name, coefficients in question.cases.items():
        case = outcome.case(name)
        if not {"displacement", "stress"} <= set(case.fields):
            raise InvalidInput(f"{run} has no fields of displacement and stress to learn from")
        nodal = np.hstack([case.fields["displacement"].values, case.fields["stress"].values])
        size = size_of(coefficients)
        if not np.isfinite(nodal).all() or size == 0:
            raise InvalidInput(
                f"{run} can't be learned from: "
                + ("no load acts" if size == 0 else "its fields are not finite")
                + (f" in load case {name}" if len(question.cases) > 1 else "")
            )
        scale = scales(question.material.youngs_modulus, cloud.length, size)
        volume = None if within is None else Target(within, (nodal[inside] / scale).astype(np.float32))
        found.append(
            Sample(
                run,
                name,
                question,
                Example(
                    part,
                    np.stack(seen),
                    (coefficients / size).astype(np.float32),
                    Target(on_skin, (surface.at(nodal) / scale).astype(np.float32)),
                    volume,
                ),
                scale,
                {key: float(case.quantities[key].value) for key in LEARNED if key in case.quantities},
                {key: float(case.quantities[key].error) for key in LEARNED if key in case.quantities},
                Zones(outcome.singularities).of(name).at(surface.points) < 0,
            )
        )
    return found


@dataclass(frozen=True, eq=False)
class _OnSkin:
    """points, normals (k, 3); nodes, weights (k, a): of which nodes the values there are made of."""

    points: Floats
    normals: Floats
    nodes: NDArray[np.int64]
    weights: Floats

    def at(self, values: Floats) -> Floats:
        return np.asarray(np.einsum("ka,kac->kc", self.weights, values[self.nodes]))


def _on_skin(outcome: Outcome) -> _OnSkin:
    """Points spread over the boundary of the mesh, or over the surface in the grid."""
    part = skin(outcome)
    corners = np.asarray(part.points, np.float64)[part.triangles]
    vectors = face_normals(part.points, part.triangles)
    areas = 0.5 * np.linalg.norm(vectors, axis=1)
    points, triangle = spread(corners, areas, SURFACE)
    weights = _barycentric(corners[triangle], points)
    nodes = part.nodes[part.triangles[triangle]]
    shares = weights[:, :, None] * part.weights[part.triangles[triangle]]
    normals = vectors[triangle] / (2 * areas[triangle, None])
    return _OnSkin(points, normals, nodes.reshape(SURFACE, -1), shares.reshape(SURFACE, -1))


def _barycentric(corners: Floats, points: Floats) -> Floats:
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    p = points - corners[:, 0]
    aa, ab, bb = (np.einsum("ki,ki->k", *pair) for pair in ((a, a), (a, b), (b, b)))
    pa, pb = np.einsum("ki,ki->k", p, a), np.einsum("ki,ki->k", p, b)
    determinant = aa * bb - ab**2
    u, v = (bb * pa - ab * pb) / determinant, (aa * pb - ab * pa) / determinant
    return np.stack([1 - u - v, u, v], axis=1)


def _inside(outcome: Outcome, cloud: Cloud) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Nodes inside the part, their depth [m] and the normal of the nearest place on the surface."""
    if len(outcome.hexahedra):  # only where all cells around a node are there it lies inside for sure
        nodes = np.flatnonzero(np.bincount(outcome.hexahedra.ravel(), minlength=len(outcome.points)) == 8)
    else:
        on_skin = np.zeros(len(outcome.points), bool)
        on_skin[skin(outcome).nodes.ravel()] = True
        nodes = np.flatnonzero(~on_skin)
    chosen = np.random.default_rng(0).permutation(nodes)[:VOLUME]
    depth, nearest = cloud.trees[0].query(outcome.points[chosen])
    return chosen, depth, cloud.normals[nearest]


def queries_of(
    problems: tuple[Problem, ...], points: Floats, normals: Floats, depth: Floats, tokens: int
) -> Queries:
    """Queries with features (problems, k, features); arguments as of `Problem.queries`."""
    seen = problems[0].cloud.look(points, normals)
    each = [problem.queries(points, normals, seen, depth, tokens) for problem in problems]
    return each[0]._replace(features=np.stack([np.asarray(one.features) for one in each]))
