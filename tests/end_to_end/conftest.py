"""The real service on a home of its own, shared by all end-to-end tests: what it compiles is kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import trimesh
from bar_in_tension import SIZE

import twin


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("home")
    # Compiled programs outlive the tests, as they do for users: the second time is quick.
    (path / "compile-cache").symlink_to(pytestconfig.cache.mkdir("compile-cache"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TWIN_HOME", str(path))
        # Else the folder's path, which is new every time, is part of what compiled programs are found by.
        patch.setenv("JAX_PERSISTENT_CACHE_ENABLE_XLA_CACHES", "none")
        yield path


@pytest.fixture(scope="session")
def client(home: Path) -> Iterator[twin.Client]:
    with twin.local() as client:
        yield client


@pytest.fixture(scope="session")
def box(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bar of 100 x 20 x 10 mm with a corner at the origin, as STL in mm."""
    path = tmp_path_factory.mktemp("part") / "box.stl"
    solid = trimesh.creation.box(extents=1e3 * np.array(SIZE))
    solid.apply_translation(5e2 * np.array(SIZE))
    solid.export(path)
    return path
