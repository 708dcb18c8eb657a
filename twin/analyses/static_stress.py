"""Linear static stress: from a part and a study to displacements, stresses and how far they can be trusted.

A first mesh finds out where the error is; a second one is made fine there, until the estimate should meet the
accuracy that was asked for. Load cases share everything up to their right-hand side.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from solvers.elasticity import coupling, static
from solvers.elasticity.model import lame
from solvers.elasticity.recovery import Recovery
from solvers.elasticity.static import Problem
from solvers.iteration import SolveError
from solvers.precision import float64
from twin.analyses import checks, quantities, resolution
from twin.analyses.boundary import MeshBoundary
from twin.analyses.loads import CaseLoads, assemble, rigid_regions
from twin.analyses.monitor import Monitor
from twin.analyses.resolution import Sizes
from twin.analyses.solution import CaseSolution, MeshSolution, Stopwatch
from twin.analyses.summary import Asked, summarise
from twin.analyses.supports import Held, hold
from twin.errors import DeadlineExceeded, MeshingFailed, SolveFailed
from twin.geometry.surface import Report, Surface
from twin.meshing import VolumeMesh, mesh_volume
from twin.results.outcome import Outcome
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
            name: quantities.measure(mesh.points, case.displacement, case.work, case.stress)
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
                        solution, rigid_work = static.solve(problem, case.nodal, progress=follow), 0.0
                    else:
                        resultants = [(rigid.force, rigid.moment) for rigid in case.rigid]
                        coupled = coupling.solve_coupled(problem, unit, case.nodal, resultants, follow)
                        solution, rigid_work = coupled.solution, coupled.rigid_work
                with self.watch.phase("recover"):
                    stress = recovery(solution.displacement)
                found[name] = CaseSolution(
                    solution.displacement,
                    float(np.vdot(case.nodal, solution.displacement)) + rigid_work,
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
        mesh, first = _mesh_within_limit(
            analysis, first, STAGES["check"], "first mesh, to see where the stress is"
        )
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
        asked = Asked(surface, report, study, request, analysis.watch.seconds)
        return summarise(asked, regions, pilot, final, warnings)


def _second(
    analysis: Analysis, pilot: MeshSolution, first: Sizes, seconds: float
) -> tuple[MeshSolution, list[str]]:
    """The mesh for the accuracy, as far as time and unknowns allow; `seconds`: what the first one took."""
    limit = analysis.request.max_unknowns
    if limit is not None and 3 * len(pilot.mesh.points) > limit / resolution.WORTH_IT:
        return pilot, [
            f"max_unknowns = {limit:,} leaves no room for a mesh finer than the first one of "
            f"{3 * len(pilot.mesh.points):,} unknowns"
            + (", the coarsest that follows the part's faces." if 3 * len(pilot.mesh.points) > limit else ".")
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
        mesh, second = _mesh_within_limit(
            analysis, second, STAGES["pilot solve"], "mesh for the requested accuracy"
        )
        final = analysis.solve(mesh, second.size, STAGES["mesh"], STAGES["solve"])
    except OutOfTimeError:
        return pilot, too_slow
    except MeshingFailed as failure:
        # The first mesh is an answer; that the second could not be made is said, not hidden.
        return pilot, [
            f"The mesh for the requested accuracy could not be made, the first one counts: {failure}"
        ]
    return final, []


def _mesh_within_limit(
    analysis: Analysis, sizes: Sizes, fraction: float, message: str
) -> tuple[VolumeMesh, Sizes]:
    """Mesh, and mesh again more coarsely while there are more unknowns than allowed and that helps."""
    most = analysis.request.max_unknowns or np.inf
    mesh = analysis.mesh(sizes, fraction, message)
    for _ in range(MOST_MESHES - 1):
        unknowns = 3 * len(mesh.points)
        if unknowns <= most:
            break
        sizes = sizes.coarser(1.05 * (unknowns / most) ** (1 / 3))
        mesh = analysis.mesh(sizes, fraction, f"{message}, coarser")
    return mesh, sizes


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
