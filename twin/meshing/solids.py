"""What of a surface is to be filled: bodies that touch or overlap become one solid, the others are meshed apart."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.geometry.occupancy import Occupancy
from twin.geometry.patches import find_patches
from twin.geometry.surface import Surface

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

TOUCHING = 1e-5  # of the diagonal: bodies nearer to each other than that touch
_BONDED = 1e-5  # of the diagonal squared: contact over a smaller area does not hold bodies together
_SIMPLER = 1e-6  # of the diagonal: how far faces may move where bodies were joined
_ROUNDS = 5
_MOST_BODIES = 1000  # granulate and lattices of loose bars: material is then where the winding number says so


@dataclass(frozen=True, eq=False)
class Solids:
    """surfaces: of each solid, closed and without overlaps where `sound`; else one surface of whatever there is.

    notes: what was joined or is left apart.
    """

    surfaces: tuple[Surface, ...]
    sound: bool
    notes: tuple[str, ...] = ()


def solids(surface: Surface) -> Solids:
    """Part a surface into solids; bodies that touch or overlap are joined (Boolean union)."""
    from manifold3d import Error

    if not surface.closed:
        outside, _ = Occupancy(surface).exposed(np.inf)
        if not outside.closed:
            return Solids((surface,), False)
        found = solids(_with_patches(outside.vertices, outside.triangles))
        share = 1 - outside.area / surface.area
        note = (
            f"{100 * share:.2g} % of the surface bounds no material (walls inside, sheets) and was left out"
        )
        return replace(found, notes=(note, *found.notes))
    count = int(surface.body.max(initial=0)) + 1
    if count == 1:
        return Solids((surface,), True)
    if count > _MOST_BODIES:
        note = f"{count:,} bodies are too many to be joined exactly"
        return Solids((surface,), False, (note,))
    bodies = [
        _manifold(surface.vertices, surface.triangles[surface.body == number]) for number in range(count)
    ]
    if any(body.status() != Error.NoError or body.volume() <= 0 for body in bodies):
        note = "the bodies are no clean solids each, so they could not be joined exactly"
        return Solids((surface,), False, (note,))
    joined, closed_gaps = _join(bodies, surface.diagonal)
    notes = []
    if len(joined) < count:
        notes.append(f"{count} bodies that touch or overlap were joined into {_solids(len(joined))}")
    if closed_gaps:
        notes.append(
            f"gaps of up to {1e3 * TOUCHING * surface.diagonal:.2g} mm between bodies count as contact: they were "
            f"closed in {closed_gaps} places"
        )
    if len(joined) > 1:
        notes.append(f"{_solids(len(joined))} that don't touch over an area were meshed apart")
    if len(joined) == count and not closed_gaps:
        # nothing was joined, so the triangles stay as they are
        return Solids(
            tuple(surface.chosen(surface.body == number) for number in range(count)), True, tuple(notes)
        )
    return Solids(tuple(_surface(part) for part in joined), True, tuple(notes))


def join_surfaces(surfaces: tuple[Surface, ...]) -> Surface:
    """Several surfaces as one."""
    if len(surfaces) == 1:
        return surfaces[0]
    first = np.cumsum([0, *(len(surface.vertices) for surface in surfaces[:-1])])
    patch = np.cumsum([0, *(int(surface.patch.max()) + 1 for surface in surfaces[:-1])])
    return Surface(
        np.concatenate([surface.vertices for surface in surfaces]),
        np.concatenate([s.triangles + offset for s, offset in zip(surfaces, first, strict=True)]).astype(
            np.int32
        ),
        np.concatenate([s.patch + offset for s, offset in zip(surfaces, patch, strict=True)]).astype(
            np.int32
        ),
    )


def _solids(count: int) -> str:
    return "one solid" if count == 1 else f"{count} solids"


def _manifold(vertices: Float64, triangles: Int64) -> Any:
    from manifold3d import Manifold, Mesh64

    used, inverse = np.unique(triangles, return_inverse=True)
    corners = np.ascontiguousarray(inverse.reshape(-1, 3).astype(np.uint64))
    return Manifold(Mesh64(np.ascontiguousarray(vertices[used]), corners))


def _arrays(solid: Any) -> tuple[Float64, Int64]:
    mesh = solid.to_mesh64()
    vertices = np.ascontiguousarray(np.asarray(mesh.vert_properties)[:, :3], dtype=np.float64)
    return vertices, np.asarray(mesh.tri_verts).astype(np.int64)


def _join(bodies: list[Any], diagonal: float) -> tuple[list[Any], int]:
    """Union of all that touches: the solids, and in how many places gaps had to be closed for it."""
    from manifold3d import Manifold, OpType

    gap = TOUCHING * diagonal
    growth = 1.2 * gap
    parts = _pieces(Manifold.batch_boolean(bodies, OpType.Add))
    closed_gaps = 0
    for _ in range(_ROUNDS):
        near = [(i, j) for i, j in _near_boxes(parts, gap) if parts[i].min_gap(parts[j], 2 * gap) < gap]
        bonds = []
        for i, j in near:
            grown = _grown(parts[i], growth)
            common = (grown ^ parts[j]).volume()
            # what they share is a layer between them: its volume is the area in contact times its thickness
            if common / growth > _BONDED * diagonal**2:
                bonds.append((i, grown))
        if not bonds:
            break
        closed_gaps += len(bonds)
        for i, grown in bonds:
            parts[i] = grown
        parts = _pieces(Manifold.batch_boolean(parts, OpType.Add).simplify(2.5 * gap))
    return [part.simplify(_SIMPLER * diagonal) for part in parts], closed_gaps


def _pieces(union: Any) -> list[Any]:
    """Connected solids, each with its cavities."""
    shells = union.decompose()
    outer = [shell for shell in shells if shell.volume() > 0]
    hollows = [shell for shell in shells if shell.volume() < 0]
    if not hollows:
        return outer
    # a cavity belongs to the smallest solid around it
    owned: dict[int, list[Any]] = {}
    order = sorted(range(len(outer)), key=lambda i: outer[i].volume())
    for hollow in hollows:
        place = _arrays(hollow)[0][0]
        owner = next((i for i in order if _holds(outer[i], place)), order[-1])
        owned.setdefault(owner, []).append(hollow)
    return [_together([shell, *owned[i]]) if i in owned else shell for i, shell in enumerate(outer)]


def _together(shells: list[Any]) -> Any:
    vertices, triangles = zip(*(_arrays(shell) for shell in shells), strict=True)
    first = np.cumsum([0, *(len(points) for points in vertices[:-1])])
    numbered = [corners + offset for corners, offset in zip(triangles, first, strict=True)]
    return _manifold(np.concatenate(vertices), np.concatenate(numbered))


def _holds(solid: Any, point: Float64) -> bool:
    import igl

    winding = igl.winding_number(*_arrays(solid), point[None])
    return bool(abs(float(np.asarray(winding).reshape(-1)[0])) > 0.5)


def _near_boxes(parts: list[Any], gap: float) -> list[tuple[int, int]]:
    """Pairs (i, j), j < i, whose bounding boxes lie within `gap` [m] of each other."""
    lower, upper = np.split(np.array([part.bounding_box() for part in parts]), 2, axis=1)
    pairs = []
    for i in range(1, len(parts)):
        beside = (lower[:i] - gap > upper[i]) | (lower[i] - gap > upper[:i])
        pairs += [(i, int(j)) for j in np.flatnonzero(~beside.any(axis=1))]
    return pairs


def _grown(solid: Any, distance: float) -> Any:
    """Every vertex moved outwards along its normal."""
    vertices, triangles = _arrays(solid)
    a, b, c = (vertices[triangles[:, i]] for i in range(3))
    normals = np.zeros_like(vertices)
    for corner in range(3):
        np.add.at(normals, triangles[:, corner], np.cross(b - a, c - a))
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-300)
    # at edges and corners the faces move by less than the vertex does
    return _manifold(vertices + np.sqrt(3.0) * distance * normals, triangles)


def _surface(solid: Any) -> Surface:
    vertices, triangles = _arrays(solid)
    return _with_patches(vertices, triangles)


def _with_patches(vertices: Float64, triangles: NDArray[np.integer]) -> Surface:
    return Surface(vertices, triangles.astype(np.int32), find_patches(vertices, triangles.astype(np.int64)))
