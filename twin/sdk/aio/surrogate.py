"""A surrogate on the server: what is known of its versions, and which of them answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Final, final

from protos.twin.v1 import surrogate_pb2, surrogate_pb2_grpc
from twin import codec
from twin.errors import NotFound
from twin.results import storage, surrogate_file
from twin.results.card import ModelCard
from twin.sdk.aio.wire import Wire


@final
class SurrogateWire:
    """What of SurrogateService a client needs."""

    def __init__(self, wire: Wire) -> None:
        self.wire: Final = wire
        self._surrogates: Final = surrogate_pb2_grpc.SurrogateServiceStub(wire.channel)

    async def get(self, name: str) -> codec.SurrogateView:
        request = surrogate_pb2.GetSurrogateRequest(name=name)
        with self.wire.errors():
            return codec.surrogate_from_proto(await self._surrogates.GetSurrogate(request))

    async def list(self) -> AsyncGenerator[codec.SurrogateView, None]:
        token = ""
        while True:
            request = surrogate_pb2.ListSurrogatesRequest(page_token=token)
            with self.wire.errors():
                page = await self._surrogates.ListSurrogates(request)
            for found in page.surrogates:
                yield codec.surrogate_from_proto(found)
            token = page.next_page_token
            if not token:
                return

    async def set_current(self, name: str, version: int) -> codec.SurrogateView:
        request = surrogate_pb2.SetCurrentVersionRequest(name=name, version=version)
        with self.wire.errors():
            return codec.surrogate_from_proto(await self._surrogates.SetCurrentVersion(request))

    async def delete(self, name: str, version: int | None) -> None:
        with self.wire.errors():
            if version is None:
                await self._surrogates.DeleteSurrogate(surrogate_pb2.DeleteSurrogateRequest(name=name))
            else:
                request = surrogate_pb2.DeleteVersionRequest(name=name, version=version)
                await self._surrogates.DeleteVersion(request)


@final
class AsyncSurrogate:
    """A surrogate as it was when it was looked up."""

    def __init__(self, wire: SurrogateWire, view: codec.SurrogateView) -> None:
        self._wire: Final = wire
        self._view = view

    def __repr__(self) -> str:
        return f"AsyncSurrogate({self.name!r}, version={self.current})"

    @property
    def name(self) -> str:
        """Such as "surrogates/bracket"."""
        return self._view.name

    @property
    def current(self) -> int:
        """The version that answers where none is named."""
        return self._view.current

    @property
    def cards(self) -> dict[int, ModelCard]:
        """What is known of each version, newest first."""
        return {each.version: each.card for each in self._view.versions}

    @property
    def card(self) -> ModelCard:
        """What is known of the current version."""
        return self.cards[self.current]

    async def use(self, version: int) -> None:
        """Make another version the current one: an earlier one, to roll back. Raises NotFound."""
        self._view = await self._wire.set_current(self.name, version)

    async def errors(self) -> dict[str, float]:
        """Of each run that the current version was tested on, "runs/...", the mean relative error of its numbers."""
        run = next(each.run for each in self._view.versions if each.version == self.current)
        return storage.tested((await self._wire.wire.get_result(run)).manifest)

    async def save(self, path: str | Path, version: int | None = None) -> Path:
        """Write a version, the current one by default, to one file, which `client.load_surrogate` reads. NotFound."""
        chosen = self.current if version is None else version
        run = next((each.run for each in self._view.versions if each.version == chosen), None)
        if run is None:
            raise NotFound(f"{self.name} has no version {chosen}", facts={"surrogate": self.name})
        wire, path = self._wire.wire, Path(path)
        record = await wire.get_result(run)
        arrays = {name: await wire.read_array(array) for name, array in record.arrays.items()}
        await asyncio.to_thread(surrogate_file.write, path, storage.load_card(record.manifest), arrays)
        return path

    async def delete(self, version: int | None = None) -> None:
        """Delete a version, or all of it. Raises NotFound."""
        await self._wire.delete(self.name, version)
        if version is not None and len(self._view.versions) > 1:
            self._view = await self._wire.get(self.name)
