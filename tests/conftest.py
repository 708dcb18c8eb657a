"""The real service on a home of its own, shared by all tests that go the whole way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import jax
import pytest

import twin


@pytest.fixture(scope="session", autouse=True)
def compile_cache(pytestconfig: pytest.Config) -> Path:
    """Compiled programs outlive the tests, as they do for users: the second time is quick."""
    path = pytestconfig.cache.mkdir("compile-cache")
    jax.config.update("jax_compilation_cache_dir", str(path))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)
    return path


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory, compile_cache: Path) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("home")
    (path / "compile-cache").symlink_to(compile_cache)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TWIN_HOME", str(path))
        yield path


@pytest.fixture(scope="session")
def client(home: Path) -> Iterator[twin.Client]:
    with twin.local() as client:
        yield client
