"""The next design of a descent, and the gradients that it takes: runs about the runs of designs. Without jax."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twin import codec
from twin.errors import StudyError, from_record
from twin.results import storage
from twin.store.runs import NewRun
from twin.store.states import RunState
from twin.store.sweep_records import DesignRecord, SweepRecord
from twin.store.views import design_view
from twin.store.workspace import Workspace
from twin.studies import FlowStudy, FreeForm, GradientOf, Study, Wrt
from twin.sweeps.descent import Wanted, propose
from twin.sweeps.expressions import Formula
from twin.sweeps.sequential import Descent
from twin.sweeps.table import Table

Floats = NDArray[np.float64]

_RUNS: Final = uuid.uuid5(uuid.NAMESPACE_URL, "twin/descent")
_STEP: Final = (
    1e-4  # of a range: what a study is made of is arithmetic on parameters, differentiated by differences
)
_MATERIAL: Final = ("youngs_modulus", "poissons_ratio", "density", "yield_strength", "thermal_conductivity")


def following(
    workspace: Workspace, sweep: SweepRecord, plan: codec.SweepPlan, asked: Descent, first: int
) -> Wanted | None:
    """What a descent needs next, None where nothing better is to be had. Gradients that it needs are asked for.

    first: the number of its first design
    """
    space = plan.space
    records = workspace.sweeps.designs(sweep.tenant, sweep.id, (), sweep.planned, first - 1)
    if not records:
        return Wanted(point=_start(plan, asked))
    table = Table.of(space, [design_view(record, plan) for record in records])
    points = np.array([record.point for record in records])
    columns = {name: table[name] for name in table.quantities}

    def slopes(index: int) -> Mapping[str, Floats] | None:
        return _slopes(workspace, sweep, plan, asked, records[index])

    return propose(space, asked, points, columns, slopes)


def _start(plan: codec.SweepPlan, asked: Descent) -> Floats:
    return np.array(
        [asked.start.get(each.name, sum(each.bounds) / 2) for each in plan.space.parameters], float
    )


def _slopes(
    workspace: Workspace, sweep: SweepRecord, plan: codec.SweepPlan, asked: Descent, design: DesignRecord
) -> Mapping[str, Floats] | None:
    """Of each column that counts the derivatives with respect to the parameters; None while they are computed."""
    study, _ = plan.asked(np.array(design.point))
    (case,) = study.cases
    moved = _moved(plan, np.array(design.point))
    formulas = [Formula(text, comparison=True) for text in asked.subject_to]
    wished = {*asked.objectives, *(name for formula in formulas for name in formula.names)}
    found: dict[str, Floats] = {}
    complete = True
    for quantity in sorted(wished - set(plan.space.numbers)):
        total = np.zeros(len(plan.space.parameters))
        for wrt, inputs in moved.items():
            gradient = _gradient(workspace, sweep, design, case, quantity, wrt)
            if gradient is None:
                complete = False
                continue
            for name, by_parameters in inputs.items():
                if name not in gradient:
                    raise StudyError(
                        f"{name} depends on the parameters, and answers have no gradient with respect to it."
                    )
                total += np.tensordot(by_parameters, gradient[name], axes=np.ndim(gradient[name]))
        found[quantity] = total
    return found if complete else None


def _gradient(
    workspace: Workspace, sweep: SweepRecord, design: DesignRecord, case: str, quantity: str, wrt: Wrt
) -> dict[str, Floats] | None:
    """By name; None while it is computed. The same question finds the same run again."""
    answered = workspace.runs.get(sweep.tenant, str(design.run))
    question = GradientOf(answered.name, case, quantity, wrt)
    study = codec.study_to_proto(question)
    key = f"{answered.name}/{case}/{quantity}/{wrt}"
    run = workspace.runs.create(
        sweep.tenant,
        NewRun(
            geometry=answered.geometry,
            study_kind="gradient",
            study=study.SerializeToString(deterministic=True),
            options=b"",
            request_digest=key,
            request_id=str(uuid.uuid5(_RUNS, key)),
            display_name=f"gradient of {quantity} by {wrt}",
            labels={"sweep": sweep.id},
            background=True,
            shape=answered.shape,
        ),
    )
    if run.state is RunState.SUCCEEDED:
        arrays = workspace.arrays
        stored = arrays.of(sweep.tenant, run.name)
        gradient = storage.load_gradient(
            workspace.results.get(sweep.tenant, run.id), lambda name: arrays.read(sweep.tenant, stored[name])
        )
        return {name: sensitivity.values for name, sensitivity in gradient.items()}
    if run.state.terminal:
        workspace.runs.delete(sweep.tenant, run.id)  # when the sweep goes on, it is tried again
        why = "" if run.error is None else f": {from_record(run.error).message}"
        raise StudyError(f"The gradient of {quantity} of design {design.number} could not be had{why}")
    return None


def _moved(plan: codec.SweepPlan, point: Floats) -> dict[Wrt, dict[str, Floats]]:
    """What of the question depends on the parameters, by kind and name: derivatives (p, ...) of each."""
    found: dict[Wrt, dict[str, Floats]] = {}
    for axis, parameter in enumerate(plan.space.parameters):
        low, high = parameter.bounds
        step = _STEP * (high - low)
        ends = max(point[axis] - step, low), min(point[axis] + step, high)
        below, above = (_numbers(*plan.asked(_with(point, axis, value))) for value in ends)
        for wrt, name in above:
            slope = (above[wrt, name] - below[wrt, name]) / (ends[1] - ends[0])
            if slope.any():
                every = found.setdefault(wrt, {}).setdefault(name, np.zeros((len(point), *slope.shape)))
                every[axis] = slope
    return found


def _with(point: Floats, axis: int, value: float) -> Floats:
    moved = point.copy()
    moved[axis] = value
    return moved


def _numbers(study: Study, boxes: tuple[FreeForm, ...]) -> dict[tuple[Wrt, str], Floats]:
    """The numbers that a question consists of, named as gradients name them."""
    assert not isinstance(study, FlowStudy)  # which is refused before
    found: dict[tuple[Wrt, str], Floats] = {}
    for name in _MATERIAL:
        number = getattr(study.material, name)
        if number is not None:
            found["material", name] = np.array(number, float)
    (case,) = study.cases.values()
    for kind, items in (("supports", study.supports), ("loads", case)):
        for index, item in enumerate(items):
            for entry in dataclasses.fields(item):
                value: Any = getattr(item, entry.name)
                if isinstance(value, float) or (
                    isinstance(value, tuple) and all(isinstance(part, float) for part in value)
                ):
                    found["loads", f"{kind}[{index}].{entry.name}"] = np.array(value)
    for index, box in enumerate(boxes):
        found["shape", f"shape[{index}].moves"] = box.lattice
    return found
