"""A part comes back as it was read."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from twin.geometry.surface import Surface
from twin.store.arrays import store_arrays
from twin.store.geometries import GeometryRecord, load_surface, surface_arrays
from twin.store.workspace import Workspace


def test_surface_with_groups_of_any_name(tmp_path: Path) -> None:
    surface = Surface(
        np.eye(4, 3),
        np.array([[0, 1, 2], [1, 2, 3]]),
        np.array([0, 1]),
        {"Gehäuse / links, 3": np.array([1]), "": np.array([], int), "group.0": np.array([0, 1])},
    )
    workspace = Workspace.open(tmp_path)
    arrays, labels = surface_arrays(surface)
    stored = store_arrays(workspace.blobs, "default", "geometries/part", arrays, labels)
    workspace.geometries.add(GeometryRecord("default", "part", "", "part.step", "", "", b""), stored)
    loaded = load_surface(workspace.arrays, "default", "part")
    np.testing.assert_array_equal(loaded.vertices, surface.vertices)
    np.testing.assert_array_equal(loaded.triangles, surface.triangles)
    np.testing.assert_array_equal(loaded.patch, surface.patch)
    assert loaded.groups.keys() == surface.groups.keys()
    for name, ids in surface.groups.items():
        np.testing.assert_array_equal(loaded.groups[name], ids)
