"""The stiffness operator of quadratic tetrahedra, matrix-free: nothing is assembled.

K u = sum over elements, Gauss points:  w  grad(N)^T  flux(grad u)
"""

import functools
import operator
from collections.abc import Iterable

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int

from solvers.law import Law, Tensor
from solvers.operator import ConstrainedOperator
from solvers.tet10.geometry import SHAPE_GRADIENT
from solvers.tet10.mesh import TetMesh
from solvers.tet10.model import Model


def gradient_at_gauss_points(
    field: Float[Array, "10 element k"], inverse_jacobian: Float[Array, "3 3 4 element"]
) -> Tensor:
    """d(component i)/d(axis j) in elements, (Gauss point, element) each, from their nodal values."""
    slope = jnp.asarray(SHAPE_GRADIENT, field.dtype)
    components = range(field.shape[-1])
    reference = [(slope @ field[:, :, i]).reshape(3, 4, -1) for i in components]
    return [
        [sum_of(reference[i][r] * inverse_jacobian[r, j] for r in range(3)) for j in range(3)]
        for i in components
    ]


def sum_of(terms: Iterable[Array]) -> Array:
    """Their sum, as one expression that XLA fuses."""
    return functools.reduce(operator.add, terms)


def internal_force(mesh: TetMesh, law: Law, field: Float[Array, "node k"]) -> Float[Array, "node k"]:
    """K u of the elements alone: no constraints, no springs."""
    slope = jnp.asarray(SHAPE_GRADIENT, field.dtype)

    def add_chunk(
        force: Float[Array, "node k"],
        chunk: tuple[Int[Array, "10 e"], Float[Array, "3 3 4 e"], Float[Array, "4 e"]],
    ) -> tuple[Float[Array, "node k"], None]:
        nodes, inverse_jacobian, weight = chunk
        flux = law.flux(gradient_at_gauss_points(field[nodes], inverse_jacobian))
        local = []
        for along in flux:
            weighted = [weight * along[j] for j in range(3)]
            pulled = [sum_of(weighted[j] * inverse_jacobian[r, j] for j in range(3)) for r in range(3)]
            local.append(slope.T @ jnp.concatenate(pulled))
        return force.at[nodes].add(jnp.stack(local, axis=-1)), None

    start = jnp.zeros_like(field)
    return lax.scan(add_chunk, start, (mesh.nodes, mesh.inverse_jacobian, mesh.weight))[0]


def apply(model: Model, field: Float[Array, "node k"]) -> Float[Array, "node k"]:
    """K u with springs, constraints disregarded."""
    force = internal_force(model.mesh, model.law, field)
    if model.springs is not None:
        nodes = model.springs.nodes
        force = force.at[nodes].add(jnp.einsum("fabij,fbj->fai", model.springs.stiffness, field[nodes]))
    return force


class FreeStiffness(ConstrainedOperator):
    """The stiffness of a model on the directions that are free."""

    model: Model

    def apply(self, vector: Float[Array, "node k"]) -> Float[Array, "node k"]:
        return self.project(apply(self.model, vector))

    def project(self, vector: Float[Array, "node k"]) -> Float[Array, "node k"]:
        return jnp.einsum("nij,nj->ni", self.model.free, vector)

    def single_precision(self) -> "FreeStiffness":
        return FreeStiffness(self.model.astype(jnp.float32))


def diagonal_blocks(model: Model) -> Float[Array, "node k k"]:
    """The blocks on the diagonal of K, springs included, constraints disregarded."""
    mesh, law = model.mesh, model.law
    dtype = mesh.weight.dtype
    slope_at = jnp.asarray(SHAPE_GRADIENT, dtype).reshape(3, 4, 10)

    def add_chunk(
        blocks: Float[Array, "node k k"],
        chunk: tuple[Int[Array, "10 e"], Float[Array, "3 3 4 e"], Float[Array, "4 e"]],
    ) -> tuple[Float[Array, "node k k"], None]:
        nodes, inverse_jacobian, weight = chunk
        slope = jnp.einsum("rqa,rjqe->qaej", slope_at, inverse_jacobian)
        outer = jnp.einsum("qe,qaei,qaej->aeij", weight, slope, slope)
        return blocks.at[nodes].add(law.block(outer)), None

    start = jnp.zeros((mesh.node_count, law.components, law.components), dtype)
    blocks = lax.scan(add_chunk, start, (mesh.nodes, mesh.inverse_jacobian, mesh.weight))[0]
    if model.springs is not None:
        own = jnp.einsum("faaij->faij", model.springs.stiffness)
        blocks = blocks.at[model.springs.nodes].add(own)
    return blocks
