"""Static stress on quadratic tetrahedra that follow the surface.

A first mesh finds out where the error is; a second one is made fine there, until the estimate should meet the
accuracy that was asked for. Load cases share everything up to their right-hand side.
"""

import time
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from solvers.elasticity import coupling
from solvers.elasticity.law import lame
from solvers.precision import float64
from solvers.tet10 import steady
from solvers.tet10.recovery import Recovery
from solvers.tet10.steady import Problem
from twin.analyses import checks, quantities, resolution
from twin.analyses.boundary import MeshBoundary
from twin.analyses.loads import CaseLoads, assemble, rigid_regions
from twin.analyses.resolution import Sizes
from twin.analyses.solution import CaseSolution, Meshed, StudySolution
from twin.analyses.supports import Held, hold
from twin.analyses.task import STAGES, OutOfTimeError, Task, by_rigid_regions, solver_errors
from twin.errors import MeshingFailed, SolveFailed
from twin.meshing import VolumeMesh, mesh_volume
from twin.meshing.volume_mesh import pieces

Floats = NDArray[np.float64]

MESH_TIME_LIMIT = 300.0
MESH_SHARE = 0.6  # of the time that is left; the rest is for the solution, or for a grid
PILOT_SHARE = 0.6  # of the time, for the first mesh and its solution; if they fail, the rest is for a grid
MOST_MESHES = 3  # tries to keep to max_unknowns


def solve(task: Task) -> tuple[list[StudySolution], list[str]]:
    """Solutions from coarse to fine, and warnings.

    Raises:
        OutOfTimeError: not even the first mesh was solved in time; MeshingFailed; SolveFailed
    """
    first = resolution.pilot(task.surface, task.volume, task.regions, task.request)
    begun = time.perf_counter()
    hurried = task if task.request.discretisation == "tet" else task.within(PILOT_SHARE)
    mesh, first = _mesh_within_limit(
        hurried, first, STAGES["check"], "first mesh, to see where the stress is"
    )
    pilot = _solve(hurried, mesh, first.size, (STAGES["pilot mesh"], STAGES["pilot solve"]))
    second, warnings = _second(task, mesh, pilot, first, time.perf_counter() - begun)
    most = task.request.max_unknowns
    if second is not None and most is not None and second.unknowns > most:
        warnings.append(
            f"The mesh has {second.unknowns:,} unknowns, more than max_unknowns = {most:,}: the coarsest found that "
            "follows the part's faces."
        )
    return [pilot, *([second] if second else [])], warnings


def _second(
    task: Task, coarse: VolumeMesh, pilot: StudySolution, first: Sizes, seconds: float
) -> tuple[StudySolution | None, list[str]]:
    """The mesh for the accuracy, as far as time and unknowns allow; `seconds`: what the first one took."""
    limit = task.request.max_unknowns
    if limit is not None and pilot.unknowns > limit / resolution.WORTH_IT:
        return None, [
            f"max_unknowns = {limit:,} leaves no room for a mesh finer than the first one of "
            f"{pilot.unknowns:,} unknowns"
            + (", the coarsest that follows the part's faces." if pilot.unknowns > limit else ".")
        ]
    stresses = [case.stress for case in pilot.cases.values()]
    affordable = len(coarse.tets) * task.remaining / seconds
    second = resolution.refined(coarse, stresses, first, task.request, affordable)
    too_slow = [
        f"max_seconds = {task.request.max_seconds or np.inf:g} s ended before the mesh for the accuracy was solved."
    ]
    if second is None:
        return None, too_slow
    try:
        mesh, second = _mesh_within_limit(
            task, second, STAGES["pilot solve"], "mesh for the requested accuracy"
        )
        return _solve(task, mesh, second.size, (STAGES["mesh"], STAGES["solve"])), []
    except OutOfTimeError:
        return None, too_slow
    except (MeshingFailed, SolveFailed) as failure:
        # The first mesh is an answer; that the second gave none is said, not hidden.
        return None, [f"The mesh for the requested accuracy gave no answer, the first one counts: {failure}"]


def _mesh_within_limit(task: Task, sizes: Sizes, fraction: float, message: str) -> tuple[VolumeMesh, Sizes]:
    """Mesh, and mesh again more coarsely while there are more unknowns than allowed and that helps."""
    most = task.request.max_unknowns or np.inf
    mesh = _mesh(task, sizes, fraction, message)
    for _ in range(MOST_MESHES - 1):
        unknowns = 3 * len(mesh.points)
        if unknowns <= most:
            break
        sizes = sizes.coarser(1.05 * (unknowns / most) ** (1 / 3))
        mesh = _mesh(task, sizes, fraction, f"{message}, coarser")
    return mesh, sizes


def _mesh(task: Task, sizes: Sizes, fraction: float, message: str) -> VolumeMesh:
    def check() -> None:
        task.tell("mesh", fraction, message)

    check()
    with task.watch.phase("mesh"):
        return mesh_volume(
            task.surface,
            sizes.size,
            source=task.source,
            refine=(sizes.points, sizes.lengths) if len(sizes.points) else None,
            time_limit=min(MESH_TIME_LIMIT, max(MESH_SHARE * task.remaining, 1.0)),
            workdir=task.workdir,
            check=check,
        )


def _solve(task: Task, mesh: VolumeMesh, size: float, span: tuple[float, float]) -> StudySolution:
    """Solve all cases on a mesh; progress goes over `span`."""
    begun = time.perf_counter()
    task.tell("solve", span[0], f"setting up {3 * len(mesh.points):,} unknowns")
    with task.watch.phase("set-up"):
        boundary = MeshBoundary(task.surface, mesh)
        held = hold(boundary, task.study.supports)
        checks.check_pieces_held(mesh.points, mesh.tets, pieces(mesh.tets), held)
        loads = assemble(boundary, task.study.material.density, task.study.cases)
    cases: dict[str, CaseSolution] = {}
    for group in by_rigid_regions(loads):
        cases |= _solve_group(task, mesh, boundary, held, group, span, len(loads), len(cases))
    measured = {
        name: quantities.measure(quantities.ON_MESH, mesh.points, case.displacement, case.work, case.stress)
        for name, case in cases.items()
    }
    ordered = {name: cases[name] for name in task.study.cases}
    return StudySolution(Meshed(mesh, boundary), ordered, measured, size, time.perf_counter() - begun)


def _solve_group(
    task: Task,
    mesh: VolumeMesh,
    boundary: MeshBoundary,
    held: Held,
    loads: Mapping[str, CaseLoads],
    span: tuple[float, float],
    count: int,
    done: int,
) -> dict[str, CaseSolution]:
    regions = rigid_regions(boundary, next(iter(loads.values())), held.directions)
    directions = held.directions.copy()
    for region in regions:
        directions[region.nodes] = np.eye(3)
    material = float64(lame)(task.study.material.youngs_modulus, task.study.material.poissons_ratio)
    with task.watch.phase("set-up"):
        problem = steady.prepare(
            mesh.points, mesh.tets, material, directions, held.prescribed, held.foundation
        )
        recovery = Recovery(problem, mesh.points, mesh.tets)
    found: dict[str, CaseSolution] = {}
    with solver_errors():
        with task.watch.phase("solve"):
            follow = task.follow("rigid coupling", span, count, done)
            unit = coupling.unit_motions(problem, mesh.points, regions, follow) if regions else None
        for name, case in loads.items():
            follow = task.follow(f"load case {name}", span, count, done + len(found))
            with task.watch.phase("solve"):
                if unit is None:
                    solution, rigid_work = steady.solve(problem, case.nodal, progress=follow), 0.0
                else:
                    resultants = [(rigid.force, rigid.moment) for rigid in case.rigid]
                    coupled = coupling.solve_coupled(problem, unit, case.nodal, resultants, follow)
                    solution, rigid_work = coupled.solution, coupled.rigid_work
            with task.watch.phase("recover"):
                stress = recovery(solution.field)
            found[name] = CaseSolution(
                solution.field,
                float(np.vdot(case.nodal, solution.field)) + rigid_work,
                case,
                stress,
                _support_force(problem, held, case, solution.field),
                solution.iterations + (unit.iterations if unit else 0),
                solution.residual,
            )
    return found


def _support_force(problem: Problem, held: Held, case: CaseLoads, displacement: Floats) -> Floats:
    """Force of supports on the part at each node [N]: what holds the held directions, and the foundations."""
    rest = steady.internal_force(problem, displacement) - case.nodal
    force = np.einsum("nij,nj->ni", held.directions, rest)
    if held.foundation is not None:
        facets, stiffness = held.foundation
        springs = np.einsum("fabij,fbj->fai", stiffness, displacement[facets])
        np.add.at(force, facets, -springs)
    return force
