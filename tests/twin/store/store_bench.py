"""A store on a clock of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from twin.store.database import Database
from twin.store.events import Events
from twin.store.geometries import Geometries, GeometryRecord
from twin.store.leases import Leases
from twin.store.results import Results
from twin.store.runs import NewRun, Runs


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True)
class Bench:
    """A store on a clock of its own, with one geometry "part"."""

    clock: Clock
    database: Database
    runs: Runs
    events: Events
    leases: Leases
    results: Results
    geometries: Geometries

    def new_run(self, tenant: str = "default", **changes: str) -> str:
        return self.runs.create(tenant, new(**changes)).id


def new(**changes: str) -> NewRun:
    values = {"geometry": "part", "study_kind": "static_stress", "request_digest": "d", **changes}
    return NewRun(study=b"s", options=b"o", **values)  # type: ignore[arg-type]


def open_bench(folder: Path) -> Bench:
    clock = Clock()
    database = Database.at(folder / "twin.sqlite")
    geometries = Geometries(database)
    for tenant in ("default", "other"):
        geometries.add(GeometryRecord(tenant, "part", "", "part.stl", "mm", "sha256:" + "0" * 64, b""), [])
    return Bench(
        clock,
        database,
        Runs(database, clock),
        Events(database),
        Leases(database, 15.0, 3, clock),
        Results(database),
        geometries,
    )
