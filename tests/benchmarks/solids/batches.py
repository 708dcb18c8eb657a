"""Many load cases, materials and shapes of one mesh at once, beside one at a time: python -m ... CASE.npz OUT.json"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import numpy as np

from solvers.earlier import Earlier
from solvers.elasticity.law import Lame, lame
from solvers.iteration import Solution
from solvers.law import Law
from solvers.precision import float64
from solvers.tet10 import batch, steady
from tests.benchmarks.solids.case import POISSONS_RATIO, YOUNGS_MODULUS, Case, Floats

MEMBERS = 8
ALONE = 3  # of them are solved one at a time too
MOST_STRETCH = 0.1  # of the shapes, along each axis


def measure(case: Case, members: int = MEMBERS) -> list[dict[str, Any]]:
    """One record for loads, materials and shapes; everything is compiled before it is timed."""
    material = float64(lame)(YOUNGS_MODULUS, POISSONS_RATIO)
    problem = _prepared(case, case.points, material)
    loads, laws, shapes = _loads(case, members), _laws(members), _shapes(case, members)
    each = [jax.tree.map(lambda values, m=m: values[m], laws) for m in range(members)]
    return [
        compare(what, case.unknowns, together, alone)
        for what, together, alone in (
            (
                "loads",
                lambda: batch.solve(problem, loads, at_once=members),
                [lambda load=load: steady.solve(replace(problem, earlier=Earlier()), load) for load in loads],
            ),
            (
                "materials",
                lambda: batch.solve(problem, case.force, laws=laws, at_once=members),
                [lambda law=law: steady.solve(_prepared(case, case.points, law), case.force) for law in each],
            ),
            (
                "shapes",
                lambda: batch.solve(problem, case.force, points=shapes, at_once=members),
                [
                    lambda shape=shape: steady.solve(_prepared(case, shape, material), case.force)
                    for shape in shapes
                ],
            ),
        )
    ]


def compare(
    what: str, unknowns: int, together: Callable[[], list[Solution]], alone: Sequence[Callable[[], Solution]]
) -> dict[str, Any]:
    """Members of a batch, solved together and, some of them, one at a time."""
    members = len(alone)
    first, solutions = _timed(together)
    again, _ = _timed(together)
    # members of their own bucket may compile again: each is run once before
    singles = [(solve(), *_timed(solve)) for solve in alone[-ALONE:]]
    distance = max(
        float(np.linalg.norm(found.field - reference.field) / np.linalg.norm(reference.field))
        for found, (_, _, reference) in zip(solutions[-ALONE:], singles, strict=False)
    )
    one = sum(seconds for _, seconds, _ in singles) / len(singles)
    return {
        "what": what,
        "unknowns": unknowns,
        "members": members,
        "seconds_first": first,
        "seconds": again,
        "seconds_alone": one,
        "throughput": members / again,
        "throughput_alone": 1 / one,
        "ratio": one * members / again,
        "iterations": [solution.iterations for solution in solutions],
        "iterations_alone": [reference.iterations for _, _, reference in singles],
        "largest_difference": distance,
    }


def _timed(run: Callable[[], Any]) -> tuple[float, Any]:
    begun = time.perf_counter()
    found = run()
    return time.perf_counter() - begun, found


def _prepared(case: Case, points: Floats, law: Law) -> steady.Problem:
    held = np.where(case.fixed[:, None, None], np.eye(3), 0.0)
    return steady.prepare(points, case.tets, law, held, np.zeros_like(points))


def _loads(case: Case, members: int) -> Floats:
    """The case's own, turned about z."""
    angles = 2 * np.pi * np.arange(members) / members
    turned = [[(np.cos(a), -np.sin(a), 0), (np.sin(a), np.cos(a), 0), (0, 0, 1)] for a in angles]
    return np.einsum("bij,nj->bni", np.array(turned), case.force)


def _laws(members: int) -> Lame:
    """From soft to stiff, from a Poisson's ratio of 0.2 to one of 0.4."""
    youngs_modulus = YOUNGS_MODULUS * np.geomspace(0.1, 2, members)
    poissons_ratio = np.linspace(0.2, 0.4, members)
    shear = youngs_modulus / (2 * (1 + poissons_ratio))
    return Lame(2 * shear * poissons_ratio / (1 - 2 * poissons_ratio), shear)


def _shapes(case: Case, members: int) -> Floats:
    """The case's own, stretched and swelling."""
    generator = np.random.default_rng(0)
    shapes = []
    for _ in range(members):
        stretch = 1 + MOST_STRETCH * generator.uniform(-1, 1, 3)
        along = case.points[:, 0] / np.ptp(case.points[:, 0])
        swell = 1 + MOST_STRETCH * generator.uniform(0, 1) * np.sin(np.pi * along)[:, None] * (0, 1, 1)
        shapes.append(case.points * stretch * swell)
    return np.array(shapes)


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(json.dumps(measure(Case.load(Path(sys.argv[1])))))
