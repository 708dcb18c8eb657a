"""Consistent nodal forces, and the stiffness of elastic foundations."""

import numpy as np
from jaxtyping import Float, Int

from solvers.tet10 import element
from solvers.tet10.facets import FacetQuadrature

VOLUME_CHUNK = 8192  # elements at a time, to bound memory


def _conical_rule(order: int = 3) -> tuple[Float[np.ndarray, "q 3"], Float[np.ndarray, " q"]]:
    """Gauss rules collapsed to the tetrahedron (Stroud 1971): degree 2 * order - 3, positive weights."""
    abscissa, weight = np.polynomial.legendre.leggauss(order)
    a, w = (abscissa + 1) / 2, weight / 2
    x, y, z = (g.ravel() for g in np.meshgrid(a, a, a, indexing="ij"))
    wx, wy, wz = (g.ravel() for g in np.meshgrid(w, w, w, indexing="ij"))
    points = np.stack([x, y * (1 - x), z * (1 - x) * (1 - y)], axis=1)
    return points, wx * wy * wz * (1 - x) ** 2 * (1 - y)


VOLUME_POINTS, VOLUME_WEIGHTS = _conical_rule()


def scatter(
    nodes: Int[np.ndarray, "k a"], forces: Float[np.ndarray, "k a 3"], count: int
) -> Float[np.ndarray, "n 3"]:
    """Sum of contributions at nodes."""
    flat = nodes.ravel()
    return np.stack([np.bincount(flat, forces[..., i].ravel(), minlength=count) for i in range(3)], axis=1)


def traction(where: FacetQuadrature, value: Float[np.ndarray, "p 3"], count: int) -> Float[np.ndarray, "n 3"]:
    """Nodal forces [N] of a traction [Pa] given at the quadrature points."""
    return scatter(where.nodes, where.shape[:, :, None] * (where.weight[:, None] * value)[:, None, :], count)


def body_force(
    points: Float[np.ndarray, "n 3"],
    tets: Int[np.ndarray, "m 10"],
    base: Float[np.ndarray, "3"],
    slope: Float[np.ndarray, "3 3"],
) -> Float[np.ndarray, "n 3"]:
    """Nodal forces [N] of a force per volume that is linear in position, base + slope @ x [N/m^3]."""
    shape = element.shape(VOLUME_POINTS)
    slope_of_shape = element.shape_gradient(VOLUME_POINTS)
    total = np.zeros_like(points)
    for start in range(0, len(tets), VOLUME_CHUNK):
        chunk = tets[start : start + VOLUME_CHUNK]
        corners = points[chunk]
        jacobian = np.einsum("eac,qar->eqcr", corners, slope_of_shape)
        weight = np.linalg.det(jacobian) * VOLUME_WEIGHTS
        density = base + np.einsum("qa,eaj,ij->eqi", shape, corners, slope)
        total += scatter(chunk, np.einsum("eq,qa,eqi->eai", weight, shape, density), len(points))
    return total


def distributed(
    where: FacetQuadrature,
    force: Float[np.ndarray, "3"],
    moment: Float[np.ndarray, "3"],
    at: Float[np.ndarray, "3"],
) -> Float[np.ndarray, "p 3"]:
    """Traction [Pa] that carries a force [N] and a moment [N m] acting at a point.

    Uniform, plus a field that turns about the area's centroid: what a distributing coupling (RBE3) weighted by
    area does.
    """
    arm = where.position - where.centroid
    inertia = np.einsum("p,pij->ij", where.weight, (arm**2).sum(1)[:, None, None] * np.eye(3)) - np.einsum(
        "p,pi,pj->ij", where.weight, arm, arm
    )
    total = moment + np.cross(at - where.centroid, force)
    spin = np.linalg.lstsq(inertia, total, rcond=1e-9)[0]
    return force / where.area + np.cross(spin, arm)


def foundation(
    where: FacetQuadrature, stiffness: Float[np.ndarray, "p 3 3"]
) -> tuple[Int[np.ndarray, "f 6"], Float[np.ndarray, "f 6 6 3 3"]]:
    """Facets and their stiffness [N/m] for springs per area [N/m^3] given at the quadrature points."""
    facets, first, position = np.unique(where.facet, return_index=True, return_inverse=True)
    local = np.einsum("p,pa,pb,pij->pabij", where.weight, where.shape, where.shape, stiffness).reshape(
        -1, 324
    )
    total = np.stack([np.bincount(position, column, minlength=len(facets)) for column in local.T], axis=1)
    return where.nodes[first], total.reshape(-1, 6, 6, 3, 3)
