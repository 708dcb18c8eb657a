"""GeometryService: files in, parts out."""

# ruff: noqa: N802 - methods are named by the contract

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final, final

from google.protobuf import empty_pb2

from protos.twin.v1 import geometry_pb2, geometry_pb2_grpc
from twin import codec
from twin.errors import InvalidInput
from twin.service.arrays import array_record
from twin.service.interceptors.chain import Context
from twin.service.interceptors.tenant import tenant
from twin.service.pages import page_size
from twin.service.parts import Parts
from twin.service.tokens import page_token, read_page_token
from twin.store.geometries import GeometryRecord
from twin.store.workspace import Workspace

_DEFAULT_PAGE: Final = 50


@final
class GeometryServicer(geometry_pb2_grpc.GeometryServiceServicer):
    """Uploads, and the parts that are read from them."""

    def __init__(self, workspace: Workspace, parts: Parts) -> None:
        self._workspace = workspace
        self._parts = parts

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
        record = await self._parts.create(tenant(), request.geometry)
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


async def _chunks(requests: AsyncIterator[geometry_pb2.UploadBlobRequest]) -> AsyncIterator[bytes]:
    async for request in requests:
        if not request.HasField("chunk"):
            raise InvalidInput("after the header of an upload come chunks only")
        yield request.chunk


def _identifier(name: str) -> str:
    return name.removeprefix("geometries/")
