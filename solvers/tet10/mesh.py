"""A mesh of quadratic tetrahedra, padded and cut into chunks for `lax.scan`."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from solvers.buckets import bucket, companion, pad
from solvers.tet10 import element

# Elements per step of a scan: a chunk's arrays stay in cache, and XLA still vectorises over it.
CHUNK = 2048


class TetMesh(eqx.Module):
    """Quadratic tetrahedra with their geometry at the four Gauss points.

    Elements run along the last axis: what is computed of them is then a sum of long vectors, which XLA fuses (two
    times faster than elements first, on a CPU).

    nodes: node numbers of each element; padding elements point at node 0 and weigh nothing
    inverse_jacobian: d(reference coordinate r) / d(position j) [1/m], indexed (chunk, r, j, Gauss point, element)
    weight: quadrature weight times Jacobian determinant [m^3]
    node_count: rows of a nodal array, padding included (static)
    """

    nodes: Int[Array, "chunk 10 element"]
    inverse_jacobian: Float[Array, "chunk 3 3 4 element"]
    weight: Float[Array, "chunk 4 element"]
    node_count: int = eqx.field(static=True)

    @property
    def capacity(self) -> int:
        """Elements of the largest mesh of this bucket."""
        return self.weight.shape[0] * self.weight.shape[2]

    def astype(self, dtype: jnp.dtype) -> "TetMesh":
        """The same mesh with its geometry in another precision."""
        return TetMesh(
            self.nodes, self.inverse_jacobian.astype(dtype), self.weight.astype(dtype), self.node_count
        )


def tet_mesh(points: Float[np.ndarray, "n 3"], tets: Int[np.ndarray, "m 10"]) -> TetMesh:
    """Build a padded mesh.

    Raises:
        ValueError: an element has a Jacobian determinant that is not positive at a Gauss point.
    """
    jacobian = np.einsum("eac,qar->eqcr", points[tets], element.shape_gradient(element.GAUSS_POINTS))
    determinant = np.linalg.det(jacobian)
    if not np.all(determinant > 0):
        bad = int(np.argmax((determinant <= 0).any(1)))
        raise ValueError(
            f"element {bad} is inside out or degenerate (smallest determinant {determinant.min():.3e})"
        )
    chunks = bucket(len(tets), CHUNK) // CHUNK

    def chunked(values: np.ndarray) -> Array:
        """Rows per element -> chunks with elements last."""
        rows = pad(values, chunks * CHUNK).reshape(chunks, CHUNK, *values.shape[1:])
        return jax.device_put(np.ascontiguousarray(np.moveaxis(rows, 1, -1)))

    return TetMesh(
        nodes=chunked(tets.astype(np.int32)),
        inverse_jacobian=chunked(np.moveaxis(np.linalg.inv(jacobian), 1, -1)),
        weight=chunked(determinant * element.GAUSS_WEIGHTS),
        node_count=companion(len(points), usual_nodes(chunks * CHUNK)),
    )


def usual_nodes(elements: int) -> float:
    """Nodes that most meshes of so many elements have: each fewer than in the depth, more towards the surface."""
    return 1.5 * elements + 5.5 * elements ** (2 / 3)


def usual_corners(elements: int) -> float:
    """Of them those at corners."""
    return 0.18 * elements + 1.5 * elements ** (2 / 3)
