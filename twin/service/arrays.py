"""ArrayService: rows of the arrays of results and geometries."""

# ruff: noqa: N802 - methods are named by the contract

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast, final

from protos.twin.v1 import array_pb2, array_pb2_grpc
from twin import codec
from twin.errors import InvalidInput
from twin.service.interceptors.chain import Context
from twin.service.interceptors.tenant import tenant
from twin.store.arrays import StoredArray
from twin.store.workspace import Workspace


@final
class ArrayServicer(array_pb2_grpc.ArrayServiceServicer):
    """Reads a chunk, sends it, reads the next: never more than one in memory for each call."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    async def ReadArray(
        self, request: array_pb2.ReadArrayRequest, context: Context
    ) -> AsyncIterator[array_pb2.ReadArrayResponse]:
        caller = tenant()
        parent, _, name = request.name.partition("/arrays/")
        array = await asyncio.to_thread(self._workspace.arrays.get, caller, parent, name)
        encoding = codec.ENCODINGS.word(request.encoding)
        first, last = _rows(array, request.offset_rows, request.row_count)
        yield codec.header_to_proto(array_record(array), first, last - first, encoding)
        step = codec.rows_per_chunk(array.row_bytes)
        for start in range(first, last, step):
            stop = min(start + step, last)
            yield await asyncio.to_thread(self._chunk, caller, array, start, stop, encoding)

    def _chunk(
        self, caller: str, array: StoredArray, start: int, stop: int, encoding: codec.Encoding
    ) -> array_pb2.ReadArrayResponse:
        size = array.row_bytes
        data = self._workspace.arrays.read_bytes(caller, array, start * size, (stop - start) * size)
        return codec.chunk_to_proto(data, array.item_bytes, size, encoding)


def array_record(array: StoredArray) -> codec.ArrayRecord:
    """As it is described to clients."""
    return codec.ArrayRecord(
        name=array.full_name,
        dtype=array.dtype,
        shape=array.shape,
        checksum=array.digest,
        unit=array.unit,
        location=cast(Any, array.location),
        field=array.field,
    )


def _rows(array: StoredArray, offset: int, count: int) -> tuple[int, int]:
    """First row and the one after the last. InvalidInput where `offset` is past the end."""
    if offset > array.rows:
        raise InvalidInput(
            f"{array.full_name} has {array.rows} rows, so none from row {offset} on",
            facts={"field": "offset_rows", "rows": str(array.rows)},
        )
    return offset, min(offset + count, array.rows) if count else array.rows
