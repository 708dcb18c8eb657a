"""Sweeps as those who ask for them see them, and what plans their designs.

Designs are planned as the sweep goes on, a chunk at a time, by whichever worker comes by: a chunk counts only where the
sweep has as many designs as it had when the chunk was begun, so none is planned twice.
"""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, final

from sqlalchemy import Connection, RowMapping, and_, delete, exists, func, insert, select, tuple_, update
from sqlalchemy.exc import IntegrityError

from twin.errors import AlreadyExists, FailedPrecondition, TwinError, to_record
from twin.store import designs
from twin.store import runs as runs_of_all
from twin.store.database import Database
from twin.store.planned import Plan, Planned, start
from twin.store.schema import designs as design_table
from twin.store.schema import runs
from twin.store.schema import sweeps as table
from twin.store.states import ACTIVE, WAITING, DesignState, RunState, SweepState
from twin.store.sweep_records import (
    DesignRecord,
    NewSweep,
    SweepRecord,
    design,
    designs_of,
    find,
    record,
    row_of,
)

CHUNK: Final = 256  # designs that are planned at once
AHEAD: Final = 256  # designs that may wait before more are planned


@final
class Sweeps:
    """The sweeps of all tenants. clock: seconds since the epoch."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def create(self, tenant: str, new: NewSweep) -> SweepRecord:
        """The sweep, ACTIVE; the same one again for the same request_id."""
        try:
            return self._create(tenant, new)
        except IntegrityError:  # the same request at the same time, where the database lets two write at once
            return self._create(tenant, new)

    def _create(self, tenant: str, new: NewSweep) -> SweepRecord:
        with self._database.write() as connection:
            if new.request_id is not None:
                query = select(table).where(table.c.tenant == tenant, table.c.request_id == new.request_id)
                if (earlier := connection.execute(query).mappings().one_or_none()) is not None:
                    if earlier["request_digest"] != new.request_digest:
                        name = f"sweeps/{earlier['id']}"
                        raise AlreadyExists(
                            f"request_id {new.request_id} was already used for another request, which made {name}: "
                            "use a new one for each request",
                            facts={"sweep": name},
                        )
                    return record(connection, earlier)
            for geometry in new.geometries:
                runs_of_all.require_geometry(connection, tenant, geometry)
            identifier = secrets.token_hex(8)
            connection.execute(
                insert(table).values(
                    tenant=tenant,
                    id=identifier,
                    request_id=new.request_id,
                    request_digest=new.request_digest,
                    spec=new.spec,
                    display_name=new.display_name,
                    labels=dict(new.labels),
                    keep_fields=new.keep_fields,
                    created=self._clock(),
                    state=SweepState.ACTIVE,
                    size=new.size,
                    extensions=[],
                )
            )
            return record(connection, row_of(connection, tenant, identifier))

    def get(self, tenant: str, identifier: str) -> SweepRecord:
        with self._database.read() as connection:
            return record(connection, row_of(connection, tenant, identifier))

    def designs(
        self, tenant: str, identifier: str, states: Sequence[DesignState], limit: int, after: int
    ) -> list[DesignRecord]:
        """By their number, those above `after`; in one of the states, or in any."""
        query = designs_of(tenant, identifier).where(design_table.c.number > after)
        if states:
            query = query.where(design_table.c.state.in_(states))
        return self._read(tenant, identifier, query.order_by(design_table.c.number).limit(limit))

    def ended(self, tenant: str, identifier: str, after: int, limit: int) -> list[DesignRecord]:
        """In the order in which they ended, those above the sequence `after`."""
        query = designs_of(tenant, identifier).where(
            design_table.c.sequence > after, design_table.c.state.not_in(WAITING)
        )
        return self._read(tenant, identifier, query.order_by(design_table.c.sequence).limit(limit))

    def _read(self, tenant: str, identifier: str, query: Any) -> list[DesignRecord]:
        with self._database.read() as connection:
            row_of(connection, tenant, identifier)
            return [design(row) for row in connection.execute(query).mappings()]

    def pause(self, tenant: str, identifier: str, error: TwinError | None = None) -> SweepRecord:
        """Hold the designs that nobody computes yet. error: why, where nobody asked for it."""
        with self._database.write() as connection:
            sweep = row_of(connection, tenant, identifier)
            if sweep["state"] == SweepState.ACTIVE:
                connection.execute(
                    _update(tenant, identifier).values(
                        state=SweepState.PAUSED, error=None if error is None else to_record(error)
                    )
                )
                connection.execute(_waiting(tenant, identifier, alone=True).values(held=True))
            return record(connection, row_of(connection, tenant, identifier))

    def resume(self, tenant: str, identifier: str) -> SweepRecord:
        """Go on with a sweep that was paused or cancelled."""
        with self._database.write() as connection:
            sweep = row_of(connection, tenant, identifier)
            if sweep["state"] in (SweepState.PAUSED, SweepState.CANCELLED):
                self._activate(connection, tenant, identifier)
            return record(connection, row_of(connection, tenant, identifier))

    def cancel(self, tenant: str, identifier: str) -> SweepRecord:
        """Stop what is computed for this sweep alone; what others wait for as well goes on for them."""
        with self._database.write() as connection:
            sweep = row_of(connection, tenant, identifier)
            if sweep["state"] in (SweepState.ACTIVE, SweepState.PAUSED):
                self._cancel(connection, tenant, identifier)
            return record(connection, row_of(connection, tenant, identifier))

    def _cancel(self, connection: Connection, tenant: str, identifier: str) -> None:
        now = self._clock()
        connection.execute(_update(tenant, identifier).values(state=SweepState.CANCELLED))
        connection.execute(
            _waiting(tenant, identifier, alone=True).values(held=True)
        )  # what paused ones share
        asked = select(runs.c.id).where(_gradients(tenant, identifier), runs.c.state.in_(ACTIVE))
        for gradient in connection.execute(asked).scalars().all():
            runs_of_all.stop(connection, tenant, gradient, now)
        pending = designs_of(tenant, identifier).where(design_table.c.state.in_(WAITING))
        for row in connection.execute(pending).mappings().all():
            designs.end(connection, tenant, identifier, row["number"], now, DesignState.CANCELLED)
            if row["run"] is None:
                continue
            others = select(design_table.c.sweep).where(
                design_table.c.tenant == tenant,
                design_table.c.run == row["run"],
                design_table.c.state == DesignState.PENDING,
            )
            if connection.execute(others.limit(1)).first() is None:
                runs_of_all.stop(connection, tenant, row["run"], now)

    def extend(
        self, tenant: str, identifier: str, before: bytes, spec: bytes, size: int, request_id: str | None
    ) -> SweepRecord:
        """Give a sweep more designs: its message as it was read, and as it is to be.

        Raises FailedPrecondition where another one extended it in between.
        """
        with self._database.write() as connection:
            sweep = row_of(connection, tenant, identifier)
            if request_id is not None and request_id in sweep["extensions"]:
                return record(connection, sweep)
            if sweep["spec"] != before:
                raise FailedPrecondition(
                    f"sweeps/{identifier} was extended by someone else just now: try again"
                )
            made = [*sweep["extensions"], *([request_id] if request_id is not None else [])]
            connection.execute(_update(tenant, identifier).values(spec=spec, size=size, extensions=made))
            if sweep["state"] == SweepState.COMPLETE:
                self._activate(connection, tenant, identifier)
            return record(connection, row_of(connection, tenant, identifier))

    def retry(self, tenant: str, identifier: str, plan: Plan) -> SweepRecord:
        """Compute the designs once more that failed or were cancelled. plan: what they ask.

        A chunk at a time: leases have to be renewed in between.
        """
        with self._database.read() as connection:
            # what fails again meanwhile is not tried for ever
            until = row_of(connection, tenant, identifier)["sequence"]
        again = designs_of(tenant, identifier).where(
            design_table.c.state.in_((DesignState.FAILED, DesignState.CANCELLED)),
            design_table.c.sequence <= until,
        )
        while True:
            with self._database.read() as connection:
                rows = connection.execute(again.order_by(design_table.c.number).limit(CHUNK)).mappings().all()
            if not rows:
                break
            planned = {row["number"]: plan(row["number"], tuple(row["point"])) for row in rows}
            with self._database.write() as connection:
                sweep = row_of(connection, tenant, identifier)
                own = again.where(design_table.c.number.in_(planned)).order_by(design_table.c.number)
                for row in connection.execute(own).mappings().all():
                    _clear(connection, row)
                    start(connection, sweep, row["number"], planned[row["number"]], self._clock())
                if sweep["state"] == SweepState.PAUSED:
                    connection.execute(_waiting(tenant, identifier, alone=True).values(held=True))
        with self._database.write() as connection:
            if row_of(connection, tenant, identifier)["state"] != SweepState.PAUSED:
                self._activate(connection, tenant, identifier)
            return record(connection, row_of(connection, tenant, identifier))

    def provide(self, tenant: str, identifier: str, plans: Mapping[int, Plan]) -> SweepRecord:
        """Go on with designs that wait for their part. plans: by number, what it asks with that part."""
        waiting = designs_of(tenant, identifier).where(
            design_table.c.state == DesignState.AWAITING_PART, design_table.c.number.in_(plans)
        )
        with self._database.write() as connection:
            sweep = row_of(connection, tenant, identifier)
            for row in connection.execute(waiting.order_by(design_table.c.number)).mappings().all():
                here = (
                    design_table.c.tenant == tenant,
                    design_table.c.sweep == identifier,
                    design_table.c.number == row["number"],
                )
                connection.execute(update(design_table).where(*here).values(state=DesignState.PENDING))
                planned = plans[row["number"]](row["number"], tuple(row["point"]))
                start(connection, sweep, row["number"], planned, self._clock())
            if sweep["state"] == SweepState.PAUSED:
                connection.execute(_waiting(tenant, identifier, alone=True).values(held=True))
            designs.complete(connection, tenant, identifier)
            return record(connection, row_of(connection, tenant, identifier))

    def delete(self, tenant: str, identifier: str) -> None:
        """Remove a sweep with the runs that no other one shares; a worker that computes one loses its lease."""
        with self._database.write() as connection:
            sweep = row_of(connection, tenant, identifier)
            if sweep["state"] in (SweepState.ACTIVE, SweepState.PAUSED):
                self._cancel(connection, tenant, identifier)
            mine = select(design_table.c.run).where(
                design_table.c.tenant == tenant,
                design_table.c.sweep == identifier,
                design_table.c.run.is_not(None),
            )
            others = select(design_table.c.run).where(
                design_table.c.tenant == tenant,
                design_table.c.sweep != identifier,
                design_table.c.run.is_not(None),
            )
            alone = (
                runs.c.tenant == tenant,
                runs.c.background,
                runs.c.id.in_(mine),
                runs.c.id.not_in(others),
            )
            gone = connection.execute(select(runs.c.id).where(*alone)).scalars().all()
            gradients = select(runs.c.id).where(_gradients(tenant, identifier))
            gone = [*gone, *connection.execute(gradients).scalars().all()]
            connection.execute(delete(table).where(table.c.tenant == tenant, table.c.id == identifier))
            for run in gone:
                runs_of_all.remove(connection, tenant, run)

    def to_plan(self) -> Sequence[SweepRecord]:
        """Active sweeps with designs that are not planned and few that wait, the oldest first."""
        waiting = (
            select(func.count())
            .where(
                design_table.c.tenant == table.c.tenant,
                design_table.c.sweep == table.c.id,
                design_table.c.state.in_(WAITING),
            )
            .scalar_subquery()
        )
        query = (
            select(table)
            .where(table.c.state == SweepState.ACTIVE, table.c.planned < table.c.size, waiting < AHEAD)
            .order_by(table.c.created)
        )
        with self._database.read() as connection:
            return [record(connection, row) for row in connection.execute(query).mappings().all()]

    def awaiting_parts(self) -> Sequence[SweepRecord]:
        """Active sweeps with designs that wait for their part, the oldest first."""
        waits = exists().where(
            design_table.c.tenant == table.c.tenant,
            design_table.c.sweep == table.c.id,
            design_table.c.state == DesignState.AWAITING_PART,
        )
        query = select(table).where(table.c.state == SweepState.ACTIVE, waits).order_by(table.c.created)
        with self._database.read() as connection:
            return [record(connection, row) for row in connection.execute(query).mappings().all()]

    def first_waiting(self, tenant: str, identifier: str) -> float:
        """The least number of a design that has not ended, infinity where all have."""
        query = select(func.min(design_table.c.number)).where(
            design_table.c.tenant == tenant,
            design_table.c.sweep == identifier,
            design_table.c.state.in_(WAITING),
        )
        with self._database.read() as connection:
            found = connection.execute(query).scalar()
        return math.inf if found is None else float(found)

    def differentiating(self, tenant: str, identifier: str) -> bool:
        """Are gradients of its designs being computed?"""
        query = select(runs.c.id).where(_gradients(tenant, identifier), runs.c.state.in_(ACTIVE))
        with self._database.read() as connection:
            return connection.execute(query.limit(1)).first() is not None

    def plan(self, sweep: SweepRecord, chunk: Sequence[Planned]) -> bool:
        """Add the designs that come next; False where somebody else did, or the sweep is no longer active."""
        with self._database.write() as connection:
            row = find(connection, sweep.tenant, sweep.id, lock=True)
            if row is None or row["state"] != SweepState.ACTIVE or row["planned"] != sweep.planned:
                return False
            for number, planned in enumerate(chunk, start=sweep.planned):
                designs.add(connection, sweep.tenant, sweep.id, number, list(planned.point))
                start(connection, row, number, planned, self._clock())
            values = {"planned": sweep.planned + len(chunk)}
            connection.execute(_update(sweep.tenant, sweep.id).values(**values))
            designs.complete(connection, sweep.tenant, sweep.id)
        return True

    def finish(self, sweep: SweepRecord, spec: bytes, size: int) -> bool:
        """A sampling has no more designs. spec, size: the sweep's message without those, how many it has then."""
        with self._database.write() as connection:
            row = find(connection, sweep.tenant, sweep.id, lock=True)
            if row is None or row["planned"] != sweep.planned or row["spec"] != sweep.spec:
                return False
            connection.execute(_update(sweep.tenant, sweep.id).values(spec=spec, size=size))
            designs.complete(connection, sweep.tenant, sweep.id)
        return True

    def list(self, tenant: str, limit: int, after: tuple[float, str] | None) -> list[SweepRecord]:
        """Newest first; after: creation time and id of the last one already seen."""
        query = select(table).where(table.c.tenant == tenant)
        if after is not None:
            query = query.where(tuple_(table.c.created, table.c.id) < tuple_(*after))
        query = query.order_by(table.c.created.desc(), table.c.id.desc()).limit(limit)
        with self._database.read() as connection:
            return [record(connection, row) for row in connection.execute(query).mappings().all()]

    def _activate(self, connection: Connection, tenant: str, identifier: str) -> None:
        connection.execute(_update(tenant, identifier).values(state=SweepState.ACTIVE, error=None))
        connection.execute(_waiting(tenant, identifier, alone=False).values(held=False))
        designs.complete(connection, tenant, identifier)


def _gradients(tenant: str, identifier: str) -> Any:
    """Those runs that a descent has asked for."""
    return and_(runs.c.tenant == tenant, runs.c.background, runs.c.labels["sweep"].as_string() == identifier)


def _clear(connection: Connection, design: RowMapping) -> None:
    """Have a design wait again, without the run that it had."""
    tenant, run = design["tenant"], design["run"]
    waits = {"state": DesignState.PENDING, "error": None, "ended": None, "run": None, "shared": False}
    connection.execute(
        update(design_table)
        .where(
            design_table.c.tenant == tenant,
            design_table.c.sweep == design["sweep"],
            design_table.c.number == design["number"],
        )
        .values(**waits)
    )
    if run is not None and designs.in_use(connection, tenant, run) is None:
        runs_of_all.remove(connection, tenant, run)


def _waiting(tenant: str, identifier: str, *, alone: bool) -> Any:
    """An update of the runs that designs of a sweep wait for. alone: and those of no other active one."""
    pending = design_table.c.state == DesignState.PENDING
    mine = select(design_table.c.run).where(
        design_table.c.tenant == tenant,
        design_table.c.sweep == identifier,
        pending,
        design_table.c.run.is_not(None),
    )
    those = [runs.c.tenant == tenant, runs.c.state == RunState.PENDING, runs.c.id.in_(mine)]
    if alone:
        others = (
            select(design_table.c.run)
            .join(table, and_(table.c.tenant == design_table.c.tenant, table.c.id == design_table.c.sweep))
            .where(
                design_table.c.tenant == tenant,
                table.c.id != identifier,
                table.c.state == SweepState.ACTIVE,
                pending,
                design_table.c.run.is_not(None),
            )
        )
        those.append(runs.c.id.not_in(others))
    return update(runs).where(*those)


def _update(tenant: str, identifier: str) -> Any:
    return update(table).where(table.c.tenant == tenant, table.c.id == identifier)
