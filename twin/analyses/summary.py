"""What is reported of a static stress study: numbers, fields, and everything that they rest on."""

import resource
from collections.abc import Mapping
from importlib.metadata import version

import jax
import numpy as np
from numpy.typing import NDArray

from solvers.elasticity.invariants import von_mises
from solvers.iteration import TOLERANCE
from solvers.tet10 import steady
from twin.analyses import glyphs, quantities
from twin.analyses.boundary import MeshBoundary
from twin.analyses.immersed_boundary import ImmersedBoundary
from twin.analyses.solution import CaseSolution, Discretised, StudySolution
from twin.analyses.task import Task
from twin.geometry.surface import Report, Surface
from twin.quantities import Field, Quantity
from twin.results.outcome import CaseOutcome, Cost, Equilibrium, Outcome
from twin.studies import Request, StaticStress

Floats = NDArray[np.float64]

# Loads that all but balance among themselves: their imbalance is told against this share of their sizes.
SELF_BALANCED = 0.01


def summarise(task: Task, solutions: list[StudySolution], warnings: list[str]) -> Outcome:
    """Put together what was found; solutions from coarse to fine."""
    final = solutions[-1]
    coarser = solutions[-2] if len(solutions) > 1 else None
    discretised, surface, study = final.discretised, task.surface, task.study
    mass = _mass(study.material.density, final, coarser, surface, task.report)
    cases = {}
    warnings = [*task.report.warnings, *warnings]
    for name, case in final.cases.items():
        equilibrium = _equilibrium(discretised.points, case)
        found = quantities.quantities(
            final.measured[name],
            final.errors(name, coarser),
            mass=mass,
            reaction=np.array(equilibrium.reaction_force),
            reaction_error=_imbalance(equilibrium),
            material=study.material,
            accuracy=task.request.accuracy,
        )
        warnings += _shortfalls(name, found, task.request, len(final.cases) > 1)
        surface_fields = _surface_fields(surface, discretised.boundary, case)
        cases[name] = CaseOutcome(found, _fields(case), surface_fields, equilibrium)
    tets, hexahedra = discretised.elements
    return Outcome(
        cases=cases,
        points=discretised.points,
        tets=tets,
        hexahedra=hexahedra,
        surface_vertices=surface.vertices,
        surface_triangles=surface.triangles,
        glyphs=glyphs.glyphs(surface, task.regions),
        assumptions=_assumptions(study, task.report),
        warnings=tuple(dict.fromkeys(warnings)),
        convergence=tuple(solution.row for solution in solutions),
        mesh_quality={
            "nodes": float(len(discretised.points)),
            "elements": float(len(discretised)),
            **discretised.quality(),
            "volume_difference": discretised.volume / surface.volume - 1 if surface.volume > 0 else 0.0,
        },
        mesher=discretised.mesher,
        provenance=_provenance(discretised),
        cost=Cost(
            seconds=dict(task.watch.seconds),
            joules=None,
            device=steady.devices(),
            peak_bytes=_peak_bytes(),
        ),
    )


def _mass(
    density: float, final: StudySolution, coarser: StudySolution | None, surface: Surface, report: Report
) -> Quantity:
    """Mass of the elements; its error where the surface is one closed body is told by the surface itself."""
    volume = final.discretised.volume
    if surface.closed and report.bodies == 1:
        error, source = abs(volume - surface.volume), "volume of the elements against that of the surface"
    elif coarser is not None:
        error = 2 * abs(volume - coarser.discretised.volume)
        source = "change of the volume of the elements since a coarser solution, twice"
    else:
        error, source = np.inf, "unknown: the surface does not enclose one volume"
    return Quantity(density * volume, "kg", density * error, f"error: {source}")


def _imbalance(equilibrium: Equilibrium) -> float:
    return float(np.linalg.norm(np.add(equilibrium.applied_force, equilibrium.reaction_force)))


def _equilibrium(points: Floats, case: CaseSolution) -> Equilibrium:
    applied, reaction = case.loads.force, case.support_force.sum(0)
    applied_moment = case.loads.moment(points)
    reaction_moment = np.cross(points, case.support_force).sum(0)
    size = np.abs(case.loads.nodal).sum() + sum(float(np.abs(r.force).sum()) for r in case.loads.rigid)
    scale = max(float(np.linalg.norm(applied)), SELF_BALANCED * float(size), 1e-300)
    if size == 0:  # prescribed displacements only: the supports balance among themselves
        scale = max(float(np.linalg.norm(case.support_force, axis=1).sum()), 1e-300)
    residual = float(np.linalg.norm(applied + reaction)) / scale
    return Equilibrium(
        tuple(applied), tuple(reaction), tuple(applied_moment), tuple(reaction_moment), residual
    )


def _fields(case: CaseSolution) -> dict[str, Field]:
    stress = case.stress
    return {
        "displacement": Field("displacement", case.displacement, "m", "node"),
        "stress": Field("stress", stress.nodal, "Pa", "node"),
        "von_mises": Field("von_mises", von_mises(stress.nodal)[:, None], "Pa", "node"),
        "von_mises_error": Field("von_mises_error", stress.nodal_error[:, None], "Pa", "node"),
        "energy_error": Field("energy_error", stress.element_error[:, None], "J", "cell"),
    }


def _surface_fields(
    surface: Surface, boundary: MeshBoundary | ImmersedBoundary, case: CaseSolution
) -> dict[str, Field]:
    nodal = np.hstack([case.displacement, case.stress.nodal])
    values = boundary.interpolate(nodal, surface.vertices)
    return {
        "displacement": Field("displacement", values[:, :3], "m", "surface"),
        "stress": Field("stress", values[:, 3:], "Pa", "surface"),
        "von_mises": Field("von_mises", von_mises(values[:, 3:])[:, None], "Pa", "surface"),
    }


def _shortfalls(case: str, found: Mapping[str, Quantity], request: Request, several: bool) -> list[str]:
    asked = request.quantities or ("max_displacement", "max_von_mises", "compliance")
    where = f" in load case {case}" if several else ""
    return [
        f"{name}{where}: error estimate {found[name].relative_error:.1%}, above the requested {request.accuracy:.1%}."
        for name in asked
        if name in found and found[name].note and found[name].relative_error > request.accuracy
    ]


def _assumptions(study: StaticStress, report: Report) -> tuple[str, ...]:
    material = study.material
    said = [
        "Linear elasticity: small displacements and strains, no plasticity, no contact, no buckling.",
        f"One homogeneous, isotropic material: {material.name or 'custom'}, E {material.youngs_modulus / 1e9:.4g} GPa, "
        f"Poisson's ratio {material.poissons_ratio:.4g}, density {material.density:.5g} kg/m³.",
        "The error estimates speak of the discretisation only, not of loads, material or geometry; they are "
        "estimates with a safety factor, not guaranteed bounds.",
        "Stress at a sharp inner edge or at the rim of a support grows without limit as the mesh is refined.",
    ]
    if report.chord_error:
        said.append(
            f"The uploaded facets deviate from the CAD surface by at most {report.chord_error * 1e3:.3g} mm."
        )
    return tuple(said)


def _provenance(discretised: Discretised) -> dict[str, str]:
    return {
        "twin": version("twin"),
        "jax": jax.__version__,
        "netgen": version("netgen-mesher"),
        "solver": discretised.method,
        "linear_tolerance": f"{TOLERANCE:.0e}",
    }


def _peak_bytes() -> int | None:
    statistics = jax.devices()[0].memory_stats()
    if statistics:
        return int(statistics["peak_bytes_in_use"])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
