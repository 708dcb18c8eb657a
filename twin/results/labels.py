"""Words on a picture: placed where they hide little, with a line to what they speak of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Box = tuple[float, float, float, float]  # left, top, right, bottom [pixel]


@dataclass(frozen=True)
class Label:
    """text beside the pixel (x, y); size [pt]."""

    text: str
    x: float
    y: float
    color: tuple[float, float, float] | str
    size: float
    weight: str = "normal"


def place(
    axes: Axes, labels: Sequence[Label], covered: NDArray[np.bool_], frame: Box, taken: Sequence[Box]
) -> None:
    """Draw labels one after the other. covered: (h, w) where the part is; taken: boxes to keep free."""
    boxes = list(taken)
    # sums over rectangles of `covered` in four look-ups
    total = np.pad(covered.astype(np.int64).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    middle = ((frame[0] + frame[2]) / 2.0, (frame[1] + frame[3]) / 2.0)
    for label in labels:
        width, height = _extent(axes, label)
        best: tuple[float, Box, tuple[float, float]] | None = None
        outward = np.arctan2(label.y - middle[1], label.x - middle[0])
        for distance in (22.0, 38.0, 60.0, 90.0, 130.0, 180.0):
            for turn in np.linspace(-np.pi, np.pi, 16, endpoint=False):
                angle = outward + turn
                reach = distance * label.size / 11.0
                near = (label.x + reach * np.cos(angle), label.y + reach * np.sin(angle))
                # the text hangs on the end of the leader by its nearest side
                left = (
                    near[0]
                    if np.cos(angle) > 0.3
                    else near[0] - width * (1.0 if np.cos(angle) < -0.3 else 0.5)
                )
                top = (
                    near[1] - height / 2.0
                    if abs(np.cos(angle)) > 0.3
                    else near[1] - height * (np.sin(angle) < 0)
                )
                box = (left, top, left + width, top + height)
                cost = 0.25 * distance + 14.0 * abs(turn) / np.pi
                cost += 90.0 * _share(total, box) + 500.0 * _outside(box, frame)
                cost += sum(400.0 * _overlap(box, other) for other in boxes)
                if best is None or cost < best[0]:
                    best = (cost, box, near)
        if best is None:
            continue
        _, box, near = best
        boxes.append((box[0] - 4, box[1] - 3, box[2] + 4, box[3] + 3))
        axes.plot([label.x, near[0]], [label.y, near[1]], color="white", linewidth=2.6, zorder=8, alpha=0.8)
        axes.plot([label.x, near[0]], [label.y, near[1]], color=label.color, linewidth=0.9, zorder=9)
        text = axes.text(
            (box[0] + box[2]) / 2.0, (box[1] + box[3]) / 2.0, label.text, color=label.color, size=label.size,
            weight=label.weight, ha="center", va="center", zorder=10,
        )  # fmt: skip
        text.set_path_effects([withStroke(linewidth=3.5, foreground="white")])


def _extent(axes: Axes, label: Label) -> tuple[float, float]:
    text = axes.text(0, 0, label.text, size=label.size, weight=label.weight)
    box = text.get_window_extent()
    text.remove()
    return float(box.width), float(box.height)


def _share(total: NDArray[np.int64], box: Box) -> float:
    height, width = total.shape[0] - 1, total.shape[1] - 1
    left, right = (int(np.clip(value, 0, width)) for value in (box[0], box[2]))
    top, bottom = (int(np.clip(value, 0, height)) for value in (box[1], box[3]))
    area = max((right - left) * (bottom - top), 1)
    inside = total[bottom, right] - total[top, right] - total[bottom, left] + total[top, left]
    return float(inside) / area


def _outside(box: Box, frame: Box) -> float:
    shared = _intersection(box, frame)
    return 1.0 - shared / max((box[2] - box[0]) * (box[3] - box[1]), 1e-9)


def _overlap(box: Box, other: Box) -> float:
    return _intersection(box, other) / max((box[2] - box[0]) * (box[3] - box[1]), 1e-9)


def _intersection(a: Box, b: Box) -> float:
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    return max(width, 0.0) * max(height, 0.0)
