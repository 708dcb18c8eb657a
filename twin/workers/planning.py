"""From the message of a sweep to its next designs. Without jax, and in seconds whatever the sampling."""

from __future__ import annotations

import contextlib
import logging
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from twin import codec
from twin.errors import Internal, NotFound, TwinError
from twin.store.planned import Plan, Planned
from twin.store.runs import NewRun
from twin.store.sweep_records import SweepRecord
from twin.store.sweeps import CHUNK
from twin.store.views import design_view
from twin.store.workspace import Workspace
from twin.sweeps.sequential import Adaptive, Bayesian, Descent, Evolution, Verification
from twin.sweeps.table import Table
from twin.workers.descent import following
from twin.workers.packing import packed

_LOG: Final = logging.getLogger(__name__)


_Global = Adaptive | Evolution | Bayesian | Verification


def plan_ahead(workspace: Workspace) -> bool:
    """Plan designs of the first sweep that has few waiting; returns whether there was one."""
    return any(_plan(workspace, sweep) for sweep in workspace.sweeps.to_plan())


def _plan(workspace: Workspace, sweep: SweepRecord) -> bool:
    try:
        plan = codec.parse_sweep(sweep.spec)
        points = plan.following(sweep.planned, CHUNK)
        if isinstance(points, tuple):
            asked, first, count = points
            known = first + asked.known(sweep.planned - first)
            if workspace.sweeps.first_waiting(sweep.tenant, sweep.id) < known:
                return False  # what it is to choose by isn't known yet
            if isinstance(asked, Descent):
                if workspace.sweeps.differentiating(sweep.tenant, sweep.id):
                    return False
                wanted = following(workspace, sweep, plan, asked, first)
                if wanted is None:
                    return workspace.sweeps.finish(sweep, *codec.shortened(sweep.spec, sweep.planned))
                if wanted.point is None:
                    return False  # its slopes are being computed
                points = wanted.point[None]
            else:
                chosen = _chosen(workspace, sweep, plan, asked, first, count)
                if chosen is None:
                    return workspace.sweeps.finish(sweep, *codec.shortened(sweep.spec, sweep.planned))
                points = chosen
        ask = planner(sweep)
        designs = [ask(number, tuple(point)) for number, point in enumerate(points.tolist(), sweep.planned)]
        designs = packed(designs, f"{sweep.id}.{sweep.planned}")
        return workspace.sweeps.plan(sweep, designs)
    except IntegrityError:
        return False  # somebody else planned the same
    except SQLAlchemyError:
        raise  # no fault of the sweep; whoever works here tries again
    except TwinError as error:
        _pause(workspace, sweep, error)
    except Exception as error:  # noqa: BLE001, a sweep that can't be planned must not stop the others
        _LOG.exception("%s can't be planned: it is paused", sweep.name)
        _pause(workspace, sweep, Internal(f"the designs can't be planned, which is a fault of ours: {error}"))
    return True


def _pause(workspace: Workspace, sweep: SweepRecord, error: TwinError) -> None:
    with contextlib.suppress(NotFound):  # it was deleted meanwhile
        workspace.sweeps.pause(sweep.tenant, sweep.id, error)


def _chosen(
    workspace: Workspace,
    sweep: SweepRecord,
    plan: codec.SweepPlan,
    asked: _Global,
    first: int,
    count: int,
) -> NDArray[np.float64] | None:
    """What a sampling chooses by the designs that came before; by its own, where it is one of generations.

    None where nothing is left to choose.
    """
    space = plan.space
    begin = first if isinstance(asked, Evolution) else 0
    earliest = 0 if plan.previewed else begin  # what was verified before tells how far previews are off
    records = workspace.sweeps.designs(sweep.tenant, sweep.id, (), sweep.planned, earliest - 1)
    points = np.array([record.point for record in records]).reshape(-1, len(space.parameters))
    known = first + asked.known(sweep.planned - first) - earliest
    table = Table.of(space, [design_view(record, plan) for record in records[:known]])
    unknown = np.full(len(records) - known, np.nan)  # though it may be there by now
    columns = {name: np.append(table[name], unknown) for name in table.quantities}
    if plan.previewed:
        from twin.sweeps.verification import corrected
        from twin.sweeps.verification import propose as verification

        previews = np.array([plan.is_preview(record.number) for record in records])
        columns = corrected(space, points, columns, previews)
        if isinstance(asked, Verification):
            return verification(space, plan.optimiser(first), points, columns, previews, count)
        own = previews & (np.arange(len(records)) >= begin)  # of a point that was verified one answer counts
        points, columns = points[own], {name: column[own] for name, column in columns.items()}
    match asked:  # these take a while to import
        case Adaptive():
            from twin.sweeps.adaptive import propose as adaptive

            return adaptive(space, asked, points, columns, count)
        case Evolution():
            from twin.sweeps.evolution import propose as evolution

            return evolution(space, asked, points, columns, count)
        case Bayesian():
            from twin.sweeps.bayesian import propose as bayesian

            return bayesian(space, asked, points, columns, count)
        case Verification():
            raise AssertionError("a verification is of previews")


def unbuilt(reason: TwinError) -> Plan:
    """Of designs whose part was not built."""
    error = type(reason)(f"The part was not built: {reason.message}", reason.facts)
    return lambda _, point: Planned(point, error=error)


def planner(sweep: SweepRecord, part: str = "") -> Plan:
    """What the designs of a sweep ask, by number and point; one that nothing can be asked of keeps the reason.

    part: "geometries/{id}" that was built for them; without, those of a sweep that has each built wait for theirs
    """
    plan = codec.parse_sweep(sweep.spec)

    def ask(number: int, point: tuple[float, ...]) -> Planned:
        try:
            question = plan.question(number, np.array(point), part)
        except TwinError as error:
            return Planned(point, error=error)
        except Exception as error:  # noqa: BLE001, one bad design never poisons its batch
            _LOG.exception("%s: the design %s can't be planned", sweep.name, point)
            return Planned(point, error=Internal(f"the design can't be planned, a fault of ours: {error}"))
        if plan.awaits_parts and not part:
            return Planned(point)
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
