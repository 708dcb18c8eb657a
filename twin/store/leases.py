"""Who computes a run.

A worker claims a pending run and holds it for a while, renewing the lease as it works. A run whose worker
is gone is taken up again by another, so it may be computed more than once; every claim raises the run's
fencing token, and only the holder of the current token may write, so it is committed once.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, final

from sqlalchemy import Connection, RowMapping, insert, select, update

from twin.errors import Internal, TwinError, to_record
from twin.results import storage
from twin.store import designs, events, surrogates
from twin.store.arrays import StoredArray, insert_arrays
from twin.store.database import Database
from twin.store.runs import end
from twin.store.schema import results
from twin.store.schema import runs as table
from twin.store.states import RunState

SECONDS: Final = 15.0  # how long a lease lasts without renewal


class LeaseLostError(Exception):
    """Another worker has the run, or nobody any more: whoever sees this stops without writing anything."""


@final
@dataclass(frozen=True)
class Lease:
    """The right to compute a run. attempt: 1 for the first; beside: those of runs that are computed with it."""

    tenant: str
    run: str
    fence: int
    attempt: int
    beside: tuple[Lease, ...] = ()

    @property
    def all(self) -> tuple[Lease, ...]:
        """That of each run."""
        return self, *self.beside


@final
@dataclass(frozen=True)
class Progress:
    """phase: "check", "mesh", "solve", ...; fraction: of the whole run, 0 to 1; residual: relative; numbers: of what is
    asked for, as it stands.
    """

    phase: str
    fraction: float
    message: str = ""
    residual: float | None = None
    numbers: Mapping[str, float] = field(default_factory=dict)


@final
class Leases:
    """Claims on the runs of all tenants. seconds: lease length; max_attempts: how many workers a run may
    cost.
    """

    def __init__(
        self,
        database: Database,
        seconds: float = SECONDS,
        max_attempts: int = 3,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._seconds = seconds
        self._max_attempts = max_attempts
        self._clock = clock

    def claim(self, worker: str) -> Lease | None:
        """The oldest pending run for `worker`, those of sweeps last, with its pack; None where there is none.

        A pack that has cost all workers but one is taken apart: then each of its runs has all attempts alone.
        """
        pending = (
            select(table)
            .where(table.c.state == RunState.PENDING, ~table.c.held)
            .order_by(table.c.background, table.c.created, table.c.id)
            .limit(1)
        )
        with self._database.read() as connection:  # an idle worker never takes the write lock
            if connection.execute(pending).one_or_none() is None:
                return None
        with self._database.write() as connection:
            query = pending.with_for_update(skip_locked=True)  # for PostgreSQL; SQLite has one writer anyway
            row = connection.execute(query).mappings().one_or_none()
            if row is None:
                return None
            lease = self._take(connection, row, worker)
            if not row["pack"] or self._max_attempts == 1:
                return lease
            same = (
                select(table)
                .where(table.c.tenant == lease.tenant, table.c.pack == row["pack"])
                .where(table.c.state == RunState.PENDING, ~table.c.held)
                .order_by(table.c.id)
                .with_for_update(skip_locked=True)
            )
            others = connection.execute(same).mappings().all()
            return replace(
                lease,
                beside=tuple(self._take(connection, other, worker) for other in others),
            )

    def _take(self, connection: Connection, row: RowMapping, worker: str) -> Lease:
        now = self._clock()
        lease = Lease(row["tenant"], row["id"], row["fence"] + 1, row["attempts"] + 1)
        connection.execute(
            update(table)
            .where(table.c.tenant == lease.tenant, table.c.id == lease.run)
            .values(
                state=RunState.RUNNING,
                fence=lease.fence,
                attempts=lease.attempt,
                worker=worker,
                lease_until=now + self._seconds,
                started=now if row["started"] is None else row["started"],
            )
        )
        message = "" if lease.attempt == 1 else f"attempt {lease.attempt} of {self._max_attempts}"
        events.append(
            connection, lease.tenant, lease.run, now,
            state=RunState.RUNNING, phase="", fraction=0.0, message=message,
        )  # fmt: skip
        return lease

    def renew(self, lease: Lease) -> None:
        """Hold the run for another while. Like all that follows: LeaseLostError where it isn't ours any
        more.
        """
        with self._database.write() as connection:
            self._hold(connection, lease)
            connection.execute(
                update(table)
                .where(table.c.tenant == lease.tenant, table.c.id.in_([each.run for each in lease.all]))
                .values(lease_until=self._clock() + self._seconds)
            )

    def cancel_requested(self, lease: Lease) -> bool:
        """Of the run, or of one beside it."""
        with self._database.read() as connection:
            return any(self._requested(connection, each) for each in lease.all)

    def report(self, lease: Lease, progress: Progress) -> None:
        with self._database.write() as connection:
            self._hold(connection, lease)
            for each in lease.all:
                events.append(
                    connection, each.tenant, each.run, self._clock(),
                    phase=progress.phase, fraction=progress.fraction,
                    message=progress.message, residual=progress.residual, numbers=progress.numbers,
                )  # fmt: skip

    def succeed(self, lease: Lease, found: Sequence[tuple[dict[str, Any], Sequence[StoredArray]]]) -> None:
        """Commit results: records, arrays, states and events become visible together, once.

        found: of each run, as `lease.all` has them, manifest and arrays
        """
        with self._database.write() as connection:
            self._hold(connection, lease)
            now = self._clock()
            for each, (manifest, arrays) in zip(lease.all, found, strict=True):
                if storage.is_training(manifest):
                    surrogates.add(connection, each.tenant, each.run, manifest, now)
                connection.execute(
                    insert(results).values(
                        tenant=each.tenant,
                        run=each.run,
                        manifest=json.dumps(manifest),
                        fence=each.fence,
                        created=now,
                    )
                )
                insert_arrays(connection, each.tenant, arrays)
                end(
                    connection, each.tenant, each.run, now,
                    RunState.SUCCEEDED, found=storage.brief(manifest),
                )  # fmt: skip

    def fail(self, lease: Lease, error: TwinError) -> None:
        """Where runs failed together, nobody knows which one made them: each is tried alone."""
        with self._database.write() as connection:
            if lease.beside:
                self._put_back(connection, lease, alone=True)
                return
            self._hold(connection, lease)
            end(
                connection, lease.tenant, lease.run, self._clock(),
                RunState.FAILED, to_record(error), error.message,
            )  # fmt: skip

    def cancelled(self, lease: Lease) -> None:
        """Of several the ones that were to be cancelled; the others start again."""
        with self._database.write() as connection:
            if lease.beside:
                self._put_back(connection, lease)
                return
            self._hold(connection, lease)
            end(connection, lease.tenant, lease.run, self._clock(), RunState.CANCELLED)

    def put_back(self, lease: Lease) -> None:
        """Give back what is still ours of a pack of which something is lost."""
        with self._database.write() as connection:
            self._put_back(connection, lease)

    def _put_back(self, connection: Connection, lease: Lease, *, alone: bool = False) -> None:
        for each in lease.all:
            held = select(table).where(
                table.c.tenant == each.tenant,
                table.c.id == each.run,
                table.c.fence == each.fence,
                table.c.state == RunState.RUNNING,
            )
            row = connection.execute(held.with_for_update()).mappings().one_or_none()
            if row is None:
                continue
            self._give_back(connection, row, "what it was computed with ended otherwise")
            if alone:
                this = (table.c.tenant == each.tenant, table.c.id == each.run)
                connection.execute(update(table).where(*this).values(pack=""))

    def expire(self) -> int:
        """Give back the runs whose leases have ended; returns how many."""
        return self._give_back_all(table.c.lease_until < self._clock(), blame=True)

    def release(self, worker: str, *, blame: bool) -> int:
        """Give back what a worker that is gone held. blame: the run may have killed it, so the attempt
        counts.
        """
        return self._give_back_all(table.c.worker == worker, blame=blame)

    def holders(self) -> set[str]:
        """The workers that hold a run."""
        query = select(table.c.worker).where(table.c.state == RunState.RUNNING).distinct()
        with self._database.read() as connection:
            return {worker for worker in connection.execute(query).scalars() if worker is not None}

    def _hold(self, connection: Connection, lease: Lease) -> None:
        """Lock the runs' rows for the rest of the transaction."""
        for each in lease.all:
            self._requested(connection, each, lock=True)

    def _requested(self, connection: Connection, lease: Lease, *, lock: bool = False) -> bool:
        """Is a cancel requested, of this run alone?"""
        query = select(table.c.cancel_requested).where(
            table.c.tenant == lease.tenant,
            table.c.id == lease.run,
            table.c.fence == lease.fence,
            table.c.state == RunState.RUNNING,
        )
        found = connection.execute(query.with_for_update() if lock else query).scalar_one_or_none()
        if found is None:
            raise LeaseLostError(f"runs/{lease.run} is no longer held with fencing token {lease.fence}")
        return bool(found)

    def _give_back_all(self, condition: Any, *, blame: bool) -> int:
        query = select(table).where(table.c.state == RunState.RUNNING, condition)
        with self._database.read() as connection:
            if connection.execute(query.limit(1)).first() is None:
                return 0
        with self._database.write() as connection:
            rows = connection.execute(query.with_for_update(skip_locked=True)).mappings().all()
            for row in rows:
                self._give_back(connection, row, "its worker died" if blame else "the service stopped", blame)
            return len(rows)

    def _give_back(self, connection: Connection, row: RowMapping, why: str, blame: bool = False) -> None:
        tenant, run, now = row["tenant"], row["id"], self._clock()
        if row["cancel_requested"]:
            end(connection, tenant, run, now, RunState.CANCELLED)
        elif blame and row["attempts"] >= self._max_attempts:
            error = Internal(
                f"runs/{run} was given up: the process that computed it died {row['attempts']} times "
                f"(last in phase {row['phase'] or 'start'!r}). Most often memory ran out: ask for a coarser "
                "accuracy, or set max_unknowns; the log of the worker says more",
                facts={"run": f"runs/{run}", "attempts": str(row["attempts"]), "phase": row["phase"]},
            )
            end(connection, tenant, run, now, RunState.FAILED, to_record(error), error.message)
        else:
            attempts = row["attempts"] - (0 if blame else 1)
            apart = row["pack"] and attempts >= self._max_attempts - 1
            connection.execute(
                update(table)
                .where(table.c.tenant == tenant, table.c.id == run)
                .values(
                    state=RunState.PENDING,
                    worker=None,
                    lease_until=None,
                    held=designs.held(connection, tenant, run),
                    attempts=0 if apart else attempts,
                    pack="" if apart else row["pack"],
                )
            )
            events.append(
                connection, tenant, run, now,
                state=RunState.PENDING, phase="", fraction=0.0, message=f"{why}: starts again",
            )  # fmt: skip
