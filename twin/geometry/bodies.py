"""Which triangles make a body, and which side of them is material."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.geometry.topology import components, edges, unmatched_edges

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Oriented:
    """vertices (n, 3), triangles (m, 3) with normals out of the material; bodies: without cavities."""

    vertices: Float64
    triangles: Int64
    bodies: int
    repairs: tuple[str, ...]
    warnings: tuple[str, ...]


def orient(vertices: Float64, triangles: Int64) -> Oriented:
    """Turn whole shells, whose triangles agree, outwards; shells inside others may be cavities."""
    repairs: list[str] = []
    warnings: list[str] = []
    count, shell = components(triangles)
    if len(unmatched_edges(triangles)):
        vertices, triangles, parted = _part_shells(vertices, triangles, shell)
        if parted:
            repairs.append("parted shells that touch each other along edges")
    closed = np.ones(count, dtype=bool)
    closed[shell[unmatched_edges(triangles) // 3]] = False
    volumes = _volumes(vertices, triangles, shell, count)
    inward = volumes < -1e-12 * np.abs(volumes).max()  # a flat sheet has no inside
    depth = _depths(vertices, triangles, shell, closed)
    cavity = (depth % 2 == 1) & inward & closed
    turned = inward & ~cavity
    if turned.any():
        triangles = np.where(turned[shell][:, None], triangles[:, ::-1], triangles)
        inside_out = "the surface" if count == 1 else f"{int(turned.sum())} shells"
        repairs.append(f"turned {inside_out} inside out: its normals pointed into the material")
    overlapping = int(((depth > 0) & ~cavity).sum())
    if overlapping:
        warnings.append(
            f"{overlapping} of {count} shells lie inside another one but don't face inwards: bodies overlap "
            f"there. If a cavity is meant, its normals must point into it"
        )
    return Oriented(vertices, triangles, int((~cavity).sum()), tuple(repairs), tuple(warnings))


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


def _part_shells(vertices: Float64, triangles: Int64, shell: Int64) -> tuple[Float64, Int64, bool]:
    """Give each shell its own vertices, so that bodies that touch in an edge or a vertex are apart."""
    pair = np.stack([np.repeat(shell, 3), triangles.reshape(-1)], axis=1)
    unique, inverse = np.unique(pair, axis=0, return_inverse=True)
    if len(unique) == len(np.unique(triangles)):
        return vertices, triangles, False
    return vertices[unique[:, 1]], inverse.reshape(-1, 3).astype(np.int64), True


def _volumes(vertices: Float64, triangles: Int64, shell: Int64, count: int) -> Float64:
    """Signed volume of each shell [m^3]; of an open one as if it were closed towards its middle."""
    middles = vertices[triangles].mean(axis=1)
    sizes = np.bincount(shell, minlength=count)
    center = np.stack([np.bincount(shell, middles[:, i], count) for i in range(3)], axis=1) / sizes[:, None]
    a, b, c = (vertices[triangles[:, i]] - center[shell] for i in range(3))
    return np.asarray(np.bincount(shell, np.einsum("ij,ij->i", a, np.cross(b, c)) / 6.0, count), np.float64)


def _depths(vertices: Float64, triangles: Int64, shell: Int64, closed: NDArray[np.bool_]) -> Int64:
    """How many other closed shells each shell lies in, by the winding number at one of its points."""
    import igl

    count = len(closed)
    depth = np.zeros(count, dtype=np.int64)
    if count == 1:
        return depth
    _, first = np.unique(shell, return_index=True)
    points = vertices[triangles[first]].mean(axis=1)
    lower, upper = np.full((count, 3), np.inf), np.full((count, 3), -np.inf)
    for corner in range(3):
        np.minimum.at(lower, shell, vertices[triangles[:, corner]])
        np.maximum.at(upper, shell, vertices[triangles[:, corner]])
    for outer in np.flatnonzero(closed):
        inside = ((lower > lower[outer]) & (upper < upper[outer])).all(axis=1)
        candidates = np.flatnonzero(inside)
        if len(candidates):
            own = triangles[shell == outer]
            winding = igl.winding_number(vertices, np.ascontiguousarray(own), points[candidates])
            depth[candidates] += np.abs(np.asarray(winding).reshape(-1)) > 0.5
    return depth
