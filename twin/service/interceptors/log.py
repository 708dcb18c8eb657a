"""One line per call."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, final

import grpc
from google.protobuf.message import Message

from twin.service.interceptors.chain import Context, Layer

_LOG: Final = logging.getLogger(__name__)


@final
class Log(Layer):
    """Method, status and milliseconds."""

    @asynccontextmanager
    async def around(self, method: str, context: Context) -> AsyncIterator[None]:
        begun = time.monotonic()
        outcome = "CANCELLED"  # unless told otherwise below: the client went away
        try:
            yield
            outcome = "OK"
        except grpc.aio.AbortError:
            outcome = _name(context.code())
            raise
        finally:
            _LOG.info("%s %s %.1f ms", method, outcome, 1e3 * (time.monotonic() - begun))

    def check(self, request: Message) -> None:
        """Requests are not logged: they may hold what is nobody's business."""


def _name(code: object) -> str:
    return code.name if isinstance(code, grpc.StatusCode) else str(code)
