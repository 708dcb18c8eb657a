"""From a surrogate to an outcome: numbers with bounds, fields on the surface; or why it can't be trusted here."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Final, NamedTuple, final

import jax
import numpy as np
from numpy.typing import NDArray

from surrogates.elasticity import BASES, size_of
from twin.analyses import summary
from twin.analyses.monitor import Monitor
from twin.analyses.run import set_up, solved
from twin.analyses.static_stress import quantities
from twin.analyses.static_stress.analysis import StaticStressAnalysis
from twin.analyses.task import Task
from twin.errors import FailedPrecondition, InvalidInput, StudyError
from twin.geometry.subdivision import six_node_faces, subdivide
from twin.geometry.surface import Report, Surface
from twin.learning import rungs
from twin.learning.evaluation import UNITS, Evaluation, Number
from twin.learning.expectation import Expectation, node_normals
from twin.learning.memory import Memories
from twin.learning.questions import asked
from twin.learning.training import Trained
from twin.quantities import Field, Quantity
from twin.results.card import FIELDS
from twin.results.outcome import CaseOutcome, Outcome, Rung
from twin.studies import Request, StaticStress

_LOG: Final = logging.getLogger(__name__)
_BROKEN: Final = (
    ArithmeticError, AttributeError, LookupError, MemoryError, OSError, RuntimeError, TypeError, ValueError,
)  # fmt: skip
"""What a fault in a surrogate or in what asks it is raised as, by numpy, jax and flax; a device without memory too."""

Floats = NDArray[np.float64]
Numbers = Mapping[str, Quantity]

_FINENESS: Final = (
    25  # of the triangles that fields are given on: their edges in the part's diagonal, at the least
)


@final
@dataclass(frozen=True, eq=False)
class Consultation:
    """A study, and whom to ask. surrogates: by their names, "surrogates/bracket/versions/2", at least one.

    memories: of parts that were asked about before; fields: whether they are wanted beside the numbers
    """

    study: StaticStress
    surrogates: Mapping[str, Trained]
    memories: Memories = field(default_factory=Memories)
    fields: bool = True


@dataclass(frozen=True, eq=False)
class _Refused:
    """Why the surrogates that were asked do not answer, by their names.

    rung: how that is told; expected: what a solution starts from, where one of them is trusted so far
    """

    reasons: Mapping[str, str]
    rung: Rung
    expected: _Start | None


def answer(
    surface: Surface,
    report: Report,
    consultation: Consultation,
    request: Request,
    *,
    source: Path | None,
    monitor: Monitor,
    workdir: Path,
) -> Outcome:
    """By the surrogate that knows parts most like this one.

    With method "auto" by the solver where none is to be trusted, or that one does not meet the accuracy; the outcome
    says why.

    Raises:
        FailedPrecondition: method is "surrogate", and the part or its loads are none that one knows
        twin.errors.TwinError: the study can't be answered
    """
    study = consultation.study
    task = set_up(surface, report, study, request, source=source, monitor=monitor, workdir=workdir)
    try:
        found = _consulted(task, consultation)
    except _BROKEN as broken:
        if request.method == "surrogate":
            raise
        refusals = dict.fromkeys(consultation.surrogates, _fault(broken))
        first = Rung("surrogate", False, rungs.spent(task), True, _told(refusals))
        found = _Refused(refusals, first, None)
    return found if isinstance(found, Outcome) else _solved(task, found)


def _fault(broken: Exception) -> str:
    """In words for users; the log has the rest."""
    _LOG.error("asking a surrogate broke down", exc_info=broken)
    return f"asking broke down, which is a fault of ours ({type(broken).__name__})."


@dataclass(frozen=True, eq=False)
class _Start:
    """What is expected, where it can be told; nothing where asking for it breaks down: a solution needs no start."""

    expectation: Expectation

    def __call__(self, points: Floats, facets: NDArray[np.int64]) -> Mapping[str, Floats]:
        try:
            return self.expectation(points, facets)
        except _BROKEN as broken:
            _fault(broken)
            return {}


def _consulted(task: Task, consultation: Consultation) -> Outcome | _Refused:
    """What surrogates say, or why none answers."""
    request = task.request
    refusals: dict[str, str] = {}
    nearest = _nearest(task, consultation, refusals)
    if nearest is None:
        told = " ".join(refusals.values()) if len(refusals) == 1 else _told(refusals)
        if request.method == "surrogate":
            raise FailedPrecondition(told, {"surrogates": ", ".join(refusals)})
        return _Refused(refusals, Rung("surrogate", False, rungs.spent(task), True, told), None)
    name, trained, evaluation = nearest
    with task.watch.phase("decode"):
        measured = {case: _measured(task, evaluation, trained, case) for case in evaluation.question.cases}
    if request.method == "surrogate":
        refuse_unknown(name, measured, request)
    wide = _too_wide(measured, request)
    if request.method == "surrogate" or not wide:
        found = _predicted(task, name, trained, evaluation, measured, fields=consultation.fields)
        return replace(found, rungs=rungs.unclimbed(found, trained.card))
    asked_first = Rung("surrogate", False, rungs.spent(task), True, f"{name}: {wide}")
    return _Refused({name: wide}, asked_first, _Start(Expectation(evaluation)))


def _solved(task: Task, refused: _Refused) -> Outcome:
    """By the solver."""
    found = solved(replace(task, expected=refused.expected))
    with task.watch.phase("estimate"):
        solution = summary.summarise(task, found)
    said = f"The solver answered, since no surrogate was good enough. {_told(refused.reasons)}"
    return replace(
        solution,
        assumptions=(said, *solution.assumptions),
        provenance={**solution.provenance, "asked_first": ", ".join(refused.reasons)},
        rungs=(refused.rung, *rungs.climbed(found, task, started=refused.expected is not None)),
    )


def _nearest(
    task: Task, consultation: Consultation, refusals: dict[str, str]
) -> tuple[str, Trained, Evaluation] | None:
    """The surrogate whose parts are nearest to this one. refusals: why the others are not to be trusted, by name."""
    best: tuple[float, tuple[str, Trained, Evaluation]] | None = None
    with task.watch.phase("encode"):
        try:
            question = asked(task.surface, task.volume, consultation.study, task.regions)
        except StudyError as refusal:
            refusals.update(dict.fromkeys(consultation.surrogates, refusal.message))
            return None
        for name, trained in consultation.surrogates.items():
            task.monitor.progress("encode", 0.3, f"{name} looks at the part")
            memory = consultation.memories.of(name, task.surface, question)
            evaluation = Evaluation(task.surface, question, trained.ensemble, memory)
            try:
                distance = _distance(evaluation, trained, name)
            except (FailedPrecondition, InvalidInput) as refusal:
                refusals[name] = refusal.message
            except _BROKEN as broken:
                if task.request.method == "surrogate":
                    raise
                refusals[name] = _fault(broken)
            else:
                if best is None or distance < best[0]:
                    best = distance, (name, trained, evaluation)
    return None if best is None else best[1]


def _told(refusals: Mapping[str, str]) -> str:
    return " ".join(f"{name}: {why}" for name, why in refusals.items())


def _predicted(
    task: Task,
    name: str,
    trained: Trained,
    evaluation: Evaluation,
    measured: Mapping[str, Numbers],
    *,
    fields: bool,
) -> Outcome:
    """What the surrogate says. measured: of each load case; fields: whether they are wanted too."""
    question, surface = evaluation.question, task.surface
    points, faces = evaluation.memory.recall("faces", lambda: _six_node_faces(surface))
    at_nodes: dict[str, Mapping[str, Field]] = {}
    at_vertices: dict[str, Mapping[str, Field]] = {}
    if fields:
        with task.watch.phase("decode"):
            task.monitor.progress("decode", 0.6, "fields and bounds")
            on_nodes = evaluation.fields_at("nodes", points, lambda: node_normals(points, faces))
            on_vertices = evaluation.fields_at(
                "vertices", surface.vertices, lambda: node_normals(surface.vertices, surface.triangles)
            )
            off = evaluation.expected_errors(on_nodes)
            for case, *of_case, at in zip(question.cases, on_nodes.mean, off, on_vertices.mean, strict=True):
                at_nodes[case] = _at_nodes(task, trained, case, CaseFields(points, *of_case))
                at_vertices[case] = task.analysis.fields(at[:, :3], at[:, 3:], "surface")
    cases = {
        case: CaseOutcome(
            measured[case], at_nodes.get(case, {}), at_vertices.get(case, {}), question.balance(case)
        )
        for case in question.cases
    }
    level = task.request.coverage
    accuracy = ", ".join(f"{error:.1%} of {what}" for what, error in trained.card.accuracy.items())
    return Outcome(
        cases=cases,
        points=points,
        tets=np.zeros((0, 10), np.int32),
        faces=faces.astype(np.int32),
        surface_vertices=task.surface.vertices,
        surface_triangles=task.surface.triangles,
        glyphs=task.analysis.glyphs(task.surface, task.regions),
        assumptions=(
            f"Answered by {name}, which has learned from {trained.card.split.training[0]} parts: nothing was solved.",
            f"The bounds hold for {level:.0%} of parts and loads like those, of a field at points all over the surface "
            "at once: a property of the method, not of this part. They speak of the difference from the solver's "
            f"answer, whose own error is added as it was in the median of what was learned from: {accuracy}.",
            *task.analysis.assumptions(),
        ),
        warnings=(*task.report.warnings, *trained.card.warnings),
        convergence=(),
        singularities=task.zones.places,
        mesh_quality={"nodes": float(len(points)), "elements": float(len(faces))},
        mesher="none: fields on the surface, by a surrogate",
        provenance={
            **{package: version(package) for package in ("twin", "flax")},
            "jax": jax.__version__,
            "surrogate": name,
            "surrogate_data": trained.card.data,
        },
        cost=summary.cost(task.watch),
    )


def _six_node_faces(surface: Surface) -> tuple[Floats, NDArray[np.int64]]:
    """Nodes (n, 3) [m] and triangles (f, 6) that fields are given on."""
    vertices, triangles, _ = subdivide(surface.vertices, surface.triangles, surface.diagonal / _FINENESS)
    return six_node_faces(vertices, triangles)


def _distance(evaluation: Evaluation, trained: Trained, name: str) -> float:
    """How far the part is from those that were learned from, at most 1. Raises FailedPrecondition for a stranger."""
    for case, loads in evaluation.question.cases.items():
        if size_of(loads) == 0:
            raise InvalidInput(
                f"No load acts in load case {case}: surrogates take supports that do not move."
            )
        unseen = np.abs(trained.domain.unseen_load(loads / size_of(loads))).max(axis=0)
        if unseen.any():
            along = BASES[int(unseen.argmax())]
            raise FailedPrecondition(
                f"{name} has never seen a load along {along}, or so much of it, or not by itself, as there is in load "
                f"case {case}: it can't know what that does. Ask for method='auto' or 'solver', or train on runs with "
                "such loads.",
                {"surrogate": name, "load": along},
            )
    distance = trained.domain.distance(evaluation.encoded.summary, evaluation.statistics)
    if not distance <= 1:
        raise FailedPrecondition(
            f"This part, or how it is held and loaded, is too unlike what {name} has learned from: {distance:.2f} "
            "times as far as those parts are from each other. Ask for method='auto' or 'solver', or train on parts "
            "like this.",
            {"surrogate": name, "distance": f"{distance:.3g}"},
        )
    return distance


class CaseFields(NamedTuple):
    """Of a case at the nodes, points (k, 3) [m]: mean of the networks (k, channels), by how much they may be off."""

    points: Floats
    mean: Floats
    off: Floats


def _measured(task: Task, evaluation: Evaluation, trained: Trained, case: str) -> Numbers:
    """All numbers of a load case, with their bounds."""
    question, level = evaluation.question, task.request.coverage
    found = {
        name: _bounded(name, number, trained, level)
        for name, number in evaluation.numbers(case, task.zones.of(case)).items()
    }
    whole = task.surface.closed and task.report.bodies == 1
    volume = Quantity(question.cloud.volume, "m^3", 0.0 if whole else np.inf)
    return quantities.quantities(found, question.balance(case), volume, np.ones(1), (question.material,))


def _bounded(name: str, number: Number, trained: Trained, level: float) -> Quantity:
    learned = trained.calibration.scores.get(name)
    factor = np.inf if learned is None else trained.calibration.factor(name, level)
    spread = factor * number.expected if np.isfinite(factor) else np.inf  # of networks that agree too
    own = trained.card.accuracy.get(name, np.inf) * abs(number.value)
    note = f"bound for {level:.0%} of parts like those that were learned from"
    return Quantity(number.value, UNITS[name], spread + own, note)


def _at_nodes(task: Task, trained: Trained, case: str, fields: CaseFields) -> dict[str, Field]:
    """Fields, and their bounds with what the solver's own were off; none near singular places."""
    mean, off = fields.mean, fields.off
    moved, stressed = (trained.calibration.factor(name, task.request.coverage) for name in FIELDS)
    found = task.analysis.fields(mean[:, :3], mean[:, 3:], "node")
    own = [trained.card.accuracy.get(name, np.inf) for name in ("max_displacement", "max_von_mises")]
    largest = [
        float(np.linalg.norm(found["displacement"].values, axis=1).max()),
        found["von_mises"].values.max(),
    ]
    near = task.zones.of(case).at(fields.points) >= 0
    # The von Mises stress changes by at most sqrt(3) times the length of a change of the six components.
    bounds = {
        "displacement_error": (moved * off[:, :1] + own[0] * largest[0], "m"),
        "von_mises_error": (
            np.where(near[:, None], np.inf, np.sqrt(3) * stressed * off[:, 1:] + own[1] * largest[1]),
            "Pa",
        ),
    }
    return found | {name: Field(name, values, unit, "node") for name, (values, unit) in bounds.items()}


def refuse_unknown(name: str, measured: Mapping[str, Numbers], request: Request) -> None:
    """Raises FailedPrecondition where a quantity that is asked for is not among what was measured, by load case."""
    for case, found in measured.items():
        missing = [each for each in request.quantities or () if each not in found]
        if missing:
            raise FailedPrecondition(
                f"{name} can't tell {', '.join(missing)} of load case {case}: of loads on the whole volume it knows "
                "what moves, not what work they do. Ask for method='auto', which solves for it.",
                {"surrogate": name, "quantities": ", ".join(missing)},
            )


def _too_wide(measured: Mapping[str, Numbers], request: Request) -> str:
    """Which bound does not meet the accuracy; "" where all do."""
    for found in measured.values():
        for name in request.quantities or StaticStressAnalysis.asked:
            if name not in found:
                return f"it knows nothing of {name}."
            if not (off := found[name].relative_error) <= request.accuracy:
                return f"its bound of {name} is {off:.1%}, above the requested {request.accuracy:.1%}."
    return ""
