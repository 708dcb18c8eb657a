"""Whose call it is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Final, final

from google.protobuf.message import Message

from twin.service.interceptors.chain import Context, Layer

LOCAL: Final = "default"

_tenant: ContextVar[str] = ContextVar("tenant")


def tenant() -> str:
    """The tenant of the call in progress."""
    return _tenant.get()


def local(context: Context) -> str:
    """On a private socket or loopback there is one tenant, and the file system is who lets it in."""
    return LOCAL


@final
class Tenant(Layer):
    """identify: from a call's credentials to its tenant; raises TwinError to turn it away."""

    def __init__(self, identify: Callable[[Context], str] = local) -> None:
        self._identify = identify

    @asynccontextmanager
    async def around(self, method: str, context: Context) -> AsyncIterator[None]:
        _tenant.set(self._identify(context))
        yield

    def check(self, request: Message) -> None:
        """Names in requests say no tenant: what a tenant can't see does not exist for it."""
