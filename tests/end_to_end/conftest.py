"""The real service on a home of its own, shared by all end-to-end tests: what it compiles is kept."""

from __future__ import annotations

import os
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
    before = os.environ.get("TWIN_HOME")
    os.environ["TWIN_HOME"] = str(path)
    yield path
    if before is None:
        del os.environ["TWIN_HOME"]
    else:
        os.environ["TWIN_HOME"] = before


@pytest.fixture(scope="session")
def client(home: Path) -> Iterator[twin.Client]:
    with twin.local() as client:
        yield client


@pytest.fixture(scope="session")
def box(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bar of 100 x 20 x 10 mm with a corner at the origin, as STL in mm."""
    path = tmp_path_factory.mktemp("part") / "box.stl"
    solid = trimesh.creation.box(extents=1e3 * np.array(SIZE))
    solid = solid.subdivide()
    solid.apply_translation(5e2 * np.array(SIZE))
    solid.export(path)
    return path
