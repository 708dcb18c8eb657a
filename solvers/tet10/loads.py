"""Consistent nodal forces of what acts on facets and in the volume, and the stiffness of springs on facets."""

import numpy as np
from jaxtyping import Float, Int

from solvers.quadrature import FacetQuadrature, scatter
from solvers.tet10 import element

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


def body_force(
    points: Float[np.ndarray, "n 3"],
    tets: Int[np.ndarray, "m 10"],
    base: Float[np.ndarray, " k"],
    slope: Float[np.ndarray, "k 3"],
) -> Float[np.ndarray, "n k"]:
    """Nodal forces of a force per volume that is linear in position, base + slope @ x."""
    shape = element.shape(VOLUME_POINTS)
    slope_of_shape = element.shape_gradient(VOLUME_POINTS)
    total = np.zeros((len(points), len(base)))
    for start in range(0, len(tets), VOLUME_CHUNK):
        chunk = tets[start : start + VOLUME_CHUNK]
        corners = points[chunk]
        jacobian = np.einsum("eac,qar->eqcr", corners, slope_of_shape)
        weight = np.linalg.det(jacobian) * VOLUME_WEIGHTS
        density = base + np.einsum("qa,eaj,ij->eqi", shape, corners, slope)
        total += scatter(chunk, np.einsum("eq,qa,eqi->eai", weight, shape, density), len(points))
    return total


def foundation(
    where: FacetQuadrature, stiffness: Float[np.ndarray, "p k k"]
) -> tuple[Int[np.ndarray, "f 6"], Float[np.ndarray, "f 6 6 k k"]]:
    """Facets and their stiffness for springs per area given at the quadrature points."""
    facets, first, position = np.unique(where.facet, return_index=True, return_inverse=True)
    local = np.einsum("p,pa,pb,pij->pabij", where.weight, where.shape, where.shape, stiffness)
    local = local.reshape(len(local), -1)
    total = np.stack([np.bincount(position, column, minlength=len(facets)) for column in local.T], axis=1)
    return where.nodes[first], total.reshape(-1, 6, 6, *stiffness.shape[1:])
