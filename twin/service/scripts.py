"""Builds the parts that designs wait for, by the scripts of their sweeps.

A design that waits is written down as such, and what a script builds is a part like any other, the same for the same
content: a service that is killed goes on with those that still wait.
"""

from __future__ import annotations

import asyncio
import logging
import mmap
import subprocess
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, final

from sqlalchemy.exc import SQLAlchemyError

from protos.twin.v1 import geometry_pb2
from twin import codec
from twin.errors import Cancelled, FailedPrecondition, Internal, NotFound, TwinError
from twin.geometry.built import build
from twin.geometry.script import ServerScript
from twin.service.parts import Parts
from twin.store.blobs import Blob
from twin.store.planned import Plan
from twin.store.states import DesignState, SweepState
from twin.store.sweep_records import DesignRecord, SweepRecord
from twin.store.workspace import Workspace
from twin.workers.planning import planner, unbuilt

_LOG: Final = logging.getLogger(__name__)
_LOOK: Final = 0.5  # seconds between looks for designs that wait, and at sweeps whose parts are being built
_LOOKED_AT: Final = 256  # designs of a sweep at a look
_AT_ONCE: Final = 4  # parts of a sweep at a look, so that other sweeps have theirs too
_REMEMBERED: Final = 4096  # parts
REFUSED: Final = (
    "This service runs no scripts of users: have yours run where the client is (twin.Script), or ask the operator to "
    "allow them (twin serve --scripts)."
)

Values = Mapping[str, float | str]


@final
class Scripts:
    """allowed: by the operator; builders: scripts that run at the same time; wake: called when there is something to
    compute.
    """

    def __init__(
        self, workspace: Workspace, parts: Parts, builders: int, wake: Callable[[], None], *, allowed: bool
    ) -> None:
        self._workspace = workspace
        self._parts = parts
        self._builders = asyncio.Semaphore(builders)
        self._wake = wake
        self._allowed = allowed
        self._built: OrderedDict[tuple[str, ServerScript, tuple[float | str, ...]], str] = OrderedDict()

    async def build_all(self) -> None:
        """For ever."""
        while True:
            try:
                sweeps = await asyncio.to_thread(self._workspace.sweeps.awaiting_parts)
            except SQLAlchemyError:
                _LOG.exception("could not look for designs that wait for their part; trying again")
                sweeps = []
            found = await asyncio.gather(*map(self._build, sweeps), return_exceptions=True)
            for sweep, outcome in zip(sweeps, found, strict=True):
                if isinstance(outcome, BaseException):  # the others have their parts all the same
                    await self._failed(sweep, outcome)
            if True not in found:
                await asyncio.sleep(_LOOK)

    async def _build(self, sweep: SweepRecord) -> bool:
        """Some parts of a sweep; whether there was any to build."""
        plan = await asyncio.to_thread(codec.parse_sweep, sweep.spec)
        if plan.script is None:
            return False  # the client builds them
        if not self._allowed:
            raise FailedPrecondition(REFUSED)
        waiting = await asyncio.to_thread(
            self._workspace.sweeps.designs,
            sweep.tenant, sweep.id, [DesignState.AWAITING_PART], _LOOKED_AT, -1,
        )  # fmt: skip
        alike: dict[tuple[float | str, ...], list[DesignRecord]] = {}
        for design in waiting:  # those that differ in other parameters share a part
            alike.setdefault(tuple(plan.built_by(design.point).values()), []).append(design)
        provided = [self._provide(sweep, plan, designs) for designs in list(alike.values())[:_AT_ONCE]]
        for outcome in await asyncio.gather(*provided, return_exceptions=True):  # all have ended
            if isinstance(outcome, BaseException):
                raise outcome
        return bool(waiting)

    async def _failed(self, sweep: SweepRecord, error: BaseException) -> None:
        """What passes is tried again; what doesn't pauses the sweep, which says why."""
        if isinstance(error, NotFound):
            return  # the sweep was deleted meanwhile
        if isinstance(error, SQLAlchemyError | OSError):
            _LOG.error("%s: no parts could be built; trying again", sweep.name, exc_info=error)
            return
        if not isinstance(error, TwinError):
            _LOG.error("%s: its parts can't be built", sweep.name, exc_info=error)
            error = Internal(f"the parts can't be built, which is a fault of ours: {type(error).__name__}")
        try:
            await asyncio.to_thread(self._workspace.sweeps.pause, sweep.tenant, sweep.id, error)
        except (NotFound, SQLAlchemyError):
            _LOG.exception("%s could not be paused", sweep.name)

    async def _provide(
        self, sweep: SweepRecord, plan: codec.SweepPlan, designs: Sequence[DesignRecord]
    ) -> None:
        assert plan.script is not None
        try:
            async with self._builders:
                part = await self._part(sweep, plan.script, plan.built_by(designs[0].point))
        except Cancelled:
            return  # nobody waits for it now
        except TwinError as error:
            asks: Plan = unbuilt(error)
        else:
            asks = planner(sweep, part)
        plans = {design.number: asks for design in designs}
        await asyncio.to_thread(self._workspace.sweeps.provide, sweep.tenant, sweep.id, plans)
        self._wake()

    async def _part(self, sweep: SweepRecord, script: ServerScript, values: Values) -> str:
        """ "geometries/{id}" of what a script builds. Raises TwinError where it builds none."""
        key = (sweep.tenant, script, tuple(values.values()))
        if (known := self._built.get(key)) is not None:
            identifier = known.partition("/")[2]
            if await asyncio.to_thread(self._workspace.geometries.find, sweep.tenant, identifier) is not None:
                return known
        gone = threading.Event()
        work = asyncio.ensure_future(asyncio.to_thread(self._file, sweep, script.source, values, gone))
        try:
            blob, filename = await asyncio.shield(work)
        except asyncio.CancelledError:
            gone.set()
            await asyncio.gather(work, return_exceptions=True)  # it leaves no process behind
            raise
        wanted = geometry_pb2.Geometry(
            source_digest=blob.digest, filename=filename, unit=script.unit, display_name=_told(values)
        )
        record = await self._parts.create(sweep.tenant, wanted)
        self._built[key] = record.name
        if len(self._built) > _REMEMBERED:
            self._built.popitem(last=False)
        return record.name

    def _file(
        self, sweep: SweepRecord, source: str, values: Values, gone: threading.Event
    ) -> tuple[Blob, str]:
        home, looked = self._workspace.home, time.monotonic()

        def check() -> None:
            nonlocal looked
            if gone.is_set():
                raise Cancelled("the service stops")
            if time.monotonic() - looked > _LOOK:
                if self._workspace.sweeps.get(sweep.tenant, sweep.id).state is not SweepState.ACTIVE:
                    raise Cancelled("the sweep does not go on")
                looked = time.monotonic()

        folder = tempfile.mkdtemp(prefix="script-", dir=home.scratch)
        try:
            path = build(source, values, Path(folder), home.root, check=check)
            with (
                path.open("rb") as file,
                mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
                memoryview(data) as view,
            ):
                return self._workspace.blobs.put(sweep.tenant, view), path.name
        except NotFound as error:
            raise Cancelled("the sweep was deleted") from error
        finally:
            # Folders can be nested more deeply than Python can go.
            subprocess.run(["rm", "-rf", "--one-file-system", folder], check=False, stderr=subprocess.DEVNULL)


def _told(values: Values) -> str:
    """Such as "edge 0.02, alloy 316L"."""
    words = (
        f"{name} {value:.6g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in values.items()
    )
    return ", ".join(words)[:200]
