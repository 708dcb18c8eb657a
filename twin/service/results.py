"""ResultService: the answer of a run that has succeeded."""

# ruff: noqa: N802 - methods are named by the contract

from __future__ import annotations

import asyncio
from typing import final

from protos.twin.v1 import result_pb2, result_pb2_grpc
from twin import codec
from twin.errors import FailedPrecondition
from twin.service.arrays import array_record
from twin.service.interceptors.chain import Context
from twin.service.interceptors.tenant import tenant
from twin.store.states import RunState
from twin.store.workspace import Workspace


@final
class ResultServicer(result_pb2_grpc.ResultServiceServicer):
    """Numbers and descriptions; the arrays themselves are read by ArrayService."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    async def GetResult(self, request: result_pb2.GetResultRequest, context: Context) -> result_pb2.Result:
        return await asyncio.to_thread(self._result, tenant(), request.name)

    def _result(self, caller: str, name: str) -> result_pb2.Result:
        parent = name.removesuffix("/result")
        run = self._workspace.runs.get(caller, parent.removeprefix("runs/"))
        if run.state is not RunState.SUCCEEDED:
            raise FailedPrecondition(
                f"{run.name} is {run.state}, and only a run that has SUCCEEDED has a result",
                facts={"run": run.name, "state": run.state.value},
            )
        if not run.keep_fields:
            raise FailedPrecondition(
                f"{run.name} belongs to a sweep that keeps no fields: simulate the design again, or sweep with "
                "keep_fields=True",
                facts={"run": run.name},
            )
        manifest = self._workspace.results.get(caller, run.id)
        arrays = self._workspace.arrays
        stored = arrays.of(caller, run.name)
        return codec.result_to_proto(
            name,
            manifest,
            {key: array_record(array) for key, array in stored.items()},
            lambda key: arrays.read(caller, stored[key]),
        )
