"""What happened to a run, in order: changes of state and progress, numbered from 1 without gaps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

from sqlalchemy import Connection, RowMapping, func, insert, select, update

from twin.errors import NotFound
from twin.store.database import Database
from twin.store.schema import events as table
from twin.store.schema import runs
from twin.store.states import RunState


@final
@dataclass(frozen=True)
class Event:
    """state: set where this is a change of state, else it is progress.

    time: seconds since the epoch; fraction: of the whole run, 0 to 1; residual: of the iteration, relative;
    numbers: of what is asked for, as it stands.
    """

    run: str
    sequence: int
    time: float
    state: RunState | None
    phase: str
    fraction: float
    message: str
    residual: float | None
    numbers: Mapping[str, float]
    error: dict[str, Any] | None


def append(
    connection: Connection,
    tenant: str,
    run: str,
    now: float,
    *,
    state: RunState | None = None,
    phase: str | None = None,
    fraction: float | None = None,
    message: str = "",
    residual: float | None = None,
    numbers: Mapping[str, float] | None = None,
    error: dict[str, Any] | None = None,
) -> int:
    """Add an event within the caller's transaction; returns its sequence. None keeps the run's phase,
    fraction.

    The run's own row counts: it is locked for the rest of the transaction, so that events of one run become
    visible in the order of their numbers.
    """
    this = (runs.c.tenant == tenant, runs.c.id == run)
    news: dict[str, Any] = {"sequence": runs.c.sequence + 1, "message": message}
    if phase is not None:
        news["phase"] = phase
    if fraction is not None:
        news["fraction"] = fraction
    connection.execute(update(runs).where(*this).values(**news))
    row = connection.execute(select(runs.c.sequence, runs.c.phase, runs.c.fraction).where(*this)).one()
    connection.execute(
        insert(table).values(
            tenant=tenant,
            run=run,
            sequence=row.sequence,
            time=now,
            state=state,
            phase=row.phase,
            fraction=row.fraction,
            message=message,
            residual=residual,
            numbers=dict(numbers) if numbers else None,
            error=error,
        )
    )
    return int(row.sequence)


@final
class Events:
    """Reading what `append` wrote."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def after(self, tenant: str, run: str, sequence: int, limit: int = 256) -> list[Event]:
        """Events of a run with a number over `sequence`. NotFound where the run is gone."""
        query = (
            select(table)
            .where(table.c.tenant == tenant, table.c.run == run, table.c.sequence > sequence)
            .order_by(table.c.sequence)
            .limit(limit)
        )
        exists = select(runs.c.id).where(runs.c.tenant == tenant, runs.c.id == run)
        with self._database.read() as connection:
            found = [_event(row) for row in connection.execute(query).mappings()]
            if not found and connection.execute(exists).one_or_none() is None:
                raise NotFound(f"there is no run runs/{run}", facts={"run": f"runs/{run}"})
        return found

    def latest(self) -> int:
        """The highest number over all runs, 0 where there is none."""
        with self._database.read() as connection:
            return int(connection.execute(select(func.max(table.c.number))).scalar() or 0)

    def news(self, number: int) -> tuple[int, set[tuple[str, str]]]:
        """Which runs, as (tenant, id), have events numbered over `number`; and the highest number."""
        query = select(table.c.number, table.c.tenant, table.c.run).where(table.c.number > number)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return max((row.number for row in rows), default=number), {(row.tenant, row.run) for row in rows}


def _event(row: RowMapping) -> Event:
    return Event(
        run=row["run"],
        sequence=row["sequence"],
        time=row["time"],
        state=None if row["state"] is None else RunState(row["state"]),
        phase=row["phase"],
        fraction=row["fraction"],
        message=row["message"],
        residual=row["residual"],
        numbers=row["numbers"] or {},
        error=row["error"],
    )
