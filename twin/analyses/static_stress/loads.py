"""Loads -> consistent nodal forces of each load case."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solvers import quadrature
from solvers.elasticity.coupling import RigidRegion, distributed
from solvers.quadrature import FacetQuadrature
from solvers.tet10.sensitivity import Places
from twin.analyses.boundary import MeshBoundary
from twin.analyses.immersed_boundary import ImmersedBoundary
from twin.errors import StudyError
from twin.materials import Material
from twin.select import Selector, describe
from twin.studies import Centrifugal, Force, Gravity, Load, Pressure, RemoteForce, Traction

Floats = NDArray[np.float64]

MOST_OF_REGION = 0.5

# The numbers of each load, with their units.
UNITS: Mapping[type[Load], Mapping[str, str]] = {
    Force: {"vector": "N"},
    Traction: {"vector": "Pa"},
    Pressure: {"value": "Pa"},
    Gravity: {"vector": "m/s^2"},
    Centrifugal: {"axis": "1", "point": "m", "rate": "rad/s"},
    RemoteForce: {"force": "N", "at": "m", "moment": "N m"},
}

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
    boundary: Boundary, materials: Sequence[Material], cases: Mapping[str, tuple[Load, ...]]
) -> dict[str, CaseLoads]:
    """Nodal forces of every case."""
    densities = [material.density for material in materials]
    return {
        name: CaseLoads(
            sum((_nodal(boundary, densities, load) for load in items), np.zeros_like(boundary.points)),
            _rigid(items),
        )
        for name, items in cases.items()
    }


def _nodal(boundary: Boundary, densities: Sequence[float], load: Load) -> Floats:
    given = parameters(load)
    match load:
        case Gravity() | Centrifugal():
            base, slope = body_force(load, given, 1.0)
            return boundary.body_force(base, slope, densities)
        case RemoteForce(coupling="rigid"):
            return np.zeros_like(boundary.points)
    where = boundary.quadrature(load.on)
    return quadrature.traction(where, TRACTIONS[type(load)](given, where), len(boundary.points))


def parameters(load: Load) -> dict[str, Floats]:
    """The numbers of a load by their names, in SI."""
    return {name: np.array(getattr(load, name), dtype=np.float64) for name in UNITS[type(load)]}


def body_force(load: Gravity | Centrifugal, given: Mapping[str, Any], density: float) -> tuple[Any, Any]:
    """Force per volume base + slope @ x (3,), (3, 3); `given`: its parameters, as numbers or traced by JAX."""
    match load:
        case Gravity():
            return density * given["vector"], np.zeros((3, 3))
        case Centrifugal():
            axis = given["axis"]
            along = axis[:, None] * axis / (axis @ axis)
            outward = density * given["rate"] ** 2 * (np.eye(3) - along)
            return -outward @ given["point"], outward


def _spread(given: Mapping[str, Any], where: FacetQuadrature | Places) -> Any:
    return given["vector"] / where.area


def _as_given(given: Mapping[str, Any], where: FacetQuadrature | Places) -> Any:
    return given["vector"]


def _pushing(given: Mapping[str, Any], where: FacetQuadrature | Places) -> Any:
    return -given["value"] * where.normal


def _distributed(given: Mapping[str, Any], where: FacetQuadrature | Places) -> Any:
    return distributed(where, given["force"], given["moment"], given["at"])


# Force per area (p, 3), or (3,) of all points [Pa], of the parameters of a load: as numbers, or traced by JAX.
TRACTIONS: Mapping[type[Load], Callable[[Mapping[str, Any], FacetQuadrature | Places], Any]] = {
    Force: _spread,
    Traction: _as_given,
    Pressure: _pushing,
    RemoteForce: _distributed,
}


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
