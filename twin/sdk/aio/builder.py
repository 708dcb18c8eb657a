"""Building the parts that designs of a sweep wait for."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Final, final

from twin.codec import DesignView
from twin.errors import DeadlineExceeded, InvalidInput, ResourceExhausted, TwinError, Unavailable
from twin.geometry.script import Script
from twin.sdk.aio.sweep_wire import SweepWire
from twin.sdk.uploads import LocalFile
from twin.sweeps.space import Space

_LOOK: Final = 0.5  # seconds between looks for designs that wait
_REASON: Final = 2000  # characters


class ScriptError(Exception):
    """A script that has not built a part, and why."""


@final
class Builder:
    """Builds parts, each once for designs that differ in other parameters."""

    def __init__(self, wire: SweepWire, sweep: str, space: Space, script: Script) -> None:
        self._wire: Final = wire
        self._sweep: Final = sweep
        self._space: Final = space
        self._script: Final = script
        self._built: Final[dict[tuple[float | str, ...], str]] = {}

    async def build_all(self) -> None:
        """Build for ever; whoever waits for the sweep ends it."""
        while True:
            try:
                waiting = [view async for view in self._wire.designs(self._sweep, ["AWAITING_PART"])]
                for view in waiting:
                    await self._provide(view)
            except (Unavailable, ResourceExhausted, DeadlineExceeded):
                waiting = []  # it passes; where it does not, whoever watches the sweep is told
            if not waiting:
                await asyncio.sleep(_LOOK)

    async def _provide(self, view: DesignView) -> None:
        values = {
            parameter.name: value if parameter.name in self._space.numbers else parameter.label(value)
            for parameter, value in zip(self._space.parameters, view.values, strict=True)
            if parameter.name in self._script.parameters
        }
        key = tuple(values.values())
        try:
            if key not in self._built:
                self._built[key] = await self._uploaded(values)
        except (InvalidInput, ScriptError) as error:
            reason = str(error)[:_REASON] or type(error).__name__
            await self._wire.provide(self._sweep, view.index, reason=reason)
        else:
            await self._wire.provide(self._sweep, view.index, geometry=self._built[key])

    async def _uploaded(self, values: dict[str, float | str]) -> str:
        with tempfile.TemporaryDirectory(prefix="twin-script-") as folder:
            try:
                path = await asyncio.to_thread(self._script.write, values, Path(folder))
            except TwinError as error:
                raise ScriptError(error.message) from error
            except Exception as error:  # whatever the script does is its design's own
                raise ScriptError(f"{type(error).__name__}: {error}") from error
            file = await LocalFile.of(path)
            await self._wire.wire.send_blob(file)
            part = await self._wire.wire.create_geometry(file.digest, file.path.name, self._script.unit)
        return part.id
