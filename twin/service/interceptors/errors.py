"""Errors leave as google.rpc.Status with their reason and facts; what nobody foresaw leaves as ours, and is
logged.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, final

import grpc
from google.protobuf.message import Message
from google.rpc import status_pb2
from grpc_status import rpc_status
from sqlalchemy.exc import OperationalError

from twin import codec
from twin.errors import Internal, TwinError, Unavailable
from twin.service.interceptors.chain import Context, Layer

_LOG: Final = logging.getLogger(__name__)


class RefusedError(Exception):
    """A call that ends with `status`."""

    def __init__(self, status: status_pb2.Status) -> None:
        super().__init__(status.message)
        self.status = status


@final
class Errors(Layer):
    """The last word on every error."""

    @asynccontextmanager
    async def around(self, method: str, context: Context) -> AsyncIterator[None]:
        try:
            yield
        except RefusedError as refused:
            await _abort(context, refused.status)
        except TwinError as error:
            await _abort(context, codec.status_from_error(error))
        except OperationalError as error:
            _LOG.exception("%s: the database does not answer", method)
            unavailable = Unavailable(f"the database does not answer: {error.orig}; try again")
            await _abort(context, codec.status_from_error(unavailable))
        except grpc.aio.AbortError:
            raise
        except Exception:  # noqa: BLE001, the caller learns that it is our fault, the log says which
            _LOG.exception("%s broke down", method)
            internal = Internal(f"{method} broke down, which is a fault of ours; the service's log says more")
            await _abort(context, codec.status_from_error(internal))

    def check(self, request: Message) -> None:
        """Nothing to see here."""


async def _abort(context: Context, status: status_pb2.Status) -> None:
    await context.abort_with_status(rpc_status.to_status(status))
