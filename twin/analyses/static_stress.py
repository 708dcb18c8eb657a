"""Linear static stress: from a part and a study to displacements, stresses and how far they can be trusted.

A first mesh finds out where the error is; a second one is made fine there, until the estimate should meet the
accuracy that was asked for. Load cases share everything up to their right-hand side.
"""

import resource
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import jax
import numpy as np
from numpy.typing import NDArray

from solvers.elasticity import coupling, static
from solvers.elasticity.model import lame
from solvers.elasticity.recovery import RecoveredStress, Recovery, von_mises
from solvers.elasticity.static import Problem, SolveError
from solvers.precision import float64
from twin.analyses import checks, glyphs, quantities, resolution
from twin.analyses.boundary import MeshBoundary
from twin.analyses.loads import CaseLoads, assemble, rigid_regions
from twin.analyses.monitor import Monitor
from twin.analyses.resolution import Sizes
from twin.analyses.supports import Held, hold
from twin.errors import DeadlineExceeded, MeshingFailed, SolveFailed
from twin.geometry.surface import Report, Surface
from twin.meshing import VolumeMesh, mesh_volume
from twin.meshing.volume_mesh import quality, volume
from twin.quantities import Field, Quantity
from twin.results.outcome import CaseOutcome, ConvergenceRow, Cost, Equilibrium, Outcome
from twin.studies import Request, StaticStress

Floats = NDArray[np.float64]

# Shares of the whole for the progress bar: the second mesh and its solution take most of the time.
STAGES = {
    "check": 0.02,
    "pilot mesh": 0.10,
    "pilot solve": 0.20,
    "mesh": 0.45,
    "solve": 0.85,
    "recover": 0.95,
}
MESH_TIME_LIMIT = 300.0
MOST_MESHES = 3  # tries to keep to max_unknowns


@dataclass(frozen=True)
class CaseSolution:
    """A solved case: displacement (n, 3) [m], its loads, stress, and the force on the held nodes (n, 3) [N]."""

    displacement: Floats
    loads: CaseLoads
    stress: RecoveredStress
    support_force: Floats
    iterations: int
    residual: float


@dataclass(frozen=True)
class MeshSolution:
    """All cases on one mesh."""

    mesh: VolumeMesh
    boundary: MeshBoundary
    cases: Mapping[str, CaseSolution]
    measured: Mapping[str, quantities.Values]
    size: float
    seconds: float

    @property
    def row(self) -> ConvergenceRow:
        """How this mesh stands in the table of convergence; the worst case by stress."""
        worst = max(self.measured.values(), key=lambda m: m.values["max_von_mises"])
        return ConvergenceRow(
            unknowns=3 * len(self.mesh.points),
            size=self.size,
            iterations=max(case.iterations for case in self.cases.values()),
            residual=max(case.residual for case in self.cases.values()),
            seconds=self.seconds,
            quantities=worst.values,
            errors=worst.errors,
        )


@dataclass
class Stopwatch:
    """Wall time by phase [s]."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


class OutOfTimeError(Exception):
    """The time that the request allows has passed."""


@dataclass(frozen=True)
class Analysis:
    """One run: what was asked, and whom to tell. deadline: on the clock of `time.perf_counter`."""

    surface: Surface
    report: Report
    study: StaticStress
    request: Request
    source: Path | None
    monitor: Monitor
    workdir: Path
    watch: Stopwatch
    deadline: float

    def tell(self, phase: str, fraction: float, message: str, residual: float | None = None) -> None:
        """Report progress; raise OutOfTimeError past the deadline."""
        self.monitor.progress(phase, fraction, message, residual)
        if time.perf_counter() > self.deadline:
            raise OutOfTimeError

    def mesh(self, sizes: Sizes, fraction: float, message: str) -> VolumeMesh:
        """Mesh at the given sizes."""

        def check() -> None:
            self.tell("mesh", fraction, message)

        check()
        with self.watch.phase("mesh"):
            return mesh_volume(
                self.surface,
                sizes.size,
                source=self.source,
                refine=(sizes.points, sizes.lengths) if len(sizes.points) else None,
                time_limit=min(MESH_TIME_LIMIT, max(self.deadline - time.perf_counter(), 1.0)),
                workdir=self.workdir,
                check=check,
            )

    def solve(self, mesh: VolumeMesh, size: float, start: float, end: float) -> MeshSolution:
        """Solve all cases on a mesh; progress goes from `start` to `end`."""
        begun = time.perf_counter()
        self.tell("solve", start, f"setting up {3 * len(mesh.points):,} unknowns")
        with self.watch.phase("set-up"):
            boundary = MeshBoundary(self.surface, mesh)
            held = hold(boundary, self.study.supports)
            loads = assemble(boundary, mesh, self.study.material.density, self.study.cases)
        cases: dict[str, CaseSolution] = {}
        groups = _by_rigid_regions(loads)
        for group in groups:
            cases |= self._solve_group(mesh, boundary, held, group, (start, end), len(loads), len(cases))
        measured = {
            name: quantities.measure(mesh.points, case.displacement, loads[name].nodal, case.stress)
            for name, case in cases.items()
        }
        ordered = {name: cases[name] for name in self.study.cases}
        return MeshSolution(mesh, boundary, ordered, measured, size, time.perf_counter() - begun)

    def _solve_group(
        self,
        mesh: VolumeMesh,
        boundary: MeshBoundary,
        held: Held,
        loads: Mapping[str, CaseLoads],
        span: tuple[float, float],
        count: int,
        done: int,
    ) -> dict[str, CaseSolution]:
        """Cases that share their rigid regions, and so the operator."""
        regions = rigid_regions(boundary, next(iter(loads.values())), held.directions)
        directions = held.directions.copy()
        for region in regions:
            directions[region.nodes] = np.eye(3)
        material = float64(lame)(self.study.material.youngs_modulus, self.study.material.poissons_ratio)
        with self.watch.phase("set-up"):
            problem = static.prepare(
                mesh.points, mesh.tets, material, directions, held.prescribed, held.foundation
            )
            recovery = Recovery(problem, mesh.points, mesh.tets)
        found: dict[str, CaseSolution] = {}
        with _solver_errors():
            with self.watch.phase("solve"):
                unit = (
                    coupling.unit_motions(
                        problem, mesh.points, regions, self._follow("rigid coupling", span, count, done)
                    )
                    if regions
                    else None
                )
            for name, case in loads.items():
                follow = self._follow(f"load case {name}", span, count, done + len(found))
                with self.watch.phase("solve"):
                    if unit is None:
                        solution = static.solve(problem, case.nodal, progress=follow)
                    else:
                        resultants = [(rigid.force, rigid.moment) for rigid in case.rigid]
                        solution = coupling.solve_coupled(problem, unit, case.nodal, resultants, follow)
                with self.watch.phase("recover"):
                    stress = recovery(solution.displacement)
                found[name] = CaseSolution(
                    solution.displacement,
                    case,
                    stress,
                    self._support_force(problem, held, case, solution.displacement),
                    solution.iterations + (unit.iterations if unit else 0),
                    solution.residual,
                )
        return found

    def _follow(
        self, what: str, span: tuple[float, float], count: int, done: int
    ) -> Callable[[int, float], None]:
        """Progress of one linear solve: the residual falls to its tolerance on a logarithmic scale."""

        def follow(iteration: int, residual: float) -> None:
            share = (
                min(1.0, np.log10(max(residual, 1e-12)) / np.log10(static.TOLERANCE)) if residual < 1 else 0.0
            )
            fraction = span[0] + (span[1] - span[0]) * (done + share) / count
            self.tell("solve", fraction, f"{what}, iteration {iteration}", residual)

        return follow

    def _support_force(self, problem: Problem, held: Held, case: CaseLoads, displacement: Floats) -> Floats:
        """Force of supports on the part at each node [N]: what holds the held directions, and the foundations."""
        rest = static.internal_force(problem, displacement) - case.nodal
        force = np.einsum("nij,nj->ni", held.directions, rest)
        if held.foundation is not None:
            facets, stiffness = held.foundation
            springs = np.einsum("fabij,fbj->fai", stiffness, displacement[facets])
            np.add.at(force, facets, -springs)
        return force

    def outcome(
        self, regions: checks.Regions, pilot: MeshSolution, final: MeshSolution, warnings: list[str]
    ) -> Outcome:
        """Put together what was found; `pilot` and `final` are the same where time allowed for one mesh only."""
        coarse = pilot if pilot is not final else None
        mesh = final.mesh
        density = self.study.material.density
        meshed = volume(mesh.points, mesh.tets)
        mass = Quantity(
            density * meshed,
            "kg",
            density * abs(meshed - self.surface.volume),
            "error: volume of the mesh against that of the surface",
        )
        ratio = (len(final.mesh.tets) / len(pilot.mesh.tets)) ** (1 / 3)
        cases = {}
        warnings = [*self.report.warnings, *warnings]
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
                reaction_error=equilibrium.residual * float(np.linalg.norm(equilibrium.applied_force)),
                material=self.study.material,
                accuracy=self.request.accuracy,
            )
            warnings += _shortfalls(name, found, self.request, len(final.cases) > 1)
            cases[name] = CaseOutcome(
                found, _fields(case), _surface_fields(self.surface, final.boundary, case), equilibrium
            )
        return Outcome(
            cases=cases,
            points=mesh.points,
            tets=mesh.tets,
            surface_vertices=self.surface.vertices,
            surface_triangles=self.surface.triangles,
            glyphs=glyphs.glyphs(self.surface, regions),
            assumptions=_assumptions(self.study, self.report),
            warnings=tuple(dict.fromkeys(warnings)),
            convergence=(pilot.row, final.row) if coarse else (final.row,),
            mesh_quality=_mesh_quality(mesh, meshed, self.surface.volume),
            mesher=mesh.mesher,
            provenance=_provenance(),
            cost=Cost(
                seconds=dict(self.watch.seconds),
                joules=None,
                device=static.devices(),
                peak_bytes=_peak_bytes(),
            ),
        )


def run(
    surface: Surface,
    report: Report,
    study: StaticStress,
    request: Request,
    *,
    source: Path | None,
    monitor: Monitor,
    workdir: Path,
) -> Outcome:
    """Answer a static stress study.

    Args:
        source: the uploaded file, where it is still there: a STEP file is meshed from its own faces
        workdir: where temporary files may go

    Raises:
        twin.errors.TwinError: the study can't be answered; the sentence says why
    """
    deadline = time.perf_counter() + (request.max_seconds or np.inf)
    analysis = Analysis(surface, report, study, request, source, monitor, workdir, Stopwatch(), deadline)
    monitor.progress("check", 0.0, "checking the study against the part")
    with analysis.watch.phase("check"):
        regions = checks.check(surface, report, study, request)
    first = resolution.pilot(surface, regions, request)
    begun = time.perf_counter()
    try:
        mesh = analysis.mesh(first, STAGES["check"], "first mesh, to see where the stress is")
        pilot = analysis.solve(mesh, first.size, STAGES["pilot mesh"], STAGES["pilot solve"])
    except OutOfTimeError:
        raise DeadlineExceeded(
            f"max_seconds = {request.max_seconds:g} s is too short for a first, coarse answer to this study. "
            "Allow more time.",
            {"max_seconds": request.max_seconds},
        ) from None
    final, warnings = _second(analysis, pilot, first, time.perf_counter() - begun)
    monitor.progress("estimate", STAGES["recover"], "errors, fields on the uploaded surface")
    with analysis.watch.phase("estimate"):
        return analysis.outcome(regions, pilot, final, warnings)


def _second(
    analysis: Analysis, pilot: MeshSolution, first: Sizes, seconds: float
) -> tuple[MeshSolution, list[str]]:
    """The mesh for the accuracy, as far as time and unknowns allow; `seconds`: what the first one took."""
    limit = analysis.request.max_unknowns
    if limit is not None and 3 * len(pilot.mesh.points) > limit / resolution.WORTH_IT:
        return pilot, [
            f"max_unknowns = {limit:,} leaves no room for a mesh finer than the first one of "
            f"{3 * len(pilot.mesh.points):,} unknowns."
        ]
    stresses = [case.stress for case in pilot.cases.values()]
    affordable = len(pilot.mesh.tets) * (analysis.deadline - time.perf_counter()) / seconds
    second = resolution.refined(pilot.mesh, stresses, first, analysis.request, affordable)
    too_slow = [
        f"max_seconds = {analysis.request.max_seconds or np.inf:g} s ended before the mesh for the accuracy was solved."
    ]
    if second is None:
        return pilot, too_slow
    try:
        mesh, second = _mesh_within_limit(analysis, second)
        final = analysis.solve(mesh, second.size, STAGES["mesh"], STAGES["solve"])
    except OutOfTimeError:
        return pilot, too_slow
    except MeshingFailed as failure:
        # The first mesh is an answer; that the second could not be made is said, not hidden.
        return pilot, [
            f"The mesh for the requested accuracy could not be made, the first one counts: {failure}"
        ]
    return final, []


def _mesh_within_limit(analysis: Analysis, sizes: Sizes) -> tuple[VolumeMesh, Sizes]:
    """Mesh, and mesh again more coarsely while there are more unknowns than allowed."""
    most = analysis.request.max_unknowns or np.inf
    for _ in range(MOST_MESHES):
        mesh = analysis.mesh(sizes, STAGES["pilot solve"], "mesh for the requested accuracy")
        unknowns = 3 * len(mesh.points)
        if unknowns <= most:
            return mesh, sizes
        sizes = sizes.coarser(1.05 * (unknowns / most) ** (1 / 3))
    raise MeshingFailed(f"no mesh of at most {most:,} unknowns resolves the part finer than the first one")


def _by_rigid_regions(loads: Mapping[str, CaseLoads]) -> list[dict[str, CaseLoads]]:
    groups: dict[tuple[object, ...], dict[str, CaseLoads]] = {}
    for name, case in loads.items():
        groups.setdefault(tuple((r.on, r.at) for r in case.rigid), {})[name] = case
    return list(groups.values())


@contextmanager
def _solver_errors() -> Iterator[None]:
    try:
        yield
    except SolveError as error:
        raise SolveFailed(
            f"The equations could not be solved: {error}. Look at the mesh quality in the report, or ask for "
            "another accuracy to get another mesh.",
        ) from error


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
