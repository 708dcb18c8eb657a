"""A mesh of quadratic tetrahedra, padded and cut into chunks for `lax.scan`."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from solvers.buckets import bucket, companion, evenly, pad
from solvers.law import Law
from solvers.tet10.geometry import at_gauss_points, real

# Elements per step of a scan: a chunk's arrays stay in cache, and XLA still vectorises over it.
CHUNK = 2048
# On a GPU each step costs the launch of its kernels: as many as its memory holds the work on.
LONG_CHUNK = 512 * CHUNK


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

    def spread(self, law: Law) -> Law:
        """A law with parameters of each element (m,), as scans go over them; numbers stay numbers."""

        def chunks(parameter: Array) -> Array:
            values = np.asarray(parameter)
            return jnp.asarray(pad(values, self.capacity, fill=values[0]).reshape(len(self.weight), -1))

        numbers, of_elements = law.parted()
        return eqx.combine(numbers, jax.tree.map(chunks, of_elements))

    def worst(self) -> tuple[Int[Array, ""], Float[Array, ""]]:
        """The element with the smallest weight at a Gauss point, and that weight [m^3], of a mesh above zero."""
        smallest = jnp.where(real(self.nodes), self.weight.min(axis=1), jnp.inf).ravel()
        worst = jnp.argmin(smallest)
        return worst, smallest[worst]

    def moved(self, points: Float[Array, "node 3"]) -> "TetMesh":
        """The same elements on other points [m]."""
        return TetMesh(self.nodes, *at_gauss_points(points, self.nodes), self.node_count)

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
    capacity, length = chunked(len(tets))
    count = companion(len(points), usual_nodes(capacity))
    rows = pad(tets.astype(np.int32), capacity).reshape(-1, length, 10)
    nodes = jax.device_put(np.ascontiguousarray(np.moveaxis(rows, 1, -1)))
    inverse_jacobian, weight = _at_gauss_points(jax.device_put(pad(points, count)), nodes)
    mesh = TetMesh(nodes, inverse_jacobian, weight, count)
    worst, smallest = mesh.worst()
    if not smallest > 0:
        raise ValueError(degenerate(int(worst), float(smallest)))
    return mesh


def chunked(elements: int) -> tuple[int, int]:
    """Elements of the bucket that holds so many, and of a chunk of it."""
    longest = CHUNK if jax.default_backend() == "cpu" else LONG_CHUNK
    chunks, length = evenly(bucket(elements, CHUNK), longest, CHUNK)
    return chunks * length, length


_at_gauss_points = jax.jit(at_gauss_points)


def degenerate(element: int, weight: float) -> str:
    """What is wrong with a mesh whose `TetMesh.worst` is this element."""
    return f"element {element} is inside out or degenerate (smallest Jacobian determinant {24 * weight:.3e})"


def usual_nodes(elements: int) -> float:
    """Nodes that most meshes of so many elements have: each fewer than in the depth, more towards the surface."""
    return 1.5 * elements + 5.5 * elements ** (2 / 3)


def usual_corners(elements: int) -> float:
    """Of them those at corners."""
    return 0.18 * elements + 1.5 * elements ** (2 / 3)
