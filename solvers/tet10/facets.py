"""Quadrature over parts of a mesh's boundary."""

import numpy as np
from jaxtyping import Float, Int

from solvers.quadrature import FacetQuadrature
from solvers.tet10 import element


def facet_quadrature(
    points: Float[np.ndarray, "n 3"],
    facets: Int[np.ndarray, "f 6"],
    chosen: Int[np.ndarray, " c"],
    subdivisions: int = 0,
) -> FacetQuadrature:
    """Degree-4 rule on the chosen facets, each cut into 4**subdivisions similar triangles first."""
    reference, weights = _subdivided_rule(subdivisions)
    shape = element.triangle_shape(reference)
    slope = element.triangle_shape_gradient(reference)
    corners = points[facets[chosen]]
    position = np.einsum("qa,fai->fqi", shape, corners)
    tangent = np.einsum("qar,fai->fqri", slope, corners)
    vector = np.cross(tangent[:, :, 0], tangent[:, :, 1])
    length = np.linalg.norm(vector, axis=2)
    count = len(reference)
    return FacetQuadrature(
        facet=np.repeat(chosen, count),
        nodes=np.repeat(facets[chosen], count, axis=0),
        shape=np.tile(shape, (len(chosen), 1)),
        position=position.reshape(-1, 3),
        normal=(vector / length[:, :, None]).reshape(-1, 3),
        weight=(length * weights).ravel(),
    )


def _subdivided_rule(subdivisions: int) -> tuple[Float[np.ndarray, "q 2"], Float[np.ndarray, " q"]]:
    triangles = np.array([[(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)]])
    for _ in range(subdivisions):
        a, b, c = triangles.swapaxes(0, 1)
        ab, bc, ca = (a + b) / 2, (b + c) / 2, (c + a) / 2
        triangles = np.concatenate(
            [np.stack(t, 1) for t in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))]
        )
    edges = triangles[:, 1:] - triangles[:, :1]
    points = triangles[:, None, 0] + np.einsum("qr,trk->tqk", element.TRIANGLE_POINTS, edges)
    return points.reshape(-1, 2), np.tile(element.TRIANGLE_WEIGHTS / len(triangles), len(triangles))
