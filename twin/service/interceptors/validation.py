"""The constraints written in the protos, enforced before a servicer sees a request."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, nullcontext
from typing import final

from google.protobuf.message import Message

from twin import codec
from twin.service.interceptors.chain import Context, Layer
from twin.service.interceptors.errors import RefusedError


@final
class Validation(Layer):
    """Refuses a request that breaks them, naming every field at fault."""

    def around(self, method: str, context: Context) -> AbstractAsyncContextManager[None]:
        return nullcontext()

    def check(self, request: Message) -> None:
        if (refusal := codec.refusal(request)) is not None:
            raise RefusedError(refusal)
