"""From start to stop, and through every kind of sudden end."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from harness import alive, children, connected, running

from protos.twin.v1 import run_pb2
from twin.studies import ExternalFlow

SUCCEEDED = run_pb2.RUN_STATE_SUCCEEDED
RUNNING = run_pb2.RUN_STATE_RUNNING


def gone_within(pids: list[int], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not any(alive(pid) for pid in pids):
            return True
        time.sleep(0.02)
    return False


async def test_a_run_survives_the_death_of_everything(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        async with connected(server) as client:
            run = await client.run("slow")
            await client.in_state(run.name, RUNNING)
        pids = [server.pid, *children(server.pid)]
        server.kill_tree()
        assert gone_within(pids, 2.0)
    begun = time.monotonic()
    with running(tmp_path) as server:
        async with connected(server) as client:
            assert (await client.ended(run.name)).state == SUCCEEDED
    assert time.monotonic() - begun < 14.0  # it did not wait for the lease to end
    database = sqlite3.connect(tmp_path / "twin.sqlite")
    assert database.execute("SELECT count(*), max(fence) FROM results").fetchone() == (1, 2)
    states = database.execute("SELECT state FROM events WHERE state IS NOT NULL ORDER BY number").fetchall()
    database.close()
    assert [state for (state,) in states] == ["PENDING", "RUNNING", "PENDING", "RUNNING", "SUCCEEDED"]


async def test_a_killed_worker_is_replaced_and_its_run_taken_up_at_once(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        async with connected(server) as client:
            run = await client.run("slow")
            await client.in_state(run.name, RUNNING)
            worker = server.wait_for_worker()
            os.kill(worker, signal.SIGKILL)
            begun = time.monotonic()
            await client.in_state(run.name, run_pb2.RUN_STATE_PENDING)
            await client.in_state(run.name, RUNNING)
            assert time.monotonic() - begun < 6.0
            assert server.wait_for_worker(other_than=worker) != worker
            assert (await client.ended(run.name)).state == SUCCEEDED


async def test_a_flow_goes_on_from_what_its_killed_worker_has_left(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        async with connected(server) as client:
            run = await client.ask(ExternalFlow((1, 0, 0)), await client.part())
            folder = tmp_path / "checkpoints" / run.name.removeprefix("runs/")
            while not (folder / "partial").exists():
                await asyncio.sleep(0.02)
            (folder / "partial").rename(folder / "known")
            # the attempt that is under way may see it, or the one after it does
            os.kill(server.wait_for_worker(), signal.SIGKILL)
            assert (await client.ended(run.name)).state == SUCCEEDED
            assert not folder.exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_stops_on_request_and_leaves_nobody(tmp_path: Path, number: int) -> None:
    with running(tmp_path) as server:
        async with connected(server) as client:
            run = await client.run("forever")
            await client.in_state(run.name, RUNNING)
            pids = children(server.pid)
            assert pids
            watch = client.runs.WatchRun(run_pb2.WatchRunRequest(name=run.name))
            begun = time.monotonic()
            assert await asyncio.to_thread(server.stop, number) == 0
            assert time.monotonic() - begun < 5.0
            assert gone_within(pids, 0.5)
            with pytest.raises(grpc.aio.AioRpcError):
                async for _ in watch:
                    pass
    database = sqlite3.connect(tmp_path / "twin.sqlite")
    assert database.execute("SELECT state, attempts FROM runs").fetchone() == ("PENDING", 0)
    database.close()


async def test_workers_notice_that_the_front_end_was_killed(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        worker = server.wait_for_worker()
        async with connected(server) as client:
            run = await client.run("stuck")
            await client.in_state(run.name, RUNNING)
        os.kill(server.pid, signal.SIGKILL)
        assert gone_within([worker], 2.0)


async def test_health_and_reflection(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with running(tmp_path / "home", listen=f"unix:{folder}/twin.sock") as server:
        assert server.address == f"unix:{folder}/twin.sock"
        assert folder.stat().st_mode & 0o777 == 0o700
        assert (folder / "twin.sock").stat().st_mode & 0o077 == 0
        async with grpc.aio.insecure_channel(server.address) as channel:
            health = health_pb2_grpc.HealthStub(channel)
            for name in ("", "twin.v1.RunService"):
                answer = await health.Check(health_pb2.HealthCheckRequest(service=name))
                assert answer.status == health_pb2.HealthCheckResponse.SERVING
            reflection = reflection_pb2_grpc.ServerReflectionStub(channel)
            call = reflection.ServerReflectionInfo(
                iter([reflection_pb2.ServerReflectionRequest(list_services="")])
            )
            names = {
                service.name async for answer in call for service in answer.list_services_response.service
            }
    assert {f"twin.v1.{name}Service" for name in ("Geometry", "Run", "Result", "Array", "Material")} <= names


async def test_the_front_end_never_loads_jax(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        async with connected(server) as client:
            await client.ended((await client.run("quick")).name)
        maps = Path(f"/proc/{server.pid}/maps").read_text()
    assert "jaxlib" not in maps
    script = "import sys, twin.service.app; sys.exit(bool({'jax', 'solvers', 'pyvista'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_only_this_machine_is_served_in_plaintext(monkeypatch: pytest.MonkeyPatch) -> None:
    from pydantic import ValidationError

    from twin.service.settings import Settings

    for listen in ("0.0.0.0:50051", "example.com:1", "127.0.0.1", "unix:/" + "x" * 120):
        with pytest.raises(ValidationError):
            Settings(listen=listen)
    monkeypatch.setenv("TWIN_HOME", "/somewhere")
    monkeypatch.setenv("TWIN_LISTEN", "[::1]:0")
    settings = Settings()
    assert (settings.home, settings.listen) == (Path("/somewhere"), "[::1]:0")
    with pytest.raises(ValidationError):
        settings.home = Path("/elsewhere")  # type: ignore[misc]


async def test_an_address_in_use_is_refused_in_words(tmp_path: Path) -> None:
    with running(tmp_path / "first") as server:
        script = Path(__file__).with_name("fake_server.py")
        second = subprocess.run(
            [sys.executable, str(script), str(tmp_path / "second"), server.address],
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
    assert second.returncode != 0
    assert f"can't listen at {server.address}" in second.stderr
