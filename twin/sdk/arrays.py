"""Arrays of a result, fetched when they are first needed, and kept."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, final

from numpy.typing import NDArray

Array = NDArray[Any]


@final
class ArrayCache:
    """One fetch per array however many ask for it, on one event loop."""

    def __init__(self, fetch: Callable[[str], Awaitable[Array]]) -> None:
        self._fetch: Final = fetch
        self._loop: Final = asyncio.get_running_loop()
        self._arrays: Final[dict[str, asyncio.Task[Array]]] = {}

    async def get(self, name: str) -> Array:
        """The array; read-only, because everybody gets the same one."""
        task = self._arrays.get(name)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            task = self._arrays[name] = asyncio.ensure_future(self._frozen(name))
        return await asyncio.shield(task)

    def wait(self, name: str) -> Array:
        """The same for any thread but that of the loop."""
        return asyncio.run_coroutine_threadsafe(self.get(name), self._loop).result()

    async def _frozen(self, name: str) -> Array:
        array = await self._fetch(name)
        array.flags.writeable = False
        return array
