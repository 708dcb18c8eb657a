"""Supports on a surface that cuts the cells of a grid."""

import numpy as np
from numpy.typing import NDArray

from solvers.cutcell import supports
from solvers.cutcell.supports import Supports
from solvers.law import Law
from twin.analyses.immersed_boundary import ImmersedBoundary
from twin.analyses.static_stress.supports import ORDER, refuse_contradiction
from twin.geometry.selection import Selected
from twin.geometry.surface import closest
from twin.studies import Displacement, ElasticFoundation, Fixed, Support

Floats = NDArray[np.float64]


def supported(boundary: ImmersedBoundary, law: Law, studied: tuple[Support, ...]) -> Supports:
    """All supports. Where two meet, what holds more goes first: Fixed, then Displacement, then Symmetry."""
    holding = sorted((s for s in studied if isinstance(s, ORDER)), key=lambda s: ORDER.index(type(s)))
    parts = [_holding(boundary, law, support, holding[:rank]) for rank, support in enumerate(holding)]
    parts += [_foundation(boundary, law, s) for s in studied if isinstance(s, ElasticFoundation)]
    return supports.joined(boundary.cells, law, parts)


def _holding(boundary: ImmersedBoundary, law: Law, support: Support, before: list[Support]) -> Supports:
    where = boundary.quadrature(support.on)
    count = len(where.weight)
    triangle = closest(boundary.surface, where.position)[1] if before else None
    claimed = np.zeros((count, 3, 3))
    ground = np.zeros((count, 3))
    for earlier in before:
        assert triangle is not None
        shared = Selected(boundary.surface, earlier.on).mask(where.position, triangle)
        left = np.eye(3) - claimed[shared]
        own = _directions(earlier, where.normal[shared])
        ground[shared] += np.einsum("pij,j->pi", left @ own, _value(earlier))
        claimed[shared] += left @ own @ left
    left = np.eye(3) - claimed
    own, value = _directions(support, where.normal), _value(support)
    if isinstance(support, Displacement):
        refuse_contradiction(support, np.einsum("pij,pj->pi", own @ claimed, value - ground))
    ground = np.broadcast_to(value, (count, 3)).copy()
    return supports.given(boundary.cells, law, where, left @ own @ left, ground)


def _directions(support: Support, normal: Floats) -> Floats:
    if isinstance(support, Fixed):
        return np.tile(np.eye(3), (len(normal), 1, 1))
    if isinstance(support, Displacement):
        given = [component is not None for component in (support.x, support.y, support.z)]
        return np.tile(np.diag(np.array(given, float)), (len(normal), 1, 1))
    return np.asarray(normal[:, :, None] * normal[:, None, :])


def _value(support: Support) -> Floats:
    if isinstance(support, Displacement):
        return np.array([component or 0.0 for component in (support.x, support.y, support.z)])
    return np.zeros(3)


def _foundation(boundary: ImmersedBoundary, law: Law, support: ElasticFoundation) -> Supports:
    where = boundary.quadrature(support.on)
    every = np.broadcast_to(np.eye(3), (len(where.weight), 3, 3))
    along = every if support.direction == "all" else where.normal[:, :, None] * where.normal[:, None, :]
    ground = np.zeros((len(where.weight), 3))
    return supports.sprung(boundary.cells, law, where, support.stiffness * along, ground)
