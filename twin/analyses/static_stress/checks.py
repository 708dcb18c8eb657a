"""What is refused before anything is computed, in an engineer's words."""

from itertools import pairwise
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from solvers.cutcell.cells import FilledCells
from solvers.cutcell.supports import Supports
from solvers.elasticity import constraints
from twin.analyses import materials
from twin.analyses.checks import SELECTION_RESOLUTION
from twin.analyses.static_stress.supports import Held
from twin.analyses.task import Regions
from twin.errors import UnconstrainedError
from twin.geometry.selection import Selection, select
from twin.geometry.surface import TRIANGLE_DEGREE_2, Surface
from twin.select import Selector, describe
from twin.studies import (
    Displacement,
    ElasticFoundation,
    Fixed,
    Force,
    Load,
    Pressure,
    RemoteForce,
    Request,
    StaticStress,
    Support,
    Symmetry,
    Traction,
)
from twin.studies.bodies import property_of_all

Floats = NDArray[np.float64]
Ints = NDArray[np.integer]

MOST_JOINTED = 300  # bodies that hang on edges and corners of each other, for which that is checked
AXES = {"x": np.array([1.0, 0, 0]), "y": np.array([0, 1.0, 0]), "z": np.array([0, 0, 1.0])}


def check(surface: Surface, study: StaticStress, request: Request) -> Regions:
    """Refuse what can't be answered; else the study's regions.

    Raises:
        SelectionError, UnconstrainedError, MaterialError
    """
    _check_strength(study, request)
    resolution = surface.diagonal * SELECTION_RESOLUTION
    supports = tuple((support, select(surface, support.on, resolution)) for support in study.supports)
    loads = tuple(
        (case, load, select(surface, where, resolution) if (where := _where(load)) is not None else None)
        for case, items in study.cases.items()
        for load in items
    )
    _check_held(surface, supports)
    return Regions(supports, loads, materials.of_bodies(surface, study))


def _where(load: Load) -> Selector | None:
    return load.on if isinstance(load, Force | Traction | Pressure | RemoteForce) else None


def _check_strength(study: StaticStress, request: Request) -> None:
    if "safety_factor" in (request.quantities or ()):
        property_of_all(study.materials, "yield_strength", "A safety factor")


def _held_directions(support: Support, normals: Floats) -> Floats:
    if isinstance(support, Fixed) or (isinstance(support, ElasticFoundation) and support.direction == "all"):
        return np.tile(np.eye(3), (len(normals), 1, 1))
    if isinstance(support, Displacement):
        given = [component is not None for component in (support.x, support.y, support.z)]
        return np.tile(np.diag(np.array(given, float)), (len(normals), 1, 1))
    assert isinstance(support, Symmetry | ElasticFoundation)
    return normals[:, :, None] * normals[:, None, :]


def _check_held(surface: Surface, supports: tuple[tuple[Support, Selection], ...]) -> None:
    normal_at = SmoothNormals(surface)
    holdings = []
    for support, selection in supports:
        points = np.einsum("qa,kai->kqi", TRIANGLE_DEGREE_2, selection.triangles).reshape(-1, 3)
        normals = normal_at(points, np.repeat(selection.source, len(TRIANGLE_DEGREE_2)))
        weights = np.repeat(selection.areas / len(TRIANGLE_DEGREE_2), len(TRIANGLE_DEGREE_2))
        follows = isinstance(support, Symmetry) or (
            isinstance(support, ElasticFoundation) and support.direction == "normal"
        )
        slack = constraints.ALONG_NORMALS if follows else constraints.EXACT
        holdings.append(constraints.Holding(points, _held_directions(support, normals), weights, slack))
    motions, about = constraints.free_rigid_motions(holdings)
    if len(motions) == 0:
        return
    words = describe_motions(motions, about, surface.diagonal)
    where = "; ".join(f"{type(s).__name__} on {describe(s.on)}" for s, _ in supports) or "none"
    raise UnconstrainedError(
        f"The supports leave the part free to move: {', and '.join(words)}. "
        f"Add a support that holds it there (supports now: {where}).",
        {"free_motions": "; ".join(words)},
    )


def check_pieces_held(points: Floats, elements: Ints, piece: Ints, held: Held) -> None:
    """Each body must be held, by supports and by the bodies at whose edges or corners it hangs.

    Args:
        elements: nodes of each element; piece: which it belongs to, joined by whole faces

    Raises:
        UnconstrainedError: one is not
    """
    nodes = np.flatnonzero(held.directions.any((1, 2)))
    at, directions, slack = points[nodes], held.directions[nodes], constraints.ALONG_NORMALS
    if held.foundation is not None:
        facets, stiffness = held.foundation
        own = np.einsum("faaij->faij", stiffness).reshape(-1, 3, 3)
        size = np.trace(own, axis1=1, axis2=2)[:, None, None]
        nodes = np.concatenate([nodes, facets.ravel()])
        at, directions = (
            np.concatenate([at, points[facets.ravel()]]),
            np.concatenate([directions, own / size]),
        )
    holding = constraints.Holding(at, directions, np.ones(len(at)), slack)
    node, owner = _owners(elements, piece)
    # a node that several pieces share is held in each of them
    first = np.searchsorted(node, nodes)
    copies = np.searchsorted(node, nodes, side="right") - first
    rows = np.repeat(np.arange(len(nodes)), copies)
    place = np.repeat(first - np.cumsum(copies) + copies, copies) + np.arange(len(rows))
    _check_pieces(points, node, owner, holding, rows, owner[place])


def check_pieces_hang(cells: FilledCells, held: Supports) -> None:
    """The same for what holds the cells of a grid."""
    size = np.maximum(np.trace(held.springs, axis1=1, axis2=2), 1e-300)[:, None, None]
    where, piece = held.where, cells.lattice.pieces
    holding = constraints.Holding(
        where.position, held.springs / size, where.weight, constraints.ALONG_NORMALS
    )
    owners = _owners(cells.nodes, piece)
    _check_pieces(cells.points, *owners, holding, np.arange(len(where.facet)), piece[where.facet])


def _owners(elements: Ints, piece: Ints) -> tuple[Ints, Ints]:
    """Nodes, sorted, and the pieces that they belong to: a row for each piece of a node."""
    pairs = np.unique(np.stack([elements.ravel(), np.repeat(piece, elements.shape[1])], axis=1), axis=0)
    return pairs[:, 0], pairs[:, 1]


def _check_pieces(
    points: Floats, node: Ints, owner: Ints, holding: constraints.Holding, rows: Ints, held: Ints
) -> None:
    """node, owner: of `_owners`; rows, held: points of the holding, and the piece that each of them holds."""
    count = int(owner.max()) + 1
    if count == 1:
        return
    joined = np.flatnonzero(node[1:] == node[:-1])
    joints = constraints.Joints(points[node[joined]], owner[joined], owner[joined + 1])
    graph = coo_array((np.ones(len(joined)), (joints.first, joints.second)), shape=(count, count))
    clusters, cluster = connected_components(graph, directed=False)
    by_piece = np.argsort(held, kind="stable")
    edges = np.searchsorted(held[by_piece], np.arange(count + 1))
    supports = [rows[by_piece[start:end]] for start, end in pairwise(edges)]
    in_cluster = np.argsort(cluster, kind="stable")
    for pieces in np.split(in_cluster, np.cumsum(np.bincount(cluster))[:-1]):
        if len(pieces) > MOST_JOINTED:
            continue  # the solver will tell
        number = np.full(count, -1)
        number[pieces] = np.arange(len(pieces))
        own = number[joints.first] >= 0
        jointed = constraints.Joints(
            joints.points[own], number[joints.first[own]], number[joints.second[own]]
        )
        place = points[node[number[owner] >= 0]]
        centre = place.mean(0)
        radius = float(np.linalg.norm(place - centre, axis=1).max())
        motions = constraints.free_body_motions(
            [[_part(holding, supports[piece])] if len(supports[piece]) else [] for piece in pieces],
            jointed,
            centre,
            radius,
        )
        if len(motions):
            loosest = int(np.linalg.norm(motions, axis=2).sum(axis=0).argmax())
            _refuse_loose(
                points[node[owner == pieces[loosest]]], motions[:, loosest], centre, clusters, count
            )


def _part(holding: constraints.Holding, rows: Ints) -> constraints.Holding:
    return constraints.Holding(
        holding.points[rows], holding.directions[rows], holding.weights[rows], holding.slack
    )


def _refuse_loose(own: Floats, motions: Floats, about: Floats, clusters: int, count: int) -> NoReturn:
    words = describe_motions(motions, about, float(np.linalg.norm(np.ptp(own, axis=0))))
    x, y, z = 1e3 * own.mean(0)
    bodies = f"{clusters} bodies that don't touch"
    if clusters == 1:
        bodies = f"{count} bodies that don't touch by faces, but hang on edges or corners"
    raise UnconstrainedError(
        f"The part consists of {bodies}, and the one about ({x:.4g}, {y:.4g}, {z:.4g}) mm is free to move: "
        f"{', and '.join(words)}. Hold it by a support of its own, let it touch another body, or leave it out.",
        {"bodies": count, "free_motions": "; ".join(words)},
    )


class SmoothNormals:
    """Normals of the surface that the facets stand for: on a tessellated cylinder, those of the cylinder."""

    def __init__(self, surface: Surface):
        self._surface = surface
        count = len(surface.vertices)
        key = surface.patch[:, None].astype(np.int64) * count + surface.triangles
        _, position = np.unique(key, return_inverse=True)
        self._corner = position.reshape(-1, 3)
        vectors = np.repeat(surface.area_vectors, 3, axis=0)
        total = [np.bincount(self._corner.ravel(), vectors[:, k]) for k in range(3)]
        summed = np.stack(total, axis=1)
        self._normal = summed / np.maximum(np.linalg.norm(summed, axis=1, keepdims=True), 1e-300)

    def __call__(self, points: Floats, triangle: NDArray[np.int32]) -> Floats:
        """Unit normals at points (p, 3) of triangles (p,)."""
        a, b, c = self._surface.corners[triangle].transpose(1, 0, 2)
        area = self._surface.area_vectors[triangle]
        twice = 2 * np.einsum("pi,pi->p", area, area)
        along_b = np.einsum("pi,pi->p", np.cross(points - a, c - a), area) / twice
        along_c = np.einsum("pi,pi->p", np.cross(b - a, points - a), area) / twice
        weights = np.stack([1 - along_b - along_c, along_b, along_c], axis=1)
        normal = np.einsum("pa,pai->pi", weights, self._normal[self._corner[triangle]])
        return np.asarray(normal / np.linalg.norm(normal, axis=1, keepdims=True))


def describe_motions(motions: Floats, about: Floats, length: float) -> list[str]:
    """Rigid motions (translation, rotation about a point) as words; `length` scales rotations to translations."""
    scaled = motions * np.repeat([1.0, length], 3)
    basis = np.linalg.qr(scaled.T)[0].T
    if len(basis) == 6:
        return ["nothing holds it"]
    _, sizes, mixing = np.linalg.svd(basis[:, 3:].T)
    turning = np.zeros(len(basis), bool)
    turning[: len(sizes)] = sizes > 1e-3
    ordered = mixing @ basis
    slides, turns = ordered[~turning], ordered[turning]
    words = [f"translation along {_direction(d)}" for d in _tidy(slides[:, :3])]
    if len(turns):
        for axis in _tidy(turns[:, 3:]):
            amplitude = np.linalg.lstsq(turns[:, 3:].T, axis, rcond=None)[0]
            move, spin = (amplitude @ turns)[:3], axis / length
            point = about + np.cross(spin, move) / (spin @ spin)
            x, y, z = np.round(point / length, 9) * length * 1e3 + 0.0
            words.append(f"rotation about {_direction(axis)} through ({x:.4g}, {y:.4g}, {z:.4g}) mm")
    return words


def _tidy(vectors: Floats) -> list[Floats]:
    """A basis of the span of `vectors` that uses the coordinate axes where it can."""
    left = np.linalg.svd(vectors)[2][: len(vectors)] if len(vectors) else vectors
    chosen: list[Floats] = []
    for axis in AXES.values():
        if len(left) and np.linalg.norm(left @ axis) > 1 - 1e-3:
            chosen.append(axis)
    rest = left - sum((np.outer(left @ axis, axis) for axis in chosen), np.zeros_like(left))
    _, sizes, vectors = np.linalg.svd(rest) if len(rest) else (None, np.zeros(0), rest)
    return chosen + [v for v, size in zip(vectors, sizes, strict=False) if size > 0.1]


def _direction(vector: Floats) -> str:
    unit = vector / np.linalg.norm(vector)
    for name, axis in AXES.items():
        if abs(unit @ axis) > 1 - 1e-4:
            return name
    return "({:.3f}, {:.3f}, {:.3f})".format(*unit)
