"""One home, opened: what the front end and the workers share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import final

from twin.store.arrays import Arrays
from twin.store.blobs import Blobs
from twin.store.database import Database
from twin.store.events import Events
from twin.store.geometries import Geometries
from twin.store.home import Home
from twin.store.leases import SECONDS, Leases
from twin.store.results import Results
from twin.store.runs import Runs
from twin.store.surrogates import Surrogates
from twin.store.sweeps import Sweeps


@final
@dataclass(frozen=True)
class Workspace:
    """The store of one process; every process opens its own."""

    home: Home
    database: Database
    blobs: Blobs
    arrays: Arrays
    geometries: Geometries
    runs: Runs
    events: Events
    results: Results
    leases: Leases
    sweeps: Sweeps
    surrogates: Surrogates

    @staticmethod
    def open(root: Path, *, lease_seconds: float = SECONDS, max_attempts: int = 3) -> Workspace:
        home = Home(root).create()
        database = Database.at(home.database)
        blobs = Blobs.local(home.blobs)
        return Workspace(
            home=home,
            database=database,
            blobs=blobs,
            arrays=Arrays(database, blobs),
            geometries=Geometries(database),
            runs=Runs(database),
            events=Events(database),
            results=Results(database),
            leases=Leases(database, lease_seconds, max_attempts),
            sweeps=Sweeps(database),
            surrogates=Surrogates(database),
        )

    def close(self) -> None:
        self.database.close()
