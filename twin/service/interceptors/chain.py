"""One interceptor of grpc.aio made of layers, so that a layer needs not know the four shapes of calls."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import TYPE_CHECKING, Any, Final, final

import grpc
from google.protobuf.message import Message

_OURS: Final = "/twin."  # health and reflection speak for themselves

Context = grpc.aio.ServicerContext[Any, Any]
if TYPE_CHECKING:
    Handler = grpc.RpcMethodHandler[Any, Any]  # generic in its stubs only


class Layer(ABC):
    """Something that all calls go through."""

    @abstractmethod
    def around(self, method: str, context: Context) -> AbstractAsyncContextManager[None]:
        """Entered before the call, left after it; an error of the call comes through it."""

    @abstractmethod
    def check(self, request: Message) -> None:
        """Look at each request before the servicer does; raise TwinError to refuse it."""


@final
class Chain(grpc.aio.ServerInterceptor):
    """Applies `layers`, the first one outermost."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        self._layers = layers

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        handler = await continuation(details)
        method = str(details.method)
        if handler is None or not method.startswith(_OURS):
            return handler
        answers = self._stream if handler.response_streaming else self._single
        behaviour = (
            handler.stream_stream or handler.stream_unary or handler.unary_stream or handler.unary_unary
        )
        shape = {
            (False, False): grpc.unary_unary_rpc_method_handler,
            (False, True): grpc.unary_stream_rpc_method_handler,
            (True, False): grpc.stream_unary_rpc_method_handler,
            (True, True): grpc.stream_stream_rpc_method_handler,
        }[handler.request_streaming, handler.response_streaming]
        return shape(
            answers(method, behaviour, handler.request_streaming),
            handler.request_deserializer,
            handler.response_serializer,
        )

    def _single(self, method: str, behaviour: Any, streams: bool) -> Any:
        async def call(request: Any, context: Context) -> Any:
            async with self._around(method, context):
                return await behaviour(self._checked(request, streams), context)

        return call

    def _stream(self, method: str, behaviour: Any, streams: bool) -> Any:
        async def call(request: Any, context: Context) -> AsyncIterator[Any]:
            async with self._around(method, context):
                async for answer in behaviour(self._checked(request, streams), context):
                    yield answer

        return call

    def _around(self, method: str, context: Context) -> AbstractAsyncContextManager[None]:
        return _Around(self._layers, method, context)

    def _checked(self, request: Any, streams: bool) -> Any:
        if streams:
            return self._checked_stream(request)
        for layer in self._layers:
            layer.check(request)
        return request

    async def _checked_stream(self, requests: AsyncIterator[Message]) -> AsyncIterator[Message]:
        async for request in requests:
            for layer in self._layers:
                layer.check(request)
            yield request


@final
class _Around(AbstractAsyncContextManager[None]):
    def __init__(self, layers: Sequence[Layer], method: str, context: Context) -> None:
        self._contexts = [layer.around(method, context) for layer in layers]
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> None:
        for context in self._contexts:
            await self._stack.enter_async_context(context)

    async def __aexit__(self, *error: Any) -> bool | None:
        return await self._stack.__aexit__(*error)
