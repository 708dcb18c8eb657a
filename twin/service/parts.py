"""From the bytes of a file to a part in the store, once for the same content."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, final
from weakref import WeakValueDictionary

from protos.twin.v1 import geometry_pb2
from twin import codec
from twin.errors import Cancelled
from twin.geometry.parse import VERSION
from twin.geometry.surface import Report, Surface
from twin.store.arrays import store_arrays
from twin.store.geometries import GeometryRecord, surface_arrays
from twin.store.workspace import Workspace


class Parse(Protocol):
    """twin.geometry.parse.parse. check: called while waiting; what it raises ends the work."""

    def __call__(
        self, path: Path, unit: str | None, filename: str, *, check: Callable[[], None] | None = None
    ) -> tuple[Surface, Report]: ...


@final
class Parts:
    """parsers: how many files are read at the same time, each in a process of its own."""

    def __init__(self, workspace: Workspace, parse: Parse, parsers: int) -> None:
        self._workspace = workspace
        self._parse = parse
        self._parsers = asyncio.Semaphore(parsers)
        self._locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def create(self, caller: str, wanted: geometry_pb2.Geometry) -> GeometryRecord:
        """The part in a blob that is here. Raises GeometryError and UnitError where it holds none."""
        identifier = _content_identifier(wanted)
        async with self._one_at_a_time(caller, identifier):
            record = await asyncio.to_thread(self._workspace.geometries.find, caller, identifier)
            if record is None:
                record = await self._read_unless_gone(caller, identifier, wanted)
        return record

    def _one_at_a_time(self, caller: str, identifier: str) -> asyncio.Lock:
        """Held while content is read: whoever asks for the same meanwhile finds it read."""
        return self._locks.setdefault((caller, identifier), asyncio.Lock())

    async def _read_unless_gone(
        self, caller: str, identifier: str, wanted: geometry_pb2.Geometry
    ) -> GeometryRecord:
        gone = threading.Event()
        async with self._parsers:
            try:
                return await asyncio.to_thread(self._read, caller, identifier, wanted, gone)
            except asyncio.CancelledError:
                gone.set()  # the caller, or this service: nobody waits for the file any more
                raise

    def _read(
        self, caller: str, identifier: str, wanted: geometry_pb2.Geometry, gone: threading.Event
    ) -> GeometryRecord:
        def check() -> None:
            if gone.is_set():
                raise Cancelled(f"reading {wanted.filename!r} was given up")

        workspace = self._workspace
        with tempfile.TemporaryDirectory(prefix="read-", dir=workspace.home.scratch) as folder:
            path = Path(folder) / f"source{Path(wanted.filename).suffix.lower()}"
            workspace.blobs.download(caller, wanted.source_digest, path)
            surface, report = self._parse(path, wanted.unit or None, wanted.filename, check=check)
        values, labels = surface_arrays(surface)
        arrays = store_arrays(workspace.blobs, caller, f"geometries/{identifier}", values, labels)
        record = GeometryRecord(
            tenant=caller,
            id=identifier,
            display_name=wanted.display_name or wanted.filename,
            filename=wanted.filename,
            unit=wanted.unit,
            source_digest=wanted.source_digest,
            report=codec.report_to_proto(report).SerializeToString(),
        )
        return workspace.geometries.add(record, arrays)


def _content_identifier(wanted: geometry_pb2.Geometry) -> str:
    """The same for the same bytes, format, unit and way of reading."""
    parts = (wanted.source_digest, Path(wanted.filename).suffix.lower(), wanted.unit, str(VERSION))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
