"""Which triangles make a body, and which side of them is material."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.geometry.topology import (
    components,
    connected,
    edge_codes,
    edge_counts,
    edges,
    neighbours,
    unmatched_edges,
    wedges,
)

Float64 = NDArray[np.float64]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Mask = NDArray[np.bool_]

_SAMPLES = 15  # points of a shell that tell whether it lies in another one


@dataclass(frozen=True, eq=False)
class Oriented:
    """vertices (n, 3), triangles (m, 3) with normals out of the material."""

    vertices: Float64
    triangles: Int64
    repairs: tuple[str, ...]
    warnings: tuple[str, ...]


def find_bodies(vertices: Float64, triangles: Int64) -> Int32:
    """(m,) body of each triangle of an oriented surface, 0 ... b-1 by falling volume (area, where open).

    A body is a shell whose normals point outwards, with the cavities in it: closed shells that face inwards.
    """
    count, shell = components(triangles)
    if count == 1:
        return np.zeros(len(triangles), dtype=np.int32)
    shells = _Shells.of(vertices, triangles, count, shell)
    hollow = shells.inward & shells.closed
    owner = np.arange(count)
    outer, inner = shells.around.T
    holds = hollow[inner] & ~hollow[outer]
    outer, inner = outer[holds], inner[holds]
    smallest_last = np.argsort(-shells.volumes[outer], kind="stable")
    owner[inner[smallest_last]] = outer[smallest_last]  # the smallest one around it is what it is a hole in
    enclosed = np.where(shells.closed, shells.volumes, 0.0)
    # rounded: of equal ones the first of the file comes first
    order = np.lexsort(
        [-np.round(size / max(float(size.max()), 1e-300), 9) for size in (shells.areas, enclosed)]
    )
    order = order[owner[order] == order]
    number = np.empty(count, dtype=np.int32)
    number[order] = np.arange(len(order))
    return np.asarray(number[owner][shell], dtype=np.int32)


def orient(vertices: Float64, triangles: Int64, part: Int64) -> Oriented:
    """Part what only touches, and turn whole shells, whose triangles agree, outwards.

    part: (m,) what the file says is one solid. A closed shell in the material of its own solid is a cavity if
    it faces the other way than the outermost one; facing the same way it is a body that overlaps.
    """
    repairs: list[str] = []
    warnings: list[str] = []
    vertices, triangles, parted = _part(vertices, triangles)
    if parted:
        repairs.append("parted bodies that touch along edges or faces")
    count, shell = components(triangles)
    shells = _Shells.of(vertices, triangles, count, shell)
    cavity = _cavities(shells, part[shells.first])
    turned = shells.inward != cavity
    if turned.any():
        triangles = np.where(turned[shell][:, None], triangles[:, ::-1], triangles)
        inside_out = "the surface" if turned.all() else f"{int(turned.sum())} of {count} shells"
        repairs.append(f"turned {inside_out} inside out: normals pointed into the material")
    outer, inner = shells.around.T
    material = np.bincount(inner, np.where(cavity, -1, 1)[outer], count)
    overlapping = int(((material > 0) & ~cavity).sum())
    if overlapping:
        warnings.append(
            f"{overlapping} of {count} shells lie inside another one and face outwards like it: they were "
            f"assumed to be solid bodies that overlap it, and their volume counts twice. If cavities are "
            f"meant, turn their normals into them; if not, delete the inner shells"
        )
    return Oriented(vertices, triangles, tuple(repairs), tuple(warnings))


def _cavities(shells: _Shells, solid: Int64) -> Mask:
    """Which shells bound a hole in the material around them."""
    count = len(shells.closed)
    outer, inner = shells.around[solid[shells.around[:, 0]] == solid[shells.around[:, 1]]].T
    depth = np.bincount(inner, minlength=count)
    root = np.arange(count)
    outermost = depth[outer] == 0
    root[inner[outermost]] = outer[outermost]
    against = shells.inward != shells.inward[root]
    sign = np.zeros(count, dtype=np.int64)  # of the material that a shell adds to what it lies in
    for level in range(int(depth.max()) + 1):
        material = np.bincount(inner, sign[outer], count)
        hollow = against & (material > 0) & shells.closed
        sign = np.where(depth == level, np.where(hollow, -1, 1), sign)
    return np.asarray(sign < 0)


def agree(triangles: Int64) -> tuple[Int64, int]:
    """Make neighbours face the same way, that of most of their shell; also how many triangles were turned."""
    import igl

    oriented, _ = igl.bfs_orient(np.ascontiguousarray(triangles))
    oriented = np.asarray(oriented, dtype=np.int64)
    same = (edges(oriented)[::3, None] == edges(triangles).reshape(-1, 3, 2)).all(axis=2).any(axis=1)
    count, shell = components(triangles)
    kept = np.bincount(shell, weights=same, minlength=count)
    minority = kept * 2 < np.bincount(shell, minlength=count)
    turn_back = minority[shell]
    oriented = np.where(turn_back[:, None], oriented[:, ::-1], oriented)
    return oriented, int((same == turn_back).sum())


def _part(vertices: Float64, triangles: Int64) -> tuple[Float64, Int64, bool]:
    """Give what only touches vertices of its own; also whether an edge with several triangles was parted."""
    ends = edges(triangles)
    twos, fans = neighbours(triangles), wedges(vertices, triangles)
    resolved = np.zeros(len(ends), dtype=bool)
    resolved[twos] = resolved[fans] = True
    crowded = np.flatnonzero((edge_counts(triangles) > 2) & ~resolved)  # what these touch stays together
    codes = edge_codes(triangles)[crowded]
    by_edge = np.argsort(codes, kind="stable")
    beside = np.stack([by_edge[:-1], by_edge[1:]], axis=1)[np.diff(codes[by_edge]) == 0]
    pairs = np.concatenate([twos, fans, crowded[beside]])
    first, second = (_corners_by_vertex(triangles, ends, side) for side in pairs.T)
    _, umbrella = connected(
        len(ends), np.concatenate([np.stack([first[:, i], second[:, i]], axis=1) for i in (0, 1)])
    )
    _, corner = np.unique(umbrella, return_index=True)
    return vertices[triangles.reshape(-1)[corner]], umbrella.reshape(-1, 3), len(fans) > 0


def _corners_by_vertex(triangles: Int64, ends: Int64, edge: Int64) -> Int64:
    """(k, 2) the corners (numbered 3 t + i) at the two ends of directed edges, that of the lower vertex first."""
    start, end = edge, 3 * (edge // 3) + (edge + 1) % 3
    upwards = ends[edge, 0] < ends[edge, 1]
    return np.stack([np.where(upwards, start, end), np.where(upwards, end, start)], axis=1)


@dataclass(frozen=True, eq=False)
class _Shells:
    """Of each of s shells: closed; signed volume [m^3] (of an open one as if closed towards its middle);
    area [m^2]; around: pairs (k, 2) of a closed shell and one that lies in it.
    """

    closed: Mask
    volumes: Float64
    areas: Float64
    around: Int64
    first: Int64  # a triangle of each

    @staticmethod
    def of(vertices: Float64, triangles: Int64, count: int, shell: Int64) -> _Shells:
        closed = np.ones(count, dtype=bool)
        closed[shell[unmatched_edges(triangles) // 3]] = False
        middles = vertices[triangles].mean(axis=1)
        sizes = np.bincount(shell, minlength=count)
        center = (
            np.stack([np.bincount(shell, middles[:, i], count) for i in range(3)], axis=1) / sizes[:, None]
        )
        a, b, c = (vertices[triangles[:, i]] - center[shell] for i in range(3))
        volumes = np.bincount(shell, np.einsum("ij,ij->i", a, np.cross(b, c)) / 6, count).astype(np.float64)
        areas = np.bincount(shell, np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2, count).astype(
            np.float64
        )
        around = _nesting(vertices, triangles, shell, closed)
        _, first = np.unique(shell, return_index=True)
        return _Shells(closed, volumes, areas, around, first)

    @property
    def inward(self) -> Mask:
        """Which have their normals on the inner side; sheets that enclose next to nothing have none."""
        return np.asarray(self.volumes < np.where(self.closed, -1e-12, -1e-2) * self.areas**1.5)


def _nesting(vertices: Float64, triangles: Int64, shell: Int64, closed: Mask) -> Int64:
    """Pairs (k, 2): a closed shell, and another shell that lies in it by the winding number at its points."""
    import igl

    count = len(closed)
    pairs: list[Int64] = []
    if count == 1:
        return np.zeros((0, 2), dtype=np.int64)
    order = np.argsort(shell, kind="stable")
    starts = np.searchsorted(shell[order], np.arange(count + 1))
    lower, upper = np.full((count, 3), np.inf), np.full((count, 3), -np.inf)
    for corner in range(3):
        np.minimum.at(lower, shell, vertices[triangles[:, corner]])
        np.maximum.at(upper, shell, vertices[triangles[:, corner]])
    for outer in np.flatnonzero(closed):
        within = np.flatnonzero(((lower > lower[outer]) & (upper < upper[outer])).all(axis=1))
        if len(within) == 0:
            continue
        # several points of each, since some may lie on the outer one
        steps = np.linspace(0, 1, _SAMPLES) * (starts[within + 1] - starts[within] - 1)[:, None]
        samples = vertices[triangles[order[starts[within][:, None] + steps.astype(np.int64)]]].mean(axis=2)
        own = np.ascontiguousarray(triangles[order[starts[outer] : starts[outer + 1]]])
        winding = igl.winding_number(vertices, own, samples.reshape(-1, 3))
        inner = within[np.median(np.abs(np.reshape(winding, (-1, _SAMPLES))), axis=1) > 0.5]
        pairs.append(np.stack([np.full(len(inner), outer), inner], axis=1))
    return np.concatenate(pairs) if pairs else np.zeros((0, 2), dtype=np.int64)
