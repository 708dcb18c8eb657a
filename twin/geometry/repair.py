"""From the triangles of a file to a clean surface: welded, without doubles, oriented, small holes closed.

Every change is reported, and nothing vanishes silently: what can't be mended is told as a warning.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from twin.errors import GeometryError
from twin.geometry.bodies import agree, orient
from twin.geometry.formats.polygons import triangulate
from twin.geometry.mesh import Mesh, areas
from twin.geometry.seams import close_seams
from twin.geometry.topology import (
    boundary_loops,
    components,
    connected,
    edge_codes,
    edge_counts,
    edges,
    neighbours,
    unmatched_edges,
)

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

_WELD = 1e-6  # of the diagonal: nearer vertices are one where the surface is open otherwise
_SMALL_HOLE = 0.05  # of the diagonal: the extent of a hole that is closed
_FARTHEST = 1e6  # [m]: no part is there
_BROKEN = 0.1  # of the triangles: more without finite coordinates than this leave no part
_NO_AREA = 1e-12  # of the diagonal squared
_LOST = 0.01  # of area or size: a repair that takes more has taken a piece of the part


def repair(mesh: Mesh) -> Mesh:
    """Mend what can be mended. Raises GeometryError if coordinates are beyond reason, or if what is left is
    not the part that came in.
    """
    mesh = came = _drop_broken(mesh)
    mesh = _weld(mesh)
    mesh = _drop_doubles(mesh)
    sound = mesh.area
    mesh = close_seams(mesh, _WELD * mesh.diagonal)
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
    _compare(came, mesh, sound)
    if len(unmatched_edges(mesh.triangles)):
        mesh = replace(mesh, warnings=(*mesh.warnings, _tell_open(mesh)))
    return mesh


def _compare(came: Mesh, left: Mesh, sound: float) -> None:
    """Refuse a repair that lost something. sound: area without what was there twice [m^2]."""
    shrunk = float(np.abs(np.subtract(_bounds(came), _bounds(left))).max())
    lost = 1 - left.area / sound
    if shrunk > _LOST * came.diagonal or lost > _LOST:
        raise GeometryError(
            f"The file is too damaged to be mended: of its {len(came.triangles)} triangles "
            f"{len(left.triangles)} are left after repair, with {100 * max(lost, 0.0):.2g} % less area and a "
            f"bounding box that is off by {1e3 * shrunk:.3g} mm. Export the part again.",
            {"triangles": len(came.triangles), "left": len(left.triangles)},
        )


def _bounds(mesh: Mesh) -> Float64:
    return np.stack([mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)])


def _drop_broken(mesh: Mesh) -> Mesh:
    finite = np.asarray(np.isfinite(mesh.vertices).all(axis=1))
    sound = np.asarray(finite[mesh.triangles].all(axis=1))
    if not sound.any():
        raise GeometryError("No triangle of the file has finite coordinates. Export the part again.")
    broken = int((~sound).sum())
    if broken > max(_BROKEN * len(sound), 1):
        raise GeometryError(
            f"{broken} of the {len(sound)} triangles have coordinates that are no numbers: too many to be "
            f"mended. Export the part again.",
            {"triangles": len(sound), "broken": broken},
        )
    if broken:
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
    exact = np.column_stack([mesh.part_of_vertex, mesh.vertices + 0.0])  # -0 is 0
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
    if flat.all() or mesh.area < _NO_AREA * mesh.diagonal**2:
        raise GeometryError(
            "All triangles of the file are degenerate: they have no area. Export the part again."
        )
    if flat.any():
        mesh = mesh.keep(~flat).repaired(f"dropped {int(flat.sum())} triangles without area")
    doubled = _doubled(mesh.vertices, mesh.triangles)
    if doubled.any():
        extent = 1e6 * float(areas(mesh.vertices, mesh.triangles[doubled]).sum())
        mesh = mesh.keep(~doubled).repaired(
            f"dropped {int(doubled.sum())} triangles that were there twice ({extent:.3g} mm2)"
        )
    return mesh


def _doubled(vertices: Float64, triangles: Int64) -> NDArray[np.bool_]:
    """(m,) which triangles repeat another one: all but the first, and but the second where two bodies touch.

    Two that face each other are the touching faces of two bodies if the rest of the bodies goes on at their
    rim: without one of them, three triangles would meet there. Those without a rim are a body that fills a
    hole of another one, if there is another one around; else a surface that was given two sides.
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
    if both_ways.any() and not both_ways.all():
        touching |= both_ways & _fills(vertices, triangles[first], both_ways, patch)
    kept = np.zeros(len(triangles), dtype=bool)
    kept[first] = True
    kept[of_direction[touching[same[of_direction]]]] = True
    return ~kept


def _fills(
    vertices: Float64, triangles: Int64, doubled: NDArray[np.bool_], patch: Int64
) -> NDArray[np.bool_]:
    """(m,) which patches of doubled triangles are closed, with others all around them."""
    around = vertices[triangles[~doubled]].reshape(-1, 3)
    corners = vertices[triangles]
    within = (corners > around.min(axis=0)).all(axis=(1, 2)) & (corners < around.max(axis=0)).all(axis=(1, 2))
    closed = np.zeros(len(triangles), dtype=bool)
    closed[doubled] = (edge_counts(triangles[doubled]) == 2).reshape(-1, 3).all(axis=1)
    return np.asarray((np.bincount(patch, weights=~(within & closed)) == 0)[patch])


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
    loops = boundary_loops(mesh.triangles)
    if not loops:
        return mesh
    limit = _SMALL_HOLE * mesh.diagonal
    present = {tuple(corners) for corners in np.sort(mesh.triangles, axis=1).tolist()}
    part = mesh.part_of_vertex
    added: list[Int64] = []
    parts: list[Int64] = []
    closed, widest = 0, 0.0
    for loop in loops:
        points = mesh.vertices[loop]
        extent = float(np.linalg.norm(np.ptp(points, axis=0)))
        lone = len(loop) == 3 and tuple(sorted(loop.tolist())) in present  # a triangle without neighbours
        if (len(loop) == 3 or extent <= limit) and not lone:
            try:
                filling, _ = triangulate(mesh.vertices, [loop])
            except ValueError:
                continue
            added.append(filling)
            parts.append(np.full(len(filling), part[loop[0]]))
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
    used = np.zeros(len(mesh.vertices), dtype=bool)
    used[mesh.triangles] = True
    if used.all():
        return mesh
    number = np.cumsum(used) - 1
    return replace(mesh, vertices=mesh.vertices[used], triangles=number[mesh.triangles])


def _tell_open(mesh: Mesh) -> str:
    counts, ends = edge_counts(mesh.triangles), edges(mesh.triangles)
    told: list[str] = []
    loops = boundary_loops(mesh.triangles)
    if loops:
        extents = [float(np.linalg.norm(np.ptp(mesh.vertices[loop], axis=0))) for loop in loops]
        widest = loops[int(np.argmax(extents))]
        holes = "a hole" if len(loops) == 1 else f"{len(loops)} holes"
        told.append(
            f"{int((counts == 1).sum())} open edges bound {holes} of up to {1e3 * max(extents):.3g} mm, "
            f"the largest around {_mm(mesh.vertices[widest].mean(axis=0))}"
        )
    crowded = np.flatnonzero(counts > 2)
    if len(crowded):
        number = len(np.unique(edge_codes(mesh.triangles)[crowded]))
        edge = "one edge" if number == 1 else f"{number} edges"
        place = mesh.vertices[ends[crowded[0]]].mean(axis=0)
        told.append(
            f"at {edge} more than two triangles meet, one of them at {_mm(place)} (look for inner walls)"
        )
    return f"the surface is not closed: {'; '.join(told)}. Close it in the CAD program"


def _mm(point: Float64) -> str:
    x, y, z = 1e3 * point + 0.0
    return f"({x:.4g}, {y:.4g}, {z:.4g}) mm"
