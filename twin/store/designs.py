"""A sweep's journal: its designs, and how they end with the runs that compute them.

Functions work within the caller's transaction, so that a run and the designs which wait for it end together.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, and_, exists, func, insert, select, update

from twin.errors import InvalidInput, from_record
from twin.store.schema import designs as table
from twin.store.schema import sweeps
from twin.store.states import WAITING, DesignState, RunState, SweepState

_ENDS: Final = {
    RunState.SUCCEEDED: DesignState.DONE,
    RunState.FAILED: DesignState.FAILED,
    RunState.CANCELLED: DesignState.CANCELLED,
}


def settle(
    connection: Connection,
    tenant: str,
    run: str,
    now: float,
    state: RunState,
    found: Mapping[str, Any] | None = None,
    error: dict[str, Any] | None = None,
) -> None:
    """End the designs that wait for a run which has ended. found: twin.results.storage.brief."""
    ending = ended_as(state, error)
    waiting = select(table.c.sweep, table.c.number).where(
        table.c.tenant == tenant, table.c.run == run, table.c.state == DesignState.PENDING
    )
    for row in connection.execute(waiting).all():
        end(connection, tenant, row.sweep, row.number, now, ending, found, error)
        complete(connection, tenant, row.sweep)


def ended_as(state: RunState, error: Mapping[str, Any] | None) -> DesignState:
    """What the end of its run makes of a design. What can't be asked is no failure of ours."""
    if state is RunState.FAILED and error is not None and isinstance(from_record(error), InvalidInput):
        return DesignState.INFEASIBLE
    return _ENDS[state]


def end(
    connection: Connection,
    tenant: str,
    sweep: str,
    number: int,
    now: float,
    state: DesignState,
    found: Mapping[str, Any] | None = None,
    error: dict[str, Any] | None = None,
) -> None:
    """Bring a design to an end, and give it its place in the order in which they ended."""
    connection.execute(
        update(table)
        .where(table.c.tenant == tenant, table.c.sweep == sweep, table.c.number == number)
        .values(
            state=state,
            found=None if found is None else json.dumps(found),
            error=error,
            ended=now,
            sequence=next_sequence(connection, tenant, sweep),
        )
    )


def add(
    connection: Connection,
    tenant: str,
    sweep: str,
    number: int,
    point: list[float],
    *,
    run: str | None = None,
    shared: bool = False,
) -> None:
    """Write down a design that waits."""
    connection.execute(
        insert(table).values(
            tenant=tenant,
            sweep=sweep,
            number=number,
            point=point,
            state=DesignState.PENDING,
            run=run,
            shared=shared,
        )
    )


def next_sequence(connection: Connection, tenant: str, sweep: str) -> int:
    this = (sweeps.c.tenant == tenant, sweeps.c.id == sweep)
    connection.execute(update(sweeps).where(*this).values(sequence=sweeps.c.sequence + 1))
    return int(connection.execute(select(sweeps.c.sequence).where(*this)).scalar_one())


def complete(connection: Connection, tenant: str, sweep: str) -> None:
    """A sweep that is active and has nothing left to do is COMPLETE."""
    waits = exists().where(and_(table.c.tenant == tenant, table.c.sweep == sweep, table.c.state.in_(WAITING)))
    connection.execute(
        update(sweeps)
        .where(
            sweeps.c.tenant == tenant,
            sweeps.c.id == sweep,
            sweeps.c.state == SweepState.ACTIVE,
            sweeps.c.planned == sweeps.c.size,
            ~waits,
        )
        .values(state=SweepState.COMPLETE)
    )


def held(connection: Connection, tenant: str, run: str) -> bool:
    """Do the sweeps that wait for a run all pause?"""
    waiting = (
        select(sweeps.c.state)
        .join(table, and_(table.c.tenant == sweeps.c.tenant, table.c.sweep == sweeps.c.id))
        .where(table.c.tenant == tenant, table.c.run == run, table.c.state == DesignState.PENDING)
    )
    states = set(connection.execute(waiting).scalars())
    return bool(states) and SweepState.ACTIVE not in states


def in_use(connection: Connection, tenant: str, run: str) -> str | None:
    """A sweep that has a design of this run."""
    query = select(func.min(table.c.sweep)).where(table.c.tenant == tenant, table.c.run == run)
    return connection.execute(query).scalar()
