"""A service in a few lines that speaks the protos, for what the real one does too rarely: it drops
connections,
corrupts bytes, fails runs, and answers at once."""

# ruff: noqa: N802  gRPC names its methods
from __future__ import annotations

import asyncio
import hashlib
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import numpy as np
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_status import rpc_status
from numpy.typing import NDArray
from sdk_meshes import cube_mesh

from protos.twin.v1 import (
    array_pb2,
    array_pb2_grpc,
    geometry_pb2,
    geometry_pb2_grpc,
    material_pb2_grpc,
    result_pb2,
    result_pb2_grpc,
    run_pb2,
    run_pb2_grpc,
    selector_pb2,
)

_TYPES = {
    "f8": array_pb2.DATA_TYPE_FLOAT64,
    "f4": array_pb2.DATA_TYPE_FLOAT32,
    "i4": array_pb2.DATA_TYPE_INT32,
}
_PHASES = ("check", "mesh", "solve", "estimate", "recover", "write")


@dataclass
class FakeService(
    geometry_pb2_grpc.GeometryServiceServicer,
    run_pb2_grpc.RunServiceServicer,
    result_pb2_grpc.ResultServiceServicer,
    array_pb2_grpc.ArrayServiceServicer,
    material_pb2_grpc.MaterialServiceServicer,
):
    """drop_after: events after which WatchRun breaks, once each. failure: the error that runs end with.

    endless: runs never end by themselves. corrupt: "crc" or "checksum", broken in what ReadArray sends.
    calls: what was asked, in order.
    """

    cases: tuple[str, ...] = ("default",)
    drop_after: list[int] = field(default_factory=list)
    failure: status_pb2.Status | None = None
    endless: bool = False
    corrupt: str = ""
    chunk_rows: int = 7
    calls: list[str] = field(default_factory=list)
    blobs: dict[str, bytes] = field(default_factory=dict)
    runs: dict[str, run_pb2.Run] = field(default_factory=dict)
    tokens: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        points, tets = cube_mesh()
        self.arrays: dict[str, tuple[NDArray[Any], array_pb2.ArrayInfo]] = {}
        self._add("mesh.points", points, "m", "", array_pb2.LOCATION_UNSPECIFIED)
        self._add("mesh.tets", tets, "1", "", array_pb2.LOCATION_UNSPECIFIED)
        self._add("mesh.surface_vertices", points[:8], "m", "", array_pb2.LOCATION_UNSPECIFIED)
        triangles = np.array([[0, 1, 3], [0, 3, 2]], dtype=np.int32)
        self._add("mesh.surface_triangles", triangles, "1", "", array_pb2.LOCATION_UNSPECIFIED)
        for scale, case in enumerate(self.cases, start=1):
            displacement = 1e-3 * scale * points
            self._add(f"{case}.displacement", displacement, "m", "displacement", array_pb2.LOCATION_NODE)
            von_mises = 1e6 * scale * (1 + points[:, :1])
            self._add(f"{case}.von_mises", von_mises, "Pa", "von_mises", array_pb2.LOCATION_NODE)
            energy = np.full((len(tets), 1), float(scale))
            self._add(f"{case}.energy_error", energy, "J", "energy_error", array_pb2.LOCATION_CELL)
            surface = 1e-3 * scale * points[:8]
            self._add(
                f"{case}.surface.displacement", surface, "m", "displacement", array_pb2.LOCATION_SURFACE
            )

    def _add(self, name: str, values: NDArray[Any], unit: str, field_name: str, location: int) -> None:
        info = array_pb2.ArrayInfo(
            name=f"runs/r1/arrays/{name}",
            data_type=_TYPES[values.dtype.str[1:]],
            shape=values.shape,
            unit=unit,
            location=location,
            checksum=f"sha256:{hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()}",
            field=field_name,
        )
        self.arrays[info.name] = (np.ascontiguousarray(values), info)

    def info(self, name: str) -> array_pb2.ArrayInfo:
        return self.arrays[f"runs/r1/arrays/{name}"][1]

    # Geometries

    async def FindMissingBlobs(self, request: Any, context: Any) -> Any:
        self.calls.append("FindMissingBlobs")
        missing = [digest for digest in request.digests if digest not in self.blobs]
        return geometry_pb2.FindMissingBlobsResponse(missing_digests=missing)

    async def UploadBlob(self, requests: AsyncIterator[Any], context: Any) -> Any:
        self.calls.append("UploadBlob")
        content, header = b"", None
        async for request in requests:
            if request.WhichOneof("content") == "header":
                header = request.header
            else:
                assert 0 < len(request.chunk) <= 1 << 20
                content += request.chunk
        assert header is not None
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        assert (digest, len(content)) == (header.digest, header.size_bytes)
        self.blobs[digest] = content
        return geometry_pb2.Blob(digest=digest, size_bytes=len(content))

    async def CreateGeometry(self, request: Any, context: Any) -> Any:
        self.calls.append("CreateGeometry")
        geometry = request.geometry
        if geometry.filename.endswith(".bad"):
            detail = error_details_pb2.ErrorInfo(reason="GEOMETRY", domain="twin", metadata={"line": "3"})
            await context.abort_with_status(rpc_status.to_status(_status(3, "line 3 is no facet", detail)))
        assert geometry.source_digest in self.blobs
        return _geometry(geometry.source_digest[7:23], geometry.filename, geometry.unit)

    async def GetGeometry(self, request: Any, context: Any) -> Any:
        if request.name != "geometries/known" and request.name.removeprefix("geometries/") not in str(
            self.blobs
        ):
            await context.abort(grpc.StatusCode.NOT_FOUND, f"there is no {request.name}")
        return _geometry(request.name.removeprefix("geometries/"), "cube.stl", "mm")

    # Runs

    async def CreateRun(self, request: Any, context: Any) -> Any:
        self.calls.append("CreateRun")
        run = run_pb2.Run()
        run.CopyFrom(request.run)
        run.name, run.state = "runs/r1", run_pb2.RUN_STATE_PENDING
        run.create_time.GetCurrentTime()
        self.runs[run.name] = run
        return run

    async def GetRun(self, request: Any, context: Any) -> Any:
        if request.name not in self.runs:
            detail = error_details_pb2.ErrorInfo(reason="NOT_FOUND", domain="twin")
            await context.abort_with_status(
                rpc_status.to_status(_status(5, f"there is no {request.name}", detail))
            )
        return self.runs[request.name]

    async def ListRuns(self, request: Any, context: Any) -> Any:
        first = int(request.page_token or 0)
        found = [run for run in self.runs.values() if not request.states or run.state in request.states]
        page = found[first : first + 2]
        more = str(first + 2) if first + 2 < len(found) else ""
        return run_pb2.ListRunsResponse(runs=page, next_page_token=more)

    async def CancelRun(self, request: Any, context: Any) -> Any:
        self.runs[request.name].state = run_pb2.RUN_STATE_CANCELLED
        self.runs[request.name].end_time.GetCurrentTime()
        return self.runs[request.name]

    async def WatchRun(self, request: Any, context: Any) -> AsyncIterator[Any]:
        self.calls.append("WatchRun")
        self.tokens.append(request.resume_token)
        run = self.runs[request.name]
        first = int(request.resume_token or 0)
        events = self._events()
        drop = self.drop_after.pop(0) if self.drop_after else None
        for sequence, event in enumerate(events, start=1):
            if sequence <= first:
                continue
            event.sequence, event.resume_token = sequence, str(sequence)
            event.event_time.GetCurrentTime()
            if event.WhichOneof("event") == "state_change":
                run.state = event.state_change.state
                if event.state_change.HasField("error"):
                    run.error.CopyFrom(event.state_change.error)
            yield event
            if sequence == drop:
                await context.abort(grpc.StatusCode.UNAVAILABLE, "Socket closed")
        while self.endless and run.state != run_pb2.RUN_STATE_CANCELLED:
            yield run_pb2.WatchRunResponse(
                sequence=len(events),
                resume_token=str(len(events)),
                heartbeat=run_pb2.WatchRunResponse.Heartbeat(),
            )
            await asyncio.sleep(0.02)
        if self.endless:
            yield _changed(run_pb2.RUN_STATE_CANCELLED, sequence=len(events) + 1)

    def _events(self) -> list[Any]:
        events = [_changed(run_pb2.RUN_STATE_RUNNING)]
        for number, phase in enumerate(_PHASES):
            for fraction in (0.0, 0.5, 1.0):
                done = (number + fraction) / len(_PHASES)
                progress = run_pb2.Progress(phase=phase, fraction=done, message=f"{phase}ing")
                if phase == "solve":
                    progress.residual = 10.0 ** (-6 * fraction)
                events.append(run_pb2.WatchRunResponse(progress=progress))
        events.insert(3, run_pb2.WatchRunResponse(heartbeat=run_pb2.WatchRunResponse.Heartbeat()))
        if self.failure is not None:
            events.append(_changed(run_pb2.RUN_STATE_FAILED, self.failure))
        elif not self.endless:
            events.append(_changed(run_pb2.RUN_STATE_SUCCEEDED))
        return events

    # Results

    async def GetResult(self, request: Any, context: Any) -> Any:
        self.calls.append("GetResult")
        result = result_pb2.Result(
            name=request.name,
            points=self.info("mesh.points"),
            tets=self.info("mesh.tets"),
            surface_vertices=self.info("mesh.surface_vertices"),
            surface_triangles=self.info("mesh.surface_triangles"),
            assumptions=["small displacements"],
            mesher="by hand",
            provenance={"twin": "0.1.0"},
            cost=result_pb2.Cost(seconds={"solve": 1.5}, device="cpu"),
            convergence=[
                result_pb2.ConvergenceRow(unknowns=81, size=1.0, iterations=3, residual=1e-9, seconds=1.0)
            ],
            glyphs=[result_pb2.Glyph(kind="fixed", label="Fixed", points=[0.0, 0.0, 0.0])],
        )
        for scale, name in enumerate(self.cases, start=1):
            case = result.cases.add(name=name)
            for quantity, value, error, unit in (
                ("max_displacement", 1e-3 * scale, 1e-5, "m"),
                ("safety_factor", 4.0 / scale, float("inf"), "1"),
                ("mass", 7.85, 0.0, "kg"),
            ):
                case.quantities.add(name=quantity, values=[value], errors=[error], unit=unit)
            reaction = case.quantities.add(name="reaction_force", unit="N", vector=True)
            reaction.values.extend((0.0, 0.0, -100.0 * scale))
            reaction.errors.extend((1.0, 1.0, 1.0))
            for array in ("displacement", "von_mises", "energy_error"):
                case.fields.append(self.info(f"{name}.{array}"))
            case.surface_fields.append(self.info(f"{name}.surface.displacement"))
            case.equilibrium.residual = 1e-9
        return result

    async def ReadArray(self, request: Any, context: Any) -> AsyncIterator[Any]:
        self.calls.append(f"ReadArray {request.name.rpartition('/')[2]}")
        if request.name not in self.arrays:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"there is no array {request.name}")
        values, info = self.arrays[request.name]
        header = array_pb2.ReadArrayResponse.Header(
            array=info, row_count=len(values), encoding=array_pb2.ENCODING_RAW
        )
        yield array_pb2.ReadArrayResponse(header=header)
        for start in range(0, len(values), self.chunk_rows):
            rows = values[start : start + self.chunk_rows]
            data = rows.tobytes()
            crc = zlib.crc32(data)
            if self.corrupt and start == 0:
                data = bytes([data[0] ^ 1]) + data[1:]
                crc = crc if self.corrupt == "crc" else zlib.crc32(data)
            chunk = array_pb2.ReadArrayResponse.Chunk(data=data, row_count=len(rows), crc32=crc)
            yield array_pb2.ReadArrayResponse(chunk=chunk)


async def serve(service: FakeService, path: Path) -> grpc.aio.Server:
    server = grpc.aio.server()
    geometry_pb2_grpc.add_GeometryServiceServicer_to_server(service, server)
    run_pb2_grpc.add_RunServiceServicer_to_server(service, server)
    result_pb2_grpc.add_ResultServiceServicer_to_server(service, server)
    array_pb2_grpc.add_ArrayServiceServicer_to_server(service, server)
    material_pb2_grpc.add_MaterialServiceServicer_to_server(service, server)
    healthy = health.aio.HealthServicer()
    await healthy.set("", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(healthy, server)
    server.add_insecure_port(f"unix:{path}")
    await server.start()
    return server


def failure(reason: str, message: str, **facts: str) -> status_pb2.Status:
    return _status(13, message, error_details_pb2.ErrorInfo(reason=reason, domain="twin", metadata=facts))


def _status(code: int, message: str, detail: Any) -> status_pb2.Status:
    packed = any_pb2.Any()
    packed.Pack(detail)
    return status_pb2.Status(code=code, message=message, details=[packed])


def _changed(state: Any, error: status_pb2.Status | None = None, sequence: int = 0) -> Any:
    change = run_pb2.WatchRunResponse.StateChange(state=state, error=error)
    return run_pb2.WatchRunResponse(state_change=change, sequence=sequence, resume_token=str(sequence))


def _geometry(identifier: str, filename: str, unit: str) -> Any:
    corner = selector_pb2.Vector3(x=1.0, y=1.0, z=1.0)
    patch = geometry_pb2.Patch(
        id=0,
        area=1.0,
        centroid=corner,
        kind=geometry_pb2.PATCH_KIND_PLANE,
        normal=selector_pb2.Vector3(z=1.0),
    )
    report = geometry_pb2.GeometryReport(
        triangles=12, watertight=True, volume=1.0, area=6.0, bodies=1,
        bounds_min=selector_pb2.Vector3(), bounds_max=corner,
        patches=[patch], patch_count=1, unit=unit, repairs=["turned 3 triangles"],
    )  # fmt: skip
    return geometry_pb2.Geometry(
        name=f"geometries/{identifier}", filename=filename, display_name=filename, unit=unit, report=report
    )
