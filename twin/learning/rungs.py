"""The ways to an answer where surrogates are asked first: which one it was, why, and what the others would have cost.

surrogate -> its field, improved on a mesh by as few iterations as certify the numbers -> solved to the end
"""

from __future__ import annotations

import math

from solvers.iteration import TOLERANCE
from twin.analyses.analysis import CaseSolution
from twin.analyses.goals import TOLERANCE as OF_ADJOINTS
from twin.analyses.solution import Gridded, Ladder
from twin.analyses.static_stress.certificate import SHARE
from twin.analyses.task import Task
from twin.results.card import ModelCard
from twin.results.outcome import Outcome, Rung

_OF_SURROGATES = ("check", "encode", "decode")  # the phases of a surrogate's answer


def spent(task: Task) -> float:
    """So far, by surrogates [s]."""
    return sum(task.watch.seconds.get(phase, 0.0) for phase in _OF_SURROGATES)


def unclimbed(found: Outcome, card: ModelCard) -> tuple[Rung, ...]:
    """Where the surrogate's answer stands."""
    usual = "not climbed to; "
    usual += (
        "what it learned from was found by another code"
        if card.solver_seconds is None
        else "what runs that it learned from took in the median, each at its own accuracy"
    )
    return (
        Rung("surrogate", True, sum(found.cost.seconds.values()), True, "its bounds meet what was asked for"),
        Rung("corrected", False, card.solver_seconds, False, f"{usual}, which is the most that it takes"),
        Rung("solver", False, card.solver_seconds, False, usual),
    )


def climbed(found: Ladder, task: Task, *, started: bool) -> tuple[Rung, ...]:
    """What came after the surrogate; started: from what it expects."""
    seconds = sum(task.watch.seconds.values()) - spent(task)
    if not started:
        without = "it starts from what a surrogate expects, and none is trusted so far"
        return (
            Rung("corrected", False, None, False, without),
            Rung("solver", True, seconds, True, "solved to the end"),
        )
    cases = found.solutions[-1].cases
    if isinstance(found.solutions[-1].discretised, Gridded):
        return (
            Rung("corrected", False, None, False, "it takes tetrahedra, and a grid had to answer"),
            Rung("solver", True, seconds, True, "solved to the end, on a grid"),
        )
    open_cases = [name for name, case in cases.items() if case.certificate is None]
    if open_cases:
        said = (
            f"numbers of load case {', '.join(open_cases)} were not certified within {SHARE:.0%} of the accuracy after "
            "the iterations that it is given"
        )
        return (
            Rung("corrected", False, None, False, said),
            Rung("solver", True, seconds, True, "solved to the end, from where the corrected fields were"),
        )
    worst = max(number.error for case in cases.values() for number in case.certificate.numbers.values())  # type: ignore[union-attr]
    iterations = max(case.iterations for case in cases.values())
    said = (
        f"after {iterations} iterations at most the numbers are within {worst:.1g} of those of the mesh, by their "
        "adjoints; the errors that are told have that and the mesh's own"
    )
    more = _to_the_end(found, task)
    return (
        Rung("corrected", True, seconds, True, said),
        Rung(
            "solver", False, seconds + more, False, "what the iterations that were left out would have added"
        ),
    )


def _to_the_end(found: Ladder, task: Task) -> float:
    """Time [s] that was saved, as if residuals fell evenly on a logarithmic scale; adjoints have a tolerance too."""
    done = left = 0.0
    for solution in found.solutions:
        for case in solution.cases.values():
            if case.certificate is not None:
                done += case.iterations + case.certificate.adjoint_iterations
                left += _left(case)
    return task.watch.seconds.get("solve", 0.0) * left / done if done else 0.0


def _left(case: CaseSolution) -> float:
    """Iterations that a case would still take, and the adjoint of its largest displacement."""
    assert case.certificate is not None
    fall = -math.log(max(case.residual, TOLERANCE)) / max(case.iterations, 1)  # of one iteration
    if fall <= 0:
        return 0.0
    field = math.log(max(case.residual, TOLERANCE) / TOLERANCE) / fall
    adjoint = -math.log(OF_ADJOINTS) / fall - case.certificate.adjoint_iterations
    return field + adjoint
