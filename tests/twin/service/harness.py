"""A server in a process of its own, and a client that speaks the protos."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import grpc
import numpy as np
from google.rpc import error_details_pb2
from grpc_status import rpc_status

import twin.select as select
from protos.twin.v1 import (
    array_pb2_grpc,
    geometry_pb2,
    geometry_pb2_grpc,
    material_pb2_grpc,
    result_pb2_grpc,
    run_pb2,
    run_pb2_grpc,
)
from twin import codec
from twin.materials import material
from twin.store.blobs import digest_of
from twin.studies import Fixed, Force, Question, Request, StaticStress

TERMINAL = (run_pb2.RUN_STATE_SUCCEEDED, run_pb2.RUN_STATE_FAILED, run_pb2.RUN_STATE_CANCELLED)


@dataclass
class Server:
    """Started on `home`; `pid` is the front end's."""

    home: Path
    process: subprocess.Popen[bytes]
    address: str

    @property
    def pid(self) -> int:
        return self.process.pid

    def workers(self) -> list[int]:
        return [pid for pid in children(self.pid) if b"--device-kind" in command(pid)]

    def wait_for_worker(self, other_than: int | None = None) -> int:
        for _ in range(300):
            if (pids := self.workers()) and pids[0] != other_than:
                return pids[0]
            time.sleep(0.05)
        raise AssertionError("no worker came up")

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(20)

    def kill_tree(self) -> None:
        for pid in (self.pid, *children(self.pid)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(20)


@contextlib.contextmanager
def running(
    home: Path, *, real: bool = False, listen: str = "127.0.0.1:0", settings: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """settings: by variable, such as TWIN_CLUSTER."""
    script = str(Path(__file__).with_name("fake_server.py"))
    command = [sys.executable, script, str(home), listen, *(["real"] if real else [])]
    environment = {**os.environ, **(settings or {})}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        try:
            address = process.stdout.readline().decode().strip()
            assert address, "the server did not start"
            yield Server(home, process, address)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()


def children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for path in Path(f"/proc/{pid}/task").glob("*/children"):
            for child in map(int, path.read_text().split()):
                found += [child, *children(child)]
    return found


def command(pid: int) -> bytes:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def alive(pid: int) -> bool:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def cube(edge: float = 10.0) -> bytes:
    """A binary STL of 12 triangles."""
    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], float) * edge
    quads = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))
    triangles = [(a, b, c) for a, b, c, _ in quads] + [(a, c, d) for a, _, c, d in quads]
    record = np.zeros(12, np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("flags", "<u2")]))
    record["corners"] = corners[np.array(triangles)]
    return bytes(80) + np.uint32(12).tobytes() + record.tobytes()


def study(behaviour: str) -> StaticStress:
    """behaviour: what fake_worker.py shall do."""
    bottom = Fixed(select.plane((0, 0, 0), (0, 0, 1)))
    top = Force((0, 0, -100.0), select.plane((0, 0, 0.01), (0, 0, 1)))
    return StaticStress(material("Ti-6Al-4V"), [bottom], load_cases={behaviour: [top]})


class Client:
    """The stubs of one channel, and the few steps that most tests take."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.channel = channel
        self.geometries = geometry_pb2_grpc.GeometryServiceStub(channel)
        self.runs = run_pb2_grpc.RunServiceStub(channel)
        self.results = result_pb2_grpc.ResultServiceStub(channel)
        self.arrays = array_pb2_grpc.ArrayServiceStub(channel)
        self.materials = material_pb2_grpc.MaterialServiceStub(channel)

    async def upload(self, data: bytes, **header: object) -> geometry_pb2.Blob:
        first = {"digest": digest_of(data), "size_bytes": len(data), **header}

        async def requests() -> AsyncIterator[geometry_pb2.UploadBlobRequest]:
            yield geometry_pb2.UploadBlobRequest(header=geometry_pb2.UploadBlobRequest.Header(**first))
            for start in range(0, len(data), 1 << 20):
                yield geometry_pb2.UploadBlobRequest(chunk=data[start : start + (1 << 20)])

        return await self.geometries.UploadBlob(requests())

    async def part(self, data: bytes | None = None, unit: str = "mm") -> geometry_pb2.Geometry:
        data = cube() if data is None else data
        await self.upload(data)
        wanted = geometry_pb2.Geometry(source_digest=digest_of(data), filename="cube.stl", unit=unit)
        return await self.geometries.CreateGeometry(geometry_pb2.CreateGeometryRequest(geometry=wanted))

    async def run(self, behaviour: str, request_id: str | None = None, **options: object) -> run_pb2.Run:
        return await self.ask(study(behaviour), await self.part(), request_id, **options)

    async def ask(
        self,
        question: Question,
        part: geometry_pb2.Geometry,
        request_id: str | None = None,
        **options: object,
    ) -> run_pb2.Run:
        wanted = run_pb2.Run(
            geometry=part.name,
            study=codec.study_to_proto(question),
            options=codec.options_to_proto(Request(**options)),  # type: ignore[arg-type]
        )
        request = run_pb2.CreateRunRequest(run=wanted, request_id=request_id or str(uuid.uuid4()))
        return await self.runs.CreateRun(request)

    async def get(self, name: str) -> run_pb2.Run:
        return await self.runs.GetRun(run_pb2.GetRunRequest(name=name))

    async def ended(self, name: str, timeout: float = 30.0) -> run_pb2.Run:
        async with asyncio.timeout(timeout):
            async for _ in self.runs.WatchRun(run_pb2.WatchRunRequest(name=name)):
                pass
        return await self.get(name)

    async def in_state(self, name: str, state: int, timeout: float = 20.0) -> run_pb2.Run:
        async with asyncio.timeout(timeout):
            while (run := await self.get(name)).state != state:
                await asyncio.sleep(0.02)
        return run


@contextlib.asynccontextmanager
async def connected(server: Server) -> AsyncIterator[Client]:
    async with grpc.aio.insecure_channel(server.address) as channel:
        yield Client(channel)


def details(error: grpc.aio.AioRpcError) -> tuple[error_details_pb2.ErrorInfo, list[str]]:
    """ErrorInfo of a rich error, and the fields at fault."""
    status = rpc_status.from_call(error)
    assert status is not None
    info, request = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in status.details:
        detail.Unpack(info)
        detail.Unpack(request)
    return info, [violation.field for violation in request.field_violations]
