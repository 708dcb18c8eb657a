"""Supports -> which nodes are held along which directions, and elastic foundations."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solvers.elasticity import constraints
from solvers.tet10 import loads
from twin.analyses.boundary import MeshBoundary
from twin.analyses.singularities import CLAMPED, GUIDED, Grip
from twin.analyses.task import Regions
from twin.errors import StudyError
from twin.select import describe
from twin.studies import Displacement, ElasticFoundation, Fixed, RemoteForce, Support, Symmetry

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ALL = frozenset("xyz")  # components of a displacement


def grips(regions: Regions) -> list[Grip]:
    """What holds, as far as rims go; rigid couplings hold their region to one motion."""
    found = []
    for support, region in regions.supports:
        if not isinstance(support, ElasticFoundation):  # springs give way
            words = f"{type(support).__name__} on {describe(support.on)}"
            holds = _components(support)
            found.append(Grip(words, support.on, region, CLAMPED if holds == ALL else GUIDED, holds))
    for case, load, at in regions.loads:
        if isinstance(load, RemoteForce) and load.coupling == "rigid" and at is not None:
            words = f"the rigid coupling on {describe(load.on)}"
            found.append(Grip(words, load.on, at, CLAMPED, ALL, case=case))
    return found


def _components(support: Support) -> frozenset[str] | None:
    """What a support holds of a displacement, None for that along the normal."""
    match support:
        case Fixed():
            return ALL
        case Displacement():
            return frozenset(axis for axis in ALL if getattr(support, axis) is not None)
        case _:
            return None


# What holds more goes first.
ORDER: tuple[type[Support], ...] = (Fixed, Displacement, Symmetry)


@dataclass(frozen=True)
class Held:
    """How a mesh is held.

    directions: (n, 3, 3) projector onto the held directions of each node
    prescribed: (n, 3) displacement along them [m]
    moved: of each Displacement, by its number: nodes (k,), and what they make of its components (k, 3, 3)
    foundation: facets (f, 6) and their stiffness (f, 6, 6, 3, 3) [N/m], or None
    """

    directions: Floats
    prescribed: Floats
    moved: Mapping[int, tuple[Ints, Floats]]
    foundation: tuple[Ints, Floats] | None


def hold(boundary: MeshBoundary, supports: tuple[Support, ...]) -> Held:
    """Apply supports. Where two meet, what holds more goes first: Fixed, then Displacement, then Symmetry."""
    count = len(boundary.points)
    directions, prescribed = np.zeros((count, 3, 3)), np.zeros((count, 3))
    moved: dict[int, tuple[Ints, Floats]] = {}
    rigid = [(number, s) for number, s in enumerate(supports) if isinstance(s, ORDER)]
    for number, support in sorted(rigid, key=lambda s: ORDER.index(type(s[1]))):
        own, value = _own(boundary, support)
        if value is not None:
            nodes = np.flatnonzero(own.any((1, 2)))
            # Only along directions that nothing has claimed yet.
            moves = (np.eye(3) - directions[nodes]) @ own[nodes]
            moved[number] = nodes, moves
            prescribed[nodes] += moves @ value
            off = np.einsum("nij,nj->ni", own[nodes], value - prescribed[nodes])
            assert isinstance(support, Displacement)  # the only one with a value
            refuse_contradiction(support, off, float(np.abs(prescribed[nodes]).max(initial=0)))
        directions = constraints.join(directions, own)
    return Held(directions, prescribed, moved, _foundation(boundary, supports))


def _own(boundary: MeshBoundary, support: Support) -> tuple[Floats, Floats | None]:
    selected = boundary.nodes(support.on)
    own = np.zeros((len(boundary.points), 3, 3))
    if isinstance(support, Fixed):
        own[selected.unique] = np.eye(3)
        return own, None
    if isinstance(support, Displacement):
        components = (support.x, support.y, support.z)
        own[selected.unique] = np.diag([float(c is not None) for c in components])
        return own, np.array([c or 0.0 for c in components])
    return (
        constraints.normal_directions(
            selected.nodes, selected.normals, selected.weights, len(boundary.points)
        ),
        None,
    )


def refuse_contradiction(support: Displacement, off: Floats, elsewhere: float = 0.0) -> None:
    """A rim shared with another support is a matter of course; most of a face held to another value is a mistake.

    off: how far each point (k, 3) is held off its prescribed place [m]; elsewhere: largest displacement held there [m]
    """
    given = [abs(component) for component in (support.x, support.y, support.z) if component is not None]
    scale = max([*given, elsewhere, 1e-300])
    if (np.linalg.norm(off, axis=1) > 1e-6 * scale).mean() > 0.5:
        raise StudyError(
            f"Displacement on {describe(support.on)} contradicts another support, which holds most of the same "
            "surface at another value. Remove one of the two.",
            {"on": describe(support.on)},
        )


def _foundation(boundary: MeshBoundary, supports: tuple[Support, ...]) -> tuple[Ints, Floats] | None:
    nodes, stiffness = [], []
    for support in supports:
        if not isinstance(support, ElasticFoundation):
            continue
        where = boundary.quadrature(support.on)
        along = (
            np.eye(3) if support.direction == "all" else where.normal[:, :, None] * where.normal[:, None, :]
        )
        facets, springs = loads.foundation(
            where, np.broadcast_to(support.stiffness * along, (len(where.weight), 3, 3))
        )
        nodes.append(facets)
        stiffness.append(springs)
    return (np.concatenate(nodes), np.concatenate(stiffness)) if nodes else None
