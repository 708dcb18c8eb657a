"""The picture of a result for a report: part, field, supports, loads, and the answer in its title.

Drawn without any graphics library (see raster.py), so it needs no display, GPU or X server.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from numpy.typing import NDArray

from twin.errors import InvalidInput
from twin.results import display, frame
from twin.results.display import Unit
from twin.results.frame import BODY_FORCES, INK, Layout
from twin.results.labels import Label, place
from twin.results.outcome import Outcome
from twin.results.paint import downsample, feature_edges, line_pieces, paint
from twin.results.raster import View, Visibility, visible
from twin.results.scalars import bands, scalar
from twin.results.scene import Solid, best_view, fit, solids
from twin.results.shape import Deformation, case_name, deformation_factor, displacement
from twin.results.skin import Skin, nodal_normals, skin
from twin.results.zones import Zones

Floats = NDArray[np.floating]
_SUPERSAMPLING = 2
_FLUXES = ("von_mises", "stress", "heat_flux")  # fields that have no bound at singular places


def plot(
    outcome: Outcome,
    path: str | Path,
    *,
    field: str | None = None,
    case: str | None = None,
    deformation: Deformation = "auto",
    size: tuple[int, int] = (1600, 1000),
) -> Path:
    """Write a PNG of a nodal field on the deformed part.

    field: "von_mises", "displacement" (length), a component ("displacement_z", "stress_xx"), "temperature", ...; by
    default the case's main field. case: by default the only or worst one. deformation: factor on displacements, "auto"
    shows them, 0 for none.
    size: (width, height) in pixels. Raises InvalidInput for a field, case or size that can't be drawn.
    """
    path = Path(path)
    if path.suffix.lower() != ".png":
        raise InvalidInput(
            f"pictures are written as .png, not {path.suffix or 'without a suffix'!r}: {path.name}"
        )
    if not (320 <= size[0] <= 8192 and 240 <= size[1] <= 8192):
        raise InvalidInput(f"size {size} is not between (320, 240) and (8192, 8192) pixels")
    name = case_name(outcome, case)
    chosen = outcome.cases[name]
    field = field or chosen.main_field
    layout = Layout.of(size)
    part = skin(outcome)
    rest = part.points
    motion = part.at(displacement(chosen, len(outcome.points)))
    on_skin = scalar(chosen, field, part.at)
    factor = deformation_factor(motion, rest, deformation)
    moved = rest + factor * motion
    area, normals = nodal_normals(part, moved)
    colors = bands(on_skin, area)

    shown = [glyph for glyph in outcome.glyphs if glyph.case in (None, name)]
    diagonal = float(np.linalg.norm(np.ptp(rest, axis=0)))
    drawn = solids([g for g in shown if g.kind not in BODY_FORCES], rest, normals, moved, diagonal)
    # On a grid, nodes of cut cells lie outside of the part: what its surface shows counts.
    whole, places, moves = (
        (on_skin, rest, motion)
        if len(outcome.hexahedra)
        else (scalar(chosen, field), outcome.points, displacement(chosen, len(outcome.points)))
    )
    zones = Zones(outcome.singularities if field.startswith(_FLUXES) else ()).of(name)
    outside = zones.at(places) < 0
    peak = int(np.argmax(np.where(outside, whole.values, -np.inf) if outside.any() else whole.values))
    peak_at = places[peak] + factor * moves[peak]
    axes_of_view = best_view(
        moved, part.faces[:, :3], [*(solid.anchors for solid in drawn), peak_at[None]], *size
    )
    everything = np.concatenate([moved, rest, *(solid.points for solid in drawn)])
    view = fit(axes_of_view, everything, *size, (layout.left, layout.right, layout.top, layout.bottom))
    fine = _finer(view, _SUPERSAMPLING)
    pixels, depth, body = paint(
        fine, part, moved, on_skin.values, colors.color, drawn, zones.depth(rest) if zones.places else None
    )

    figure = Figure(figsize=(size[0] / 100.0, size[1] / 100.0), dpi=100, facecolor="white")
    FigureCanvasAgg(figure)
    canvas = figure.add_axes((0.0, 0.0, 1.0, 1.0), xlim=(0, size[0]), ylim=(size[1], 0))
    canvas.set_axis_off()
    canvas.imshow(
        downsample(pixels, _SUPERSAMPLING), extent=(0, size[0], size[1], 0), interpolation="none", zorder=1
    )
    canvas.set(xlim=(0, size[0]), ylim=(size[1], 0))

    front = Visibility(body.triangle, depth)
    if factor * float(np.abs(motion).max(initial=0.0)) > 1e-4 * diagonal:
        # only where it stands clear of the deformed part: two lines side by side tell nothing
        ahead = Visibility(body.triangle, depth - 0.006 * diagonal)
        itself = visible(fine.project(rest), part.triangles, fine.width, fine.height)
        _draw_edges(canvas, fine, part, rest, [itself, ahead], layout, "#a0a6ae", (0.8, 0.6))
    _draw_edges(canvas, fine, part, moved, [front], layout, INK, (1.0, 0.7))
    _draw_links(canvas, view, drawn, layout)
    covered = np.isfinite(depth[::_SUPERSAMPLING, ::_SUPERSAMPLING])
    marks = [
        *_mark_peak(canvas, view, peak_at, float(whole.values[peak]), whole.unit, body, layout),
        *_load_labels(view, drawn, body, layout),
    ]
    frame.draw_title(canvas, chosen, name, outcome, whole, layout)
    frame.draw_legend(canvas, colors, whole, layout)
    frame.draw_foot(
        canvas, drawn, factor if "displacement" in chosen.fields else None, bool(zones.places), layout
    )
    frame.draw_axes(canvas, view, shown, layout)
    frame.draw_scale_bar(canvas, view, layout)

    room = (12 * layout.unit, layout.top * 0.85, size[0] - layout.right * 0.9, size[1] - layout.bottom * 0.9)
    in_corner = 150 + 120 * sum(glyph.kind in BODY_FORCES for glyph in shown)
    corner = (0.0, size[1] - in_corner * layout.unit, 200 * layout.unit, float(size[1]))
    place(canvas, marks, covered, room, [corner])
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100, metadata={"Software": None})
    return path


def _finer(view: View, factor: int) -> View:
    return View(
        view.right, view.up, view.toward, view.center,
        view.scale * factor, view.width * factor, view.height * factor,
    )  # fmt: skip


def _draw_edges(
    canvas: Axes, view: View, part: Skin, points: Floats, hidden_by: Sequence[Visibility],
    layout: Layout, color: str, widths: tuple[float, float],
) -> None:  # fmt: skip
    for edges, width in zip(feature_edges(part, points, view.toward), widths, strict=True):
        lines = [line / _SUPERSAMPLING for line in line_pieces(view, points, edges, hidden_by)]
        canvas.add_collection(
            LineCollection(lines, colors=color, linewidths=width * layout.unit, capstyle="round", zorder=3)
        )


def _mark_peak(
    canvas: Axes, view: View, at: Floats, value: float, unit: Unit, body: Visibility, layout: Layout
) -> list[Label]:
    x, y, depth = view.project(at[None])[0]
    fine = np.array([[x * _SUPERSAMPLING, y * _SUPERSAMPLING, depth]])
    shows = bool(body.seen(fine, 4.0 / view.scale)[0])
    for color, width in (("white", 3.4), (INK, 1.6)):
        style = "--" if color == INK and not shows else "-"
        ring = Circle((x, y), 7 * layout.unit, fill=False, edgecolor=color, linestyle=style, zorder=7)
        ring.set_linewidth(width * layout.unit)
        canvas.add_patch(ring)
    text = f"max {display.number(value / unit.factor, 3)} {unit.name}" + (
        "" if shows else " (on the far side)"
    )
    return [Label(text, x, y, INK, layout.points(19), "bold")]


def _draw_links(canvas: Axes, view: View, drawn: Sequence[Solid], layout: Layout) -> None:
    """Dashed lines from loads that act beside the part to the faces that carry them."""
    for solid in drawn:
        for start, end in (view.project(link) for link in solid.links):
            xs, ys = (start[0], end[0]), (start[1], end[1])
            canvas.plot(xs, ys, "--", color=solid.color, linewidth=1.1 * layout.unit, zorder=3)


def _load_labels(view: View, drawn: Sequence[Solid], body: Visibility, layout: Layout) -> list[Label]:
    labels = []
    middle = np.array([view.width / 2.0, view.height / 2.0])
    for solid in drawn:
        if not solid.glyph.is_support:
            ends = view.project(solid.ends)
            shown = body.seen(ends * (_SUPERSAMPLING, _SUPERSAMPLING, 1.0), 0.0)
            # the arrow that shows and is farthest out has room beside it
            outward = np.linalg.norm(ends[:, :2] - middle, axis=1) + 1e6 * shown
            x, y, _ = ends[int(np.argmax(outward))]
            labels.append(Label(solid.glyph.label, x, y, solid.color, layout.points(17)))
    return labels
