"""SweepService: many designs of one question."""

# ruff: noqa: N802 - methods are named by the contract

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final, final

from google.protobuf import empty_pb2

from protos.twin.v1 import sweep_pb2, sweep_pb2_grpc
from twin import codec
from twin.errors import FailedPrecondition, GeometryError
from twin.service.interceptors.chain import Context
from twin.service.interceptors.tenant import tenant
from twin.service.pages import fitting, page_size
from twin.service.scripts import REFUSED
from twin.service.surrogates import pinned
from twin.service.tokens import page_token, place_token, read_page_token, read_place_token
from twin.store.planned import Plan
from twin.store.states import DesignState, SweepState
from twin.store.sweep_records import DesignRecord, NewSweep, SweepRecord
from twin.store.views import design_view, sweep_view
from twin.store.workspace import Workspace
from twin.workers.planning import planner, unbuilt

_DEFAULT_PAGE: Final = 50
_LOOK: Final = 0.2  # seconds between looks for designs that have ended
_ENDED_AT_ONCE: Final = 256


@final
class SweepServicer(sweep_pb2_grpc.SweepServiceServicer):
    """wake: called when there is something to compute; heartbeat: longest silence of a watch [s].

    scripts: whether scripts of users build parts here
    """

    def __init__(
        self, workspace: Workspace, wake: Callable[[], None], heartbeat: float, *, scripts: bool
    ) -> None:
        self._scripts = scripts
        self._sweeps = workspace.sweeps
        self._surrogates = workspace.surrogates
        self._wake = wake
        self._heartbeat = heartbeat

    async def CreateSweep(self, request: sweep_pb2.CreateSweepRequest, context: Context) -> sweep_pb2.Sweep:
        wanted = sweep_pb2.Sweep()
        wanted.CopyFrom(request.sweep)
        for output in ("name", "state", "counts", "create_time", "error"):
            wanted.ClearField(output)
        digest = hashlib.sha256(wanted.SerializeToString(deterministic=True)).hexdigest()
        kind = codec.study_kind(wanted.study)
        for options in (wanted.options, *([wanted.preview] if wanted.HasField("preview") else [])):
            await asyncio.to_thread(pinned, self._surrogates, tenant(), kind, options)
        spec = wanted.SerializeToString(deterministic=True)
        plan = await asyncio.to_thread(codec.parse_sweep, spec)  # refuses what makes no sense
        codec.check_size(wanted)
        if plan.script is not None and not self._scripts:
            raise FailedPrecondition(REFUSED)
        new = NewSweep(
            spec=spec,
            size=plan.count,
            geometries=[_identifier(name) for name in plan.geometries],
            request_digest=digest,
            request_id=request.request_id or None,
            display_name=wanted.display_name,
            labels=dict(wanted.labels),
            keep_fields=wanted.keep_fields,
        )
        sweep = await asyncio.to_thread(self._sweeps.create, tenant(), new)
        self._wake()
        return _message(sweep)

    async def GetSweep(self, request: sweep_pb2.GetSweepRequest, context: Context) -> sweep_pb2.Sweep:
        return _message(await asyncio.to_thread(self._sweeps.get, tenant(), _identifier(request.name)))

    async def ListSweeps(
        self, request: sweep_pb2.ListSweepsRequest, context: Context
    ) -> sweep_pb2.ListSweepsResponse:
        size = page_size(request.page_size, _DEFAULT_PAGE)
        after = read_page_token(request.page_token)
        found = await asyncio.to_thread(self._sweeps.list, tenant(), size + 1, after)
        page = fitting(codec.sweep_view_to_proto(sweep_view(sweep)) for sweep in found[:size])
        last = found[len(page) - 1] if page else None
        more = last is not None and len(found) > len(page)
        return sweep_pb2.ListSweepsResponse(
            sweeps=page, next_page_token=page_token(last.created, last.id) if last and more else ""
        )

    async def PauseSweep(self, request: sweep_pb2.PauseSweepRequest, context: Context) -> sweep_pb2.Sweep:
        return _message(await asyncio.to_thread(self._sweeps.pause, tenant(), _identifier(request.name)))

    async def ResumeSweep(self, request: sweep_pb2.ResumeSweepRequest, context: Context) -> sweep_pb2.Sweep:
        sweep = await asyncio.to_thread(self._sweeps.resume, tenant(), _identifier(request.name))
        self._wake()
        return _message(sweep)

    async def CancelSweep(self, request: sweep_pb2.CancelSweepRequest, context: Context) -> sweep_pb2.Sweep:
        return _message(await asyncio.to_thread(self._sweeps.cancel, tenant(), _identifier(request.name)))

    async def ExtendSweep(self, request: sweep_pb2.ExtendSweepRequest, context: Context) -> sweep_pb2.Sweep:
        sweep = await asyncio.to_thread(self._extend, tenant(), request)
        self._wake()
        return _message(sweep)

    def _extend(self, caller: str, request: sweep_pb2.ExtendSweepRequest) -> SweepRecord:
        identifier = _identifier(request.name)
        sweep = self._sweeps.get(caller, identifier)
        if request.request_id and request.request_id in sweep.extensions:
            return sweep
        before = sweep.spec
        spec, size = codec.extended(before, request)
        return self._sweeps.extend(caller, identifier, before, spec, size, request.request_id or None)

    async def RetrySweep(self, request: sweep_pb2.RetrySweepRequest, context: Context) -> sweep_pb2.Sweep:
        sweep = await asyncio.to_thread(self._retry, tenant(), _identifier(request.name))
        self._wake()
        return _message(sweep)

    def _retry(self, caller: str, identifier: str) -> SweepRecord:
        return self._sweeps.retry(caller, identifier, planner(self._sweeps.get(caller, identifier)))

    async def ProvideParts(self, request: sweep_pb2.ProvidePartsRequest, context: Context) -> sweep_pb2.Sweep:
        sweep = await asyncio.to_thread(self._provide, tenant(), request)
        self._wake()
        return _message(sweep)

    def _provide(self, caller: str, request: sweep_pb2.ProvidePartsRequest) -> SweepRecord:
        identifier = _identifier(request.name)
        sweep = self._sweeps.get(caller, identifier)
        plans: dict[int, Plan] = {}
        for part in request.parts:
            if part.WhichOneof("outcome") == "geometry":
                plans[part.index] = planner(sweep, part.geometry)
            else:
                plans[part.index] = unbuilt(GeometryError(part.reason))
        return self._sweeps.provide(caller, identifier, plans)

    async def DeleteSweep(self, request: sweep_pb2.DeleteSweepRequest, context: Context) -> empty_pb2.Empty:
        await asyncio.to_thread(self._sweeps.delete, tenant(), _identifier(request.name))
        return empty_pb2.Empty()

    async def ListDesigns(
        self, request: sweep_pb2.ListDesignsRequest, context: Context
    ) -> sweep_pb2.ListDesignsResponse:
        size = page_size(request.page_size, _DEFAULT_PAGE)
        after = read_place_token(request.page_token, request.parent, -1)
        states = [DesignState(codec.DESIGN_STATES.word(state)) for state in request.states]
        identifier = _identifier(request.parent)
        sweep = await asyncio.to_thread(self._sweeps.get, tenant(), identifier)
        found = await asyncio.to_thread(self._sweeps.designs, tenant(), identifier, states, size + 1, after)
        page = fitting(await asyncio.to_thread(_designs, sweep, found[:size]))
        more = len(found) > len(page)
        return sweep_pb2.ListDesignsResponse(
            designs=page, next_page_token=place_token(request.parent, page[-1].index) if more else ""
        )

    async def WatchSweep(
        self, request: sweep_pb2.WatchSweepRequest, context: Context
    ) -> AsyncIterator[sweep_pb2.WatchSweepResponse]:
        caller, identifier = tenant(), _identifier(request.name)
        seen = read_place_token(request.resume_token, request.name, 0)
        clock = asyncio.get_running_loop().time
        spoken, told = clock(), None
        while True:
            sweep = await asyncio.to_thread(
                self._sweeps.get, caller, identifier
            )  # before the look at its designs
            ended = []
            if sweep.sequence > seen:
                ended = await asyncio.to_thread(self._sweeps.ended, caller, identifier, seen, _ENDED_AT_ONCE)
            view = sweep_view(sweep)
            messages = await asyncio.to_thread(_designs, sweep, ended) if ended else []
            for design, message in zip(ended, messages, strict=True):
                seen = design.sequence
                yield _news(view, request.name, seen, message)
            idle = clock() - spoken >= self._heartbeat
            if ended:
                spoken, told = clock(), sweep.state
            elif told is not sweep.state or idle:
                yield _news(view, request.name, seen)
                spoken, told = clock(), sweep.state
            if not ended and sweep.state in (SweepState.COMPLETE, SweepState.CANCELLED):
                return
            if len(ended) < _ENDED_AT_ONCE:
                await asyncio.sleep(min(_LOOK, self._heartbeat))


def _designs(sweep: SweepRecord, designs: Sequence[DesignRecord]) -> list[sweep_pb2.Design]:
    plan = codec.parse_sweep(sweep.spec)
    return [codec.design_to_proto(design_view(design, plan)) for design in designs]


def _news(
    view: codec.SweepView, name: str, seen: int, design: sweep_pb2.Design | None = None
) -> sweep_pb2.WatchSweepResponse:
    return sweep_pb2.WatchSweepResponse(
        resume_token=place_token(name, seen),
        design=design,
        state=codec.SWEEP_STATES.value(view.state),
        counts=codec.counts_to_proto(view.counts),
    )


def _message(sweep: SweepRecord) -> sweep_pb2.Sweep:
    return codec.sweep_view_to_proto(sweep_view(sweep), sweep.spec)


def _identifier(name: str) -> str:
    """ "sweeps/7" -> "7"; the protos' constraints have seen to the form."""
    return name.partition("/")[2]
