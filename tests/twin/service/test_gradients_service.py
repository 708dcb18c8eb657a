"""Gradients through the contract: runs about runs, with fake workers."""

from __future__ import annotations

import grpc
import pytest
from harness import Client, cube

from protos.twin.v1 import result_pb2, run_pb2
from twin.studies import GradientOf


def gradient(run: run_pb2.Run, case: str = "quick", quantity: str = "max_displacement") -> GradientOf:
    return GradientOf(run.name, case, quantity, "shape")


async def refused(client: Client, asked: GradientOf, code: grpc.StatusCode, words: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await client.ask(asked, await client.part())
    assert caught.value.code() is code
    assert words in (caught.value.details() or "")


async def test_a_gradient_from_request_to_result(client: Client) -> None:
    answered = await client.ended((await client.run("quick")).name)
    run = await client.ended((await client.ask(gradient(answered), await client.part())).name)
    assert run.state == run_pb2.RUN_STATE_SUCCEEDED
    assert run.study.gradient.run == answered.name
    result = await client.results.GetResult(result_pb2.GetResultRequest(name=f"{run.name}/result"))
    assert not result.cases
    assert (result.gradient.run, result.gradient.value) == (answered.name, 1.0)
    (sensitivity,) = result.gradient.sensitivities
    assert list(sensitivity.array.shape) == [8, 3]
    await refused(client, gradient(run), grpc.StatusCode.FAILED_PRECONDITION, "itself a gradient")


async def test_what_has_no_gradient_is_refused(client: Client) -> None:
    missing = GradientOf("runs/none", "quick", "mass", "loads")
    await refused(client, missing, grpc.StatusCode.NOT_FOUND, "runs/none")
    run = await client.ended((await client.run("quick")).name)
    invalid = grpc.StatusCode.INVALID_ARGUMENT
    await refused(client, gradient(run, case="slow"), invalid, "no load case 'slow'")
    await refused(client, gradient(run, quantity="reaction_force"), invalid, "Those that have one")
    failed = await client.ended((await client.run("refuse")).name)
    precondition = grpc.StatusCode.FAILED_PRECONDITION
    await refused(client, gradient(failed, case="refuse"), precondition, "FAILED")
    gridded = await client.ended((await client.run("grid")).name)
    await refused(client, gradient(gridded, case="grid"), precondition, "discretisation='tet'")
    other = await client.part(cube(20.0))
    with pytest.raises(grpc.aio.AioRpcError, match="not of geometries"):
        await client.ask(gradient(run), other)
