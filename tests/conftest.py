"""The real service on a home of its own, shared by all tests that go the whole way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import twin


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("home")
    # Compiled programs outlive the tests, as they do for users: the second time is quick.
    (path / "compile-cache").symlink_to(pytestconfig.cache.mkdir("compile-cache"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TWIN_HOME", str(path))
        yield path


@pytest.fixture(scope="session")
def client(home: Path) -> Iterator[twin.Client]:
    with twin.local() as client:
        yield client
