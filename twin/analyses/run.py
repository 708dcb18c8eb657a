"""From a part and a study of it to an outcome."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from twin.analyses import checks, on_grid, on_mesh, programs, singularities
from twin.analyses.analysis import Analysis
from twin.analyses.heat_conduction.analysis import HeatConductionAnalysis
from twin.analyses.monitor import Monitor
from twin.analyses.solution import Ladder
from twin.analyses.static_stress.analysis import StaticStressAnalysis
from twin.analyses.summary import summarise
from twin.analyses.task import STAGES, OutOfTimeError, Stopwatch, Task
from twin.errors import DeadlineExceeded, MeshingFailed, SolveFailed, TwinError
from twin.geometry.surface import Report, Surface
from twin.results.outcome import Outcome
from twin.results.zones import Zones
from twin.select import describe
from twin.studies import HeatConduction, PartStudy, Request, StaticStress

# Why "auto" starts with them: on parts that both follow, a grid's estimates meet an accuracy with several times as many
# unknowns, if at all (python -m tests.verification.suite.table).
FEWEST = "which meet an accuracy with the fewest unknowns, where a mesh of the part can be had"


def run(
    surface: Surface,
    report: Report,
    study: PartStudy,
    request: Request,
    *,
    source: Path | None,
    monitor: Monitor,
    workdir: Path,
) -> Outcome:
    """Answer a study.

    Args:
        source: the uploaded file, where it is still there: a STEP file is meshed from its own faces
        workdir: where temporary files may go

    Raises:
        twin.errors.TwinError: the study can't be answered; the sentence says why
    """
    task = set_up(surface, report, study, request, source=source, monitor=monitor, workdir=workdir)
    found = solved(task)
    with task.watch.phase("estimate"):
        return summarise(task, found)


def set_up(
    surface: Surface,
    report: Report,
    study: PartStudy,
    request: Request,
    *,
    source: Path | None,
    monitor: Monitor,
    workdir: Path,
) -> Task:
    """Check a study against the part, and find out where what it speaks of is; arguments and errors as of `run`."""
    programs.drop_when_many()
    deadline = time.perf_counter() + (request.max_seconds or np.inf)
    watch = Stopwatch()
    monitor.progress("check", 0.0, "checking the study against the part")
    with watch.phase("check"):
        analysis = analysis_of(study)
        checks.check_request(request, analysis.subject, analysis.numbers)
        checks.check_part(surface, report)
        regions = analysis.check(surface, request)
        acting = [
            (case, f"{type(load).__name__} on {describe(load.on)}", at)
            for case, load, at in regions.loads
            if at
        ]
        zones = Zones(singularities.find(surface, analysis.grips(regions), acting))
    return Task(surface, report, analysis, request, regions, zones, source, monitor, workdir, watch, deadline)


def solved(task: Task) -> Ladder:
    """What is found of a task. Raises twin.errors.TwinError."""
    try:
        found = solve(task)
    except OutOfTimeError:
        raise DeadlineExceeded(
            f"max_seconds = {task.request.max_seconds:g} s is too short for a first, coarse answer to this study. "
            "Allow more time.",
            {"max_seconds": task.request.max_seconds},
        ) from None
    task.monitor.progress("estimate", STAGES["recover"], "errors, fields on the uploaded surface")
    return found


def analysis_of(study: PartStudy) -> Analysis[Any]:
    """What is particular to the physics of a study."""
    match study:
        case StaticStress():
            return StaticStressAnalysis(study)
        case HeatConduction():
            return HeatConductionAnalysis(study)


def solve(task: Task) -> Ladder:
    """Solve on tetrahedra, on a grid where that was asked for or there are none.

    Raises:
        OutOfTimeError: not even a first answer was found in time; twin.errors.TwinError
    """
    if task.request.discretisation == "grid":
        return on_grid.solve(task)
    try:
        found = on_mesh.solve(task)
        return found if task.request.discretisation == "tet" else replace(found, chosen=FEWEST)
    except (MeshingFailed, SolveFailed, OutOfTimeError) as failure:
        if task.request.discretisation == "tet" or task.remaining <= 0:
            raise
        match failure:
            case MeshingFailed():
                said = f"No tetrahedral mesh could be had, so the grid discretisation answers: {failure}"
            case SolveFailed():
                said = f"On tetrahedra there was no solution, so the grid discretisation answers: {failure}"
            case _:
                said = "Tetrahedra took too much of max_seconds, so the grid discretisation answers."
        try:
            found = on_grid.solve(task)
        except TwinError as error:
            raise type(error)(
                f"{error} ({said[:-1] if said.endswith('.') else said})", error.facts
            ) from failure
    return replace(found, warnings=(said, *found.warnings), chosen="since tetrahedra gave no answer")
