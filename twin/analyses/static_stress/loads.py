"""Loads -> consistent nodal forces of each load case."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solvers import quadrature
from solvers.elasticity.coupling import RigidRegion, distributed
from twin.analyses.boundary import MeshBoundary
from twin.analyses.immersed_boundary import ImmersedBoundary
from twin.errors import StudyError
from twin.select import Selector, describe
from twin.studies import Centrifugal, Force, Gravity, Load, Pressure, RemoteForce, Traction

Floats = NDArray[np.float64]

MOST_OF_REGION = 0.5

Boundary = MeshBoundary | ImmersedBoundary


@dataclass(frozen=True)
class RigidLoad:
    """A force [N] and moment [N m] at a point [m] that a region carries as a rigid body."""

    on: Selector
    at: tuple[float, float, float]
    force: Floats
    moment: Floats


@dataclass(frozen=True)
class CaseLoads:
    """nodal: (n, 3) forces [N]; rigid: what acts through rigid regions."""

    nodal: Floats
    rigid: tuple[RigidLoad, ...]

    @property
    def force(self) -> Floats:
        """Resultant [N]."""
        return np.asarray(self.nodal.sum(0) + sum((r.force for r in self.rigid), np.zeros(3)))

    def moment(self, points: Floats) -> Floats:
        """Resultant about the origin [N m]."""
        rigid = (r.moment + np.cross(r.at, r.force) for r in self.rigid)
        return np.asarray(np.cross(points, self.nodal).sum(0) + sum(rigid, np.zeros(3)))


def assemble(
    boundary: Boundary, density: float, cases: Mapping[str, tuple[Load, ...]]
) -> dict[str, CaseLoads]:
    """Nodal forces of every case. `density` in kg/m^3."""
    return {
        name: CaseLoads(
            sum((_nodal(boundary, density, load) for load in items), np.zeros_like(boundary.points)),
            _rigid(items),
        )
        for name, items in cases.items()
    }


def _nodal(boundary: Boundary, density: float, load: Load) -> Floats:
    match load:
        case Gravity():
            return boundary.body_force(density * np.array(load.vector), np.zeros((3, 3)))
        case Centrifugal():
            axis = np.array(load.axis) / np.linalg.norm(load.axis)
            outward = density * load.rate**2 * (np.eye(3) - np.outer(axis, axis))
            return boundary.body_force(-outward @ np.array(load.point), outward)
        case RemoteForce(coupling="rigid"):
            return np.zeros_like(boundary.points)
    where = boundary.quadrature(load.on)
    match load:
        case Force():
            traction = np.broadcast_to(np.array(load.vector) / where.area, (len(where.weight), 3))
        case Traction():
            traction = np.broadcast_to(np.array(load.vector), (len(where.weight), 3))
        case Pressure():
            traction = -load.value * where.normal
        case RemoteForce():
            traction = distributed(where, np.array(load.force), np.array(load.moment), np.array(load.at))
    return quadrature.traction(where, traction, len(boundary.points))


def _rigid(items: tuple[Load, ...]) -> tuple[RigidLoad, ...]:
    return tuple(
        RigidLoad(load.on, load.at, np.array(load.force), np.array(load.moment))
        for load in items
        if isinstance(load, RemoteForce) and load.coupling == "rigid"
    )


def by_rigid_regions(loads: Mapping[str, CaseLoads]) -> list[dict[str, CaseLoads]]:
    """Cases that share their rigid regions, and so the operator."""
    groups: dict[tuple[object, ...], dict[str, CaseLoads]] = {}
    for name, case in loads.items():
        groups.setdefault(tuple((r.on, r.at) for r in case.rigid), {})[name] = case
    return list(groups.values())


def rigid_regions(boundary: MeshBoundary, case: CaseLoads, held: Floats) -> list[RigidRegion]:
    """The rigid regions of a case. A rim shared with a support belongs to the support, one shared by two regions to
    the first.

    Raises:
        StudyError: most of a region is held or taken already
    """
    taken = held.any((1, 2))
    regions = []
    for load in case.rigid:
        wanted = np.zeros(len(boundary.points), bool)
        wanted[boundary.nodes(load.on).unique] = True
        nodes = wanted & ~taken
        refuse_taken(load.on, nodes.sum() / wanted.sum())
        taken = taken | nodes
        regions.append(RigidRegion(nodes, np.array(load.at)))
    return regions


def refuse_taken(on: Selector, free: float) -> None:
    """Raise StudyError where too little of a rigid region is `free` of supports and other rigid regions."""
    if free < MOST_OF_REGION:
        raise StudyError(
            f"Most of the rigid coupling on {describe(on)} is held by a support or belongs to another rigid coupling. "
            "Keep them apart, or couple with coupling='distributing'.",
            {"on": describe(on)},
        )
