"""Boxes of cells round a part in a flow: stored, written for ParaView, drawn."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import pyvista

from twin.errors import InvalidInput
from twin.quantities import Field
from twin.results import storage
from twin.results.files import save
from twin.results.outcome import Outcome, UniformGrid
from twin.results.slice_picture import draw_slice

AXES = ((0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (1.0, 0.0, 0.0))


def grid(spacing: float, shape: tuple[int, int, int], corner: tuple[float, float, float]) -> UniformGrid:
    """Along `AXES`. Its pressure is its place along the flow [m]; what lies within 0.1 m of the origin is solid."""
    cells = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1).reshape(-1, 3)
    places = np.array(corner) + spacing * (cells + 0.5)
    solid = (np.abs(places) < 0.1).all(axis=1)
    velocity = np.where(solid[:, None], 0.0, (2.0, 0.0, 0.5)) @ np.array(AXES)
    columns = {
        "velocity": (velocity, "m/s"),
        "pressure": (places[:, :1], "Pa"),
        "velocity_fluctuation": (0.1 + 0 * places[:, :1], "m/s"),
        "solid": (solid[:, None], "1"),
    }
    return UniformGrid(
        tuple(np.array(corner) @ np.array(AXES)),
        AXES,
        spacing,
        shape,
        {
            name: Field(name, values.astype(np.float32), unit, "cell")
            for name, (values, unit) in columns.items()
        },
    )


@pytest.fixture
def blown(beam: Outcome) -> Outcome:
    boxes = grid(0.1, (20, 12, 10), (-0.7, -0.6, -0.5)), grid(0.05, (12, 10, 8), (-0.3, -0.25, -0.2))
    return dataclasses.replace(beam, grids=boxes)


def test_they_come_back_from_storage(blown: Outcome) -> None:
    manifest, arrays = storage.dump(blown)
    for before, after in zip(blown.grids, storage.load(manifest, arrays.__getitem__).grids, strict=True):
        assert (after.axes, after.spacing, after.shape) == (before.axes, before.spacing, before.shape)
        np.testing.assert_allclose(after.origin, before.origin)
        for name, field in before.fields.items():
            np.testing.assert_array_equal(after.fields[name].values, field.values)


def test_paraview_finds_values_where_they_are(blown: Outcome, tmp_path: Path) -> None:
    outer, inner = pyvista.read(save(blown, tmp_path / "flow.vtm"))
    assert (outer.n_cells, inner.n_cells) == (20 * 12 * 10, 12 * 10 * 8)
    centres = inner.cell_centers().points
    np.testing.assert_allclose(inner["pressure"], centres[:, 1], atol=1e-6)  # the flow goes along y
    np.testing.assert_array_equal(inner["solid"] > 0, (np.abs(centres) < 0.1).all(axis=1))
    np.testing.assert_allclose(outer["velocity"].max(axis=0), (0.5, 2, 0), atol=1e-6)


def test_the_middle_of_the_part_is_drawn(blown: Outcome, tmp_path: Path) -> None:
    picture = pyvista.read(draw_slice(blown.grids, tmp_path / "slice.png", (800, 500)))
    assert picture.dimensions[:2] == (800, 500)
    colors = np.asarray(picture.point_data["PNGImage"])[:, :3]
    assert (colors == (0x8A, 0x90, 0x99)).all(axis=1).sum() > 1000  # the part
    assert len(np.unique(colors, axis=0)) > 50


def test_a_result_without_them_is_not_written_so(beam: Outcome, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="study of a flow"):
        save(beam, tmp_path / "flow.vtm")
