"""Streams that go on where they broke."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Final, Protocol, TypeVar

from twin.errors import DeadlineExceeded, TwinError, Unavailable
from twin.sdk.aio.wire import Wire

_PATIENCE: Final = 60.0  # seconds of trying to reach the server again before giving up
_PAUSE: Final = 0.5  # seconds between such trials


class Resumable(Protocol):
    """A message that a stream can go on after."""

    @property
    def resume_token(self) -> str: ...


Message = TypeVar("Message", bound=Resumable)


async def resumed(
    wire: Wire,
    name: str,
    stream: Callable[[str], AsyncGenerator[Message, None]],
    over: Callable[[], Awaitable[bool]],
) -> AsyncGenerator[Message, None]:
    """All messages about `name`, each once. stream: those after a token; over: whether no more are to come.

    A connection that drops is made again; Unavailable after a minute without a server.
    """
    token, heard = "", time.monotonic()
    while True:
        try:
            async with aclosing(stream(token)) as messages:
                async for message in messages:
                    token, heard = message.resume_token, time.monotonic()
                    yield message
            if await over():
                return
            interruption: TwinError = Unavailable(f"the server no longer tells what happens to {name}")
        except (Unavailable, DeadlineExceeded) as error:
            interruption = error
        if time.monotonic() - heard > _PATIENCE or wire.failure() is not None:
            raise interruption
        await asyncio.sleep(_PAUSE)
