"""From a design that was planned to what computes it: a run of its own, or that of an identical one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

from sqlalchemy import Connection, RowMapping, and_, or_, select, update

from twin.errors import NotFound, TwinError, to_record
from twin.results import storage
from twin.store import designs
from twin.store import runs as runs_of_all
from twin.store.runs import NewRun
from twin.store.schema import designs as design_table
from twin.store.schema import results, runs
from twin.store.states import ACTIVE, DesignState, RunState


@final
@dataclass(frozen=True)
class Planned:
    """A design to be: what computes it, or why nothing can; neither while it waits for its part."""

    point: tuple[float, ...]
    run: NewRun | None = None
    error: TwinError | None = None


Plan = Callable[[int, tuple[float, ...]], Planned]
"""What a design asks, by its number and its point."""


def start(connection: Connection, sweep: RowMapping, number: int, planned: Planned, now: float) -> None:
    """Have a design computed, unless that can't be or was done before.

    sweep: its row. In the caller's transaction.
    """
    tenant, identifier = sweep["tenant"], sweep["id"]
    run, error = planned.run, planned.error
    here = (
        design_table.c.tenant == tenant,
        design_table.c.sweep == identifier,
        design_table.c.number == number,
    )
    if run is None and error is None:
        connection.execute(update(design_table).where(*here).values(state=DesignState.AWAITING_PART))
        return
    if run is not None and error is None:
        try:
            runs_of_all.require_geometry(connection, tenant, run.geometry)
        except NotFound as missing:
            error = missing
    if run is None or error is not None:
        assert error is not None
        ending = designs.ended_as(RunState.FAILED, to_record(error))
        designs.end(connection, tenant, identifier, number, now, ending, error=to_record(error))
        return
    same = select(runs).where(
        runs.c.tenant == tenant,
        runs.c.content == run.content,
        runs.c.background,
        or_(runs.c.state == RunState.SUCCEEDED, and_(runs.c.state.in_(ACTIVE), ~runs.c.cancel_requested)),
    )
    if sweep["keep_fields"]:
        same = same.where(runs.c.keep_fields)
    found = connection.execute(same.limit(1)).mappings().one_or_none()
    name = found["id"] if found is not None else runs_of_all.add(connection, tenant, run, now)
    connection.execute(update(design_table).where(*here).values(run=name, shared=found is not None))
    if found is None:
        return
    if found["state"] == RunState.SUCCEEDED:
        manifest = select(results.c.manifest).where(results.c.tenant == tenant, results.c.run == name)
        brief = storage.brief(json.loads(connection.execute(manifest).scalar_one()))
        designs.end(connection, tenant, identifier, number, now, DesignState.DONE, brief)
    elif found["held"]:
        connection.execute(update(runs).where(runs.c.tenant == tenant, runs.c.id == name).values(held=False))
