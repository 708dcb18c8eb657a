"""Nodes held along directions, and the rigid motions that such holding leaves free."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg
from jaxtyping import Float, Int

# Normals that differ by less than about 30 degrees count as one face: a node then slides along both.
SAME_FACE = 0.067
# A motion along a face is free of it; on a tessellated curved face its normal part is up to this share of it,
# squared, for what is exact (whole nodes, single components) and for what follows normals.
EXACT, ALONG_NORMALS = 1e-10, 1e-3


@dataclass(frozen=True)
class Holding:
    """One support as a check sees it: quadrature points [m], held directions as projectors, weights [m^2].

    slack: `EXACT` or `ALONG_NORMALS`
    """

    points: Float[np.ndarray, "p 3"]
    directions: Float[np.ndarray, "p 3 3"]
    weights: Float[np.ndarray, " p"]
    slack: float


def normal_directions(
    nodes: Int[np.ndarray, " p"],
    normals: Float[np.ndarray, "p 3"],
    weights: Float[np.ndarray, " p"],
    count: int,
) -> Float[np.ndarray, "n 3 3"]:
    """Directions along which nodes are held when each may only slide along the faces that it lies on.

    Args:
        nodes, normals, weights: one row per contribution of a face at a node
        count: number of nodes

    Returns:
        per node the projector onto the held directions: rank 1 on a smooth face, 2 on an edge, 3 at a corner
    """
    covariance = np.zeros((count, 9))
    outer = (normals[:, :, None] * normals[:, None, :]).reshape(-1, 9) * weights[:, None]
    for column in range(9):
        covariance[:, column] = np.bincount(nodes, outer[:, column], minlength=count)
    held = np.zeros((count, 3, 3))
    used = np.flatnonzero(np.trace(covariance.reshape(-1, 3, 3), axis1=1, axis2=2))
    values, vectors = np.linalg.eigh(covariance[used].reshape(-1, 3, 3))
    strong = values > SAME_FACE * values[:, -1:]
    held[used] = np.einsum("nik,nk,njk->nij", vectors, strong, vectors)
    return held


def join(first: Float[np.ndarray, "n 3 3"], second: Float[np.ndarray, "n 3 3"]) -> Float[np.ndarray, "n 3 3"]:
    """Projectors onto the directions held by either of two constraints."""
    both = np.flatnonzero(np.trace(first, axis1=1, axis2=2) * np.trace(second, axis1=1, axis2=2))
    joined = first + second
    values, vectors = np.linalg.eigh(joined[both])
    joined[both] = np.einsum("nik,nk,njk->nij", vectors, values > SAME_FACE, vectors)
    return joined


def rigid_motions(
    points: Float[np.ndarray, "n 3"], about: Float[np.ndarray, "3"]
) -> Float[np.ndarray, "n 3 6"]:
    """Displacement of points under unit translations along, and unit rotations about, x, y, z."""
    arm = points - about
    motions = np.zeros((len(points), 3, 6))
    motions[:, :, :3] = np.eye(3)
    for axis in range(3):
        motions[:, :, 3 + axis] = np.cross(np.eye(3)[axis], arm)
    return motions


def free_rigid_motions(
    holdings: Sequence[Holding],
) -> tuple[Float[np.ndarray, "k 6"], Float[np.ndarray, "3"]]:
    """Rigid motions that supports leave free.

    Each support is judged by itself and by rank: how strongly a small one resists, against a large one, is not asked.

    Returns:
        motions as rows (translation [m], rotation [rad]), and the point that the rotations are about [m]
    """
    if not holdings:
        return np.eye(6), np.zeros(3)
    points = np.concatenate([holding.points for holding in holdings])
    centre = points.mean(0)
    radius = float(np.linalg.norm(points - centre, axis=1).max()) or 1.0
    scale = np.repeat([1.0, 1 / radius], 3)
    resistance = _resistance(holdings, centre, scale)
    values, vectors = np.linalg.eigh(resistance)
    return (vectors[:, values <= EXACT * values[-1]] * scale[:, None]).T, centre


@dataclass(frozen=True)
class Joints:
    """Points [m] that two bodies have in common, such as nodes on an edge at which both end: the bodies' numbers."""

    points: Float[np.ndarray, "j 3"]
    first: Int[np.ndarray, " j"]
    second: Int[np.ndarray, " j"]


def free_body_motions(
    holdings: Sequence[Sequence[Holding]], joints: Joints, centre: Float[np.ndarray, "3"], radius: float
) -> Float[np.ndarray, "k b 6"]:
    """Rigid motions (translation [m], rotation about `centre` [rad]) of b jointed bodies that supports leave free.

    Args:
        holdings: of each body
        radius: of all of them about their centre [m], so that rotations weigh as translations do
    """
    count = len(holdings)
    scale = np.repeat([1.0, 1 / radius], 3)
    total = np.zeros((count, 6, count, 6))
    for body, own in enumerate(holdings):
        total[body, :, body] += _resistance(own, centre, scale)
    motions = rigid_motions(joints.points, centre) * scale
    block = np.einsum("jik,jil->jkl", motions, motions)
    for one, other, sign in (
        (joints.first, joints.first, 1),
        (joints.second, joints.second, 1),
        (joints.first, joints.second, -1),
        (joints.second, joints.first, -1),
    ):
        np.add.at(total.transpose(0, 2, 1, 3), (one, other), sign * block)
    values, vectors = np.linalg.eigh(total.reshape(6 * count, 6 * count))
    return vectors[:, values <= EXACT * values[-1]].T.reshape(-1, count, 6) * scale


def _resistance(
    holdings: Sequence[Holding], centre: Float[np.ndarray, "3"], scale: Float[np.ndarray, "6"]
) -> Float[np.ndarray, "6 6"]:
    """What supports have against scaled rigid motions of a body about a centre; each counts by itself."""
    resistance = np.zeros((6, 6))
    for holding in holdings:
        motions = rigid_motions(holding.points, centre) * scale
        share = holding.weights / holding.weights.sum()
        whole = np.einsum("pik,p,pil->kl", motions, share, motions)
        held = np.einsum("pik,p,pij,pjl->kl", motions, share, holding.directions, motions)
        if holding.slack > EXACT:
            # A part of a motion that is held by less than the slack is not held at all.
            values, vectors = scipy.linalg.eigh(held, whole + 1e-9 * np.trace(whole) * np.eye(6))
            values[values < holding.slack] = 0
            shape = whole @ vectors
            held = shape * values @ shape.T
        resistance += held
    return resistance
