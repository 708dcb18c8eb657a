from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import sweeping
from harness import Client, Server, connected, running

import twin
from twin.sdk.part import Part


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home: Path = tmp_path_factory.mktemp("home")
    with running(home) as server:
        yield server


@pytest.fixture
async def client(server: Server) -> AsyncIterator[Client]:
    async with connected(server) as client:
        yield client


@pytest.fixture
def service(tmp_path: Path) -> Iterator[tuple[twin.Client, Part]]:
    """A client of a service of its own, and a part."""
    with running(tmp_path) as server, sweeping.connected(server) as found:
        yield found
