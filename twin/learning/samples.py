"""What a finished run teaches: fields on the skin of the part and inside, and the numbers that were found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from solvers.elasticity.invariants import von_mises
from surrogates.cloud import Cloud, spread
from surrogates.elasticity import Problem, scales, size_of
from surrogates.examples import Example, Target
from surrogates.operator import Queries
from twin.errors import InvalidInput
from twin.geometry.selection import barycentric
from twin.learning.questions import Question
from twin.results.outcome import Outcome
from twin.results.skin import face_normals, skin
from twin.results.zones import Zones

Floats = NDArray[np.float64]

SURFACE: Final = 2048  # points of the skin that fields are learned at, spread by area
PEAKS: Final = 1024  # more of them where stress is large: fillets have little area, and peaks
VOLUME: Final = 512
_SHARPNESS, _FLAT = 4, 1e-6  # power of the stress over the largest, and what is added to it
LEARNED: Final = ("max_displacement", "max_von_mises", "compliance")


@dataclass(frozen=True, eq=False)
class Sample:
    """What one finished run teaches.

    example: for the networks; scales: what the fields of each case are measured in (cases, channels) [m, Pa]
    found: the numbers of the solver, by case and name; errors: its estimates of how far they are off
    outside: which points of the skin lie in no zone around a singular place, by case (k,)
    seconds: that the solver took, None where the answer was imported
    """

    run: str
    question: Question
    example: Example
    scales: Floats
    found: Mapping[str, Mapping[str, float]]
    errors: Mapping[str, Mapping[str, float]]
    outside: Mapping[str, NDArray[np.bool_]]
    seconds: float | None

    @property
    def part(self) -> str:
        return self.example.part

    @property
    def loads(self) -> list[Floats]:
        """Of each case, of size one (problems, BASES)."""
        return [loads / size_of(loads) for loads in self.question.cases.values()]


def sample_of(run: str, part: str, question: Question, outcome: Outcome, tokens: int) -> Sample:
    """What a run teaches.

    part: equal for runs of one part; tokens: points of a part that networks see

    Raises:
        InvalidInput: its fields are missing or no numbers
    """
    cloud, cases = question.cloud, list(question.cases)
    inside, depth, normals = _inside(outcome, cloud)
    within = queries_of(question.problems, outcome.points[inside], normals, depth, tokens)
    sizes = np.array([size_of(question.cases[name]) for name in cases])
    nodal = [_nodal(run, outcome, name) for name in cases]
    for name, size, values in zip(cases, sizes, nodal, strict=True):
        if size == 0 or not np.isfinite(values).all():
            what = "no load acts" if size == 0 else "its fields are not finite"
            raise InvalidInput(f"{run} can't be learned from: {what} in load case {name}")
    zones = Zones(outcome.singularities)
    believed = np.stack([zones.of(name).at(outcome.points) < 0 for name in cases])
    surface = _on_skin(outcome, np.where(believed, von_mises(np.stack(nodal)[:, :, 3:]), 0.0))
    depths = np.zeros(len(surface.points))
    on_skin = queries_of(question.problems, surface.points, surface.normals, depths, tokens)
    modulus = question.material.youngs_modulus
    scale = np.stack([scales(modulus, cloud.length, size) for size in sizes])
    at_skin = np.stack([surface.at(values) for values in nodal]) / scale[:, None]
    at_inside = np.stack([values[inside] for values in nodal]) / scale[:, None]
    example = Example(
        part,
        np.stack([problem.tokens(tokens) for problem in question.problems]).astype(np.float32),
        (np.stack([question.cases[name] for name in cases]) / sizes[:, None, None]).astype(np.float32),
        Target(on_skin, at_skin.astype(np.float32)),
        Target(within, at_inside.astype(np.float32)) if len(inside) else None,
    )
    known = {
        name: {
            key: outcome.case(name).quantities[key] for key in LEARNED if key in outcome.case(name).quantities
        }
        for name in cases
    }
    return Sample(
        run,
        question,
        example,
        scale,
        {name: {key: float(each.value) for key, each in of.items()} for name, of in known.items()},
        {name: {key: each.relative_error for key, each in of.items()} for name, of in known.items()},
        {name: zones.of(name).at(surface.points) < 0 for name in cases},
        None if "imported" in outcome.provenance else sum(outcome.cost.seconds.values()),
    )


def _nodal(run: str, outcome: Outcome, case: str) -> Floats:
    """Displacement and stress at the nodes (n, 9) [m, Pa]."""
    fields = outcome.case(case).fields
    if not {"displacement", "stress"} <= set(fields):
        raise InvalidInput(f"{run} has no fields of displacement and stress to learn from")
    return np.hstack([fields["displacement"].values, fields["stress"].values])


@dataclass(frozen=True, eq=False)
class _OnSkin:
    """points, normals (k, 3); nodes, weights (k, a): of which nodes the values there are made of."""

    points: Floats
    normals: Floats
    nodes: NDArray[np.int64]
    weights: Floats

    def at(self, values: Floats) -> Floats:
        return np.asarray(np.einsum("ka,kac->kc", self.weights, values[self.nodes]))


def _on_skin(outcome: Outcome, mises: Floats) -> _OnSkin:
    """Points over the boundary of the mesh, or over the surface in the grid: SURFACE spread by area, PEAKS by area and

    the stress at the nodes (cases, n) [Pa].
    """
    part = skin(outcome)
    corners = np.asarray(part.points, np.float64)[part.triangles]
    vectors = face_normals(part.points, part.triangles)
    areas = 0.5 * np.linalg.norm(vectors, axis=1)
    nodes, shares = part.nodes[part.triangles], part.weights[part.triangles]
    largest = np.maximum(mises.max(axis=1, keepdims=True), np.finfo(float).tiny)
    at_triangles = np.einsum("tka,ctka->ct", shares, (mises / largest)[:, nodes]) / 3
    sharp = areas * (np.mean(at_triangles**_SHARPNESS, axis=0) + _FLAT)
    drawn = spread(corners, areas, SURFACE), spread(corners, sharp, PEAKS)
    points, triangle = np.concatenate([drawn[0][0], drawn[1][0]]), np.concatenate([drawn[0][1], drawn[1][1]])
    weights = barycentric(corners[triangle], points[:, None])[:, 0]
    return _OnSkin(
        points,
        vectors[triangle] / (2 * areas[triangle, None]),
        nodes[triangle].reshape(len(points), -1),
        (weights[:, :, None] * shares[triangle]).reshape(len(points), -1),
    )


def _inside(outcome: Outcome, cloud: Cloud) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Nodes inside the part, their depth [m] and the normal of the nearest place on the surface."""
    if len(outcome.hexahedra):  # only where all cells around a node are there it lies inside for sure
        nodes = np.flatnonzero(np.bincount(outcome.hexahedra.ravel(), minlength=len(outcome.points)) == 8)
    else:
        on_skin = np.zeros(len(outcome.points), bool)
        on_skin[skin(outcome).nodes.ravel()] = True
        nodes = np.flatnonzero(~on_skin)
    chosen = np.random.default_rng(0).permutation(nodes)[:VOLUME]
    return chosen, *cloud.below(outcome.points[chosen])


def queries_of(
    problems: tuple[Problem, ...], points: Floats, normals: Floats, depth: Floats, tokens: int
) -> Queries:
    """Queries with features (problems, k, features); arguments as of `Problem.queries`."""
    seen = problems[0].cloud.look(points, normals)
    each = [problem.queries(points, normals, seen, depth, tokens) for problem in problems]
    return each[0]._replace(features=np.stack([np.asarray(one.features) for one in each]))
