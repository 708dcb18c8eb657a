"""The calls of the service, one method each:

domain types in, domain types out, and only TwinErrors raised.
"""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, final

import grpc
import grpc.aio
import numpy as np
from google.rpc import status_pb2
from grpc_status.rpc_status import GRPC_DETAILS_METADATA_KEY
from numpy.typing import NDArray

from protos.twin.v1 import (
    array_pb2,
    array_pb2_grpc,
    geometry_pb2,
    geometry_pb2_grpc,
    material_pb2,
    material_pb2_grpc,
    result_pb2,
    result_pb2_grpc,
    run_pb2,
    run_pb2_grpc,
)
from twin import codec
from twin.errors import Internal, TwinError, Unavailable
from twin.materials import Material
from twin.sdk.part import Part
from twin.sdk.update import RunInfo, RunState
from twin.sdk.uploads import LocalFile
from twin.studies import FreeForm, Question, Request

SILENCE: Final = 45.0  # seconds; the server says something every 15


@final
class Wire:
    """A channel and the stubs on it. failure: why nobody answers any more, where that is known for sure."""

    def __init__(
        self, channel: grpc.aio.Channel, failure: Callable[[], TwinError | None] = lambda: None
    ) -> None:
        self.channel: Final = channel
        self.failure: Final = failure
        self._geometries: Final = geometry_pb2_grpc.GeometryServiceStub(channel)
        self._runs: Final = run_pb2_grpc.RunServiceStub(channel)
        self._results: Final = result_pb2_grpc.ResultServiceStub(channel)
        self._arrays: Final = array_pb2_grpc.ArrayServiceStub(channel)
        self._materials: Final = material_pb2_grpc.MaterialServiceStub(channel)

    async def close(self) -> None:
        await self.channel.close()

    async def send_blob(self, file: LocalFile) -> None:
        """Make sure that the service has the file."""
        with self.errors():
            request = geometry_pb2.FindMissingBlobsRequest(digests=[file.digest])
            missing = await self._geometries.FindMissingBlobs(request)
            if file.digest in missing.missing_digests:
                await self._geometries.UploadBlob(_upload(file))

    async def create_geometry(self, digest: str, filename: str, unit: str) -> Part:
        geometry = geometry_pb2.Geometry(
            display_name=filename, source_digest=digest, filename=filename, unit=unit
        )
        request = geometry_pb2.CreateGeometryRequest(geometry=geometry, request_id=str(uuid.uuid4()))
        with self.errors():
            return _part(await self._geometries.CreateGeometry(request))

    async def get_geometry(self, name: str) -> Part:
        with self.errors():
            return _part(await self._geometries.GetGeometry(geometry_pb2.GetGeometryRequest(name=name)))

    async def create_run(
        self,
        geometry: str,
        study: Question,
        request: Request,
        display_name: str,
        labels: Mapping[str, str],
        request_id: str = "",
        shape: Sequence[FreeForm] = (),
    ) -> RunInfo:
        """request_id: a UUID that finds the same run again; without one, it is a new run."""
        run = run_pb2.Run(
            display_name=display_name,
            geometry=geometry,
            study=codec.study_to_proto(study),
            options=codec.options_to_proto(request),
            labels=labels,
            shape=codec.shape_to_proto(shape) if shape else None,
        )
        with self.errors():
            answer = await self._runs.CreateRun(
                run_pb2.CreateRunRequest(run=run, request_id=request_id or str(uuid.uuid4()))
            )
            return codec.run_from_proto(answer)

    async def get_run(self, name: str) -> RunInfo:
        with self.errors():
            return codec.run_from_proto(await self._runs.GetRun(run_pb2.GetRunRequest(name=name)))

    async def get_study(self, name: str) -> tuple[Question, Request]:
        """What a run was asked."""
        with self.errors():
            return codec.run_study(await self._runs.GetRun(run_pb2.GetRunRequest(name=name)))

    async def list_runs(
        self, states: Sequence[RunState], geometry: str, labels: Mapping[str, str]
    ) -> AsyncGenerator[RunInfo, None]:
        wanted = [codec.STATES.value(state) for state in states]
        token = ""
        while True:
            request = run_pb2.ListRunsRequest(
                page_token=token, states=wanted, geometry=geometry, labels=labels
            )
            with self.errors():
                page = await self._runs.ListRuns(request)
            for run in page.runs:
                yield codec.run_from_proto(run)
            token = page.next_page_token
            if not token:
                return

    async def cancel_run(self, name: str) -> RunInfo:
        with self.errors():
            return codec.run_from_proto(await self._runs.CancelRun(run_pb2.CancelRunRequest(name=name)))

    async def delete_run(self, name: str) -> None:
        with self.errors():
            await self._runs.DeleteRun(run_pb2.DeleteRunRequest(name=name))

    async def watch_run(self, name: str, token: str) -> AsyncGenerator[codec.RunEvent, None]:
        """The events after a resume token. Raises Unavailable where the connection breaks or falls silent."""
        call = self._runs.WatchRun(run_pb2.WatchRunRequest(name=name, resume_token=token))
        try:
            while True:
                with self.errors():
                    async with asyncio.timeout(SILENCE):
                        message = await call.read()
                if not isinstance(message, run_pb2.WatchRunResponse):
                    return  # the end of the stream
                yield codec.event_from_proto(message)
        except TimeoutError:
            raise Unavailable(f"the server has not said anything about {name} for {SILENCE:.0f} s") from None
        finally:
            call.cancel()

    async def get_result(self, run: str) -> codec.ResultRecord:
        with self.errors():
            request = result_pb2.GetResultRequest(name=f"{run}/result")
            return codec.result_from_proto(await self._results.GetResult(request))

    async def read_array(self, record: codec.ArrayRecord) -> NDArray[Any]:
        """All of an array. Raises Internal where what arrives is not what was stored."""
        reader = codec.ArrayReader()
        request = array_pb2.ReadArrayRequest(name=record.name)
        with self.errors():
            async for message in self._arrays.ReadArray(request):
                reader.feed(message)
        rows = reader.rows()
        await asyncio.to_thread(_check, rows, record)
        return rows

    async def list_materials(self) -> dict[str, Material]:
        found: dict[str, Material] = {}
        token = ""
        while True:
            with self.errors():
                page = await self._materials.ListMaterials(
                    material_pb2.ListMaterialsRequest(page_token=token)
                )
            found.update((entry.display_name, codec.material_from_proto(entry)) for entry in page.materials)
            token = page.next_page_token
            if not token:
                return found

    @contextmanager
    def errors(self) -> Iterator[None]:
        """The server's errors as the classes they were there."""
        try:
            yield
        except grpc.aio.AioRpcError as error:
            known = self.failure() if error.code() is grpc.StatusCode.UNAVAILABLE else None
            raise known or translated(error) from None
        except grpc.aio.UsageError:
            raise Unavailable(
                "the client is closed: open another one with twin.local() or twin.connect()"
            ) from None


async def _upload(file: LocalFile) -> AsyncIterator[geometry_pb2.UploadBlobRequest]:
    header = geometry_pb2.UploadBlobRequest.Header(digest=file.digest, size_bytes=file.size)
    yield geometry_pb2.UploadBlobRequest(header=header)
    async for chunk in file.chunks():
        yield geometry_pb2.UploadBlobRequest(chunk=chunk)


def _part(message: geometry_pb2.Geometry) -> Part:
    return Part(message.name, message.filename, codec.report_from_proto(message.report))


def _check(rows: NDArray[Any], record: codec.ArrayRecord) -> None:
    if rows.shape != record.shape:
        raise Internal(
            f"{record.name} came with the shape {rows.shape}, not {record.shape}: read the result again"
        )
    digest = hashlib.sha256(np.ascontiguousarray(rows).data).hexdigest()
    if record.checksum != f"sha256:{digest}":
        raise Internal(
            f"{record.name} was damaged: its checksum differs from that of the result. Read it again."
        )


def translated(error: grpc.aio.AioRpcError) -> TwinError:
    """The TwinError in the details of a call's status, or the general one of its code."""
    for key, value in error.trailing_metadata() or ():
        if key == GRPC_DETAILS_METADATA_KEY:
            return codec.error_from_status(status_pb2.Status.FromString(value))
    return codec.error_from_code(error.code().name, error.details() or error.code().name)
