"""Nodes held along directions, and the rigid motions that such holding leaves free."""

import numpy as np
from jaxtyping import Float, Int

# Normals that differ by less than about 30 degrees count as one face: a node then slides along both.
SAME_FACE = 0.067
# Share of the strongest holding below which a rigid motion counts as free: facets of a tessellated cylinder
# resist its rotation by about the square of half their angle.
FREE_MOTION = 2e-3


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
    points: Float[np.ndarray, "p 3"], held: Float[np.ndarray, "p 3 3"], weights: Float[np.ndarray, " p"]
) -> tuple[Float[np.ndarray, "k 6"], Float[np.ndarray, "3"]]:
    """Rigid motions that the held directions at `points` leave free.

    Returns:
        motions as rows (translation [m], rotation [rad]), and the point that the rotations are about [m]
    """
    if len(points) == 0:
        return np.eye(6), np.zeros(3)
    centre = np.average(points, axis=0, weights=weights)
    radius = np.sqrt(np.average(((points - centre) ** 2).sum(1), weights=weights)) or 1.0
    scale = np.repeat([1.0, 1 / radius], 3)
    motions = rigid_motions(points, centre) * scale
    resistance = np.einsum("pik,p,pij,pjl->kl", motions, weights / weights.sum(), held, motions)
    values, vectors = np.linalg.eigh(resistance)
    return (vectors[:, values <= FREE_MOTION * max(values[-1], 1e-300)] * scale[:, None]).T, centre
