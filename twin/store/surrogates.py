"""Surrogates: versions of models, each made by a run, of which one is the current."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, final

from sqlalchemy import Connection, RowMapping, func, insert, select, update

from twin import codec
from twin.errors import FailedPrecondition, InvalidInput, NotFound
from twin.results.card import ModelCard
from twin.results.storage import load_card
from twin.store import runs
from twin.store.database import Database
from twin.store.schema import designs, results
from twin.store.schema import runs as runs_table
from twin.store.schema import surrogates as table
from twin.store.schema import sweeps as sweeps_table
from twin.store.states import DesignState, RunState
from twin.studies import StaticStress
from twin.studies.training import Training, refuse_too_few, unlearnable

MOST_ASKED: Final = 8
"""Surrogates that a part is shown to where none is named."""
_ROWS: Final = 500  # of one query by names


@final
@dataclass(frozen=True)
class VersionRecord:
    """A version. run: id of what made it; created: seconds since the epoch."""

    version: int
    run: str
    created: float
    card: ModelCard


@final
@dataclass(frozen=True)
class SurrogateRecord:
    """A surrogate. versions: newest first; current: number of one of them."""

    id: str
    current: int
    versions: tuple[VersionRecord, ...]

    @property
    def name(self) -> str:
        return f"surrogates/{self.id}"

    def version(self, number: int | None = None) -> VersionRecord:
        """That one, or the current one. Raises NotFound."""
        wanted = self.current if number is None else number
        for each in self.versions:
            if each.version == wanted:
                return each
        known = ", ".join(str(each.version) for each in self.versions)
        raise NotFound(f"{self.name} has no version {wanted}; it has {known}", facts={"surrogate": self.name})


@final
class Surrogates:
    """The surrogates of all tenants."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, tenant: str, identifier: str) -> SurrogateRecord:
        with self._database.read() as connection:
            return _found(connection, tenant, identifier)

    def version(self, tenant: str, name: str) -> tuple[str, VersionRecord]:
        """Of "surrogates/bracket" the current version, or "surrogates/bracket/versions/2"; with its full name."""
        _, identifier, *number = name.split("/")
        found = self.get(tenant, identifier)
        chosen = found.version(int(number[1]) if number else None)
        return f"{found.name}/versions/{chosen.version}", chosen

    def list(self, tenant: str, limit: int, after: str) -> list[SurrogateRecord]:
        """By their names; after: the last one already seen."""
        names = (
            select(table.c.id)
            .where(table.c.tenant == tenant, table.c.id > after, table.c.run.is_not(None))
            .distinct()
            .order_by(table.c.id)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [_found(connection, tenant, name) for name in connection.execute(names).scalars().all()]

    def names(self, tenant: str) -> Sequence[str]:
        """Of all that a part may be shown to: "surrogates/...", the newest first."""
        newest = (
            select(table.c.id)
            .where(table.c.tenant == tenant, table.c.current)
            .order_by(table.c.created.desc())
            .limit(MOST_ASKED)
        )
        with self._database.read() as connection:
            return [f"surrogates/{name}" for name in connection.execute(newest).scalars()]

    def set_current(self, tenant: str, identifier: str, version: int) -> SurrogateRecord:
        with self._database.write() as connection:
            _found(connection, tenant, identifier).version(version)
            _make_current(connection, tenant, identifier, version)
            return _found(connection, tenant, identifier)

    def delete_version(self, tenant: str, identifier: str, version: int) -> None:
        """With the run that made it."""
        with self._database.write() as connection:
            found = _found(connection, tenant, identifier)
            _remove(connection, tenant, identifier, found.version(version))
            left = [each.version for each in found.versions if each.version != version]
            if found.current == version and left:
                _make_current(connection, tenant, identifier, max(left))

    def delete(self, tenant: str, identifier: str) -> None:
        """With the runs that made its versions. The numbers of its versions are not used again."""
        with self._database.write() as connection:
            for version in _found(connection, tenant, identifier).versions:
                _remove(connection, tenant, identifier, version)

    def learnable(self, tenant: str, asked: Training) -> Sequence[str]:
        """The runs that are to be learned from, "runs/...", each once.

        Raises:
            NotFound: a run or a sweep isn't there
            FailedPrecondition: one can't be learned from, or there are too few
            InvalidInput: they are of different studies
        """
        with self._database.read() as connection:
            names = list(asked.runs)
            for sweep in asked.sweeps:
                names += _designs(connection, tenant, sweep)
            if asked.escalated:
                names += _escalated(connection, tenant, asked.surrogate)
            names = list(dict.fromkeys(names))
            rows = _runs(connection, tenant, names)
        for name in names:
            _refuse_unlearnable(name, rows.get(name))
        kinds = {row["study_kind"] for row in rows.values()}
        if len(kinds) > 1:
            raise InvalidInput(
                f"the runs are of different studies ({', '.join(sorted(kinds))}): a surrogate answers one kind",
                facts={"studies": ", ".join(sorted(kinds))},
            )
        if unknown := kinds - {"static_stress"}:
            raise InvalidInput(f"surrogates learn static stress, not {', '.join(unknown)}")
        for name, row in rows.items():
            if (why := unlearnable(_study(row))) is not None:
                raise InvalidInput(f"{name} can't be learned from: {why}", facts={"run": name})
        refuse_too_few(len({(row["geometry"], row["shape"]) for row in rows.values()}), asked)
        return names


def add(connection: Connection, tenant: str, run: str, manifest: dict[str, Any], now: float) -> None:
    """The version that a training has made, within the caller's transaction; its name goes into the manifest."""
    name = manifest["training"]["surrogate"].split("/")[1]
    query = select(func.max(table.c.version)).where(table.c.tenant == tenant, table.c.id == name)
    version = int(connection.execute(query).scalar() or 0) + 1
    connection.execute(
        insert(table).values(
            tenant=tenant,
            id=name,
            version=version,
            run=run,
            created=now,
            card=json.dumps({key: manifest[key] for key in ("version", "training")}),
            current=False,
        )
    )
    _make_current(connection, tenant, name, version)
    manifest["training"]["surrogate"] = f"surrogates/{name}/versions/{version}"


def _remove(connection: Connection, tenant: str, identifier: str, version: VersionRecord) -> None:
    """Of a version its number stays, so that no other one gets it."""
    this = (table.c.tenant == tenant, table.c.id == identifier, table.c.version == version.version)
    connection.execute(update(table).where(*this).values(run=None, current=False, card=""))
    runs.remove(connection, tenant, version.run)


def _make_current(connection: Connection, tenant: str, identifier: str, version: int) -> None:
    these = (table.c.tenant == tenant, table.c.id == identifier)
    connection.execute(update(table).where(*these).values(current=table.c.version == version))


def _found(connection: Connection, tenant: str, identifier: str) -> SurrogateRecord:
    query = (
        select(table)
        .where(table.c.tenant == tenant, table.c.id == identifier, table.c.run.is_not(None))
        .order_by(table.c.version.desc())
    )
    rows = connection.execute(query).mappings().all()
    if not rows:
        name = f"surrogates/{identifier}"
        raise NotFound(f"there is no surrogate {name}: train one first", facts={"surrogate": name})
    current = next(row["version"] for row in rows if row["current"])
    return SurrogateRecord(identifier, current, tuple(_version(row) for row in rows))


def _version(row: RowMapping) -> VersionRecord:
    return VersionRecord(row["version"], row["run"], row["created"], load_card(json.loads(row["card"])))


def _designs(connection: Connection, tenant: str, sweep: str) -> list[str]:
    identifier = sweep.partition("/")[2]
    query = select(sweeps_table.c.keep_fields).where(
        sweeps_table.c.tenant == tenant, sweeps_table.c.id == identifier
    )
    keeps = connection.execute(query).scalar_one_or_none()
    if keeps is None:
        raise NotFound(f"there is no sweep {sweep}", facts={"sweep": sweep})
    if not keeps:
        raise FailedPrecondition(
            f"{sweep} keeps no fields, and there is nothing to learn from: sweep with keep_fields=True",
            facts={"sweep": sweep},
        )
    done = (
        select(designs.c.run)
        .where(designs.c.tenant == tenant, designs.c.sweep == identifier, designs.c.state == DesignState.DONE)
        .order_by(designs.c.number)
    )
    return [f"runs/{run}" for run in connection.execute(done).scalars() if run is not None]


def _escalated(connection: Connection, tenant: str, surrogate: str) -> list[str]:
    """Runs that a version of it was asked of first, and that had to be solved; those of them that teach something."""
    query = (
        select(runs_table, results.c.manifest)
        .join(results, (results.c.tenant == runs_table.c.tenant) & (results.c.run == runs_table.c.id))
        .where(
            runs_table.c.tenant == tenant,
            runs_table.c.study_kind == "static_stress",
            runs_table.c.keep_fields,
            results.c.manifest.contains(f"{surrogate}/versions/", autoescape=True),
        )
        .order_by(runs_table.c.created)
    )
    found = []
    for row in connection.execute(query).mappings():
        asked_first = json.loads(row["manifest"])["provenance"].get("asked_first", "")
        versions = [name for name in asked_first.split(", ") if name.startswith(f"{surrogate}/versions/")]
        if versions and unlearnable(_study(row)) is None:
            found.append(f"runs/{row['id']}")
    return found


def _study(row: RowMapping) -> StaticStress:
    study = codec.parse_study(row["study"])
    assert isinstance(study, StaticStress)  # its kind says so
    return study


def _runs(connection: Connection, tenant: str, names: Sequence[str]) -> Mapping[str, RowMapping]:
    found = {}
    for start in range(0, len(names), _ROWS):
        these = [name.partition("/")[2] for name in names[start : start + _ROWS]]
        query = select(runs_table).where(runs_table.c.tenant == tenant, runs_table.c.id.in_(these))
        found.update({f"runs/{row['id']}": row for row in connection.execute(query).mappings()})
    return found


def _refuse_unlearnable(name: str, row: RowMapping | None) -> None:
    facts = {"run": name}
    if row is None:
        raise NotFound(f"there is no run {name}", facts=facts)
    if row["state"] != RunState.SUCCEEDED:
        raise FailedPrecondition(
            f"{name} is {row['state']}, and only runs that have SUCCEEDED are learned from", facts=facts
        )
    if not row["keep_fields"]:
        raise FailedPrecondition(
            f"{name} keeps no fields, and there is nothing to learn from: simulate the design again",
            facts=facts,
        )
