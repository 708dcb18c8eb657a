"""What stands around the part on a picture: title, legend, supports, axes, length bar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Polygon, Rectangle
from numpy.typing import NDArray

from twin.results import display
from twin.results.outcome import CaseOutcome, Glyph, Outcome
from twin.results.raster import View
from twin.results.scalars import Bands, Scalar
from twin.results.scene import COLORS, Solid

Floats = NDArray[np.floating]

INK, FAINT = "#1a1d21", "#5c646e"
BODY_FORCES = ("gravity", "centrifugal", "wind")
# A field answers with the quantity that people ask it for.
_ANSWERS = {
    "von_mises": "max_von_mises",
    "displacement": "max_displacement",
    "temperature": "max_temperature",
}


@dataclass(frozen=True)
class Layout:
    """Margins around the part [pixel] and one typographic point in pixels of a 1600 x 1000 picture."""

    width: int
    height: int
    unit: float
    left: float
    right: float
    top: float
    bottom: float

    @staticmethod
    def of(size: tuple[int, int]) -> Layout:
        width, height = size
        unit = max(min(width / 1600.0, height / 1000.0), 0.55)  # smaller letters can't be read
        return Layout(width, height, unit, 70 * unit, 250 * unit, 122 * unit, 108 * unit)

    def points(self, pixels: float) -> float:
        """Font size [pt at 100 dpi] of letters `pixels` high at 1600 x 1000."""
        return pixels * self.unit * 0.72


def draw_title(
    canvas: Axes, case: CaseOutcome, name: str, outcome: Outcome, values: Scalar, layout: Layout
) -> None:
    unit = layout.unit
    asked = _ANSWERS.get(values.name)
    quantities = dict(case.quantities)
    if asked is not None and asked in quantities:
        headline = display.answer(asked, quantities.pop(asked))
    else:
        low, high = (display.number(float(end) / values.unit.factor, 3) for end in _ends(values))
        headline = f"{values.title} {low} to {high} {values.unit.name}"
    others = [display.answer(key, quantities[key]) for key in display.HEADLINES if key in quantities]
    if len(outcome.cases) > 1 or name != "default":
        others.insert(0, f"Load case “{name}”")
    canvas.text(40 * unit, 50 * unit, headline, size=layout.points(32), weight="bold", color=INK, va="center")
    canvas.text(
        40 * unit, 92 * unit, "   ·   ".join(others), size=layout.points(18), color=FAINT, va="center"
    )


def draw_legend(canvas: Axes, colors: Bands, values: Scalar, layout: Layout) -> None:
    unit, count = layout.unit, len(colors.colors)
    left, width = layout.width - 205 * unit, 30 * unit
    top, bottom = 220 * unit, layout.height - 175 * unit
    height = (bottom - top) / count
    for index, color in enumerate(colors.colors):
        y = bottom - (index + 1) * height
        canvas.add_patch(Rectangle((left, y), width, height, facecolor=color, edgecolor="none", zorder=4))
    canvas.add_patch(
        Rectangle((left, top), width, bottom - top, fill=False, edgecolor=INK, linewidth=0.8 * unit, zorder=5)
    )
    if colors.clipped:
        tip = [(left, top), (left + width, top), (left + width / 2, top - 20 * unit)]
        canvas.add_patch(
            Polygon(tip, facecolor=colors.colors[-1], edgecolor=INK, linewidth=0.8 * unit, zorder=5)
        )
        peak = values.unit(float(values.values.max()))
        canvas.text(
            left + width + 12 * unit,
            top - 22 * unit,
            f"to {peak}",
            size=layout.points(15),
            color=FAINT,
            va="center",
        )
    for index, text in enumerate(colors.labels()):
        y = bottom - index * height
        canvas.plot(
            [left + width, left + width + 6 * unit], [y, y], color=INK, linewidth=0.8 * unit, zorder=5
        )
        canvas.text(left + width + 12 * unit, y, text, size=layout.points(18), color=INK, va="center")
    heading = top - (70 if colors.clipped else 48) * unit
    canvas.text(
        left,
        heading - 12 * unit,
        values.title,
        size=layout.points(18),
        weight="bold",
        color=INK,
        va="center",
    )
    if colors.unit.name:
        canvas.text(
            left,
            heading + 14 * unit,
            f"in {colors.unit.name}",
            size=layout.points(17),
            color=INK,
            va="center",
        )
    low, high = _ends(values)
    factor = values.unit.factor
    text = f"min {display.number(low / factor, 3)}\nmax {display.number(high / factor, 3)}"
    canvas.text(
        left, bottom + 40 * unit, text, size=layout.points(15), color=FAINT, va="center", linespacing=1.4
    )


def draw_foot(
    canvas: Axes, drawn: Sequence[Solid], factor: float | None, hatched: bool, layout: Layout
) -> None:
    """factor: of the deformation, None where there is none to draw."""
    unit = layout.unit
    y, x = layout.height - 66 * unit, 170 * unit
    entries = {
        (solid.glyph.label, solid.glyph.kind): solid.color for solid in drawn if solid.glyph.is_support
    }
    for (label, kind), color in entries.items():
        marker = {"symmetry": "o", "foundation": "s"}.get(kind, "^")
        canvas.plot(x, y, marker, color=color, markersize=9 * unit, zorder=6)
        text = canvas.text(x + 14 * unit, y, label, size=layout.points(16), color=INK, va="center")
        x = float(text.get_window_extent().x1) + 34 * unit
        if x > layout.width - layout.right - 120 * unit:
            x, y = 170 * unit, y - 26 * unit
    notes = [] if factor is None else [_deformation_text(factor)]
    if hatched:
        notes.append("hatched: near singular edges, not counted")
    if notes:
        canvas.text(
            170 * unit - 8 * unit, layout.height - 30 * unit, "; ".join(notes),
            size=layout.points(16), color=FAINT, va="center",
        )  # fmt: skip


def _deformation_text(factor: float) -> str:
    if factor == 0.0:
        return "Drawn undeformed"
    outline = "undeformed outline in grey"
    if factor == 1.0:
        return f"Deformation drawn to scale (1 : 1), {outline}"
    return f"Deformation drawn {factor:g} times too large, {outline}"


def draw_axes(canvas: Axes, view: View, shown: Sequence[Glyph], layout: Layout) -> None:
    unit = layout.unit
    origin = np.array([80 * unit, layout.height - 76 * unit])
    arrows = [(np.eye(3)[k], "xyz"[k], ("#c62828", "#2e7d32", "#1565c0")[k], 42.0) for k in range(3)]
    for vector, text, color, length in arrows:
        across, upward = float(vector @ view.right), float(vector @ view.up)
        tip = origin + np.array([across, -upward]) * length * unit
        _arrow(canvas, origin, tip, color, 1.8 * unit)
        x, y = origin + np.array([across, -upward]) * (length + 13) * unit
        canvas.text(x, y, text, size=layout.points(16), color=color, ha="center", va="center", weight="bold")
    corner = np.array([80 * unit, layout.height - 210 * unit])
    for glyph in shown:
        if glyph.kind not in BODY_FORCES or glyph.directions is None or len(glyph.directions) == 0:
            continue
        vector = glyph.directions[0] / max(float(np.linalg.norm(glyph.directions[0])), 1e-300)
        step = np.array([vector @ view.right, -(vector @ view.up)]) * 26 * unit
        _arrow(canvas, corner - step, corner + step, COLORS[glyph.kind], 3.0 * unit)
        canvas.text(
            corner[0], corner[1] - 50 * unit, glyph.label, size=layout.points(15),
            color=COLORS[glyph.kind], ha="left" if len(glyph.label) > 12 else "center", va="center",
        )  # fmt: skip
        corner = corner - np.array([0.0, 120 * unit])


def _arrow(
    canvas: Axes, start: Floats, end: Floats, color: str | tuple[float, float, float], width: float
) -> None:
    style = {"arrowstyle": "-|>,head_width=0.25,head_length=0.5", "color": color, "linewidth": width}
    canvas.annotate("", xy=tuple(end), xytext=tuple(start), arrowprops={**style, "shrinkA": 0, "shrinkB": 0})


def draw_scale_bar(canvas: Axes, view: View, layout: Layout) -> None:
    unit = layout.unit
    length = display.round_down(190 * unit / view.scale)
    pixels = length * view.scale
    right, y = layout.width - layout.right - 20 * unit, layout.height - 36 * unit
    canvas.plot([right - pixels, right], [y, y], color=INK, linewidth=2.0 * unit, solid_capstyle="butt")
    for x in (right - pixels, right):
        canvas.plot([x, x], [y - 6 * unit, y + 6 * unit], color=INK, linewidth=1.2 * unit)
    shown = display.unit_for("m", length)
    text = f"{length / shown.factor:g} {shown.name}"
    canvas.text(
        right - pixels / 2, y - 18 * unit, text, size=layout.points(16), color=INK, ha="center", va="center"
    )


def _ends(values: Scalar) -> tuple[float, float]:
    """Least and largest value; round-off beside the other is zero."""
    low, high = float(values.values.min()), float(values.values.max())
    noise = 1e-6 * max(abs(low), abs(high))
    return (low if abs(low) > noise else 0.0, high if abs(high) > noise else 0.0)
