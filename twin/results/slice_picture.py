"""The fluid round a part in the mean: speed and streamlines in the plane through the part's middle."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from twin.results.display import unit_for
from twin.results.frame import FAINT, INK
from twin.results.outcome import UniformGrid, Vector

Floats = NDArray[np.float64]
Section = tuple[Floats, NDArray[np.bool_]]

_DENSITY: Final = 1.6  # of streamlines
_SAMPLES: Final = 400  # along the picture, between which streamlines are drawn
_ALONG: Final = 1e-9
_PART: Final = "#8a9099"


def draw_slice(grids: Sequence[UniformGrid], path: Path, size: tuple[int, int]) -> Path:
    """Write a PNG of so many pixels. grids: as of `Outcome`, not empty; the plane has their first and last axis."""
    innermost, shown = grids[-1], grids[max(len(grids) - 2, 0)]
    inside = np.argwhere(_cells(innermost, "solid")[..., 0] > 0)
    row = inside[:, 1] if len(inside) else np.array([innermost.shape[1] // 2])
    middle = _begin(innermost, 1) + innermost.spacing * (0.5 * float(row.min() + row.max()) + 0.5)
    unit = unit_for("m", shown.spacing * shown.shape[0])
    figure = Figure(figsize=(size[0] / 100, size[1] / 100), dpi=100, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    canvas = figure.add_subplot()
    sections = [(grid, _section(grid, middle)) for grid in grids]
    speeds = [np.linalg.norm(velocity, axis=-1) for _, (velocity, _) in sections]
    fastest = max(float(speed.max()) for speed in speeds)
    for (grid, _), speed in zip(sections, speeds, strict=True):
        image = canvas.imshow(
            speed.T,
            origin="lower",
            extent=_extent(grid, unit.factor),
            vmin=0,
            vmax=fastest,
            cmap="viridis",
            interpolation="bilinear",
        )
    _draw_streamlines(canvas, sections, shown, unit.factor)
    solid = sections[-1][1][1]
    if solid.any() and not solid.all():
        x, z = (
            (_begin(innermost, axis) + innermost.spacing * (np.arange(-1, innermost.shape[axis] + 1) + 0.5))
            / unit.factor
            for axis in (0, 2)
        )
        canvas.contourf(
            x, z, np.pad(solid, 1, mode="edge").T.astype(float), levels=[0.5, 2], colors=[_PART], zorder=3
        )
    extent = _extent(shown, unit.factor)
    canvas.set(xlim=extent[:2], ylim=extent[2:], aspect="equal")
    along, up = (_called(shown.axes[axis], name) for axis, name in ((0, "along the flow"), (2, "up")))
    canvas.set_xlabel(f"{along} [{unit.name}]", color=INK)
    canvas.set_ylabel(f"{up} [{unit.name}]", color=INK)
    canvas.tick_params(colors=FAINT)
    figure.colorbar(image, ax=canvas, label=f"mean speed [{innermost.fields['velocity'].unit}]", shrink=0.8)
    figure.savefig(path, metadata={"Software": None})
    return path


def _called(axis: Vector, otherwise: str) -> str:
    """A direction that is one of the part's coordinates is called so."""
    place = int(np.abs(axis).argmax())
    return "xyz"[place] if axis[place] > 1 - _ALONG else otherwise


def _draw_streamlines(
    canvas: Axes, sections: Sequence[tuple[UniformGrid, Section]], shown: UniformGrid, factor: float
) -> None:
    left, right, low, high = _extent(shown, 1.0)
    x = np.linspace(left, right, _SAMPLES)
    z = np.linspace(low, high, max(int(_SAMPLES * (high - low) / (right - left)), 2))
    found = np.zeros((len(x), len(z), 3))
    for grid, (velocity, _) in sections:  # inner ones over outer ones
        places = [
            np.floor((at - _begin(grid, axis)) / grid.spacing).astype(int) for axis, at in ((0, x), (2, z))
        ]
        within = [(place >= 0) & (place < velocity.shape[k]) for k, place in enumerate(places)]
        found[np.ix_(*within)] = velocity[
            np.ix_(*(place[ok] for place, ok in zip(places, within, strict=True)))
        ]
    along, up = (found @ np.array(shown.axes[axis]) for axis in (0, 2))
    canvas.streamplot(
        x / factor, z / factor, along.T, up.T, density=_DENSITY, color="white", linewidth=0.6, arrowsize=0.7
    )


def _section(grid: UniformGrid, middle: float) -> Section:
    """Velocity (x, z, 3) and what is solid (x, z), of the cells that a plane goes through, or of the nearest."""
    place = int(np.floor((middle - _begin(grid, 1)) / grid.spacing))
    place = min(max(place, 0), grid.shape[1] - 1)
    return _cells(grid, "velocity")[:, place].astype(np.float64), _cells(grid, "solid")[:, place, :, 0] > 0


def _cells(grid: UniformGrid, name: str) -> NDArray[np.floating]:
    return np.asarray(grid.fields[name].values).reshape(*grid.shape, -1)


def _begin(grid: UniformGrid, axis: int) -> float:
    """Coordinate along an axis of the side from which cells are counted [m]."""
    return float(np.dot(grid.origin, grid.axes[axis]))


def _extent(grid: UniformGrid, factor: float) -> tuple[float, float, float, float]:
    left, low = (_begin(grid, axis) for axis in (0, 2))
    right, high = left + grid.spacing * grid.shape[0], low + grid.spacing * grid.shape[2]
    return left / factor, right / factor, low / factor, high / factor
