"""Builds the parts that designs wait for, by the scripts of their sweeps. What is built is lost with nobody.

A design that waits is written down as such, and what a script builds is a part like any other, the same for the same
content: a service that is killed builds again what was not provided, and nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, final

from sqlalchemy.exc import SQLAlchemyError

from protos.twin.v1 import geometry_pb2
from twin import codec
from twin.errors import Cancelled, InvalidInput, NotFound
from twin.geometry.built import build
from twin.service.parts import Parts
from twin.store.planned import Plan
from twin.store.states import DesignState
from twin.store.sweep_records import DesignRecord, SweepRecord
from twin.store.workspace import Workspace
from twin.workers.planning import planner, unbuilt

_LOG: Final = logging.getLogger(__name__)
_LOOK: Final = 0.5  # seconds between looks for designs that wait
_AT_ONCE: Final = 64  # designs that are looked at
_CHUNK: Final = 1 << 20  # bytes

Values = Mapping[str, float | str]


@final
class Scripts:
    """builders: scripts that run at the same time; wake: called when there is something to compute."""

    def __init__(self, workspace: Workspace, parts: Parts, builders: int, wake: Callable[[], None]) -> None:
        self._workspace = workspace
        self._parts = parts
        self._builders = asyncio.Semaphore(builders)
        self._wake = wake

    async def build_all(self) -> None:
        """For ever."""
        while True:
            found = False
            try:
                for sweep in await asyncio.to_thread(self._workspace.sweeps.awaiting_parts):
                    found = await self._build(sweep) or found
            except (SQLAlchemyError, OSError):
                _LOG.exception("could not build parts; trying again")
            if not found:
                await asyncio.sleep(_LOOK)

    async def _build(self, sweep: SweepRecord) -> bool:
        plan = await asyncio.to_thread(codec.parse_sweep, sweep.spec)
        if plan.script is None:
            return False  # the client builds them
        waiting = await asyncio.to_thread(
            self._workspace.sweeps.designs,
            sweep.tenant,
            sweep.id,
            [DesignState.AWAITING_PART],
            _AT_ONCE,
            -1,
        )
        alike: dict[tuple[float | str, ...], list[DesignRecord]] = {}
        for design in waiting:  # those that differ in other parameters share a part
            alike.setdefault(tuple(plan.built_by(design.point).values()), []).append(design)
        await asyncio.gather(*(self._provide(sweep, plan, designs) for designs in alike.values()))
        return bool(waiting)

    async def _provide(
        self, sweep: SweepRecord, plan: codec.SweepPlan, designs: Sequence[DesignRecord]
    ) -> None:
        assert plan.script is not None
        values = plan.built_by(designs[0].point)
        try:
            async with self._builders:
                part = await self._part(sweep.tenant, plan.script.source, plan.script.unit, values)
        except InvalidInput as error:
            asks: Plan = unbuilt(error.message)
        else:
            asks = planner(sweep, part)
        with contextlib.suppress(NotFound):  # the sweep was deleted meanwhile
            plans = {design.number: asks for design in designs}
            await asyncio.to_thread(self._workspace.sweeps.provide, sweep.tenant, sweep.id, plans)
        self._wake()

    async def _part(self, tenant: str, source: str, unit: str, values: Values) -> str:
        """ "geometries/{id}" of what a script builds. Raises InvalidInput where it builds none."""
        home, gone = self._workspace.home, threading.Event()

        def check() -> None:
            if gone.is_set():
                raise Cancelled("the service stops")

        with tempfile.TemporaryDirectory(prefix="script-", dir=home.scratch) as name:
            try:
                path = await asyncio.to_thread(build, source, values, Path(name), home.root, check=check)
            except asyncio.CancelledError:
                gone.set()
                raise
            data = await asyncio.to_thread(path.read_bytes)
        blob = await asyncio.to_thread(self._workspace.blobs.put, tenant, data)
        wanted = geometry_pb2.Geometry(
            source_digest=blob.digest, filename=path.name, unit=unit, display_name=_told(values)
        )
        record = await self._parts.create(tenant, wanted)
        return record.name


def _told(values: Values) -> str:
    """Such as "edge 0.02, alloy 316L"."""
    words = (
        f"{name} {value:.6g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in values.items()
    )
    return ", ".join(words)[:200]
