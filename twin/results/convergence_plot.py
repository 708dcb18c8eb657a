"""A small SVG: how the answers settled as the mesh got finer."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape

from twin.results.display import number, round_step, title
from twin.results.outcome import ConvergenceRow

_WIDTH, _HEIGHT = 620.0, 250.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 62.0, 190.0, 16.0, 46.0
_COLORS = ("#0b5cad", "#b3261e", "#2e7d32", "#7b4fa3")


def convergence_svg(rows: Sequence[ConvergenceRow], names: Sequence[str]) -> str:
    """Deviation from the finest mesh [%] over unknowns (logarithmic), a line per quantity.

    Empty where fewer than two resolutions were computed, or none of `names` has a value other than zero.
    """
    lines = {name: _deviations(rows, name) for name in names}
    lines = {name: line for name, line in lines.items() if len(line) > 1}
    if not lines:
        return ""
    unknowns = [math.log10(x) for line in lines.values() for x, _ in line]
    low_x, high_x = min(unknowns), max(unknowns)
    if high_x - low_x < 1e-9:
        return ""
    values = [y for line in lines.values() for _, y in line] + [0.0]
    step = round_step(max(max(values) - min(values), 0.1), 5)
    low, high = math.floor(min(values) / step) * step, math.ceil(max(values) / step) * step
    if high - low < step:
        low, high = low - step, high + step

    def x_at(count: float) -> float:
        return _LEFT + (math.log10(count) - low_x) / (high_x - low_x) * (_WIDTH - _LEFT - _RIGHT)

    def y_at(value: float) -> float:
        return _HEIGHT - _BOTTOM - (value - low) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)

    parts = []
    for index in range(round((high - low) / step) + 1):
        value = low + index * step
        weight = "#8a919a" if abs(value) < step * 1e-6 else "#e3e6ea"
        y = y_at(value)
        parts.append(
            f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{weight}"/>'
        )
        text = f"{value:+.6g}".replace("-", "−") if abs(value) > step * 1e-6 else "0"
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{text} %</text>')
    counts = sorted({x for line in lines.values() for x, _ in line})
    for count in _apart(counts, x_at):
        parts.append(
            f'<text x="{x_at(count):.1f}" y="{_HEIGHT - _BOTTOM + 18}" text-anchor="middle">'
            f"{_count(count)}</text>"
        )
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    parts.append(
        f'<text x="{middle:.1f}" y="{_HEIGHT - 8}" text-anchor="middle" class="axis">unknowns</text>'
    )
    # at the right end all lines meet zero, so the names stand in a column of their own
    for index, ((name, line), color) in enumerate(zip(lines.items(), _COLORS * 9, strict=False)):
        path = " ".join(f"{x_at(x):.1f},{y_at(y):.1f}" for x, y in line)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>')
        parts += [f'<circle cx="{x_at(x):.1f}" cy="{y_at(y):.1f}" r="3.5" fill="{color}"/>' for x, y in line]
        y = _TOP + 14 + 22 * index
        left = _WIDTH - _RIGHT + 20
        parts.append(f'<circle cx="{left}" cy="{y - 4}" r="4" fill="{color}"/>')
        parts.append(f'<text x="{left + 10}" y="{y}" fill="{color}">{escape(title(name))}</text>')
    return (
        f'<svg viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" role="img" aria-label="Convergence of the quantities">'
        f"{''.join(parts)}</svg>"
    )


def _deviations(rows: Sequence[ConvergenceRow], name: str) -> list[tuple[float, float]]:
    found = [(float(row.unknowns), row.quantities[name]) for row in rows if name in row.quantities]
    if not found or found[-1][1] == 0.0 or not all(math.isfinite(y) and x > 0 for x, y in found):
        return []
    return [(x, 100.0 * (y / found[-1][1] - 1.0)) for x, y in found]


def _apart(counts: Sequence[float], x_at: Callable[[float], float]) -> list[float]:
    """Those whose labels don't run into each other; the finest mesh always has one."""
    kept: list[float] = []
    for count in reversed(counts):
        if not kept or x_at(kept[-1]) - x_at(count) > 60.0:
            kept.append(count)
    return kept


def _count(count: float) -> str:
    if count >= 999_500:
        return f"{number(count / 1e6, 3)} M"
    return f"{count / 1e3:.0f} k" if count >= 10_000 else f"{count:.0f}"
