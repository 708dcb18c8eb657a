"""Transactions on the database of records.

SQLite is the default, one file per home. What makes it trustworthy: write-ahead log (readers never wait),
full synchronisation (what was answered survives a power cut), a busy timeout, foreign keys, and BEGIN
IMMEDIATE for whoever will write: a transaction that reads first and writes later is refused outright,
without any waiting, when another one wrote in between. The driver's own implicit BEGIN is switched off, so
that a transaction is exactly a `with` block.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, final

from sqlalchemy import Connection, Engine, create_engine, event, insert, inspect, select, update
from sqlalchemy.exc import DatabaseError

from twin.errors import Unavailable
from twin.store import schema

_BUSY_TIMEOUT: Final = 30.0  # seconds
_WRITES: Final = "twin_writes"


@final
class Database:
    """One database by SQLAlchemy URL; its tables are made on the first opening."""

    def __init__(self, url: str) -> None:
        self._engine = _engine(url)
        _prepare(self._engine, url)

    @staticmethod
    def at(path: Path) -> Database:
        return Database(f"sqlite:///{path}")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent snapshot."""
        with self._engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """All or nothing; committed, and on the disk, when the block ends."""
        with (
            self._engine.connect().execution_options(**{_WRITES: True}) as connection,
            connection.begin(),
        ):
            yield connection

    def close(self) -> None:
        self._engine.dispose()


def _engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True)
    engine = create_engine(url, connect_args={"timeout": _BUSY_TIMEOUT})
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _configure_sqlite(connection: sqlite3.Connection, _: Any) -> None:
    connection.isolation_level = None  # no implicit BEGIN: _begin_sqlite says which kind
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _prepare(engine: Engine, url: str) -> None:
    try:
        with engine.connect().execution_options(**{_WRITES: True}) as connection, connection.begin():
            if not inspect(connection).has_table(schema.schema_version.name):
                schema.metadata.create_all(connection)
                connection.execute(insert(schema.schema_version).values(version=schema.VERSION))
            found = connection.execute(select(schema.schema_version.c.version)).scalar_one()
            while found in schema.MIGRATIONS:
                for statement in schema.MIGRATIONS[found]:
                    connection.exec_driver_sql(statement)
                schema.metadata.create_all(connection)
                found += 1
                connection.execute(update(schema.schema_version).values(version=found))
    except DatabaseError as error:
        raise Unavailable(f"the database {url} can't be opened: {error.orig}") from error
    if found != schema.VERSION:
        newer = found > schema.VERSION
        raise Unavailable(
            f"the database {url} has schema version {found}, this program knows {schema.VERSION}: "
            + ("update twin, or use another home" if newer else "use another home"),
            facts={"found": str(found), "known": str(schema.VERSION)},
        )
