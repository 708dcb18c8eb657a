"""Quadratic tetrahedra that follow the surface.

A first mesh finds out where the error is; a second one is made fine there, until the estimate should meet the
accuracy that was asked for.
"""

import time

import numpy as np
from numpy.typing import NDArray

from twin.analyses import estimates, resolution
from twin.analyses.analysis import Span
from twin.analyses.boundary import MeshBoundary
from twin.analyses.resolution import Sizes
from twin.analyses.solution import Meshed, StudySolution
from twin.analyses.task import STAGES, OutOfTimeError, Task
from twin.errors import MeshingFailed, SolveFailed
from twin.meshing import VolumeMesh, mesh_volume

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
    first = resolution.pilot(task.surface, task.volume, task.regions, task.request, task.analysis.components)
    begun = time.perf_counter()
    hurried = task if task.request.discretisation == "tet" else task.within(PILOT_SHARE)
    mesh, first = _mesh_within_limit(hurried, first, STAGES["check"], "first mesh, to see where the error is")
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
    fluxes = [case.flux for case in pilot.cases.values()]
    affordable = len(coarse.tets) * task.remaining / seconds
    second = resolution.refined(coarse, fluxes, first, task.analysis, task.request, affordable)
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


def _solve(task: Task, mesh: VolumeMesh, size: float, span: Span) -> StudySolution:
    """Solve all cases on a mesh; progress goes over `span`."""
    begun = time.perf_counter()
    analysis = task.analysis
    task.tell("solve", span[0], f"setting up {analysis.components * len(mesh.points):,} unknowns")
    with task.watch.phase("set-up"):
        boundary = MeshBoundary(task.surface, mesh)
    cases = analysis.solve_on_mesh(task, mesh, boundary, span)
    measured = {name: analysis.measure(estimates.ON_MESH, mesh.points, case) for name, case in cases.items()}
    return StudySolution(Meshed(mesh, boundary), cases, measured, size, time.perf_counter() - begun)
