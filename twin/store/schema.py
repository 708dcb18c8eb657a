"""The tables. Times are seconds since the epoch (UTC); `tenant` leads every key.

Requests and reports are kept as serialised twin.v1 messages: the wire format is the one that stays readable
when the code moves on. Results and errors are JSON.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    false,
    true,
)

VERSION: Final = 5

MIGRATIONS: Final[Mapping[int, Sequence[str]]] = {
    1: (
        "ALTER TABLE runs ADD COLUMN content VARCHAR NOT NULL DEFAULT ''",
        "ALTER TABLE runs ADD COLUMN background BOOLEAN NOT NULL DEFAULT false",
        "ALTER TABLE runs ADD COLUMN held BOOLEAN NOT NULL DEFAULT false",
        "ALTER TABLE runs ADD COLUMN keep_fields BOOLEAN NOT NULL DEFAULT true",
        "ALTER TABLE runs ADD COLUMN shape BLOB",  # homes of the first version are SQLite
        "CREATE INDEX runs_by_content ON runs (tenant, content)",
        "DROP INDEX runs_by_state",
        "CREATE INDEX runs_by_state ON runs (state, held, background, created)",
    ),
    2: (
        "ALTER TABLE runs ADD COLUMN pack VARCHAR NOT NULL DEFAULT ''",
        "CREATE INDEX runs_by_pack ON runs (tenant, pack)",
    ),
    3: (),
    4: ("ALTER TABLE events ADD COLUMN numbers JSON",),
}
"""What leads from each version to the next; tables that are new are made besides."""

metadata = MetaData()

schema_version = Table("schema_version", metadata, Column("version", Integer, primary_key=True))

geometries = Table(
    "geometries",
    metadata,
    Column("tenant", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("display_name", Text, nullable=False),
    Column("filename", Text, nullable=False),
    Column("unit", String, nullable=False),  # as declared at upload, "" where it was left to the file
    Column("source_digest", String, nullable=False),
    Column("report", LargeBinary, nullable=False),  # twin.v1.GeometryReport
    Column("created", Float, nullable=False),
    Index("geometries_by_time", "tenant", "created", "id"),
)

runs = Table(
    "runs",
    metadata,
    Column("tenant", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("request_id", String),
    Column("request_digest", String, nullable=False),  # tells a retry from a reused request_id
    Column("geometry", String, nullable=False),
    Column("study_kind", String, nullable=False),
    Column("study", LargeBinary, nullable=False),  # twin.v1.Study
    Column("options", LargeBinary, nullable=False),  # twin.v1.RunOptions
    Column("shape", LargeBinary),  # twin.v1.Shape, where the part is deformed
    Column("display_name", Text, nullable=False),
    Column("labels", JSON, nullable=False),
    Column("created", Float, nullable=False),
    Column("started", Float),
    Column("ended", Float),
    Column("state", String, nullable=False),
    Column("cancel_requested", Boolean, nullable=False, default=False),
    Column("error", JSON),  # twin.errors.to_record
    Column("phase", String, nullable=False, default=""),
    Column("fraction", Float, nullable=False, default=0.0),
    Column("message", Text, nullable=False, default=""),
    Column("sequence", BigInteger, nullable=False, default=0),  # of its latest event
    Column(
        "fence", BigInteger, nullable=False, default=0
    ),  # grows with every claim; only its holder may write
    Column("attempts", Integer, nullable=False, default=0),
    Column("worker", String),
    Column("lease_until", Float),
    Column("content", String, nullable=False, server_default=""),  # equal for what has the same answer
    Column("background", Boolean, nullable=False, server_default=false()),  # of a sweep: waits for all others
    Column("held", Boolean, nullable=False, server_default=false()),  # of sweeps that are all paused
    Column("keep_fields", Boolean, nullable=False, server_default=true()),
    Column("pack", String, nullable=False, server_default=""),  # equal for what is computed together
    Index("runs_by_time", "tenant", "created", "id"),
    Index("runs_by_state", "state", "held", "background", "created"),
    Index("runs_by_content", "tenant", "content"),
    Index("runs_by_pack", "tenant", "pack"),
    Index("runs_by_request", "tenant", "request_id", unique=True),
)

# A rising number over all runs besides the sequence of each: one look tells the front end which runs have
# news.
events = Table(
    "events",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("tenant", String, nullable=False),
    Column("run", String, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("time", Float, nullable=False),
    Column("state", String),  # set where the event is a change of state
    Column("phase", String, nullable=False, default=""),
    Column("fraction", Float, nullable=False, default=0.0),
    Column("message", Text, nullable=False, default=""),
    Column("residual", Float),
    Column("numbers", JSON(none_as_null=True)),
    Column("error", JSON),
    Index("events_by_run", "tenant", "run", "sequence", unique=True),
    ForeignKeyConstraint(["tenant", "run"], ["runs.tenant", "runs.id"], ondelete="CASCADE"),
    sqlite_autoincrement=True,
)

sweeps = Table(
    "sweeps",
    metadata,
    Column("tenant", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("request_id", String),
    Column("request_digest", String, nullable=False),
    Column("spec", LargeBinary, nullable=False),  # twin.v1.Sweep, without what the service sets
    Column("display_name", Text, nullable=False),
    Column("labels", JSON, nullable=False),
    Column("keep_fields", Boolean, nullable=False),
    Column("created", Float, nullable=False),
    Column("state", String, nullable=False),
    Column("size", Integer, nullable=False),  # designs that the samplings have
    Column("planned", Integer, nullable=False, default=0),  # of those, rows of `designs`
    Column("sequence", BigInteger, nullable=False, default=0),  # of the design that ended last
    Column("error", JSON),  # why it was paused by itself
    Column("extensions", JSON, nullable=False),  # request ids of those that were made
    Index("sweeps_by_time", "tenant", "created", "id"),
    Index("sweeps_by_state", "state", "created"),
    Index("sweeps_by_request", "tenant", "request_id", unique=True),
)

# A sweep's journal. `found` repeats the quantities of the run's result, so that a table of thousands is read at once.
designs = Table(
    "designs",
    metadata,
    Column("tenant", String, primary_key=True),
    Column("sweep", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("point", JSON, nullable=False),
    Column("state", String, nullable=False),
    Column("run", String),  # several designs may share one
    Column("shared", Boolean, nullable=False, default=False),
    Column("found", Text),  # twin.results.quantities.dump
    Column("error", JSON),
    Column("sequence", BigInteger, nullable=False, default=0),  # counts the ends of a sweep's designs from 1
    Column("ended", Float),
    Index("designs_by_run", "tenant", "run"),
    Index("designs_by_sequence", "tenant", "sweep", "sequence"),
    Index("designs_by_state", "tenant", "sweep", "state"),
    ForeignKeyConstraint(["tenant", "sweep"], ["sweeps.tenant", "sweeps.id"], ondelete="CASCADE"),
)

surrogates = Table(
    "surrogates",
    metadata,
    Column("tenant", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("version", Integer, primary_key=True),  # counts from 1, also over those that were deleted
    Column("run", String),  # what made it; NULL where it was deleted
    Column("created", Float, nullable=False),
    Column("card", Text, nullable=False),  # of the manifest of its run, version and training
    Column("current", Boolean, nullable=False),
    Index("surrogates_by_run", "tenant", "run"),
)

results = Table(
    "results",
    metadata,
    Column("tenant", String, primary_key=True),
    Column("run", String, primary_key=True),
    Column(
        "manifest", Text, nullable=False
    ),  # twin.results.storage.dump; text, since JSON types refuse infinity
    Column("fence", BigInteger, nullable=False),
    Column("created", Float, nullable=False),
    ForeignKeyConstraint(["tenant", "run"], ["runs.tenant", "runs.id"], ondelete="CASCADE"),
)

arrays = Table(
    "arrays",
    metadata,
    Column("tenant", String, primary_key=True),
    Column("parent", String, primary_key=True),  # "runs/{id}" or "geometries/{id}"
    Column("name", String, primary_key=True),
    Column("dtype", String, nullable=False),  # numpy's, little-endian: "<f8"
    Column("shape", JSON, nullable=False),
    Column("unit", String, nullable=False),
    Column("location", String, nullable=False),
    Column("field", String, nullable=False),
    Column("digest", String, nullable=False),
    Index("arrays_by_digest", "tenant", "digest"),
)
