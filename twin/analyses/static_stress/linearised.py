"""A solved load case of static stress, ready to be differentiated."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, final

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from solvers.elasticity import coupling
from solvers.elasticity.constraints import rigid_motions
from solvers.elasticity.coupling import RigidRegion
from solvers.elasticity.law import Lame, lame
from solvers.iteration import Progress
from solvers.law import Law
from solvers.precision import float64
from solvers.tet10 import sensitivity, steady
from solvers.tet10.sensitivity import Places
from twin.analyses import goals
from twin.analyses.boundary import MeshBoundary
from twin.analyses.derivatives import (
    Adjoined,
    BodyTerm,
    FacetTerm,
    Objective,
    PrescribedTerm,
    Term,
)
from twin.analyses.linearised import Linearised
from twin.analyses.static_stress.loads import (
    TRACTIONS,
    UNITS,
    assemble,
    body_force,
    parameters,
    rigid_regions,
)
from twin.analyses.static_stress.on_mesh import prepare
from twin.analyses.static_stress.supports import Held, hold
from twin.errors import MaterialError
from twin.meshing import VolumeMesh
from twin.meshing.volume_mesh import volume
from twin.studies import (
    Centrifugal,
    Displacement,
    ElasticFoundation,
    Gravity,
    Load,
    RemoteForce,
    StaticStress,
)

Floats = NDArray[np.float64]


@final
@dataclass(frozen=True)
class RigidTerm(Term):
    """A force and a moment at a point [m], carried by nodes (n,) that move as a rigid body."""

    name: str
    units: Mapping[str, str]
    region: RigidRegion

    def by_parameters(self, at: Adjoined) -> dict[str, Floats]:
        motion = self.motion(at.points, at.test(self.name))
        return {"force": motion[:3], "moment": motion[3:], "at": -self.by_points(at).sum(0)}

    def by_points(self, at: Adjoined) -> Floats:
        # The region moves by T + theta x (x - at), and so does its adjoint: x changes what theta does.
        turn = self.motion(at.points, at.field)[3:]
        adjoint_turn = self.motion(at.points, at.adjoint)[3:]
        moved = np.cross(at.pull, turn) + np.cross(at.rest, adjoint_turn)
        return np.asarray(moved * self.region.nodes[:, None])

    def motion(self, points: Floats, field: Floats) -> Floats:
        """Translation [m] and rotation [rad] (6,) of the region in a field (n, 3) that moves it as a rigid body."""
        nodes = self.region.nodes
        motions = rigid_motions(points[nodes], self.region.at)
        scale = np.repeat([1.0, 1 / np.abs(motions[:, :, 3:]).max()], 3)
        found = np.linalg.lstsq((motions * scale).reshape(-1, 6), field[nodes].ravel(), rcond=None)[0]
        return np.asarray(found * scale)


@final
class LinearisedStress(Linearised):
    """Displacement (n, 3) [m] under the loads of one case."""

    law: Lame
    weighs = True

    def __init__(
        self,
        study: StaticStress,
        law: Lame,
        mesh: VolumeMesh,
        boundary: MeshBoundary,
        case: str,
        displacement: Floats,
    ):
        density, loads = study.material.density, study.cases[case]
        self._study, self.mesh, self.law, self.field = study, mesh, law, displacement
        self._held = hold(boundary, study.supports)
        self._assembled = assemble(boundary, study.materials, {case: loads})[case]
        self.load = self._assembled.nodal
        self._regions = rigid_regions(boundary, self._assembled, self._held.directions)
        regions = iter(self._regions)
        acting = [_load_term(f"loads[{i}]", load, boundary, density, regions) for i, load in enumerate(loads)]
        self.terms = (*acting, *_support_terms(study, boundary, self._held))

    @cached_property
    def problem(self) -> steady.Problem:
        return prepare(self.law, self.mesh, self._held, self._regions)

    def objective(self, quantity: str, counted: NDArray[np.int32] | None = None) -> Objective:
        still = np.zeros_like(self.field)
        match quantity:
            case "max_displacement":
                size = np.linalg.norm(self.field, axis=1)
                node = int(size.argmax())
                still[node] = self.field[node] / max(size[node], 1e-300)
                return Objective(float(size[node]), "m", still)
            case "compliance":
                return self._compliance()
            case "max_von_mises":
                tets = self.mesh.tets if counted is None else counted
                mean = sensitivity.flux_mean(self.mesh.points, tets, self.law, self.field, goals.EXPONENT)
                return Objective(mean.value, "Pa", mean.by_field, mean.by_points, mean.by_law)
            case "safety_factor":
                strength = self._study.material.yield_strength
                if strength is None:
                    raise MaterialError(
                        "A safety factor needs the yield strength of the material: give it to twin.Material."
                    )
                mises = self.objective("max_von_mises", counted)
                factor = mises.then(strength / mises.value, "1", -strength / mises.value**2)
                return replace(factor, by_material={"yield_strength": 1 / mises.value})
            case "mass":
                density, size = self._study.material.density, volume(self.mesh.points, self.mesh.tets)
                unit = np.ones(1), np.zeros((1, 3)), np.ones((len(still), 1))
                by_points = sensitivity.body_force(
                    self.mesh.points, self.mesh.tets, density * unit[0], *unit[1:]
                )
                return Objective(density * size, "kg", still, by_points, by_material={"density": size})
        raise ValueError(f"{quantity} has no gradient")

    def _compliance(self) -> Objective:
        """Work of the loads. It is its own adjoint where nothing is prescribed."""
        rigid = [
            np.concatenate([load.force, load.moment]) @ term.motion(self.mesh.points, self.field)
            for load, term in zip(self._assembled.rigid, self._rigid_terms, strict=True)
        ]
        return Objective(
            float(np.vdot(self.load, self.field)) + float(sum(rigid)),
            "J",
            self.load,
            work={term.name: self.field for term in self.terms if term.name.startswith("loads")},
            adjoint=None if self._held.prescribed.any() else self.field,
        )

    @property
    def _rigid_terms(self) -> list[RigidTerm]:
        return [term for term in self.terms if isinstance(term, RigidTerm)]

    @cached_property
    def _adjoint_problem(self) -> steady.Problem:
        return replace(self.problem, prescribed=np.zeros_like(self.problem.prescribed))

    def solve_adjoint(self, objective: Objective, progress: Progress | None = None) -> Floats:
        problem, load = self._adjoint_problem, objective.by_field
        if not self._regions:
            return steady.solve(problem, load, progress=progress).field
        unit = coupling.unit_motions(problem, self.mesh.points, self._regions, progress)
        # J counts the work of a rigid region's force and moment as it counts those of nodal forces
        counted = [term.name in objective.work for term in self._rigid_terms]
        resultants = [
            (own * load.force, own * load.moment)
            for own, load in zip(counted, self._assembled.rigid, strict=True)
        ]
        return coupling.solve_coupled(problem, unit, load, resultants, progress=progress).solution.field

    def by_material(self, by_law: Law) -> dict[str, float]:
        material = self._study.material
        return _by_material(material.youngs_modulus, material.poissons_ratio, by_law)


@float64
def _by_material(youngs_modulus: float, poissons_ratio: float, by_law: Law) -> dict[str, float]:
    given = jnp.asarray(youngs_modulus), jnp.asarray(poissons_ratio)
    modulus, ratio = jax.vjp(lame, *given)[1](by_law)
    return {"youngs_modulus": float(modulus), "poissons_ratio": float(ratio)}


def _load_term(name: str, load: Load, boundary: MeshBoundary, density: float, regions: Any) -> Term:
    units, given = UNITS[type(load)], parameters(load)
    match load:
        case Gravity() | Centrifugal():
            return BodyTerm(
                name, units, given, density, lambda given, density: body_force(load, given, density)
            )
        case RemoteForce(coupling="rigid"):
            return RigidTerm(name, units, next(regions))
    where = boundary.quadrature(load.on)
    return FacetTerm(name, units, where, given, TRACTIONS[type(load)])


def _support_terms(study: StaticStress, boundary: MeshBoundary, held: Held) -> list[Term]:
    terms: list[Term] = []
    for number, support in enumerate(study.supports):
        name = f"supports[{number}]"
        match support:
            case Displacement():
                nodes, moves = held.moved[number]
                given = {
                    axis: moves[:, :, column]
                    for column, axis in enumerate("xyz")
                    if getattr(support, axis) is not None
                }
                terms.append(PrescribedTerm(name, dict.fromkeys(given, "m"), nodes, given))
            case ElasticFoundation():
                where = boundary.quadrature(support.on)
                density = _springs_along_normal if support.direction == "normal" else _springs
                stiffness = {"stiffness": np.array(support.stiffness)}
                terms.append(FacetTerm(name, {"stiffness": "N/m^3"}, where, stiffness, density))
    return terms


def _springs(given: Mapping[str, Any], at: Places) -> Any:
    """Traction of a foundation [Pa]."""
    return -given["stiffness"] * at.values[0]


def _springs_along_normal(given: Mapping[str, Any], at: Places) -> Any:
    along = (at.values[0] * at.normal).sum(1, keepdims=True)
    return -given["stiffness"] * along * at.normal
