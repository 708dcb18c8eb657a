"""What the table of the brackets says: ours against the published results, tetrahedra against the grid."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from tests.corpus import brackets, published

OFFSETS = {"ver": 1.06, "hor": 1.06, "dia": 1.0525, "tor": 1.1075}
"""Displacement of converged solutions over the published one: the middle of 5-7, 5-7, 4.5-6 and 9.5-12 %, which is
what the three brackets have where both are known (README of the data)."""
GOALS = (0.03, 0.06)  # for the median and the 90th percentile of how far displacement is from that
BOTH_WAYS = 0.02  # goal for the difference of the discretisations
FINE = 4.0  # published elements across the wall: what tells brackets of coarse published meshes from others
Rows = Sequence[Mapping[str, Any]]


def summary(rows: Iterable[Mapping[str, Any]]) -> str:
    """Quartiles and goals for each discretisation, their difference, what was left out, and why."""
    rows = list(rows)
    solved = [row for row in rows if not row["reason"]]
    lines = []
    for name in dict.fromkeys(row["discretisation"] for row in rows):
        own = [row for row in solved if row["discretisation"] == name]
        lines += ["", f"On {name}: {len({row['id'] for row in own})} brackets solved."]
        lines += [
            f"  {row['id']:>4}: {row['reason']}"
            for row in rows
            if row["reason"] and row["discretisation"] == name
        ]
        if own:
            lines += _displacement(own) + _stress(own) + _cost(own)
    return "\n".join(lines + _both_ways(solved)) + "\n" + WHY


def _displacement(rows: Rows) -> list[str]:
    lines = [
        "largest displacement, ours / published:",
        "        lowest (bracket)  quartile   median  quartile  highest (bracket)   expected",
    ]
    for case in brackets.CASES:
        if own := [row for row in rows if row["case"] == case]:
            lines.append(f"  {case} {_quartiles(own, 'u_ratio')} {OFFSETS[case]:10.4f}")
    for words, column in (
        ("shared by area", "u_ratio"),
        ("shared among vertices, as published", "shared_ratio"),
    ):
        if own := [row for row in rows if row[column]]:
            lines += [f"how far from the expected one, with the loads {words}:", *_measure(own, column)]
    return lines


def _measure(rows: Rows, column: str) -> list[str]:
    """Medians and 90th percentiles of how far a ratio is from the expected one, in points; what is far off."""
    across = np.array([published.mesh(row["id"]).across for row in rows])
    away = np.array([abs(row[column] - OFFSETS[row["case"]]) for row in rows])
    cases = np.array([row["case"] for row in rows])
    groups = {
        "all": np.ones(len(rows), bool),
        **{case: cases == case for case in brackets.CASES},
        f"walls of {FINE:.0f} published elements or more": across >= FINE,
        "thinner walls": across < FINE,
    }
    lines = []
    for words, those in groups.items():
        if those.any():
            found = np.percentile(away[those], (50, 90))
            verdicts = [
                f"{name} {100 * value:.1f} points, {'within' if value <= goal else 'above'} {100 * goal:.0f}"
                for name, value, goal in zip(("median", "90th percentile"), found, GOALS, strict=True)
            ]
            lines.append(f"  {words} ({those.sum()}): {', '.join(verdicts)}")
    far = [int(i) for i in np.argsort(-away) if away[i] > GOALS[1]]
    named = ", ".join(f"{rows[i]['id']} {cases[i]} {rows[i][column]:.3f} ({across[i]:.1f})" for i in far)
    lines.append(
        f"  {len(far)} further than {100 * GOALS[1]:.0f} points (published elements across the wall):"
    )
    return lines + textwrap.wrap(named, width=112, initial_indent="    ", subsequent_indent="    ")


def _quartiles(rows: Rows, name: str) -> str:
    found = sorted((row[name], row["id"]) for row in rows)
    low, middle, high = np.quantile([ratio for ratio, _ in found], (0.25, 0.5, 0.75))
    ends = [f"{ratio:8.3f} {f'({number})':>6}" for ratio, number in (found[0], found[-1])]
    return f"{ends[0]:>18} {low:9.3f} {middle:8.3f} {high:9.3f}  {ends[1]}"


def _stress(rows: Rows) -> list[str]:
    lines = []
    for words, column in (
        ("outside of singular places", "von_mises_ratio"),
        ("everywhere", "everywhere_ratio"),
    ):
        lines += [
            f"largest von Mises stress {words}, ours / published:",
            "        lowest (bracket)  quartile   median  quartile  highest (bracket)",
        ]
        for case in brackets.CASES:
            if own := [row for row in rows if row["case"] == case and row[column]]:
                lines.append(f"  {case} {_quartiles(own, column)}")
    return lines


def _cost(rows: Rows) -> list[str]:
    once = {row["id"]: row for row in rows}.values()
    seconds = [row["seconds"] for row in once]
    meshers = Counter(row["mesher"] for row in once).most_common()
    return [
        "meshers: " + ", ".join(f"{mesher} {count}" for mesher, count in meshers),
        f"seconds: {np.median(seconds):.0f} in the median, {max(seconds):.0f} at most, from file to answer",
    ]


def _both_ways(rows: Rows) -> list[str]:
    by_way = {
        name: {(row["id"], row["case"]): row["u"] for row in rows if row["discretisation"] == name}
        for name in ("tet", "grid")
    }
    both = sorted(by_way["tet"].keys() & by_way["grid"].keys())
    if not both:
        return []
    ratios = {key: by_way["grid"][key] / by_way["tet"][key] for key in both}
    away = np.abs(np.array(list(ratios.values())) - 1)
    median, most = np.percentile(away, (50, 90))
    verdict = "met" if most <= BOTH_WAYS else "missed"
    worst = sorted(both, key=lambda key: -abs(ratios[key] - 1))[:8]
    return [
        "",
        f"Largest displacement, grid / tet - 1, over {len(both)} cases: median {100 * median:.2f} %, 90th percentile "
        f"{100 * most:.2f} %, goal {100 * BOTH_WAYS:.0f} %: {verdict}.",
        "  furthest: " + ", ".join(f"{number} {case} {ratios[number, case]:.3f}" for number, case in worst),
    ]


WHY = """
Why they differ:
* The published loads are shared among the vertices of the clevis bores, each alike; ours go by area. Vertices are
  denser on one arm, on one side, at the rims. With the loads shared as published the torsion of 187, 140 and 393 goes
  from 0.97, 1.01 and 0.90 of the published one to 1.10, 1.12 and 1.06 (tests/corpus/sharing.py).
* The published elements are linear, and too stiff by what they are too large. The expected offsets are those of three
  brackets; where walls have fewer elements it is more. 246, with 2.4, was published with 194,000: linear elements of
  ours give 0.75, 0.82, 0.69 and 0.82 of the published displacements where there are 81,000, 1.06, 1.08, 1.05 and 1.06
  where there are 209,000, quadratic ones 1.39, 1.32, 1.43 and 1.30 (tests/corpus/linear.py).
* Where NETGEN finds no mesh, quadratic elements that step over details of the part are still coarse, and the error
  estimates say so: 22 % in the torsion of 324, 42 % in that of 223, which an even mesh of 4 mm has at 1.10.
* 446 has five closed cavities. Published it is stiffer than ours under ver (1.14) and softer under hor and tor (0.95,
  0.87); with the cavities filled ours is stiffer throughout (0.87, 0.77, 0.82). Unexplained.
* Stress: averages at the nodes of linear elements flatten peaks, and ours is the largest outside of the rims of the
  fixed bores, where the exact one has no bound. The one makes ours higher, the other lower.
"""
