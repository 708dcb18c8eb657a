"""Parts of the end-to-end tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh
from bar_in_tension import SIZE


@pytest.fixture(scope="session")
def box(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bar of 100 x 20 x 10 mm with a corner at the origin, as STL in mm."""
    path = tmp_path_factory.mktemp("part") / "box.stl"
    solid = trimesh.creation.box(extents=1e3 * np.array(SIZE))
    solid.apply_translation(5e2 * np.array(SIZE))
    solid.export(path)
    return path
