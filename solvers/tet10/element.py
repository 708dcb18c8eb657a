"""The reference tetrahedron and the reference triangle: shape functions and quadrature.

Reference tetrahedron: corners (0,0,0) (1,0,0) (0,1,0) (0,0,1), volume 1/6. Reference triangle: corners
(0,0) (1,0) (0,1), area 1/2. Rules: Zienkiewicz & Taylor, The Finite Element Method, vol. 1, tables 5.3, 5.4.
"""

import numpy as np
from jaxtyping import Float, Int

TETS_PER_CUBE = float(6 * np.sqrt(2.0))
"""A cube of edge h has the volume of so many regular tetrahedra of edge h."""

EDGES: Int[np.ndarray, "6 2"] = np.array([(0, 1), (1, 2), (2, 0), (0, 3), (1, 3), (2, 3)])
# Corners counter-clockwise seen from outside, then the midsides between them.
FACES: Int[np.ndarray, "4 6"] = np.array(
    [(1, 2, 3, 5, 9, 8), (0, 3, 2, 7, 9, 6), (0, 1, 3, 4, 8, 7), (0, 2, 1, 6, 5, 4)]
)
TRIANGLE_EDGES: Int[np.ndarray, "3 2"] = np.array([(0, 1), (1, 2), (2, 0)])

# Node positions, e.g. to extrapolate a field to them.
NODES: Float[np.ndarray, "10 3"] = np.vstack([np.eye(4)[:, 1:], np.eye(4)[EDGES].mean(1)[:, 1:]])
TRIANGLE_NODES: Float[np.ndarray, "6 2"] = np.vstack(
    [np.eye(3)[:, 1:], np.eye(3)[TRIANGLE_EDGES].mean(1)[:, 1:]]
)


def _simplex_shape(
    barycentric: Float[np.ndarray, "q c"], edges: Int[np.ndarray, "e 2"]
) -> Float[np.ndarray, "q nodes"]:
    corners = barycentric * (2 * barycentric - 1)
    midsides = 4 * barycentric[:, edges[:, 0]] * barycentric[:, edges[:, 1]]
    return np.hstack([corners, midsides])


def _simplex_gradient(
    barycentric: Float[np.ndarray, "q c"], edges: Int[np.ndarray, "e 2"]
) -> Float[np.ndarray, "q nodes d"]:
    size = barycentric.shape[1]
    slope = np.vstack([-np.ones(size - 1), np.eye(size - 1)])  # of each barycentric coordinate
    corners = (4 * barycentric - 1)[:, :, None] * slope
    first, second = edges.T
    midsides = 4 * (barycentric[:, first, None] * slope[second] + barycentric[:, second, None] * slope[first])
    return np.concatenate([corners, midsides], axis=1)


def _barycentric(points: Float[np.ndarray, "q d"]) -> Float[np.ndarray, "q d1"]:
    return np.hstack([1 - points.sum(1, keepdims=True), points])


def shape(points: Float[np.ndarray, "q 3"]) -> Float[np.ndarray, "q 10"]:
    """Shape functions of the tetrahedron at reference points."""
    return _simplex_shape(_barycentric(points), EDGES)


def shape_gradient(points: Float[np.ndarray, "q 3"]) -> Float[np.ndarray, "q 10 3"]:
    """Gradients of `shape` with respect to the reference coordinates."""
    return _simplex_gradient(_barycentric(points), EDGES)


def triangle_shape(points: Float[np.ndarray, "q 2"]) -> Float[np.ndarray, "q 6"]:
    """Shape functions of the six-node triangle at reference points."""
    return _simplex_shape(_barycentric(points), TRIANGLE_EDGES)


def triangle_shape_gradient(points: Float[np.ndarray, "q 2"]) -> Float[np.ndarray, "q 6 2"]:
    """Gradients of `triangle_shape` with respect to the reference coordinates."""
    return _simplex_gradient(_barycentric(points), TRIANGLE_EDGES)


_A, _B = (5 + 3 * 5**0.5) / 20, (5 - 5**0.5) / 20
# Degree 2: exact for the stiffness of straight-sided quadratic tetrahedra.
GAUSS_POINTS: Float[np.ndarray, "4 3"] = np.array([(_B, _B, _B), (_A, _B, _B), (_B, _A, _B), (_B, _B, _A)])
GAUSS_WEIGHTS: Float[np.ndarray, "4"] = np.full(4, 1 / 24)

_C, _D = 0.445948490915965, 0.091576213509771
# Degree 4: exact for a linear traction on straight-sided quadratic facets.
TRIANGLE_POINTS: Float[np.ndarray, "6 2"] = np.array(
    [(_C, _C), (1 - 2 * _C, _C), (_C, 1 - 2 * _C), (_D, _D), (1 - 2 * _D, _D), (_D, 1 - 2 * _D)]
)
TRIANGLE_WEIGHTS: Float[np.ndarray, "6"] = np.repeat([0.223381589678011, 0.109951743655322], 3) / 2
