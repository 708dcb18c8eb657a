"""A service that answers at once, in a process of its own event loop."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sdk_fake_service import FakeService, serve

import twin
from twin.sdk import bridge


@pytest.fixture
def connect() -> Iterator[Callable[..., tuple[twin.Client, FakeService]]]:
    """Make a fake service with the options given, and a client of it."""
    folder = Path(tempfile.mkdtemp(prefix="twin-test-"))
    opened: list[Any] = []
    loop = bridge.shared()

    def make(**options: Any) -> tuple[twin.Client, FakeService]:
        service = FakeService(**options)
        target = folder / f"{len(opened)}.sock"
        server = loop.run(serve(service, target))
        client = twin.connect(f"unix:{target}")
        opened.append((client, server))
        return client, service

    yield make
    for client, server in opened:
        client.close()
        loop.run(server.stop(None))
    shutil.rmtree(folder)


@pytest.fixture
def study() -> twin.StaticStress:
    return twin.StaticStress(
        "Ti-6Al-4V",
        supports=[twin.Fixed(on=twin.select.plane((0, 0, 0), (0, 0, 1)))],
        loads=[twin.Force((0, 0, "-1 kN"), on=twin.select.group("clevis"))],
    )


@pytest.fixture
def cube(tmp_path: Path) -> Path:
    path = tmp_path / "cube.stl"
    path.write_text("solid cube\nendsolid cube\n")
    return path
