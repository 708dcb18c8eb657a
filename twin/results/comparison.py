"""Two answers to one question side by side: the same view, the same colours, and their difference."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray

from twin.errors import InvalidInput
from twin.results import display
from twin.results.frame import FAINT, INK, Layout
from twin.results.outcome import CaseOutcome, Outcome
from twin.results.paint import downsample, feature_edges, line_pieces, paint
from twin.results.raster import View, Visibility
from twin.results.scalars import Bands, Scalar, bands, scalar
from twin.results.scene import best_view, fit
from twin.results.shape import case_name
from twin.results.skin import Skin, nodal_normals, skin

Floats = NDArray[np.floating]

_SUPERSAMPLING: Final = 2
_ANSWERS: Final = {
    "von_mises": "max_von_mises", "displacement": "max_displacement", "temperature": "max_temperature",
}  # fmt: skip


def compare(
    first: Outcome,
    path: Path,
    second: Outcome,
    *,
    names: tuple[str, str] | None = None,
    field: str | None = None,
    case: str | None = None,
    size: tuple[int, int] = (1800, 800),
) -> Path:
    """Write a PNG of both, and of the second less the first, on the part as it was before it moved.

    names: of the two, by default what answered; field, case: as of `twin.results.picture.plot`. Raises InvalidInput
    where they are of different parts or cases, or have no such field.
    """
    if path.suffix.lower() != ".png":
        raise InvalidInput(f"pictures are written as .png: {path.name}")
    if first.surface_vertices.shape != second.surface_vertices.shape or not np.array_equal(
        first.surface_vertices, second.surface_vertices
    ):
        raise InvalidInput("the two results are of different parts, and have no difference")
    names = names or (_answered(first), _answered(second))
    case = case_name(first, case)
    if case not in second.cases:
        raise InvalidInput(f"only one of the two results has a load case {case!r}")
    field = field or first.cases[case].main_field
    ours, theirs = (_Side(outcome, case, field) for outcome in (first, second))
    change = theirs.values.values - _at_places(ours, theirs.part.points)
    apart = Scalar("", f"{names[1]} − {names[0]}", theirs.values.si, change)
    colors = ours.colors
    width, height = size[0] // 3, size[1]
    layout = Layout.of((width * 2, height))
    axes_of_view = best_view(ours.part.points, ours.part.triangles, [], width, height)
    margins = (20 * layout.unit, 20 * layout.unit, 150 * layout.unit, 130 * layout.unit)
    view = fit(axes_of_view, ours.part.points, width, height, margins)

    figure = Figure(figsize=(size[0] / 100.0, height / 100.0), dpi=100, facecolor="white")
    FigureCanvasAgg(figure)
    canvas = figure.add_axes((0.0, 0.0, 1.0, 1.0), xlim=(0, size[0]), ylim=(height, 0))
    canvas.set_axis_off()
    balanced = _around_zero(apart)
    for number, (side, values, scale) in enumerate(
        [(ours, ours.values, colors), (theirs, theirs.values, colors), (theirs, apart, balanced)]
    ):
        left = number * width
        _draw(canvas, view, side.part, values.values, scale.color, left, layout)
        _legend(canvas, scale, left, (width, height), layout)
    canvas.set(xlim=(0, size[0]), ylim=(height, 0))
    for number, (name, side) in enumerate(zip(names, (ours, theirs), strict=True)):
        _caption(canvas, (name, *side.said), number * width, layout)
    _caption(canvas, (apart.title, *_difference(ours, theirs, change)), 2 * width, layout)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100, metadata={"Software": None})
    return path


def _answered(outcome: Outcome) -> str:
    return outcome.provenance.get("imported", "surrogate" if "surrogate" in outcome.provenance else "solver")


class _Side:
    """One of the two: its skin, the values there, and what its answer says."""

    def __init__(self, outcome: Outcome, case: str, field: str) -> None:
        self.case: Final[CaseOutcome] = outcome.cases[case]
        self.part: Final[Skin] = skin(outcome)
        self.values: Final[Scalar] = scalar(self.case, field, self.part.at)
        self.colors: Final[Bands] = bands(self.values, nodal_normals(self.part, self.part.points)[0])
        self.seconds: Final = sum(outcome.cost.seconds.values())
        self.answer: Final = _ANSWERS.get(field, "")

    @property
    def said(self) -> tuple[str, str]:
        quantity = self.case.quantities.get(self.answer)
        answer = self.values.title if quantity is None else display.answer(self.answer, quantity)
        return answer, f"in {display.number(self.seconds, 2)} s"


def _difference(ours: _Side, theirs: _Side, change: Floats) -> tuple[str, str]:
    """The largest one, and how much longer the first took."""
    largest = float(np.abs(change).max())
    size = float(np.abs(ours.values.values).max())
    share = f", {display.percent(largest / size)} of the largest" if size > 0 else ""
    unit = display.unit_for(ours.values.si, largest)
    times = ours.seconds / theirs.seconds if theirs.seconds > 0 else np.inf
    return f"at most {unit(largest)}{share}", f"{display.number(times, 2)} times as fast"


def _at_places(side: _Side, points: Floats) -> Floats:
    """Values of one at points (k, 3) on or near its skin, each at the nearest place of it."""
    import igl

    triangles = side.part.triangles
    corners = np.ascontiguousarray(side.part.points, dtype=np.float64)
    _, nearest, places = igl.point_mesh_squared_distance(
        np.ascontiguousarray(points, dtype=np.float64), corners, triangles
    )
    a, b, c = (corners[triangles[nearest, k]] for k in range(3))
    one, two, to = b - a, c - a, places - a
    uu, uv, vv = (np.einsum("ki,ki->k", *pair) for pair in ((one, one), (one, two), (two, two)))
    pu, pv = np.einsum("ki,ki->k", to, one), np.einsum("ki,ki->k", to, two)
    determinant = np.maximum(uu * vv - uv**2, np.finfo(float).tiny)
    u, v = (vv * pu - uv * pv) / determinant, (uu * pv - uv * pu) / determinant
    values = side.values.values[triangles[nearest]]
    found: Floats = np.einsum("kj,kj->k", np.stack([1 - u - v, u, v], axis=1), values)
    return found


def _around_zero(values: Scalar) -> Bands:
    """Bands as far below zero as above it; what is beyond, on a share of 0.2 % of the points, has the last colour."""
    largest = float(np.quantile(np.abs(values.values), 0.998)) or np.finfo(float).tiny
    return bands(Scalar(values.name, values.title, values.si, np.array([-largest, largest])), count=8)


def _draw(
    canvas: Axes,
    view: View,
    part: Skin,
    values: Floats,
    color: Callable[[Floats], Floats],
    left: float,
    layout: Layout,
) -> None:
    fine = View(
        view.right, view.up, view.toward, view.center, view.scale * _SUPERSAMPLING,
        view.width * _SUPERSAMPLING, view.height * _SUPERSAMPLING,
    )  # fmt: skip
    pixels, depth, body = paint(fine, part, part.points, values, color, [])
    extent = (left, left + view.width, view.height, 0)
    canvas.imshow(downsample(pixels, _SUPERSAMPLING), extent=extent, interpolation="none", zorder=1)
    front = Visibility(body.triangle, depth)
    for edges, width in zip(feature_edges(part, part.points, view.toward), (1.0, 0.7), strict=True):
        lines = [
            line / _SUPERSAMPLING + (left, 0.0) for line in line_pieces(fine, part.points, edges, [front])
        ]
        canvas.add_collection(LineCollection(lines, colors=INK, linewidths=width * layout.unit, zorder=3))


def _legend(canvas: Axes, colors: Bands, left: float, size: tuple[int, int], layout: Layout) -> None:
    """Below each picture."""
    unit, count = layout.unit, len(colors.colors)
    start, step, top = left + 0.08 * size[0], 0.84 * size[0] / count, size[1] - 90 * unit
    for number, color in enumerate(colors.colors):
        canvas.fill_between(
            [start + number * step, start + (number + 1) * step],
            top,
            top + 22 * unit,
            color=color,
            linewidth=0,
        )
    texts = colors.labels()
    every = 1 if count <= 8 else 2
    for number in range(0, count + 1, every):
        text = texts[number] + (f" {colors.unit.name}" if number + every > count else "")
        canvas.text(
            start + number * step, top + 42 * unit, text,
            size=layout.points(15), color=INK, ha="center", va="center",
        )  # fmt: skip


def _caption(canvas: Axes, lines: tuple[str, str, str], left: float, layout: Layout) -> None:
    unit = layout.unit
    for y, size, weight, color, text in zip(
        (44, 84, 116), (26, 18, 18), ("bold", "normal", "normal"), (INK, INK, FAINT), lines, strict=True
    ):
        canvas.text(
            left + 30 * unit,
            y * unit,
            text,
            size=layout.points(size),
            weight=weight,
            color=color,
            va="center",
        )
