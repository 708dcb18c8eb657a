"""What is reported of a static stress study: numbers, fields, and everything that they rest on."""

import resource
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version

import jax
import numpy as np
from numpy.typing import NDArray

from solvers.elasticity import static
from solvers.elasticity.recovery import von_mises
from twin.analyses import checks, glyphs, quantities, resolution
from twin.analyses.boundary import MeshBoundary
from twin.analyses.solution import CaseSolution, MeshSolution
from twin.geometry.surface import Report, Surface
from twin.meshing import VolumeMesh
from twin.meshing.volume_mesh import quality, volume
from twin.quantities import Field, Quantity
from twin.results.outcome import CaseOutcome, Cost, Equilibrium, Outcome
from twin.studies import Request, StaticStress

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Asked:
    """The part, the question, and what the answer has taken so far: seconds by phase."""

    surface: Surface
    report: Report
    study: StaticStress
    request: Request
    seconds: Mapping[str, float]


def summarise(
    asked: Asked, regions: checks.Regions, pilot: MeshSolution, final: MeshSolution, warnings: list[str]
) -> Outcome:
    """Put together what was found; `pilot` and `final` are the same where time allowed for one mesh only."""
    coarse = pilot if pilot is not final else None
    mesh = final.mesh
    density = asked.study.material.density
    meshed = volume(mesh.points, mesh.tets)
    mass = Quantity(
        density * meshed,
        "kg",
        density * abs(meshed - asked.surface.volume),
        "error: volume of the mesh against that of the surface",
    )
    ratio = (len(final.mesh.tets) / len(pilot.mesh.tets)) ** (1 / 3)
    cases = {}
    warnings = [*asked.report.warnings, *warnings]
    for name, case in final.cases.items():
        measured = final.measured[name]
        at_peak = [resolution.size_at(solution.mesh, measured.peak) for solution in (pilot, final)]
        error = quantities.errors(
            measured, coarse.measured[name] if coarse else None, ratio, at_peak[0] / at_peak[1]
        )
        equilibrium = _equilibrium(mesh.points, case)
        found = quantities.quantities(
            final.measured[name],
            error,
            mass=mass,
            reaction=np.array(equilibrium.reaction_force),
            reaction_error=_imbalance(equilibrium),
            material=asked.study.material,
            accuracy=asked.request.accuracy,
        )
        warnings += _shortfalls(name, found, asked.request, len(final.cases) > 1)
        cases[name] = CaseOutcome(
            found, _fields(case), _surface_fields(asked.surface, final.boundary, case), equilibrium
        )
    return Outcome(
        cases=cases,
        points=mesh.points,
        tets=mesh.tets,
        surface_vertices=asked.surface.vertices,
        surface_triangles=asked.surface.triangles,
        glyphs=glyphs.glyphs(asked.surface, regions),
        assumptions=_assumptions(asked.study, asked.report),
        warnings=tuple(dict.fromkeys(warnings)),
        convergence=(pilot.row, final.row) if coarse else (final.row,),
        mesh_quality=_mesh_quality(mesh, meshed, asked.surface.volume),
        mesher=mesh.mesher,
        provenance=_provenance(),
        cost=Cost(
            seconds=dict(asked.seconds),
            joules=None,
            device=static.devices(),
            peak_bytes=_peak_bytes(),
        ),
    )


def _imbalance(equilibrium: Equilibrium) -> float:
    return float(np.linalg.norm(np.add(equilibrium.applied_force, equilibrium.reaction_force)))


def _equilibrium(points: Floats, case: CaseSolution) -> Equilibrium:
    applied, reaction = case.loads.force, case.support_force.sum(0)
    applied_moment = case.loads.moment(points)
    reaction_moment = np.cross(points, case.support_force).sum(0)
    size = np.abs(case.loads.nodal).sum() + sum(float(np.abs(r.force).sum()) for r in case.loads.rigid)
    scale = max(float(np.linalg.norm(applied)), 1e-3 * float(size), 1e-300)
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


def _surface_fields(surface: Surface, boundary: MeshBoundary, case: CaseSolution) -> dict[str, Field]:
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


def _mesh_quality(mesh: VolumeMesh, meshed: float, enclosed: float) -> dict[str, float]:
    shape = quality(mesh.points, mesh.tets)
    return {
        "nodes": float(len(mesh.points)),
        "elements": float(len(mesh.tets)),
        "worst_shape": float(shape.min()),
        "mean_shape": float(shape.mean()),
        "volume_difference": (meshed - enclosed) / enclosed,
    }


def _provenance() -> dict[str, str]:
    return {
        "twin": version("twin"),
        "jax": jax.__version__,
        "netgen": version("netgen-mesher"),
        "solver": "quadratic tetrahedra, conjugate gradients in float64, auxiliary-grid multigrid in float32",
        "linear_tolerance": f"{static.TOLERANCE:.0e}",
    }


def _peak_bytes() -> int | None:
    statistics = jax.devices()[0].memory_stats()
    if statistics:
        return int(statistics["peak_bytes_in_use"])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
