"""A part that was asked about before is answered from memory, and the answer is the same."""

from __future__ import annotations

import numpy as np
import pytest
from flax import nnx

import twin
from surrogates.ensemble import Ensemble
from surrogates.operator import Operator
from tests.surrogates.beams import SIZE, box
from tests.twin.learning.test_questions import SIDE, TIP, held, seen
from twin.geometry.surface import Surface
from twin.learning.evaluation import Evaluation
from twin.learning.memory import Memories, Memory
from twin.learning.questions import Question
from twin.results.zones import Zones

ENSEMBLE = Ensemble(SIZE, tuple(Operator(SIZE, nnx.Rngs(seed)) for seed in (1, 2)))


def surface(width: float = 0.2) -> Surface:
    vertices, triangles = box(width, 0.3)
    return Surface(vertices, triangles.astype(np.int32), np.zeros(12, np.int32))


def pulled(*vectors: tuple[float, float, float]) -> Question:
    return seen(held(**{f"case-{n}": [twin.Force(vector, TIP)] for n, vector in enumerate(vectors)}))


def test_other_loads_are_answered_from_memory_as_they_would_be_without(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    memory = Memory()
    first = Evaluation(surface(), pulled((1, 0, 0)), ENSEMBLE, memory)
    first.numbers("case-0", Zones(()))
    question = pulled((0, 0, 5), (3, -2, 1))
    fresh = Evaluation(surface(), question, ENSEMBLE)
    expected = {case: fresh.numbers(case, Zones(())) for case in question.cases}
    monkeypatch.setattr(Ensemble, "encode", None)
    monkeypatch.setattr(Ensemble, "units", None)
    again = Evaluation(surface(), question, ENSEMBLE, memory)
    for case, numbers in expected.items():
        found = again.numbers(case, Zones(()))
        for name, number in numbers.items():
            assert found[name].value == number.value
            np.testing.assert_array_equal(found[name].each, number.each)


def test_points_that_are_remembered_have_the_fields_that_they_have() -> None:
    evaluation = Evaluation(surface(), pulled((0, 1, 2)), ENSEMBLE)
    cloud = evaluation.question.cloud
    points, normals = cloud.points[:3000], cloud.normals[:3000]
    remembered = evaluation.fields_at("points", points, lambda: normals).members
    np.testing.assert_allclose(
        remembered, evaluation.fields(evaluation.ask(points, normals)).members, rtol=1e-12
    )
    twice = Evaluation(surface(), pulled((0, 2, 4)), ENSEMBLE, evaluation.memory)
    np.testing.assert_array_equal(twice.fields_at("points", points, lambda: normals).members, 2 * remembered)


def test_what_a_memory_is_of() -> None:
    memories, question = Memories(), pulled((1, 0, 0))
    known = memories.of("a", surface(), question)
    assert memories.of("a", surface(), pulled((7, 8, 9))) is known
    others = [
        ("b", surface(), question),
        ("a", surface(0.25), question),
        ("a", surface(), seen(held(twin.Force((1, 0, 0), SIDE)))),
        ("a", surface(), seen(held(twin.Force((1, 0, 0), TIP), twin.Gravity((0, 0, -10))))),
        (
            "a",
            surface(),
            seen(twin.StaticStress("Ti-6Al-4V", [twin.Fixed(SIDE)], [twin.Force((1, 0, 0), TIP)])),
        ),
    ]
    for other in others[:3]:
        assert memories.of(*other) is not known
    assert memories.of("a", surface(), question) is known
    for other in others:
        memories.of(*other)
    assert memories.of("a", surface(), question) is not known, "it was asked about too long ago"


def test_what_is_too_large_is_not_kept() -> None:
    memory, made = Memory(), []
    for _ in range(2):
        memory.recall("fields", lambda: made.append(1), lambda _: 1 << 40)
    assert len(made) == 2
