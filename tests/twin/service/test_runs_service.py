"""Runs through the contract: create, watch, cancel, fail, with fake workers."""

from __future__ import annotations

import asyncio
import time
import uuid

import grpc
import pytest
from harness import Client, Server, details

from protos.twin.v1 import result_pb2, run_pb2
from twin import codec
from twin.errors import UnconstrainedError

SUCCEEDED, FAILED, CANCELLED = (
    run_pb2.RUN_STATE_SUCCEEDED,
    run_pb2.RUN_STATE_FAILED,
    run_pb2.RUN_STATE_CANCELLED,
)


async def watch(
    client: Client, name: str, token: str = "", limit: int = 10_000
) -> list[run_pb2.WatchRunResponse]:
    call = client.runs.WatchRun(run_pb2.WatchRunRequest(name=name, resume_token=token))
    events = []
    async for event in call:
        events.append(event)
        if len(events) == limit:
            call.cancel()
            break
    return events


async def test_a_run_from_request_to_result(client: Client) -> None:
    run = await client.run("quick")
    assert run.state == run_pb2.RUN_STATE_PENDING
    ended = await client.ended(run.name)
    assert ended.state == SUCCEEDED
    assert ended.study == codec.study_to_proto(codec.study_from_proto(ended.study))
    assert ended.HasField("start_time")
    assert ended.HasField("end_time")
    result = await client.results.GetResult(result_pb2.GetResultRequest(name=f"{run.name}/result"))
    assert [case.name for case in result.cases] == ["quick"]
    assert result.cases[0].quantities[0].errors[0] == float("inf")
    assert not result.cost.HasField("joules")  # no counter here


async def test_the_first_event_comes_at_once(client: Client) -> None:
    run = await client.run("quick")
    begun = time.monotonic()
    (first,) = await watch(client, run.name, limit=1)
    assert time.monotonic() - begun < 0.1
    assert first.sequence == 1
    assert first.state_change.state == run_pb2.RUN_STATE_PENDING
    await client.ended(run.name)


async def test_a_request_id_makes_one_run(client: Client) -> None:
    identifier = str(uuid.uuid4())
    runs = await asyncio.gather(*(client.run("quick", identifier) for _ in range(4)))
    assert len({run.name for run in runs}) == 1
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await client.run("slow", identifier)
    assert caught.value.code() is grpc.StatusCode.ALREADY_EXISTS


async def test_watching_again_loses_and_repeats_nothing(client: Client) -> None:
    run = await client.run("slow")
    pieces: list[run_pb2.WatchRunResponse] = []
    token = ""
    while True:
        events = [
            event
            for event in await watch(client, run.name, token, limit=4)
            if not event.HasField("heartbeat")
        ]
        pieces += events
        if events:
            token = events[-1].resume_token
            if events[-1].HasField("state_change") and events[-1].state_change.state == SUCCEEDED:
                break
    assert [event.sequence for event in pieces] == list(range(1, len(pieces) + 1))
    assert len(pieces) > 10
    assert await watch(client, run.name, token) == []
    whole = await watch(client, run.name)
    assert [event.sequence for event in whole] == [event.sequence for event in pieces]


async def test_silence_is_broken_by_heartbeats(client: Client) -> None:
    run = await client.run("stuck")
    await client.in_state(run.name, run_pb2.RUN_STATE_RUNNING)
    call = client.runs.WatchRun(run_pb2.WatchRunRequest(name=run.name))
    beats = []
    async with asyncio.timeout(10):
        async for event in call:
            if event.HasField("heartbeat"):
                beats.append(event)
                if len(beats) == 2:
                    break
    call.cancel()
    assert beats[0].resume_token
    assert beats[0].sequence == beats[1].sequence
    # It listens to nothing, so its process is ended after a while, and replaced.
    await client.runs.CancelRun(run_pb2.CancelRunRequest(name=run.name))
    assert (await client.ended(run.name)).state == CANCELLED
    assert (await client.ended((await client.run("quick")).name)).state == SUCCEEDED


async def test_cancel_while_running(client: Client) -> None:
    run = await client.run("forever")
    waiting = await client.run("quick")
    await client.in_state(run.name, run_pb2.RUN_STATE_RUNNING)
    cancelled = await client.runs.CancelRun(run_pb2.CancelRunRequest(name=waiting.name))
    assert cancelled.state == CANCELLED
    begun = time.monotonic()
    await client.runs.CancelRun(run_pb2.CancelRunRequest(name=run.name))
    await client.in_state(run.name, CANCELLED)
    assert time.monotonic() - begun < 1.5


async def test_a_refusal_arrives_as_it_was_raised(client: Client) -> None:
    run = await client.ended((await client.run("refuse")).name)
    assert run.state == FAILED
    error = codec.error_from_status(run.error)
    assert isinstance(error, UnconstrainedError)
    assert (error.message, error.facts) == ("the part can turn about z", {"motion": "rotation z"})
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await client.results.GetResult(result_pb2.GetResultRequest(name=f"{run.name}/result"))
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION


async def test_a_bug_is_said_to_be_ours(client: Client) -> None:
    run = await client.ended((await client.run("raise")).name)
    assert run.state == FAILED
    assert "fault of ours" in run.error.message
    assert "ValueError: a bug" in run.error.message


async def test_a_run_that_kills_its_worker_is_given_up(client: Client, server: Server) -> None:
    run = await client.ended((await client.run("die")).name)
    assert run.state == FAILED
    assert "died 3 times" in run.error.message
    assert (await client.ended((await client.run("quick")).name)).state == SUCCEEDED


async def test_no_longer_than_asked(client: Client) -> None:
    run = await client.ended((await client.run("forever", max_seconds=1.0)).name)
    assert run.state == FAILED
    assert codec.error_from_status(run.error).status == "DEADLINE_EXCEEDED"


async def test_lists_by_pages_and_deletes(client: Client) -> None:
    names = [(await client.run("quick")).name for _ in range(3)]
    for name in names:
        await client.ended(name)
    seen: list[str] = []
    token = ""
    while True:
        page = await client.runs.ListRuns(
            run_pb2.ListRunsRequest(page_size=2, page_token=token, states=[SUCCEEDED])
        )
        assert not any(run.HasField("study") for run in page.runs)
        seen += [run.name for run in page.runs]
        token = page.next_page_token
        if not token:
            break
    assert len(seen) == len(set(seen))
    assert seen[:3] == names[::-1]
    await client.runs.DeleteRun(run_pb2.DeleteRunRequest(name=names[0]))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await client.get(names[0])
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (run_pb2.WatchRunRequest(name="runs/UPPER"), "name"),
        (run_pb2.WatchRunRequest(name="geometries/a"), "name"),
        (run_pb2.WatchRunRequest(), "name"),
    ],
)
async def test_what_breaks_the_contract_is_refused_by_field(
    client: Client, request_: run_pb2.WatchRunRequest, field: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        async for _ in client.runs.WatchRun(request_):
            pass
    info, fields = details(caught.value)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert (info.domain, info.reason) == ("twin", "INVALID_INPUT")
    assert fields == [field]


@pytest.mark.parametrize("token", ["nonsense", "WyJyZXN1bWUiLCJvdGhlciIsM10="])
async def test_tokens_of_others_are_refused(client: Client, token: str) -> None:
    run = await client.run("quick")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await watch(client, run.name, token)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_slow_reader_holds_up_nobody(client: Client) -> None:
    run = await client.run("slow")
    sleeping = aiter(client.runs.WatchRun(run_pb2.WatchRunRequest(name=run.name)))
    await anext(sleeping)
    begun = time.monotonic()
    assert (await client.ended(run.name)).state == SUCCEEDED
    assert time.monotonic() - begun < 8.0
    rest = [event.sequence async for event in sleeping if not event.HasField("heartbeat")]
    assert rest == list(range(2, len(rest) + 2))
