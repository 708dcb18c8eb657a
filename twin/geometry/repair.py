"""From the triangles of a file to a clean surface: welded, without doubles, oriented, small holes closed.

Every change is reported, and nothing vanishes silently: what can't be mended is told as a warning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from twin.errors import GeometryError
from twin.geometry.bodies import agree, orient
from twin.geometry.formats.polygons import triangulate
from twin.geometry.topology import (
    boundary_loops,
    components,
    connected,
    edge_counts,
    neighbours,
    unmatched_edges,
)

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

_WELD = 1e-6  # of the diagonal: nearer vertices are one where the surface is open otherwise
_SMALL_HOLE = 0.05  # of the diagonal: the extent of a hole that is closed
_FARTHEST = 1e6  # [m]: no part is there


@dataclass(frozen=True, eq=False)
class Mesh:
    """A surface under repair: vertices (n, 3) [m], triangles (m, 3), groups, what was done, what is left.

    part: (m,) what the file says is one solid; nothing is joined with another part.
    """

    vertices: Float64
    triangles: Int64
    groups: Mapping[str, Int64]
    part: Int64
    repairs: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def repaired(self, sentence: str, **changes: object) -> Mesh:
        """With other arrays, and what was done."""
        return replace(self, repairs=(*self.repairs, sentence), **changes)  # type: ignore[arg-type]

    def keep(self, kept: NDArray[np.bool_]) -> Mesh:
        """Only some of the triangles."""
        number = np.cumsum(kept) - 1
        groups = {name: number[ids[kept[ids]]] for name, ids in self.groups.items()}
        return replace(self, triangles=self.triangles[kept], part=self.part[kept], groups=groups)

    @property
    def diagonal(self) -> float:
        """Of the bounding box [m]."""
        return float(np.linalg.norm(np.ptp(self.vertices, axis=0)))


def repair(mesh: Mesh) -> Mesh:
    """Mend what can be mended. Raises GeometryError if nothing is left, or coordinates are beyond reason."""
    mesh = _drop_broken(mesh)
    mesh = _weld(mesh)
    mesh = _drop_doubles(mesh)
    mesh = _agree(mesh)
    mesh = _close_holes(mesh)
    oriented = orient(mesh.vertices, mesh.triangles, mesh.part)
    mesh = replace(
        mesh,
        vertices=oriented.vertices,
        triangles=oriented.triangles,
        repairs=(*mesh.repairs, *oriented.repairs),
        warnings=(*mesh.warnings, *oriented.warnings),
    )
    mesh = _drop_unused(mesh)
    if len(unmatched_edges(mesh.triangles)):
        mesh = replace(mesh, warnings=(*mesh.warnings, _tell_open(mesh)))
    return mesh


def _drop_broken(mesh: Mesh) -> Mesh:
    finite = np.asarray(np.isfinite(mesh.vertices).all(axis=1))
    sound = np.asarray(finite[mesh.triangles].all(axis=1))
    if not sound.any():
        raise GeometryError("No triangle of the file has finite coordinates. Export the part again.")
    if not sound.all():
        broken = int((~sound).sum())
        mesh = mesh.keep(sound).repaired(f"dropped {broken} triangles with coordinates that are no numbers")
    mesh = _drop_unused(mesh)
    farthest = float(np.abs(mesh.vertices).max())
    if farthest > _FARTHEST:
        raise GeometryError(
            f"The file has coordinates of up to {farthest:.2g} m: it is damaged, or its unit is another "
            f"one. Export the part again, or declare the right unit.",
            {"farthest": f"{farthest:g} m"},
        )
    if not mesh.diagonal > 0:
        raise GeometryError("All vertices of the file lie in one point. Export the part again.")
    return mesh


def _weld(mesh: Mesh) -> Mesh:
    """Equal vertices become one; near ones only if the surface is open without it."""
    part = np.zeros(len(mesh.vertices))
    part[mesh.triangles] = mesh.part[:, None]
    exact = np.column_stack([part, mesh.vertices + 0.0])  # -0 is 0
    keys, inverse = np.unique(exact, axis=0, return_inverse=True)
    part, vertices = keys[:, 0], keys[:, 1:]
    mesh = replace(mesh, vertices=vertices, triangles=inverse.reshape(-1)[mesh.triangles])
    if len(unmatched_edges(mesh.triangles)) == 0:
        return mesh
    near = _merge_near(vertices, part, _WELD * mesh.diagonal)
    merged = len(vertices) - len(np.unique(near))
    if merged == 0:
        return mesh
    return mesh.repaired(
        f"welded {merged} vertices nearer than {1e3 * _WELD * mesh.diagonal:.2g} mm to another",
        triangles=near[mesh.triangles],
    )


def _merge_near(vertices: Float64, part: Float64, distance: float) -> Int64:
    """For each vertex the first of the cluster that it belongs to."""
    from scipy.spatial import KDTree

    pairs = KDTree(vertices).query_pairs(distance, output_type="ndarray")
    _, label = connected(len(vertices), pairs[part[pairs[:, 0]] == part[pairs[:, 1]]])
    _, first = np.unique(label, return_index=True)
    return np.asarray(first[label], dtype=np.int64)


def _drop_doubles(mesh: Mesh) -> Mesh:
    a, b, c = mesh.triangles.T
    flat = (a == b) | (b == c) | (c == a)
    if flat.all():
        raise GeometryError(
            "All triangles of the file are degenerate: they have no area. Export the part again."
        )
    if flat.any():
        mesh = mesh.keep(~flat).repaired(f"dropped {int(flat.sum())} triangles without area")
    doubled = _doubled(mesh.triangles)
    if doubled.any():
        mesh = mesh.keep(~doubled).repaired(f"dropped {int(doubled.sum())} triangles that were there twice")
    return mesh


def _doubled(triangles: Int64) -> NDArray[np.bool_]:
    """(m,) which triangles repeat another one: all but the first, and but the second where two bodies touch.

    Two that face each other are the touching faces of two bodies if the rest of the bodies goes on at their
    rim: without one of them, three triangles would meet there.
    """
    order = np.argsort(triangles, axis=1)
    faces_up = ((order[:, 1] - order[:, 0]) % 3 == 1).astype(np.int64)
    corners = np.sort(triangles, axis=1)
    _, first, same = np.unique(corners, axis=0, return_index=True, return_inverse=True)
    if len(first) == len(triangles):
        return np.zeros(len(triangles), dtype=bool)
    same = same.reshape(-1)
    _, of_direction = np.unique(2 * same + faces_up, return_index=True)  # one of each direction
    both_ways = np.bincount(same[of_direction]) == 2
    count, patch = components(triangles[first], _neighbours_among(triangles[first], both_ways))
    rim = (edge_counts(triangles[first]) > 2).reshape(-1, 3).any(axis=1)
    touching = both_ways & (np.bincount(patch, weights=rim & both_ways, minlength=count) > 0)[patch]
    kept = np.zeros(len(triangles), dtype=bool)
    kept[first] = True
    kept[of_direction[touching[same[of_direction]]]] = True
    return ~kept


def _neighbours_among(triangles: Int64, chosen: NDArray[np.bool_]) -> Int64:
    """Pairs of directed edges (k, 2) between the chosen ones of the triangles."""
    ids = np.flatnonzero(chosen)
    local = neighbours(triangles[ids])
    return np.asarray(3 * ids[local // 3] + local % 3, dtype=np.int64)


def _agree(mesh: Mesh) -> Mesh:
    triangles, turned = agree(mesh.triangles)
    if not turned:
        return mesh
    return mesh.repaired(
        f"turned {turned} triangles that faced the other way than their neighbours", triangles=triangles
    )


def _close_holes(mesh: Mesh) -> Mesh:
    """Close holes which are small; large ones may be what the part is missing, and nobody can guess that."""
    limit = _SMALL_HOLE * mesh.diagonal
    present = {tuple(corners) for corners in np.sort(mesh.triangles, axis=1).tolist()}
    part = np.zeros(len(mesh.vertices), dtype=np.int64)
    part[mesh.triangles] = mesh.part[:, None]
    added: list[Int64] = []
    parts: list[Int64] = []
    closed, widest = 0, 0.0
    for loop in boundary_loops(mesh.triangles):
        points = mesh.vertices[loop]
        extent = float(np.linalg.norm(np.ptp(points, axis=0)))
        lone = len(loop) == 3 and tuple(sorted(loop.tolist())) in present  # a triangle without neighbours
        if (len(loop) == 3 or extent <= limit) and not lone:
            try:
                corners = np.array(triangulate(points), dtype=np.int64)
            except ValueError:
                continue
            added.append(loop[corners])
            parts.append(np.full(len(corners), part[loop[0]]))
            closed, widest = closed + 1, max(widest, extent)
    if not added:
        return mesh
    triangles = np.concatenate([mesh.triangles, *added])
    holes = "1 hole" if closed == 1 else f"{closed} holes"
    count = len(triangles) - len(mesh.triangles)
    return mesh.repaired(
        f"closed {holes} of up to {1e3 * widest:.3g} mm with {count} triangles",
        triangles=triangles,
        part=np.concatenate([mesh.part, np.concatenate(parts)]),
    )


def _drop_unused(mesh: Mesh) -> Mesh:
    used, inverse = np.unique(mesh.triangles, return_inverse=True)
    return replace(mesh, vertices=mesh.vertices[used], triangles=inverse.reshape(-1, 3))


def _tell_open(mesh: Mesh) -> str:
    loops = boundary_loops(mesh.triangles)
    if not loops:
        return "the surface is not closed: more than two triangles meet at an edge. Look for inner walls"
    extents = [float(np.linalg.norm(np.ptp(mesh.vertices[loop], axis=0))) for loop in loops]
    widest = loops[int(np.argmax(extents))]
    x, y, z = 1e3 * mesh.vertices[widest].mean(axis=0)
    holes = "a hole" if len(loops) == 1 else f"{len(loops)} holes"
    return (
        f"the surface is not closed: it has {holes} of up to {1e3 * max(extents):.3g} mm, the largest at "
        f"({x:.4g}, {y:.4g}, {z:.4g}) mm. Close it in the CAD program"
    )
