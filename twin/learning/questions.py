"""A part and its study, as networks see them: points on the part, what holds it, and what acts on each region."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from surrogates.cloud import Cloud
from surrogates.elasticity import BASES, Hold, Problem, Region
from twin.analyses.task import Regions
from twin.errors import StudyError
from twin.geometry.selection import Selection
from twin.geometry.surface import Surface
from twin.materials import Material
from twin.results.outcome import Equilibrium
from twin.select import Selector
from twin.studies import (
    Centrifugal,
    Displacement,
    Force,
    Gravity,
    Load,
    Pressure,
    RemoteForce,
    StaticStress,
    Support,
    Symmetry,
    Traction,
)
from twin.studies.training import unlearnable

Floats = NDArray[np.float64]

_ALONG: Final = 1 - 1e-4  # of the cosine between a normal and an axis, from where on they are one


@dataclass(frozen=True, eq=False)
class Question:
    """A part, its material, and of each load case the size of each unit load on each region (problems, BASES) [N].

    problems: one for each region, the same in all cases; middle: centre of mass (3,) [m]
    """

    cloud: Cloud
    material: Material
    problems: tuple[Problem, ...]
    cases: Mapping[str, Floats]
    middle: Floats

    def applied(self, case: str) -> tuple[Floats, Floats]:
        """The force that acts (3,) [N], and its moment about the origin (3,) [N m]."""
        force, moment = np.zeros(3), np.zeros(3)
        for problem, loads in zip(self.problems, self.cases[case], strict=True):
            if problem.region is None:
                push, turn, at = loads[7:10], np.zeros(3), self.middle
            else:
                push, turn = problem.region.resultant(loads, self.cloud.length)
                at = problem.region.middle
            force += push
            moment += turn + np.cross(at, push)
        return force, moment

    def balance(self, case: str) -> Equilibrium:
        """What acts; what holds is taken to be the opposite of it."""
        force, moment = self.applied(case)
        return Equilibrium(force, -force, moment, -moment, 0.0)  # type: ignore[arg-type]

    def work(self, case: str, displacements: Sequence[Floats]) -> float:
        """Of the loads [J], on displacements at the points of the region of each problem (k, 3) [m].

        Of regions only: the work of the part's weight takes the displacement of the inside.
        """
        regions = [
            (p.region, loads) for p, loads in zip(self.problems, self.cases[case], strict=True) if p.region
        ]
        return sum(
            float(np.sum(region.forces(loads, self.cloud.length) * moved))
            for (region, loads), moved in zip(regions, displacements, strict=True)
        )


def asked(surface: Surface, volume: float, study: StaticStress, regions: Regions) -> Question:
    """A study of a part. Raises StudyError for what networks are not taught.

    Args:
        volume: of the part [m^3]; regions: those that the study speaks of
    """
    if (why := unlearnable(study)) is not None:
        raise StudyError(f"{why[0].upper()}{why[1:]}: ask for method='solver'.")
    cloud = Cloud.of(surface.vertices, surface.triangles, volume)
    holds = tuple(_hold(support, where) for support, where in regions.supports)
    places: dict[Selector | None, Region | None] = {}
    for _, load, where in regions.loads:
        places.setdefault(_place(load), None if where is None else Region(where.triangles))
    numbers = {place: number for number, place in enumerate(places)}
    cases = {name: np.zeros((len(places), len(BASES))) for name in study.cases}
    for case, load, _ in regions.loads:
        place = _place(load)
        cases[case][numbers[place]] += _coefficients(load, places[place], cloud, study.material)
    problems = tuple(
        Problem(cloud, holds, region, study.material.poissons_ratio) for region in places.values()
    )
    return Question(cloud, study.material, problems, cases, _middle(surface))


def _middle(surface: Surface) -> Floats:
    """Of the tetrahedra between the origin and each triangle."""
    corners = surface.corners
    volumes = np.einsum("ti,ti->t", corners[:, 0], np.cross(corners[:, 1], corners[:, 2]))
    total = volumes.sum()
    if not surface.closed or total <= 0:
        return np.asarray(corners.mean(axis=(0, 1)))
    return np.asarray(volumes @ corners.sum(axis=1) / (4 * total))


def _place(load: Load) -> Selector | None:
    return None if isinstance(load, Gravity | Centrifugal) else load.on


def _hold(support: Support, where: Selection) -> Hold:
    """Of a support that is known to be rigid."""
    match support:
        case Displacement():
            axes = (support.x is not None, support.y is not None, support.z is not None)
        case Symmetry():
            along = np.abs(where.area_vectors).sum(axis=0) / where.area
            axes = (bool(along[0] > _ALONG), bool(along[1] > _ALONG), bool(along[2] > _ALONG))
        case _:
            axes = (True, True, True)
    return Hold(Region(where.triangles), axes)


def _coefficients(load: Load, region: Region | None, cloud: Cloud, material: Material) -> Floats:
    """The size of each unit load (BASES,) [N]."""
    found = np.zeros(len(BASES))
    match load:
        case Gravity():
            found[7:10] = material.density * cloud.volume * np.asarray(load.vector)
        case Force() if region is not None:
            found[:3] = load.vector
        case Traction() if region is not None:
            found[:3] = region.area * np.asarray(load.vector)
        case Pressure() if region is not None:
            found[6] = load.value * region.area
        case RemoteForce() if region is not None:
            found[:3] = load.force
            moment = np.asarray(load.moment) + np.cross(np.asarray(load.at) - region.middle, load.force)
            found[3:6] = moment / cloud.length
        case _:
            raise AssertionError(f"{load} is none that `unlearnable` lets through, or acts nowhere")
    return found
