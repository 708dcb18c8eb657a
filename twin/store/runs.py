"""Runs as those who ask for them see them. Who computes one is in leases.py."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, final

from sqlalchemy import Connection, RowMapping, delete, insert, select, tuple_, update
from sqlalchemy.exc import IntegrityError

from twin.errors import AlreadyExists, FailedPrecondition, NotFound
from twin.store import designs, events
from twin.store.arrays import delete_arrays
from twin.store.database import Database
from twin.store.schema import geometries, surrogates
from twin.store.schema import runs as table
from twin.store.states import ACTIVE, RunState


@final
@dataclass(frozen=True)
class NewRun:
    """What is asked for. geometry: id, "" of a training; study, options, shape: serialised twin.v1 messages.

    study_kind: of the study

    content: equal for what has the same answer; background: of a sweep, which waits for all others
    pack: equal for runs that are computed together, "" for one alone
    """

    geometry: str
    study_kind: str
    study: bytes
    options: bytes
    request_digest: str
    request_id: str | None = None
    display_name: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    content: str = ""
    background: bool = False
    keep_fields: bool = True
    shape: bytes | None = None
    pack: str = ""


@final
@dataclass(frozen=True)
class RunRecord:
    """A run. Times in seconds since the epoch; error: twin.errors.to_record."""

    tenant: str
    id: str
    geometry: str
    study_kind: str
    study: bytes
    options: bytes
    display_name: str
    labels: Mapping[str, str]
    created: float
    started: float | None
    ended: float | None
    state: RunState
    cancel_requested: bool
    error: dict[str, Any] | None
    phase: str
    fraction: float
    message: str
    sequence: int
    attempts: int
    background: bool
    keep_fields: bool
    shape: bytes | None

    @property
    def name(self) -> str:
        return f"runs/{self.id}"


@final
@dataclass(frozen=True)
class RunFilter:
    """Which runs to list; None and empty: all. geometry: id; labels: all of them must agree."""

    states: tuple[RunState, ...] = ()
    geometry: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


@final
class Runs:
    """The runs of all tenants. clock: seconds since the epoch."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def create(self, tenant: str, new: NewRun) -> RunRecord:
        """The run, PENDING; the same one again for the same request_id."""
        try:
            return self._create(tenant, new)
        except IntegrityError:  # the same request at the same time, where the database lets two write at once
            return self._create(tenant, new)

    def _create(self, tenant: str, new: NewRun) -> RunRecord:
        with self._database.write() as connection:
            if new.request_id is not None:
                earlier = _by_request(connection, tenant, new.request_id)
                if earlier is not None:
                    return _same_request(earlier, new.request_id, new.request_digest)
            if new.geometry:  # a training has none
                require_geometry(connection, tenant, new.geometry)
            identifier = add(connection, tenant, new, self._clock())
            return _record(_row(connection, tenant, identifier))

    def get(self, tenant: str, identifier: str) -> RunRecord:
        with self._database.read() as connection:
            return _record(_row(connection, tenant, identifier))

    def list(
        self, tenant: str, chosen: RunFilter, limit: int, after: tuple[float, str] | None
    ) -> list[RunRecord]:
        """Newest first, without those of sweeps; after: creation time and id of the last one already seen."""
        query = select(table).where(table.c.tenant == tenant, ~table.c.background)
        if chosen.states:
            query = query.where(table.c.state.in_(chosen.states))
        if chosen.geometry is not None:
            query = query.where(table.c.geometry == chosen.geometry)
        for key, value in chosen.labels.items():
            query = query.where(table.c.labels[key].as_string() == value)
        if after is not None:
            query = query.where(tuple_(table.c.created, table.c.id) < tuple_(*after))
        query = query.order_by(table.c.created.desc(), table.c.id.desc()).limit(limit)
        with self._database.read() as connection:
            return [_record(row) for row in connection.execute(query).mappings()]

    def of_request(self, tenant: str, request_id: str, digest: str) -> RunRecord | None:
        """The run that this request has made already. Raises AlreadyExists where it was another request."""
        with self._database.read() as connection:
            earlier = _by_request(connection, tenant, request_id)
        return None if earlier is None else _same_request(earlier, request_id, digest)

    def active(self) -> set[str]:
        """Ids of those that have not ended, of all tenants."""
        query = select(table.c.id).where(table.c.state.in_(ACTIVE))
        with self._database.read() as connection:
            return set(connection.execute(query).scalars())

    def cancel(self, tenant: str, identifier: str) -> RunRecord:
        """A pending run is CANCELLED at once, a running one as soon as its worker sees it; an ended one
        stays.
        """
        with self._database.write() as connection:
            stop(connection, tenant, identifier, self._clock())
            return _record(_row(connection, tenant, identifier))

    def delete(self, tenant: str, identifier: str) -> None:
        """Remove a run with its result; a worker that computes it loses its lease and stops.

        Blobs go with the next collection.
        """
        with self._database.write() as connection:
            run = _record(_row(connection, tenant, identifier, lock=True))
            if (sweep := designs.in_use(connection, tenant, identifier)) is not None:
                raise FailedPrecondition(
                    f"{run.name} is a design of sweeps/{sweep}: delete the sweep",
                    facts={"sweep": f"sweeps/{sweep}"},
                )
            if (version := _made(connection, tenant, identifier)) is not None:
                raise FailedPrecondition(
                    f"{run.name} made {version}: delete that version", facts={"surrogate": version}
                )
            remove(connection, tenant, run.id)


def add(connection: Connection, tenant: str, new: NewRun, now: float) -> str:
    """A new run, PENDING; its id."""
    identifier = secrets.token_hex(8)
    connection.execute(
        insert(table).values(
            tenant=tenant,
            id=identifier,
            request_id=new.request_id,
            request_digest=new.request_digest,
            geometry=new.geometry,
            study_kind=new.study_kind,
            study=new.study,
            options=new.options,
            display_name=new.display_name,
            labels=dict(new.labels),
            created=now,
            state=RunState.PENDING,
            content=new.content,
            background=new.background,
            keep_fields=new.keep_fields,
            shape=new.shape,
            pack=new.pack,
        )
    )
    events.append(connection, tenant, identifier, now, state=RunState.PENDING)
    return identifier


def remove(connection: Connection, tenant: str, identifier: str) -> None:
    """Take a run out with its result."""
    delete_arrays(connection, tenant, f"runs/{identifier}")
    connection.execute(delete(table).where(table.c.tenant == tenant, table.c.id == identifier))


def stop(connection: Connection, tenant: str, identifier: str, now: float) -> None:
    """A pending run is CANCELLED at once, a running one as soon as its worker sees it; an ended one stays."""
    run = _row(connection, tenant, identifier, lock=True)
    if run["state"] == RunState.PENDING:
        end(connection, tenant, identifier, now, RunState.CANCELLED)
    elif run["state"] == RunState.RUNNING and not run["cancel_requested"]:
        connection.execute(_update(tenant, identifier).values(cancel_requested=True))


def end(
    connection: Connection,
    tenant: str,
    identifier: str,
    now: float,
    state: RunState,
    error: dict[str, Any] | None = None,
    message: str = "",
    found: Mapping[str, Any] | None = None,
) -> None:
    """Bring a run to a terminal state with the designs that wait for it, and say so to whoever watches.

    found: twin.results.storage.brief, of one that succeeded
    """
    connection.execute(
        _update(tenant, identifier).values(state=state, ended=now, error=error, worker=None, lease_until=None)
    )
    fraction = 1.0 if state is RunState.SUCCEEDED else None
    events.append(
        connection, tenant, identifier, now, state=state, error=error, message=message, fraction=fraction
    )
    designs.settle(connection, tenant, identifier, now, state, found, error)


def _update(tenant: str, identifier: str) -> Any:
    return update(table).where(table.c.tenant == tenant, table.c.id == identifier)


def _row(connection: Connection, tenant: str, identifier: str, *, lock: bool = False) -> RowMapping:
    query = select(table).where(table.c.tenant == tenant, table.c.id == identifier)
    row = connection.execute(query.with_for_update() if lock else query).mappings().one_or_none()
    if row is None:
        raise NotFound(f"there is no run runs/{identifier}", facts={"run": f"runs/{identifier}"})
    return row


def _made(connection: Connection, tenant: str, run: str) -> str | None:
    """The version of a surrogate that a run has made."""
    query = select(surrogates.c.id, surrogates.c.version).where(
        surrogates.c.tenant == tenant, surrogates.c.run == run
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else f"surrogates/{row.id}/versions/{row.version}"


def _by_request(connection: Connection, tenant: str, request_id: str) -> RowMapping | None:
    query = select(table).where(table.c.tenant == tenant, table.c.request_id == request_id)
    return connection.execute(query).mappings().one_or_none()


def _same_request(earlier: RowMapping, request_id: str, digest: str) -> RunRecord:
    if earlier["request_digest"] != digest:
        raise AlreadyExists(
            f"request_id {request_id} was already used for another request, which made "
            f"runs/{earlier['id']}: use a new one for each request",
            facts={"run": f"runs/{earlier['id']}"},
        )
    return _record(earlier)


def require_geometry(connection: Connection, tenant: str, identifier: str) -> None:
    """Raise NotFound where there is no such part."""
    query = select(geometries.c.id).where(geometries.c.tenant == tenant, geometries.c.id == identifier)
    if connection.execute(query).one_or_none() is None:
        name = f"geometries/{identifier}"
        raise NotFound(f"there is no geometry {name}: upload it first", facts={"geometry": name})


def _record(row: RowMapping) -> RunRecord:
    return RunRecord(
        tenant=row["tenant"],
        id=row["id"],
        geometry=row["geometry"],
        study_kind=row["study_kind"],
        study=row["study"],
        options=row["options"],
        display_name=row["display_name"],
        labels=row["labels"],
        created=row["created"],
        started=row["started"],
        ended=row["ended"],
        state=RunState(row["state"]),
        cancel_requested=row["cancel_requested"],
        error=row["error"],
        phase=row["phase"],
        fraction=row["fraction"],
        message=row["message"],
        sequence=row["sequence"],
        attempts=row["attempts"],
        background=row["background"],
        keep_fields=row["keep_fields"],
        shape=row["shape"],
    )
