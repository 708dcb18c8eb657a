"""RunService: from the request to the end of a run."""

# ruff: noqa: N802 - methods are named by the contract

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from typing import Final, final

from google.protobuf import empty_pb2

from protos.twin.v1 import run_pb2, run_pb2_grpc
from twin import codec
from twin.errors import FailedPrecondition, InvalidInput, NotFound
from twin.results.storage import on_grid, on_surface
from twin.service.feed import Feed
from twin.service.interceptors.chain import Context
from twin.service.interceptors.tenant import tenant
from twin.service.pages import page_size
from twin.service.surrogates import pinned
from twin.service.tokens import page_token, read_page_token, read_resume_token, resume_token
from twin.store.runs import NewRun, RunFilter, RunRecord
from twin.store.states import RunState
from twin.store.views import event_view, heartbeat, run_view
from twin.store.workspace import Workspace
from twin.studies import FlowStudy, GradientOf, StaticStress, Training
from twin.studies.training import unlearnable

_DEFAULT_PAGE: Final = 50
_LOOK: Final = 1.0  # seconds after which a watcher looks for itself, whatever the feed says


@final
class RunServicer(run_pb2_grpc.RunServiceServicer):
    """wake: called when there is a new run to compute; heartbeat: longest silence of a watch [s]."""

    def __init__(self, workspace: Workspace, feed: Feed, wake: Callable[[], None], heartbeat: float) -> None:
        self._runs = workspace.runs
        self._events = workspace.events
        self._results = workspace.results
        self._surrogates = workspace.surrogates
        self._blobs = workspace.blobs
        self._feed = feed
        self._wake = wake
        self._heartbeat = heartbeat

    async def CreateRun(self, request: run_pb2.CreateRunRequest, context: Context) -> run_pb2.Run:
        wanted = request.run
        digest = hashlib.sha256(wanted.SerializeToString(deterministic=True)).hexdigest()
        study = codec.study_from_proto(wanted.study)  # refuses what can't be answered, whatever the geometry
        imported = codec.options_from_proto(wanted.options).imported
        if request.request_id:  # asked again: what it rests on may be gone by now
            made = await asyncio.to_thread(self._runs.of_request, tenant(), request.request_id, digest)
            if made is not None:
                return codec.run_to_proto(run_view(made), made.study, made.options, made.shape)
        kind = codec.study_kind(wanted.study)
        if imported is not None:
            if not isinstance(study, StaticStress):
                raise InvalidInput(f"answers are imported of static stress, not of {kind}")
            if (why := unlearnable(study)) is not None:
                raise InvalidInput(f"answers are imported for surrogates to learn from, and {why}")
            await asyncio.to_thread(self._check_file, tenant(), imported.fields)
        await asyncio.to_thread(pinned, self._surrogates, tenant(), kind, wanted.options)
        if isinstance(study, Training) and study.saved:
            await asyncio.to_thread(self._check_file, tenant(), study.saved)
        elif isinstance(study, Training):
            names = await asyncio.to_thread(self._surrogates.learnable, tenant(), study)
            wanted.study.training.ClearField("runs")
            wanted.study.training.runs.extend(names)
            if study.start:  # the current version may be another one when it is trained
                name, _ = await asyncio.to_thread(self._surrogates.version, tenant(), study.start)
                wanted.study.training.start = name
        shape = wanted.shape.SerializeToString(deterministic=True) or None
        if codec.shape_from_proto(wanted.shape) and isinstance(study, GradientOf):
            raise InvalidInput("a gradient is of the shape that its answer has: leave out shape")
        if isinstance(study, GradientOf):
            answered = await asyncio.to_thread(
                self._differentiable, tenant(), study, _identifier(wanted.geometry)
            )
            shape = answered.shape
        new = NewRun(
            geometry=_identifier(wanted.geometry),
            study_kind=kind,
            study=wanted.study.SerializeToString(deterministic=True),
            options=wanted.options.SerializeToString(deterministic=True),
            request_digest=digest,
            request_id=request.request_id or None,
            display_name=wanted.display_name,
            labels=dict(wanted.labels),
            shape=shape,
        )
        run = await asyncio.to_thread(self._runs.create, tenant(), new)
        self._wake()
        return codec.run_to_proto(run_view(run), run.study, run.options, run.shape)

    def _check_file(self, caller: str, digest: str) -> None:
        if self._blobs.missing(caller, [digest]):
            raise NotFound(f"there is no file {digest}: upload it first", facts={"blob": digest})

    def _differentiable(self, caller: str, asked: GradientOf, geometry: str) -> RunRecord:
        """The run that a gradient is asked of. Raises where it has no answer, or no such number in it."""
        answered = self._runs.get(caller, _identifier(asked.run))
        facts = {"run": asked.run}
        study = codec.parse_study(answered.study)
        if isinstance(study, GradientOf | Training):
            raise FailedPrecondition(
                f"{asked.run} is itself a {answered.study_kind}: name a run that has answered a study", facts
            )
        asked.check(study)
        if answered.state is not RunState.SUCCEEDED:
            raise FailedPrecondition(
                f"{asked.run} is {answered.state}, and only a run that has SUCCEEDED has gradients", facts
            )
        if answered.geometry != geometry:
            raise FailedPrecondition(
                f"{asked.run} is of geometries/{answered.geometry}, not of geometries/{geometry}: a gradient has the "
                "geometry of its answer",
                facts,
            )
        if not answered.keep_fields:
            raise FailedPrecondition(
                f"{asked.run} is a design of a sweep that keeps no fields, and has no mesh to take a gradient on: "
                "simulate it again",
                facts,
            )
        if isinstance(study, FlowStudy):
            return answered
        manifest = self._results.get(caller, answered.id)
        if on_surface(manifest):
            raise FailedPrecondition(
                f"{asked.run} was answered on the surface alone, by a surrogate or another code, and gradients are "
                "taken on tetrahedra: simulate again with method='solver'",
                facts,
            )
        if on_grid(manifest):
            raise FailedPrecondition(
                f"{asked.run} was answered on a grid, and gradients are taken on tetrahedra: simulate again with "
                "discretisation='tet'",
                facts,
            )
        return answered

    async def GetRun(self, request: run_pb2.GetRunRequest, context: Context) -> run_pb2.Run:
        run = await asyncio.to_thread(self._runs.get, tenant(), _identifier(request.name))
        return codec.run_to_proto(run_view(run), run.study, run.options, run.shape)

    async def ListRuns(self, request: run_pb2.ListRunsRequest, context: Context) -> run_pb2.ListRunsResponse:
        size = page_size(request.page_size, _DEFAULT_PAGE)
        chosen = RunFilter(
            states=tuple(RunState(codec.STATES.word(state)) for state in request.states),
            geometry=_identifier(request.geometry) if request.geometry else None,
            labels=dict(request.labels),
        )
        after = read_page_token(request.page_token)
        runs = await asyncio.to_thread(self._runs.list, tenant(), chosen, size + 1, after)
        page = runs[:size]
        return run_pb2.ListRunsResponse(
            runs=[codec.run_to_proto(run_view(run)) for run in page],
            next_page_token=page_token(page[-1].created, page[-1].id) if len(runs) > size else "",
        )

    async def CancelRun(self, request: run_pb2.CancelRunRequest, context: Context) -> run_pb2.Run:
        run = await asyncio.to_thread(self._runs.cancel, tenant(), _identifier(request.name))
        return codec.run_to_proto(run_view(run), run.study, run.options, run.shape)

    async def DeleteRun(self, request: run_pb2.DeleteRunRequest, context: Context) -> empty_pb2.Empty:
        await asyncio.to_thread(self._runs.delete, tenant(), _identifier(request.name))
        return empty_pb2.Empty()

    async def WatchRun(
        self, request: run_pb2.WatchRunRequest, context: Context
    ) -> AsyncIterator[run_pb2.WatchRunResponse]:
        caller, run = tenant(), _identifier(request.name)
        seen = read_resume_token(request.resume_token, run)
        record = await asyncio.to_thread(self._runs.get, caller, run)
        if seen > record.sequence:
            raise InvalidInput("resume_token is ahead of the run: take it from one of its events")
        if seen == record.sequence and record.state.terminal:
            return
        clock = asyncio.get_running_loop().time
        spoken = clock()
        with self._feed.listen(caller, run) as news:
            while True:
                news.clear()  # before the look: what comes after it sets it again
                for event in await asyncio.to_thread(self._events.after, caller, run, seen):
                    seen = event.sequence
                    yield codec.event_to_proto(event_view(event, resume_token(run, seen)))
                    spoken = clock()
                    if event.state is not None and event.state.terminal:
                        return
                if clock() - spoken >= self._heartbeat:
                    yield codec.event_to_proto(heartbeat(seen, resume_token(run, seen)))
                    spoken = clock()
                await _wait(news, min(_LOOK, self._heartbeat))


async def _wait(news: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await news.wait()
    except TimeoutError:
        return


def _identifier(name: str) -> str:
    """ "runs/7" -> "7"; the protos' constraints have seen to the form."""
    return name.partition("/")[2]
