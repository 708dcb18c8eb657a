"""A run, followed from anywhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import Final, final

from twin.errors import Cancelled, DeadlineExceeded, Internal, InvalidInput
from twin.results import storage
from twin.results.gradient import Gradient
from twin.sdk.aio.result import AsyncResult
from twin.sdk.aio.resumed import resumed
from twin.sdk.aio.surrogate import AsyncSurrogate, SurrogateWire
from twin.sdk.aio.wire import Wire
from twin.sdk.update import ENDED, RunInfo, Update


@final
class AsyncRun:
    """A study of a part on the server. It goes on whether or not anybody watches."""

    def __init__(self, wire: Wire, name: str) -> None:
        self._wire: Final = wire
        self.name: Final = name

    def __repr__(self) -> str:
        return f"AsyncRun({self.name!r})"

    async def info(self) -> RunInfo:
        """Where it stands now. Raises NotFound."""
        return await self._wire.get_run(self.name)

    async def watch(self) -> AsyncGenerator[Update, None]:
        """Everything that happens to the run, from its start until its end, each event once and in order.

        A connection that drops is made again and goes on where it broke; Unavailable after a minute without a
        server. The last update has the state SUCCEEDED, FAILED (with its error) or CANCELLED.
        """
        now = Update()
        events = resumed(self._wire, self.name, partial(self._wire.watch_run, self.name), self._is_over)
        async with aclosing(events):
            async for event in events:
                if event.state is None and event.progress is None:
                    continue
                now = now.after(event)
                yield now
                if now.state in ENDED:
                    return

    async def _is_over(self) -> bool:
        return False  # its last event says so

    async def result(self, timeout: float | None = None) -> AsyncResult:
        """Wait for the end of the run; its result.

        timeout: longest time to wait [s], None for ever. Raises why the run failed (the same class of
        TwinError as on the server), Cancelled where it was, and DeadlineExceeded after `timeout` (the run
        goes on).
        """
        await self._success(timeout)
        return await AsyncResult.fetch(self._wire, self.name)

    async def gradient(self, timeout: float | None = None) -> Gradient:
        """Wait for the end of a run that was started by `result.gradient`; its gradient. As `result` otherwise."""
        await self._success(timeout)
        record = await self._wire.get_result(self.name)
        if not storage.is_gradient(record.manifest):
            raise InvalidInput(f"{self.name} is no gradient: its answer is read by result()")
        arrays = {key: await self._wire.read_array(array) for key, array in record.arrays.items()}
        return replace(storage.load_gradient(record.manifest, arrays.__getitem__), run=self.name)

    async def surrogate(self, timeout: float | None = None) -> AsyncSurrogate:
        """Wait for the end of a training; the surrogate that it made a version of. As `result` otherwise."""
        await self._success(timeout)
        record = await self._wire.get_result(self.name)
        if not storage.is_training(record.manifest):
            raise InvalidInput(f"{self.name} is no training: its answer is read by result()")
        wire = SurrogateWire(self._wire)
        name, _, _ = record.manifest["training"]["surrogate"].partition("/versions/")
        return AsyncSurrogate(wire, await wire.get(name))

    async def _success(self, timeout: float | None) -> None:
        """Wait for the end of the run; raise unless it has succeeded."""
        try:
            last = await self.info()
            if last.state not in ENDED:
                async with asyncio.timeout(timeout):
                    last = await self._end()
        except TimeoutError:
            raise DeadlineExceeded(
                f"{self.name} has not ended within {timeout:g} s. It goes on: ask again, or cancel it."
            ) from None
        if last.state == "FAILED":
            raise last.error or Internal(f"{self.name} failed without saying why")
        if last.state == "CANCELLED":
            raise last.error or Cancelled(f"{self.name} was cancelled: it has no result")

    async def cancel(self) -> RunInfo:
        """Ask the run to stop; it does so within seconds. One that has ended stays as it is."""
        return await self._wire.cancel_run(self.name)

    async def delete(self) -> None:
        """Delete the run and its result, cancelled first if it has not ended."""
        await self._wire.delete_run(self.name)

    async def _end(self) -> RunInfo:
        info = await self.info()
        while info.state not in ENDED:
            async with aclosing(self.watch()) as updates:
                async for _ in updates:
                    pass
            info = await self.info()
        return info
