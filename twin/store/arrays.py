"""Numpy arrays as blobs, described by a record: what it takes to slice one without reading it whole."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, RowMapping, delete, insert, select

from twin.errors import NotFound
from twin.store.blobs import Blobs
from twin.store.database import Database
from twin.store.schema import arrays as table

_DTYPES: Final = ("<f4", "<f8", "<i4", "<i8", "|u1")  # what travels


@final
@dataclass(frozen=True)
class StoredArray:
    """An array of `parent` ("runs/{id}" or "geometries/{id}"): row-major, little-endian bytes under
    `digest`.
    """

    parent: str
    name: str
    dtype: str
    shape: tuple[int, ...]
    unit: str
    location: str
    field: str
    digest: str

    @property
    def rows(self) -> int:
        return self.shape[0] if self.shape else 1

    @property
    def row_bytes(self) -> int:
        return self.item_bytes * math.prod(self.shape[1:])

    @property
    def item_bytes(self) -> int:
        return np.dtype(self.dtype).itemsize

    @property
    def full_name(self) -> str:
        return f"{self.parent}/arrays/{self.name}"


@final
@dataclass(frozen=True)
class Label:
    """What an array's values mean. unit: SI; location: "node", "surface", "cell", or "" for what is no field;

    field: its name within its case or mesh.
    """

    unit: str = ""
    location: str = ""
    field: str = ""


def store_arrays(
    blobs: Blobs,
    tenant: str,
    parent: str,
    values: Mapping[str, NDArray[Any]],
    labels: Mapping[str, Label],
) -> list[StoredArray]:
    """Write the bytes of `values`; the records are returned, for the caller to insert with whatever needs
    them.
    """
    return [
        _store(blobs, tenant, parent, name, array, labels.get(name, Label()))
        for name, array in values.items()
    ]


def _store(
    blobs: Blobs, tenant: str, parent: str, name: str, array: NDArray[Any], label: Label
) -> StoredArray:
    plain = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    if plain.dtype.str not in _DTYPES:
        raise TypeError(f"array {name} of {parent} has dtype {array.dtype}, which can't be stored")
    blob = blobs.put(tenant, plain.reshape(-1).view(np.uint8).data)
    return StoredArray(
        parent, name, plain.dtype.str, array.shape, label.unit, label.location, label.field, blob.digest
    )


def insert_arrays(connection: Connection, tenant: str, stored: Iterable[StoredArray]) -> None:
    rows = [
        {
            "tenant": tenant,
            "parent": array.parent,
            "name": array.name,
            "dtype": array.dtype,
            "shape": list(array.shape),
            "unit": array.unit,
            "location": array.location,
            "field": array.field,
            "digest": array.digest,
        }
        for array in stored
    ]
    if rows:
        connection.execute(insert(table), rows)


def delete_arrays(connection: Connection, tenant: str, parent: str) -> None:
    connection.execute(delete(table).where(table.c.tenant == tenant, table.c.parent == parent))


@final
class Arrays:
    """The stored arrays of all tenants."""

    def __init__(self, database: Database, blobs: Blobs) -> None:
        self._database = database
        self._blobs = blobs

    def of(self, tenant: str, parent: str) -> dict[str, StoredArray]:
        """By name; empty where `parent` has none."""
        query = select(table).where(table.c.tenant == tenant, table.c.parent == parent)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(table.c.name)).mappings().all()
        return {row["name"]: _array(row) for row in rows}

    def get(self, tenant: str, parent: str, name: str) -> StoredArray:
        query = select(table).where(table.c.tenant == tenant, table.c.parent == parent, table.c.name == name)
        with self._database.read() as connection:
            row = connection.execute(query).mappings().one_or_none()
        if row is None:
            raise NotFound(
                f"there is no array {parent}/arrays/{name}", facts={"parent": parent, "array": name}
            )
        return _array(row)

    def read_bytes(self, tenant: str, array: StoredArray, start: int, length: int) -> bytes:
        return self._blobs.read(tenant, array.digest, start, length)

    def read(self, tenant: str, array: StoredArray) -> NDArray[Any]:
        """The whole array; read-only."""
        data = self._blobs.read(tenant, array.digest, 0, array.rows * array.row_bytes)
        return np.frombuffer(data, dtype=array.dtype).reshape(array.shape)


def _array(row: RowMapping) -> StoredArray:
    return StoredArray(
        row["parent"],
        row["name"],
        row["dtype"],
        tuple(row["shape"]),
        row["unit"],
        row["location"],
        row["field"],
        row["digest"],
    )
