"""The committed results of runs."""

from __future__ import annotations

import json
from typing import Any, final

from sqlalchemy import select

from twin.errors import NotFound
from twin.store.database import Database
from twin.store.schema import results as table


@final
class Results:
    """Manifests as `twin.results.storage.dump` made them; their arrays are in arrays.py."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, tenant: str, run: str) -> dict[str, Any]:
        query = select(table.c.manifest).where(table.c.tenant == tenant, table.c.run == run)
        with self._database.read() as connection:
            manifest = connection.execute(query).scalar_one_or_none()
        if manifest is None:
            raise NotFound(
                f"runs/{run} has no result: only a run that has SUCCEEDED does", facts={"run": f"runs/{run}"}
            )
        loaded: dict[str, Any] = json.loads(manifest)
        return loaded
