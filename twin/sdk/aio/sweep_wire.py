"""The calls of SweepService, as wire.py has those of the others."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, Sequence
from typing import Any, Final, final

from protos.twin.v1 import sweep_pb2, sweep_pb2_grpc
from twin import codec
from twin.errors import Unavailable
from twin.sdk.aio.wire import SILENCE, Wire
from twin.sweeps.sampling import Sampling
from twin.sweeps.space import Space

_PAGE: Final = 1000


@final
class SweepWire:
    """What of SweepService a client needs."""

    def __init__(self, wire: Wire) -> None:
        self.wire: Final = wire
        self._sweeps: Final = sweep_pb2_grpc.SweepServiceStub(wire.channel)

    async def create(self, asked: codec.SweepRequest) -> codec.SweepView:
        message = codec.sweep_to_proto(asked)
        request = sweep_pb2.CreateSweepRequest(sweep=message, request_id=str(uuid.uuid4()))
        with self.wire.errors():
            return codec.sweep_view_from_proto(await self._sweeps.CreateSweep(request))

    async def get(self, name: str) -> tuple[codec.SweepView, Space, tuple[Sampling, ...]]:
        """The sweep, the space of its parameters, and which designs it has."""
        with self.wire.errors():
            message = await self._sweeps.GetSweep(sweep_pb2.GetSweepRequest(name=name))
            view = codec.sweep_view_from_proto(message)
            return view, codec.sweep_space(message), codec.sweep_samplings(message)

    async def list(self) -> AsyncGenerator[codec.SweepView, None]:
        token = ""
        while True:
            with self.wire.errors():
                page = await self._sweeps.ListSweeps(sweep_pb2.ListSweepsRequest(page_token=token))
            for sweep in page.sweeps:
                yield codec.sweep_view_from_proto(sweep)
            token = page.next_page_token
            if not token:
                return

    async def pause(self, name: str) -> codec.SweepView:
        return await self._steer(self._sweeps.PauseSweep, sweep_pb2.PauseSweepRequest(name=name))

    async def resume(self, name: str) -> codec.SweepView:
        return await self._steer(self._sweeps.ResumeSweep, sweep_pb2.ResumeSweepRequest(name=name))

    async def cancel(self, name: str) -> codec.SweepView:
        return await self._steer(self._sweeps.CancelSweep, sweep_pb2.CancelSweepRequest(name=name))

    async def retry(self, name: str) -> codec.SweepView:
        return await self._steer(self._sweeps.RetrySweep, sweep_pb2.RetrySweepRequest(name=name))

    async def extend(self, name: str, by: int | Sampling) -> codec.SweepView:
        more: dict[str, Any] = (
            {"count": by} if isinstance(by, int) else {"sampling": codec.sampling_to_proto(by)}
        )
        request = sweep_pb2.ExtendSweepRequest(name=name, request_id=str(uuid.uuid4()), **more)
        return await self._steer(self._sweeps.ExtendSweep, request)

    async def provide(self, name: str, index: int, *, geometry: str = "", reason: str = "") -> None:
        """The part of a design that waits for it, or why there is none."""
        outcome = {"geometry": geometry} if geometry else {"reason": reason}
        part = sweep_pb2.ProvidePartsRequest.Provided(index=index, **outcome)
        with self.wire.errors():
            await self._sweeps.ProvideParts(sweep_pb2.ProvidePartsRequest(name=name, parts=[part]))

    async def delete(self, name: str) -> None:
        with self.wire.errors():
            await self._sweeps.DeleteSweep(sweep_pb2.DeleteSweepRequest(name=name))

    async def designs(
        self, name: str, states: Sequence[codec.DesignState] = ()
    ) -> AsyncGenerator[codec.DesignView, None]:
        wanted = [codec.DESIGN_STATES.value(state) for state in states]
        token = ""
        while True:
            request = sweep_pb2.ListDesignsRequest(
                parent=name, page_size=_PAGE, page_token=token, states=wanted
            )
            with self.wire.errors():
                page = await self._sweeps.ListDesigns(request)
            for design in page.designs:
                yield codec.design_from_proto(design)
            token = page.next_page_token
            if not token:
                return

    async def watch(self, name: str, token: str) -> AsyncGenerator[codec.SweepNews, None]:
        """What happened after a resume token. Raises Unavailable where the connection breaks or falls silent."""
        call = self._sweeps.WatchSweep(sweep_pb2.WatchSweepRequest(name=name, resume_token=token))
        try:
            while True:
                with self.wire.errors():
                    async with asyncio.timeout(SILENCE):
                        message = await call.read()
                if not isinstance(message, sweep_pb2.WatchSweepResponse):
                    return  # the end of the stream
                yield codec.news_from_proto(message)
        except TimeoutError:
            raise Unavailable(f"the server has not said anything about {name} for {SILENCE:.0f} s") from None
        finally:
            call.cancel()

    async def _steer(self, call: Any, request: Any) -> codec.SweepView:
        with self.wire.errors():
            return codec.sweep_view_from_proto(await call(request))
