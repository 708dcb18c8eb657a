"""The stiffness operator of quadratic tetrahedra, matrix-free: nothing is assembled.

K u = sum over elements, Gauss points:  w  grad(N)^T  sigma(grad u)
"""

import functools
import operator
from collections.abc import Iterable

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int

from solvers.elasticity.model import Lame, Model
from solvers.operator import ConstrainedOperator
from solvers.tet10 import element
from solvers.tet10.mesh import TetMesh

# d(shape function of node a) / d(reference direction r) at Gauss point q, as a (12, 10) matrix of rows (r, q).
SHAPE_GRADIENT = element.shape_gradient(element.GAUSS_POINTS).transpose(2, 0, 1).reshape(12, 10)

Tensor = list[list[Array]]  # [i][j], each (Gauss point, element)


def stress_of(gradient: Tensor, material: Lame) -> Tensor:
    """Cauchy stress [Pa] of a displacement gradient du_i/dx_j."""
    pressure = material.first * (gradient[0][0] + gradient[1][1] + gradient[2][2])
    shear = [[material.shear * (gradient[i][j] + gradient[j][i]) for j in range(3)] for i in range(3)]
    return [[shear[i][j] + pressure if i == j else shear[i][j] for j in range(3)] for i in range(3)]


def gradient_at_gauss_points(
    displacement: Float[Array, "10 element 3"], inverse_jacobian: Float[Array, "3 3 4 element"]
) -> Tensor:
    """du_i/dx_j of elements from their nodal displacements."""
    slope = jnp.asarray(SHAPE_GRADIENT, displacement.dtype)
    reference = [(slope @ displacement[:, :, i]).reshape(3, 4, -1) for i in range(3)]
    return [
        [sum_of(reference[i][r] * inverse_jacobian[r, j] for r in range(3)) for j in range(3)]
        for i in range(3)
    ]


def sum_of(terms: Iterable[Array]) -> Array:
    """Their sum, as one expression that XLA fuses."""
    return functools.reduce(operator.add, terms)


def internal_force(
    mesh: TetMesh, material: Lame, displacement: Float[Array, "node 3"]
) -> Float[Array, "node 3"]:
    """K u [N] of the elements alone: no constraints, no springs."""
    slope = jnp.asarray(SHAPE_GRADIENT, displacement.dtype)

    def add_chunk(
        force: Float[Array, "node 3"],
        chunk: tuple[Int[Array, "10 e"], Float[Array, "3 3 4 e"], Float[Array, "4 e"]],
    ) -> tuple[Float[Array, "node 3"], None]:
        nodes, inverse_jacobian, weight = chunk
        gradient = gradient_at_gauss_points(displacement[nodes], inverse_jacobian)
        stress = stress_of(gradient, material)
        local = []
        for i in range(3):
            weighted = [weight * stress[i][j] for j in range(3)]
            pulled = [sum_of(weighted[j] * inverse_jacobian[r, j] for j in range(3)) for r in range(3)]
            local.append(slope.T @ jnp.concatenate(pulled))
        return force.at[nodes].add(jnp.stack(local, axis=-1)), None

    start = jnp.zeros_like(displacement)
    return lax.scan(add_chunk, start, (mesh.nodes, mesh.inverse_jacobian, mesh.weight))[0]


def apply(model: Model, displacement: Float[Array, "node 3"]) -> Float[Array, "node 3"]:
    """K u [N] with springs, constraints disregarded."""
    force = internal_force(model.mesh, model.material, displacement)
    if model.springs is not None:
        nodes = model.springs.nodes
        force = force.at[nodes].add(
            jnp.einsum("fabij,fbj->fai", model.springs.stiffness, displacement[nodes])
        )
    return force


class FreeStiffness(ConstrainedOperator):
    """The stiffness of a model on the directions that are free."""

    model: Model

    def apply(self, vector: Float[Array, "node 3"]) -> Float[Array, "node 3"]:
        return self.project(apply(self.model, vector))

    def project(self, vector: Float[Array, "node 3"]) -> Float[Array, "node 3"]:
        return jnp.einsum("nij,nj->ni", self.model.free, vector)

    def single_precision(self) -> "FreeStiffness":
        return FreeStiffness(self.model.astype(jnp.float32))


def diagonal_blocks(model: Model) -> Float[Array, "node 3 3"]:
    """The 3 x 3 blocks on the diagonal of K, springs included, constraints disregarded [N/m]."""
    mesh, material = model.mesh, model.material
    dtype = mesh.weight.dtype
    slope_at = jnp.asarray(SHAPE_GRADIENT, dtype).reshape(3, 4, 10)

    def add_chunk(
        blocks: Float[Array, "node 3 3"],
        chunk: tuple[Int[Array, "10 e"], Float[Array, "3 3 4 e"], Float[Array, "4 e"]],
    ) -> tuple[Float[Array, "node 3 3"], None]:
        nodes, inverse_jacobian, weight = chunk
        slope = jnp.einsum("rqa,rjqe->qaej", slope_at, inverse_jacobian)
        outer = jnp.einsum("qe,qaei,qaej->aeij", weight, slope, slope)
        laplace = jnp.trace(outer, axis1=-2, axis2=-1)[..., None, None] * jnp.eye(3, dtype=dtype)
        block = (material.first + material.shear) * outer + material.shear * laplace
        return blocks.at[nodes].add(block), None

    start = jnp.zeros((mesh.node_count, 3, 3), dtype)
    blocks = lax.scan(add_chunk, start, (mesh.nodes, mesh.inverse_jacobian, mesh.weight))[0]
    if model.springs is not None:
        own = jnp.einsum("faaij->faij", model.springs.stiffness)
        blocks = blocks.at[model.springs.nodes].add(own)
    return blocks
