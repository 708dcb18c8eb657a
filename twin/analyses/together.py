"""Many studies that differ in their load cases alone, answered at the price of one mesh.

Their load cases are put into one study. What was found is taken apart again before it is told, so that each answer is
what the study would have had by itself, on a mesh that is fine enough for all of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from twin.analyses.monitor import Monitor
from twin.analyses.run import analysis_of, set_up, solved
from twin.analyses.solution import Ladder
from twin.analyses.summary import summarise
from twin.analyses.task import Task
from twin.geometry.surface import Report, Surface
from twin.results.outcome import Cost, Outcome
from twin.results.zones import Zones
from twin.studies import HeatConduction, PartStudy, Request, StaticStress

T = TypeVar("T")


def run_together(
    surface: Surface,
    report: Report,
    studies: Sequence[PartStudy],
    request: Request,
    *,
    source: Path | None,
    monitor: Monitor,
    workdir: Path,
) -> list[Outcome]:
    """Answer studies of one kind that are equal but for their load cases; arguments and errors as of `run`.

    Each answer's cost is its share of the whole.
    """
    merged = {
        f"{index}.{place}": loads
        for index, study in enumerate(studies)
        for place, loads in enumerate(study.cases.values())
    }
    whole = set_up(
        surface,
        report,
        _of_cases(studies[0], merged),
        request,
        source=source,
        monitor=monitor,
        workdir=workdir,
    )
    found = solved(whole)
    outcomes = []
    for index, study in enumerate(studies):
        names = {f"{index}.{place}": name for place, name in enumerate(study.cases)}
        with whole.watch.phase("estimate"):
            task = _task_of(whole, study, names)
            outcomes.append(summarise(task, _ladder_of(task, found, names)))
    said = (
        f"Solved together with {len(studies) - 1} designs that differ from this one in their loads alone, on "
        "elements that are fine enough for all of them; the cost is a share of the whole."
    )
    seconds = {name: amount / len(studies) for name, amount in whole.watch.seconds.items()}
    return [
        replace(
            outcome,
            assumptions=(*outcome.assumptions, said),
            cost=Cost(seconds, None, outcome.cost.device, outcome.cost.peak_bytes),
        )
        for outcome in outcomes
    ]


def _of_cases(study: PartStudy, cases: Mapping[str, tuple[object, ...]]) -> PartStudy:
    """The same with other load cases."""
    match study:
        case StaticStress(material, supports, _, bodies):
            return StaticStress(material, supports, load_cases=cases, bodies=bodies)  # type: ignore[arg-type]
        case HeatConduction(material, supports, _, bodies):
            return HeatConduction(material, supports, load_cases=cases, bodies=bodies)  # type: ignore[arg-type]


def _task_of(whole: Task, study: PartStudy, names: Mapping[str, str]) -> Task:
    """The task that a study would have been by itself; names: its load cases, by those in the whole."""
    loads = [(names[case], load, at) for case, load, at in whole.regions.loads if case in names]
    places = [
        place if place.case is None else replace(place, case=names[place.case])
        for place in whole.zones.places
        if place.case is None or place.case in names
    ]
    return replace(
        whole,
        analysis=analysis_of(study),
        regions=replace(whole.regions, loads=tuple(loads)),
        zones=Zones(places),
    )


def _ladder_of(task: Task, whole: Ladder, names: Mapping[str, str]) -> Ladder:
    solutions = tuple(
        replace(solution, cases=_chosen(solution.cases, names), measured=_chosen(solution.measured, names))
        for solution in whole.solutions
    )
    ended = whole.ended  # of some of them the accuracy may be met all the same
    if len(solutions) > 1:
        finest, coarser = solutions[-1], solutions[-2]
        if finest.worst_error(coarser, task.analysis.decisive(task.request)) <= task.request.accuracy:
            ended = "accuracy"
    return replace(whole, solutions=solutions, ended=ended)


def _chosen(cases: Mapping[str, T], names: Mapping[str, str]) -> dict[str, T]:
    return {name: cases[merged] for merged, name in names.items()}
