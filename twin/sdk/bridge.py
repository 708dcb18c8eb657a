"""The bridge from synchronous callers to the asynchronous SDK: one event loop in one daemon thread per
process.

One loop for all clients, because grpc.aio polls its completion queue from every loop that uses it, and
several loops in one process steal each other's wake-ups. A loop of our own, because notebooks already run one
in the main thread, where `asyncio.run` is refused.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any, Final, TypeVar, final

T = TypeVar("T")


@final
class Bridge:
    """An event loop in a daemon thread; `run` and `iterate` block the calling thread on it."""

    def __init__(self) -> None:
        self._loop: Final = asyncio.new_event_loop()
        self._thread: Final = threading.Thread(target=self._loop.run_forever, name="twin-sdk", daemon=True)
        self._thread.start()

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        return self._loop

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the loop and wait for it; an interrupt (Ctrl-C) cancels it there."""
        if threading.current_thread() is self._thread:
            work.close()
            raise RuntimeError("the synchronous API was called from its own event loop: use twin.aio there")
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:  # includes KeyboardInterrupt: the work must not go on unseen
            future.cancel()
            raise

    def iterate(self, items: AsyncIterator[T]) -> Iterator[T]:
        """The items of an asynchronous iterator, one at a time;

        leaving the loop early closes the iterator.
        """

        async def following() -> tuple[bool, T | None]:
            try:
                return True, await anext(items)
            except StopAsyncIteration:
                return False, None

        async def close() -> None:
            closing = getattr(items, "aclose", None)
            if closing is not None:
                await closing()

        try:
            while True:
                more, item = self.run(following())
                if not more:
                    return
                yield item  # type: ignore[misc]  # T itself may be optional
        finally:
            self.run(close())


_lock = threading.Lock()
_bridges: dict[int, Bridge] = {}  # by process id: threads don't survive a fork


def shared() -> Bridge:
    """The bridge of this process, started on first use."""
    with _lock:
        bridge = _bridges.get(os.getpid())
        if bridge is None:
            bridge = _bridges[os.getpid()] = Bridge()
        return bridge
