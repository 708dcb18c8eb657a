"""Blobs that no record speaks of: files of uploads that came to nothing, arrays of deleted runs.

Young ones are spared: an upload comes before the record that needs it.
"""

from __future__ import annotations

import time
from typing import Final

from sqlalchemy import select, union

from twin.store.blobs import Blobs
from twin.store.database import Database
from twin.store.schema import arrays, geometries

SPARED_AGE: Final = 24 * 3600.0  # seconds


def collect(database: Database, blobs: Blobs, spared_age: float = SPARED_AGE) -> int:
    """Remove what nothing refers to and is older than `spared_age` [s]; returns how many blobs."""
    border = time.time() - spared_age
    needed = union(
        select(arrays.c.tenant, arrays.c.digest), select(geometries.c.tenant, geometries.c.source_digest)
    )
    old = [stored for stored in blobs.listing() if stored.modified < border]
    with database.read() as connection:
        referenced = {(row.tenant, row.digest) for row in connection.execute(needed)}
    return sum(blobs.remove(stored) for stored in old if (stored.tenant, stored.digest) not in referenced)
