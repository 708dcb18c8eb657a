"""The misbehaving service of the SDK's tests, behind an address."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from twin.sdk import bridge

sys.path.append(str(Path(__file__).parents[1] / "sdk"))

from sdk_fake_service import FakeService, serve


@pytest.fixture
def serving() -> Iterator[Callable[..., str]]:
    """Start a fake service with the options given; its address."""
    loop = bridge.shared()
    servers = []
    with tempfile.TemporaryDirectory(prefix="twin-test-") as folder:

        def start(**options: Any) -> str:
            path = Path(folder) / str(len(servers))
            servers.append(loop.run(serve(FakeService(**options), path)))
            return f"unix:{path}"

        yield start
        for server in servers:
            loop.run(server.stop(None))
