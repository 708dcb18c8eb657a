"""What an ensemble says of a part: numbers by every network, and fields where they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from solvers.elasticity.invariants import von_mises
from surrogates.domain import surface_statistics
from surrogates.elasticity import GROUPS, scales, size_of
from surrogates.ensemble import Encoded, Ensemble, Prediction
from surrogates.operator import Queries
from twin.geometry.surface import Surface
from twin.learning.memory import Memory
from twin.learning.questions import Question
from twin.learning.samples import queries_of
from twin.results.zones import Zones

Floats = NDArray[np.float64]

_MOST_PLACES: Final = 12_000  # triangles that are looked at for largest values
# Of a value: what its bound is made of where all networks agree. Few networks agree by chance, too: with 0.02 in place
# of 0.1 the bounds of the example's brackets, by two networks, are half again as wide.
_LEAST: Final = 0.1
_LEAST_OF_FIELD: Final = 0.05  # of the root mean square of a field, likewise


@dataclass(frozen=True, eq=False)
class Number:
    """A quantity of the mean of the networks' fields, and of the field of each (m,)."""

    value: float
    each: Floats

    @property
    def expected(self) -> float:
        """By how much it may be off, before calibration."""
        spread = float(self.each.std(ddof=1)) if len(self.each) > 1 else 0.0
        return spread + _LEAST * abs(self.value)


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A part and its study, seen by an ensemble. memory: of the part, from questions before."""

    surface: Surface
    question: Question
    ensemble: Ensemble
    memory: Memory = field(default_factory=Memory)

    @cached_property
    def tokens(self) -> NDArray[np.float32]:
        """(problems, n, features)."""
        count = self.ensemble.size.tokens
        return np.stack([problem.tokens(count).astype(np.float32) for problem in self.question.problems])

    @cached_property
    def encoded(self) -> Encoded:
        return self.memory.recall("encoded", lambda: self.ensemble.encode(self.tokens))

    @cached_property
    def statistics(self) -> Floats:
        """Of the surface as tokens show it (problems, d)."""
        return self.memory.recall("statistics", lambda: surface_statistics(self.tokens))

    @cached_property
    def places(self) -> Floats:
        """Where largest values are looked for (k, 3) [m].

        Points over the surface, and a point of each triangle, since those of fillets are many and small.
        """
        return np.concatenate(
            [self.surface.corners[self._triangles].mean(axis=1), self.question.cloud.points]
        )

    @cached_property
    def _triangles(self) -> NDArray[np.intp]:
        """Those that are looked at."""
        count = len(self.surface.triangles)
        return np.linspace(0, count - 1, min(count, _MOST_PLACES)).astype(np.intp)

    def ask(self, points: Floats, normals: Floats) -> Queries:
        """Queries of all problems, on the surface (k, 3) [m]."""
        depth = np.zeros(len(points))
        return queries_of(self.question.problems, points, normals, depth, self.ensemble.size.tokens)

    @cached_property
    def scales(self) -> Floats:
        """What the fields of each case are measured in (cases, channels) [m, Pa]."""
        modulus, length = self.question.material.youngs_modulus, self.question.cloud.length
        return np.stack([scales(modulus, length, size) for size in self._sizes])

    @cached_property
    def _sizes(self) -> Floats:
        return np.array([size_of(loads) for loads in self.question.cases.values()])

    def fields(self, queries: Queries, *, surface: bool = True) -> Prediction:
        """Displacement [m] and stress [Pa] of all cases (m, cases, k, 9), on the surface or inside."""
        return self._scaled(self.ensemble.predict(self.encoded, self._loads, queries, surface=surface))

    def fields_at(self, name: str, points: Floats, normals: Callable[[], Floats]) -> Prediction:
        """As `fields`, at points on the surface that are always the same for a part: what they are of is remembered.

        normals: makes those at the points (k, 3), where they are not known yet
        """
        every = range(len(self.question.problems))
        units = self.memory.recall(
            name,
            lambda: self.ensemble.units(self.encoded, self.ask(points, normals()), every),
            lambda made: sum(each.nbytes for each in made.by_problem.values()),
        )
        return self._scaled(units.of(self._loads, (len(self.ensemble.members), self.ensemble.size.channels)))

    def _scaled(self, found: Prediction) -> Prediction:
        """In SI. Raises FloatingPointError where a network says nothing that is a number."""
        members = found.members * self.scales[:, None]
        if not np.isfinite(members).all():
            raise FloatingPointError("a network's answer is no finite number here")
        return Prediction(members)

    @cached_property
    def _loads(self) -> Floats:
        """Of each case, of size one (cases, problems, BASES)."""
        return np.stack(list(self.question.cases.values())) / self._sizes[:, None, None]

    @cached_property
    def _at_places(self) -> Prediction:
        normals = self.surface.normals[self._triangles], self.question.cloud.normals
        return self.fields_at("places", self.places, lambda: np.concatenate(normals))

    @cached_property
    def _at_regions(self) -> list[Prediction]:
        """At the points of each region that is loaded, for the work of the loads."""
        found = []
        for number, problem in enumerate(self.question.problems):
            if (region := problem.region) is not None:
                found.append(
                    self.fields_at(f"region {number}", region.points, partial(getattr, region, "normals"))
                )
        return found

    def numbers(self, case: str, zones: Zones) -> dict[str, Number]:
        """By name; zones: of the case, in which the largest stress is not looked for."""
        number = list(self.question.cases).index(case)
        fields = self._at_places.members[:, number]
        outside = zones.at(self.places) < 0
        outside = outside if outside.any() else np.ones_like(outside)

        def moved(field: Floats) -> float:
            return float(np.linalg.norm(field[:, :3], axis=1).max())

        def stressed(field: Floats) -> float:
            return float(von_mises(field[outside, 3:]).max())

        found = {
            name: Number(measure(fields.mean(axis=0)), np.array([measure(field) for field in fields]))
            for name, measure in (("max_displacement", moved), ("max_von_mises", stressed))
        }
        if all(problem.region is not None for problem in self.question.problems):
            works = self._works(case, number)
            found["compliance"] = Number(float(works.mean()), works)  # as linear as the fields
        return found

    def _works(self, case: str, number: int) -> Floats:
        moved = [of_region.members[:, number, :, :3] for of_region in self._at_regions]
        each = range(len(self.ensemble.members))
        return np.array([self.question.work(case, [of[member] for of in moved]) for member in each])

    def expected_errors(self, fields: Prediction) -> Floats:
        """By how much each group of channels may be off, before calibration (cases, k, groups)."""
        return fields.spread(GROUPS) + self._least[:, None]

    @cached_property
    def _least(self) -> Floats:
        """Where all networks agree (cases, groups): a share of the root mean square over the surface, by its area."""
        over = self._at_places.mean[:, -len(self.question.cloud.points) :]
        squares = np.add.reduceat((over**2).mean(axis=1), np.cumsum([0, *GROUPS[:-1]]), axis=-1)
        return _LEAST_OF_FIELD * np.sqrt(squares)


def errors_of(found: Floats, exact: Floats) -> Floats:
    """The length of the error of each group of channels (cases, k, groups)."""
    squares = np.add.reduceat((found - exact) ** 2, np.cumsum([0, *GROUPS[:-1]]), axis=-1)
    return np.sqrt(squares)


UNITS: Final[Mapping[str, str]] = {"max_displacement": "m", "max_von_mises": "Pa", "compliance": "J"}
