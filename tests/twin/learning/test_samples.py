"""What is learned of a finished run is what it has found, wherever its nodes are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from solvers.elasticity.invariants import von_mises
from surrogates import cloud
from tests.surrogates.beams import box
from tests.twin.learning.test_questions import held, seen
from twin import Force, select
from twin.errors import InvalidInput
from twin.learning.samples import PEAKS, SURFACE, VOLUME, sample_of
from twin.quantities import Field, Quantity
from twin.results.outcome import CaseOutcome, Cost, Equilibrium, Outcome

SLOPE = np.arange(27.0).reshape(3, 9) * 1e-3
ZERO = (0.0, 0.0, 0.0)


def outcome() -> Outcome:
    """On a grid of cubes that the beam of 1 x 0.2 x 0.3 m fits into, fields that grow evenly."""
    edge, counts = 0.05, (21, 5, 7)
    lattice = np.stack(np.meshgrid(*(np.arange(n) for n in counts), indexing="ij"), axis=-1).reshape(-1, 3)
    points = np.array([0.0, -0.1, -0.15]) + edge * lattice
    number = np.arange(len(points)).reshape(counts)
    corners = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1)]
    cells = [
        number[i : counts[0] - 1 + i, j : counts[1] - 1 + j, k : counts[2] - 1 + k].ravel()
        for i, j, k in corners
    ]
    values = points @ SLOPE
    case = CaseOutcome(
        {"max_displacement": Quantity(2.0, "m", 0.1)},
        {
            "displacement": Field("displacement", values[:, :3], "m", "node"),
            "stress": Field("stress", values[:, 3:], "Pa", "node"),
        },
        {},
        Equilibrium(ZERO, ZERO, ZERO, ZERO, 0.0),
    )
    vertices, triangles = box(0.2, 0.3)
    return Outcome(
        cases={"default": case}, points=points, tets=np.zeros((0, 10), np.int32),
        hexahedra=np.stack(cells, axis=1).astype(np.int32), surface_vertices=vertices,
        surface_triangles=triangles.astype(np.int32), glyphs=(), assumptions=(), warnings=(), convergence=(),
        mesh_quality={}, mesher="", provenance={}, cost=Cost({}, None, ""),
    )  # fmt: skip


def test_fields_are_learned_as_they_are() -> None:
    question = seen(held(Force((0, 0, 500), select.plane((1, 0, 0), (1, 0, 0)))))
    sample = sample_of("runs/1", "part", question, outcome(), tokens=64)
    middle, length = question.cloud.centre, question.cloud.length
    for target, count in ((sample.example.surface, SURFACE + PEAKS), (sample.example.volume, VOLUME)):
        assert target is not None
        places = middle + length * np.asarray(target.queries.features)[0, :, :3]
        assert len(places) <= count
        assert len(places) > 50
        found = target.values[0] * sample.scales[0]
        assert found == pytest.approx(places @ SLOPE, rel=1e-4, abs=1e-6)
    assert sample.found["default"] == {"max_displacement": 2.0}
    assert sample.errors["default"]["max_displacement"] == pytest.approx(0.05)
    assert np.linalg.norm(sample.example.coefficients[0]) == pytest.approx(1.0)
    # on the surface the depth is none, inside it is that below the nearest point
    assert np.abs(sample.example.surface.queries.features[0, :, 6 + cloud.FEATURES]).max() == 0.0


def test_more_points_lie_where_the_stress_is_large() -> None:
    question = seen(held(Force((0, 0, 500), select.plane((1, 0, 0), (1, 0, 0)))))
    sample = sample_of("runs/1", "part", question, outcome(), tokens=64)
    mises = von_mises(sample.example.surface.values[0, :, 3:])
    assert len(mises) == SURFACE + PEAKS
    assert np.median(mises[SURFACE:]) > np.quantile(mises[:SURFACE], 0.7)


def test_fields_that_are_no_numbers_teach_nothing() -> None:
    question = seen(held(Force((0, 0, 500), select.plane((1, 0, 0), (1, 0, 0)))))
    found = outcome()
    case = found.cases["default"]
    broken = case.fields["stress"].values.copy()
    broken[7] = np.nan
    spoilt = {**case.fields, "stress": Field("stress", broken, "Pa", "node")}
    for fields, words in ((spoilt, "not finite"), ({}, "no fields")):
        changed = replace(found, cases={"default": replace(case, fields=fields)})
        with pytest.raises(InvalidInput, match=words):
            sample_of("runs/1", "part", question, changed, tokens=64)
