"""Channels: how the SDK reaches a server, and what is refused on the way there."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import time
from collections.abc import Callable
from typing import Final

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from twin.errors import InvalidInput, TwinError, Unavailable

_RETRIES: Final = {
    "methodConfig": [
        {
            # Every method is idempotent: creations carry a request id, uploads a digest.
            "name": [
                {"service": f"twin.v1.{name}Service"}
                for name in ("Geometry", "Run", "Result", "Array", "Material", "Sweep")
            ],
            "retryPolicy": {
                "maxAttempts": 5,
                "initialBackoff": "0.1s",
                "maxBackoff": "2s",
                "backoffMultiplier": 3,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ]
}
_OPTIONS: Final = (
    ("grpc.service_config", json.dumps(_RETRIES)),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.max_reconnect_backoff_ms", 2_000),
)


def open_channel(target: str, *, token: str | None = None, insecure: bool = False) -> grpc.aio.Channel:
    """A channel to "host:port" or "unix:/path". Call it inside the event loop that will use it.

    TLS, unless the server is on this machine (Unix socket, loopback) or `insecure` asks for plaintext.
    Raises InvalidInput for a token over plaintext to another machine, and for a target that can't be read.
    """
    if target.startswith("/"):
        target = f"unix:{target}"
    if target.startswith("unix:"):
        return grpc.aio.insecure_channel(target, options=(*_OPTIONS, ("grpc.default_authority", "localhost")))
    host, separator, port = target.rpartition(":")
    if not separator or not host or not port.isdigit():
        raise InvalidInput(f"{target!r} is no address of a server: give host:port, or unix:/path of a socket")
    nearby = _is_loopback(host)
    if nearby and token is None:
        return grpc.aio.insecure_channel(target, options=_OPTIONS)
    if insecure:
        if token is not None:
            raise InvalidInput(
                f"a token must not travel in plaintext to {host}: leave out insecure=True, or the token"
            )
        return grpc.aio.insecure_channel(target, options=_OPTIONS)
    credentials = grpc.ssl_channel_credentials()
    if token is not None:
        bearer = grpc.access_token_call_credentials(token)
        credentials = grpc.composite_channel_credentials(credentials, bearer)
    return grpc.aio.secure_channel(target, credentials, options=_OPTIONS)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


async def wait_until_ready(
    channel: grpc.aio.Channel, timeout: float, failure: Callable[[], TwinError | None] = lambda: None
) -> None:
    """Wait until the server says that it serves.

    Raises what `failure` finds, or Unavailable after `timeout` s.
    """
    health = health_pb2_grpc.HealthStub(channel)
    deadline = time.monotonic() + timeout
    reason = "it did not answer"
    while time.monotonic() < deadline:
        try:
            answer = await health.Check(health_pb2.HealthCheckRequest(), timeout=2.0)
            if answer.status == health_pb2.HealthCheckResponse.SERVING:
                return
            reason = "it says that it does not serve yet"
        except grpc.aio.AioRpcError as error:
            reason = error.details() or error.code().name
        if (cause := failure()) is not None:
            raise cause
        await asyncio.sleep(0.05)
    raise Unavailable(f"the server was not ready within {timeout:.0f} s: {reason}")
