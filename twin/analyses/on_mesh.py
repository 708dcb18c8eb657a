"""Quadratic tetrahedra that follow the surface.

A first mesh finds out where the error is; others are made fine there, until the estimates meet the accuracy that was
asked for.
"""

import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from twin.analyses import estimates, materials, resolution
from twin.analyses.analysis import Span
from twin.analyses.boundary import MeshBoundary
from twin.analyses.peaks import looked_at
from twin.analyses.resolution import Sizes
from twin.analyses.solution import Ladder, Meshed, StudySolution
from twin.analyses.task import STAGES, OutOfTimeError, Task
from twin.errors import MeshingFailed, SolveFailed
from twin.meshing import VolumeMesh, mesh_volume
from twin.results.outcome import Ending

Floats = NDArray[np.float64]

MESH_TIME_LIMIT = 300.0
MESH_SHARE = 0.6  # of the time that is left; the rest is for the solution, or for a grid
LACKED_TIME = 0.5  # of its time: a mesher that fails after more may have lacked time
PILOT_SHARE = 0.6  # of the time, for the first mesh and its solution; if they fail, the rest is for a grid
MOST_MESHES = 6
MOST_TRIES = 3  # to keep to max_unknowns
OVER_BUDGET = 1.5  # times the unknowns that are allowed: what is refused of a first mesh
MESH_PART = 0.4  # of the progress from one mesh to the next is for making it


def solve(task: Task) -> Ladder:
    """Ever finer meshes, each made by the errors on the one before, until the accuracy is met or the budget ends.

    Raises:
        OutOfTimeError: not even the first mesh was solved in time; MeshingFailed; SolveFailed
    """
    sizes = resolution.pilot(task.surface, task.volume, task.regions, task.request, task.analysis.components)
    begun = time.perf_counter()
    hurried = task if task.request.discretisation == "tet" else task.within(PILOT_SHARE)
    mesh, sizes = _mesh_within_limit(hurried, sizes, STAGES["check"], "first mesh, to see where the error is")
    _refuse_small_budget(task, mesh)
    span = STAGES["pilot mesh"], STAGES["pilot solve"]
    solutions = [_solve(hurried, mesh, sizes.size, span)]
    ended: Ending | None = None
    warnings: list[str] = []
    while ended is None:
        seconds, begun = time.perf_counter() - begun, time.perf_counter()
        following = _finer(task, mesh, solutions, sizes, seconds)
        if not isinstance(following, Sizes):
            ended = following
            break
        middle = (span[1] + STAGES["solve"]) / 2
        message = f"mesh {len(solutions) + 1}, finer where the error is"
        try:
            mesh, sizes = _mesh_within_limit(task, following, span[1], message)
            span = span[1] + MESH_PART * (middle - span[1]), middle
            solutions.append(_solve(task, mesh, sizes.size, span))
        except OutOfTimeError:
            ended = "max_seconds"
        except (MeshingFailed, SolveFailed) as failure:
            # The meshes before are an answer; that this one gave none is said, not hidden.
            ended = "no_finer_mesh"
            warnings.append(f"A finer mesh gave no answer, the one before it counts: {failure}")
    most, unknowns = task.request.max_unknowns, solutions[-1].unknowns
    if most is not None and unknowns > most:
        warnings.append(
            f"The mesh has {unknowns:,} unknowns, more than max_unknowns = {most:,}: the coarsest found that "
            "follows the part's faces."
        )
    return Ladder(tuple(solutions), ended, tuple(warnings))


def _refuse_small_budget(task: Task, mesh: VolumeMesh) -> None:
    unknowns, most = task.analysis.components * len(mesh.points), task.request.max_unknowns
    if most is not None and unknowns > OVER_BUDGET * most:
        raise MeshingFailed(
            f"max_unknowns = {most:,} is too small for this part: the coarsest mesh found that follows its faces has "
            f"{unknowns:,}. Allow at least that many, or leave out small details of the part.",
            {"max_unknowns": most, "needed": unknowns},
        )


def _finer(
    task: Task, mesh: VolumeMesh, solutions: Sequence[StudySolution], sizes: Sizes, seconds: float
) -> Sizes | Ending:
    """Sizes of the next mesh, or why there is none; `seconds`: what the last one took."""
    finest, coarser = solutions[-1], solutions[-2] if len(solutions) > 1 else None
    # what the first mesh steps over shows in none of its estimates
    if coarser is not None:
        worst = finest.worst_error(coarser, task.analysis.decisive(task.request))
        if worst <= task.request.accuracy:
            return "accuracy"
    if len(solutions) == MOST_MESHES:
        return "no_finer_mesh"
    room = (task.request.max_unknowns or resolution.DEFAULT_UNKNOWNS) / finest.unknowns
    if room < resolution.WORTH_IT:
        return "max_unknowns"
    affordable = task.remaining / seconds
    if affordable < resolution.WORTH_IT:
        return "max_seconds"
    return resolution.refined(task, mesh.sides, finest, coarser, sizes, min(room, affordable))


def _mesh_within_limit(task: Task, sizes: Sizes, fraction: float, message: str) -> tuple[VolumeMesh, Sizes]:
    """Mesh, and mesh again more coarsely while there are more unknowns than allowed and that helps."""
    most = task.request.max_unknowns or np.inf
    mesh = _mesh(task, sizes, fraction, message)
    for _ in range(MOST_TRIES - 1):
        unknowns = task.analysis.components * len(mesh.points)
        if unknowns <= most:
            break
        sizes = sizes.coarser(1.05 * (unknowns / most) ** (1 / 3))
        mesh = _mesh(task, sizes, fraction, f"{message}, coarser")
    return mesh, sizes


def _mesh(task: Task, sizes: Sizes, fraction: float, message: str) -> VolumeMesh:
    def check() -> None:
        task.tell("mesh", fraction, message)

    check()
    limit, begun = min(MESH_TIME_LIMIT, max(MESH_SHARE * task.remaining, 1.0)), time.perf_counter()
    with task.watch.phase("mesh"):
        try:
            mesh = mesh_volume(
                task.surface,
                sizes.size,
                source=task.source,
                refine=(sizes.points, sizes.lengths) if len(sizes.points) else None,
                time_limit=limit,
                workdir=task.workdir,
                check=check,
            )
        except MeshingFailed as failure:
            if limit < MESH_TIME_LIMIT and time.perf_counter() - begun > LACKED_TIME * limit:
                raise OutOfTimeError from failure
            raise
        return materials.assigned(mesh, task.surface, task.regions.materials)


def _solve(task: Task, mesh: VolumeMesh, size: float, span: Span) -> StudySolution:
    """Solve all cases on a mesh; progress goes over `span`."""
    begun = time.perf_counter()
    analysis = task.analysis
    task.tell("solve", span[0], f"setting up {analysis.components * len(mesh.points):,} unknowns")
    with task.watch.phase("set-up"):
        boundary = MeshBoundary(task.surface, mesh)
    cases = analysis.solve_on_mesh(task, mesh, boundary, span)
    measured = {
        name: analysis.measure(estimates.ON_MESH, *looked_at(mesh.sides, task.zones.of(name), case))
        for name, case in cases.items()
    }
    return StudySolution(Meshed(mesh, boundary), cases, measured, size, time.perf_counter() - begun)
