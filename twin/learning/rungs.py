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

# Of the time of an iteration that is certified, what one of a plain solution takes: 0.33 to 0.47, from the seconds and
# iterations of both on eight parts (`python -m tests.benchmarks.surrogates --parts ladder`).
_PLAIN = 0.4
_OF_SURROGATES = ("check", "encode", "decode")  # the phases of a surrogate's answer
_OF_SOLVER = ("mesh", "set-up", "check", "estimate", "recover")  # of any solution, beside its iterations


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
        Rung("corrected", False, card.solver_seconds, False, f"{usual}; it takes about as long"),
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
    return (
        Rung("corrected", True, seconds, True, said),
        Rung("solver", False, _by_itself(found, task), False, "had it been solved to the end from nothing"),
    )


def _by_itself(found: Ladder, task: Task) -> float | None:
    """Time [s] of the same solutions without a surrogate, as if residuals fell evenly on a logarithmic scale.

    Their iterations are those of each field and of the adjoint of its largest displacement. None where residuals rose.
    """
    done = whole = 0.0
    for solution in found.solutions:
        for case in solution.cases.values():
            if case.certificate is not None:
                done += case.iterations + case.certificate.adjoint_iterations
                whole += _whole(case)
    seconds = task.watch.seconds
    iterating = _PLAIN * seconds.get("solve", 0.0) * whole / done if done else 0.0
    total = iterating + sum(seconds.get(phase, 0.0) for phase in _OF_SOLVER)
    return total if math.isfinite(total) else None


def _whole(case: CaseSolution) -> float:
    """Iterations from nothing to the tolerances of a field and of its adjoint."""
    reached = max(case.residual, TOLERANCE)
    fall = -math.log(reached) / max(case.iterations, 1)  # of one iteration
    return -math.log(TOLERANCE * OF_ADJOINTS) / fall if fall > 0 else math.inf
