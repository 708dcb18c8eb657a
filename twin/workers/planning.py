"""From the message of a sweep to its next designs. Quick, and without jax."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

import numpy as np

from twin import codec
from twin.errors import Internal, TwinError
from twin.store.runs import NewRun
from twin.store.sweeps import CHUNK, Planned, SweepRecord
from twin.store.workspace import Workspace

_LOG: Final = logging.getLogger(__name__)


def plan_ahead(workspace: Workspace) -> bool:
    """Plan designs of a sweep that has few waiting; returns whether there was one."""
    sweep = workspace.sweeps.next_to_plan()
    if sweep is None:
        return False
    try:
        plan = codec.parse_sweep(sweep.spec)
        points = plan.points(sweep.planned, sweep.planned + CHUNK)
        ask = planner(sweep)
        workspace.sweeps.plan(sweep, [ask(tuple(point)) for point in points.tolist()])
    except Exception:  # noqa: BLE001, a sweep that can't be planned must not stop the others
        _LOG.exception("%s can't be planned: it is paused", sweep.name)
        workspace.sweeps.pause(sweep.tenant, sweep.id)
    return True


def planner(sweep: SweepRecord) -> Callable[[tuple[float, ...]], Planned]:
    """What the points of a sweep ask; a point that nothing can be asked of keeps the reason."""
    plan = codec.parse_sweep(sweep.spec)

    def ask(point: tuple[float, ...]) -> Planned:
        try:
            question = plan.question(np.array(point))
        except TwinError as error:
            return Planned(point, None, error)
        except Exception as error:  # noqa: BLE001, one bad design never poisons its batch
            _LOG.exception("%s: the design %s can't be planned", sweep.name, point)
            return Planned(point, None, Internal(f"the design can't be planned, a fault of ours: {error}"))
        run = NewRun(
            geometry=question.geometry,
            study_kind=question.study_kind,
            study=question.study,
            options=question.options,
            request_digest=question.content,
            display_name=sweep.display_name,
            content=question.content,
            background=True,
            keep_fields=sweep.keep_fields,
            shape=question.shape,
        )
        return Planned(point, run)

    return ask
