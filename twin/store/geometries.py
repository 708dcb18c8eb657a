"""Uploaded parts: where their file is, what was found in it, and their surface as arrays."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, RowMapping, delete, insert, select, tuple_
from sqlalchemy.exc import IntegrityError

from twin.errors import FailedPrecondition, NotFound
from twin.geometry.surface import Surface
from twin.store.arrays import Arrays, Label, StoredArray, delete_arrays, insert_arrays
from twin.store.database import Database
from twin.store.schema import geometries as table
from twin.store.schema import runs
from twin.store.states import ACTIVE

_LABELS: Final = {
    "vertices": Label("m", field="vertices"),
    "triangles": Label("1", field="triangles"),
    "patch": Label("1", field="patch"),
}
_GROUP: Final = "group."


@final
@dataclass(frozen=True)
class GeometryRecord:
    """A part. unit: as declared, "" where the file says it; report: serialised twin.v1.GeometryReport;

    created: seconds since the epoch.
    """

    tenant: str
    id: str
    display_name: str
    filename: str
    unit: str
    source_digest: str
    report: bytes
    created: float = field(default_factory=time.time)

    @property
    def name(self) -> str:
        return f"geometries/{self.id}"


def surface_arrays(surface: Surface) -> tuple[dict[str, NDArray[Any]], dict[str, Label]]:
    """The arrays of a surface, and their labels. Groups are numbered: their names may hold anything."""
    groups = dict(enumerate(surface.groups.items()))
    arrays: dict[str, NDArray[Any]] = {
        "vertices": surface.vertices,
        "triangles": surface.triangles,
        "patch": surface.patch,
        **{f"{_GROUP}{number}": ids for number, (_, ids) in groups.items()},
    }
    labels = {
        f"{_GROUP}{number}": Label("1", field=f"{_GROUP}{name}") for number, (name, _) in groups.items()
    }
    return arrays, _LABELS | labels


def load_surface(arrays: Arrays, tenant: str, geometry: str) -> Surface:
    """The surface of geometry `geometry` (id)."""
    stored = arrays.of(tenant, f"geometries/{geometry}")
    groups: dict[str, NDArray[np.int32]] = {
        array.field.removeprefix(_GROUP): arrays.read(tenant, array)
        for name, array in stored.items()
        if name.startswith(_GROUP)
    }
    vertices, triangles, patch = (arrays.read(tenant, stored[name]) for name in _LABELS)
    return Surface(vertices, triangles, patch, groups)


@final
class Geometries:
    """The parts of all tenants."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, record: GeometryRecord, arrays: Sequence[StoredArray]) -> GeometryRecord:
        """Insert the part with its arrays; where it exists already, whoever was first stays."""
        try:
            return self._add(record, arrays)
        except IntegrityError:  # the same at the same time, where the database lets two write at once
            return self.get(record.tenant, record.id)

    def _add(self, record: GeometryRecord, arrays: Sequence[StoredArray]) -> GeometryRecord:
        with self._database.write() as connection:
            existing = _find(connection, record.tenant, record.id)
            if existing is not None:
                return _record(existing)
            connection.execute(insert(table).values(asdict(record)))
            insert_arrays(connection, record.tenant, arrays)
        return record

    def find(self, tenant: str, identifier: str) -> GeometryRecord | None:
        with self._database.read() as connection:
            row = _find(connection, tenant, identifier)
        return None if row is None else _record(row)

    def get(self, tenant: str, identifier: str) -> GeometryRecord:
        record = self.find(tenant, identifier)
        if record is None:
            raise _absent(identifier)
        return record

    def list(self, tenant: str, limit: int, after: tuple[float, str] | None) -> list[GeometryRecord]:
        """Newest first; after: creation time and id of the last one already seen."""
        query = select(table).where(table.c.tenant == tenant)
        if after is not None:
            query = query.where(tuple_(table.c.created, table.c.id) < tuple_(*after))
        query = query.order_by(table.c.created.desc(), table.c.id.desc()).limit(limit)
        with self._database.read() as connection:
            return [_record(row) for row in connection.execute(query).mappings()]

    def delete(self, tenant: str, identifier: str) -> None:
        """Remove a part that no active run needs. Results of ended runs keep their own surface."""
        needed = select(runs.c.id).where(
            runs.c.tenant == tenant, runs.c.geometry == identifier, runs.c.state.in_(ACTIVE)
        )
        with self._database.write() as connection:
            if _find(connection, tenant, identifier) is None:
                raise _absent(identifier)
            if (run := connection.execute(needed.limit(1)).scalar()) is not None:
                raise FailedPrecondition(
                    f"geometries/{identifier} is in use by runs/{run}: cancel that first",
                    facts={"geometry": f"geometries/{identifier}", "run": f"runs/{run}"},
                )
            delete_arrays(connection, tenant, f"geometries/{identifier}")
            connection.execute(delete(table).where(table.c.tenant == tenant, table.c.id == identifier))


def _find(connection: Connection, tenant: str, identifier: str) -> RowMapping | None:
    query = select(table).where(table.c.tenant == tenant, table.c.id == identifier)
    return connection.execute(query).mappings().one_or_none()


def _absent(identifier: str) -> NotFound:
    name = f"geometries/{identifier}"
    return NotFound(f"there is no geometry {name}", facts={"geometry": name})


def _record(row: RowMapping) -> GeometryRecord:
    return GeometryRecord(**row)
