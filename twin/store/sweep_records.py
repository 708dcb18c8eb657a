"""Sweeps and designs as the database has them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, final

from sqlalchemy import Connection, RowMapping, func, select

from twin.errors import NotFound
from twin.store.schema import designs as design_table
from twin.store.schema import sweeps as table
from twin.store.states import WAITING, DesignState, SweepState


@final
@dataclass(frozen=True)
class NewSweep:
    """What is asked for. spec: serialised twin.v1.Sweep; size: designs that it has; geometries: ids of its parts."""

    spec: bytes
    size: int
    geometries: Sequence[str]
    request_digest: str
    request_id: str | None = None
    display_name: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    keep_fields: bool = False


@final
@dataclass(frozen=True)
class SweepRecord:
    """A sweep. created: seconds since the epoch; sequence: of the design that ended last; counts: designs by state."""

    tenant: str
    id: str
    spec: bytes
    display_name: str
    labels: Mapping[str, str]
    keep_fields: bool
    created: float
    state: SweepState
    size: int
    planned: int
    sequence: int
    counts: Mapping[DesignState, int]
    shared: int
    error: dict[str, Any] | None
    extensions: Sequence[str]

    @property
    def name(self) -> str:
        return f"sweeps/{self.id}"

    @property
    def pending(self) -> int:
        """Planned or not."""
        return self.size - self.planned + sum(self.counts.get(state, 0) for state in WAITING)


@final
@dataclass(frozen=True)
class DesignRecord:
    """A design. point: in the order of the parameters; found: twin.results.storage.brief."""

    number: int
    point: tuple[float, ...]
    state: DesignState
    run: str | None
    shared: bool
    found: dict[str, Any] | None
    error: dict[str, Any] | None
    sequence: int
    ended: float | None


def designs_of(tenant: str, identifier: str) -> Any:
    """A query of the designs of a sweep."""
    return select(design_table).where(design_table.c.tenant == tenant, design_table.c.sweep == identifier)


def find(connection: Connection, tenant: str, identifier: str, *, lock: bool = False) -> RowMapping | None:
    """A sweep\'s row, None where there is none. lock: for the rest of the transaction."""
    query = select(table).where(table.c.tenant == tenant, table.c.id == identifier)
    return connection.execute(query.with_for_update() if lock else query).mappings().one_or_none()


def row_of(connection: Connection, tenant: str, identifier: str) -> RowMapping:
    """A sweep\'s row. Raises NotFound."""
    row = find(connection, tenant, identifier)
    if row is None:
        raise NotFound(f"there is no sweep sweeps/{identifier}", facts={"sweep": f"sweeps/{identifier}"})
    return row


def record(connection: Connection, row: RowMapping) -> SweepRecord:
    """A sweep, its designs counted."""
    own = (design_table.c.tenant == row["tenant"], design_table.c.sweep == row["id"])
    by_state = select(design_table.c.state, func.count()).where(*own).group_by(design_table.c.state)
    shared = select(func.count()).where(*own, design_table.c.state == DesignState.DONE, design_table.c.shared)
    return SweepRecord(
        tenant=row["tenant"],
        id=row["id"],
        spec=row["spec"],
        display_name=row["display_name"],
        labels=row["labels"],
        keep_fields=row["keep_fields"],
        created=row["created"],
        state=SweepState(row["state"]),
        size=row["size"],
        planned=row["planned"],
        sequence=row["sequence"],
        counts={DesignState(state): count for state, count in connection.execute(by_state).tuples()},
        shared=connection.execute(shared).scalar_one(),
        error=row["error"],
        extensions=row["extensions"],
    )


def design(row: RowMapping) -> DesignRecord:
    """A design."""
    return DesignRecord(
        number=row["number"],
        point=tuple(row["point"]),
        state=DesignState(row["state"]),
        run=row["run"],
        shared=row["shared"],
        found=None if row["found"] is None else json.loads(row["found"]),
        error=row["error"],
        sequence=row["sequence"],
        ended=row["ended"],
    )
