"""GeometryService: files in, parts out."""

# ruff: noqa: N802 - methods are named by the contract

from __future__ import annotations

import asyncio
import hashlib
import tempfile
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final, Protocol, final
from weakref import WeakValueDictionary

from google.protobuf import empty_pb2

from protos.twin.v1 import geometry_pb2, geometry_pb2_grpc
from twin import codec
from twin.errors import Cancelled, InvalidInput
from twin.geometry.parse import VERSION
from twin.geometry.surface import Report, Surface
from twin.service.arrays import array_record
from twin.service.interceptors.chain import Context
from twin.service.interceptors.tenant import tenant
from twin.service.pages import page_size
from twin.service.tokens import page_token, read_page_token
from twin.store.arrays import store_arrays
from twin.store.geometries import GeometryRecord, surface_arrays
from twin.store.workspace import Workspace

_DEFAULT_PAGE: Final = 50


class Parse(Protocol):
    """twin.geometry.parse.parse. check: called while waiting; what it raises ends the work."""

    def __call__(
        self, path: Path, unit: str | None, filename: str, *, check: Callable[[], None] | None = None
    ) -> tuple[Surface, Report]: ...


@final
class GeometryServicer(geometry_pb2_grpc.GeometryServiceServicer):
    """parsers: how many files are read at the same time, each in a process of its own."""

    def __init__(self, workspace: Workspace, parse: Parse, parsers: int) -> None:
        self._workspace = workspace
        self._parse = parse
        self._parsers = asyncio.Semaphore(parsers)
        self._locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def FindMissingBlobs(
        self, request: geometry_pb2.FindMissingBlobsRequest, context: Context
    ) -> geometry_pb2.FindMissingBlobsResponse:
        missing = await asyncio.to_thread(self._workspace.blobs.missing, tenant(), request.digests)
        return geometry_pb2.FindMissingBlobsResponse(missing_digests=missing)

    async def UploadBlob(
        self, requests: AsyncIterator[geometry_pb2.UploadBlobRequest], context: Context
    ) -> geometry_pb2.Blob:
        first = await anext(requests, None)
        if first is None or not first.HasField("header"):
            raise InvalidInput("the first message of an upload is its header, with the size of what follows")
        blob = await self._workspace.blobs.receive(
            tenant(), _chunks(requests), size=first.header.size_bytes, digest=first.header.digest or None
        )
        return geometry_pb2.Blob(digest=blob.digest, size_bytes=blob.size)

    async def CreateGeometry(
        self, request: geometry_pb2.CreateGeometryRequest, context: Context
    ) -> geometry_pb2.Geometry:
        caller, wanted = tenant(), request.geometry
        identifier = _content_identifier(wanted)
        async with self._one_at_a_time(caller, identifier):
            record = await asyncio.to_thread(self._workspace.geometries.find, caller, identifier)
            if record is None:
                record = await self._read_unless_gone(caller, identifier, wanted)
        return await asyncio.to_thread(self._message, record)

    async def GetGeometry(
        self, request: geometry_pb2.GetGeometryRequest, context: Context
    ) -> geometry_pb2.Geometry:
        caller = tenant()
        record = await asyncio.to_thread(self._workspace.geometries.get, caller, _identifier(request.name))
        return await asyncio.to_thread(self._message, record)

    async def ListGeometries(
        self, request: geometry_pb2.ListGeometriesRequest, context: Context
    ) -> geometry_pb2.ListGeometriesResponse:
        size = page_size(request.page_size, _DEFAULT_PAGE)
        after = read_page_token(request.page_token)
        records = await asyncio.to_thread(self._workspace.geometries.list, tenant(), size + 1, after)
        page = records[:size]
        return geometry_pb2.ListGeometriesResponse(
            geometries=[_message(record) for record in page],
            next_page_token=page_token(page[-1].created, page[-1].id) if len(records) > size else "",
        )

    async def DeleteGeometry(
        self, request: geometry_pb2.DeleteGeometryRequest, context: Context
    ) -> empty_pb2.Empty:
        await asyncio.to_thread(self._workspace.geometries.delete, tenant(), _identifier(request.name))
        return empty_pb2.Empty()

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

    def _message(self, record: GeometryRecord) -> geometry_pb2.Geometry:
        message = _message(record)
        message.report.ParseFromString(record.report)
        arrays = self._workspace.arrays.of(record.tenant, record.name)
        message.arrays.extend(codec.array_to_proto(array_record(array)) for array in arrays.values())
        return message


def _message(record: GeometryRecord) -> geometry_pb2.Geometry:
    """As it stands in a list: its report without patches, no arrays."""
    message = geometry_pb2.Geometry(
        name=record.name,
        display_name=record.display_name,
        source_digest=record.source_digest,
        filename=record.filename,
        unit=record.unit,
        create_time=codec.time_to_proto(record.created),
    )
    message.report.ParseFromString(record.report)
    message.report.ClearField("patches")
    return message


def _content_identifier(wanted: geometry_pb2.Geometry) -> str:
    """The same for the same bytes, format, unit and way of reading."""
    parts = (wanted.source_digest, Path(wanted.filename).suffix.lower(), wanted.unit, str(VERSION))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


async def _chunks(requests: AsyncIterator[geometry_pb2.UploadBlobRequest]) -> AsyncIterator[bytes]:
    async for request in requests:
        if not request.HasField("chunk"):
            raise InvalidInput("after the header of an upload come chunks only")
        yield request.chunk


def _identifier(name: str) -> str:
    return name.removeprefix("geometries/")
