"""The stiffness operator of quadratic tetrahedra, matrix-free: nothing is assembled.

K u = sum over elements, Gauss points:  w  grad(N)^T  sigma(grad u)
"""

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int

from solvers.elasticity.model import Lame, Model
from solvers.operator import LinearOperator
from solvers.tet10 import element
from solvers.tet10.mesh import TetMesh

SHAPE_GRADIENT = element.shape_gradient(element.GAUSS_POINTS)  # (Gauss point, node, reference direction)


def stress_of(gradient: Float[Array, "... 3 3"], material: Lame) -> Float[Array, "... 3 3"]:
    """Cauchy stress [Pa] of a displacement gradient du_i/dx_j."""
    strain = (gradient + gradient.swapaxes(-1, -2)) / 2
    trace = jnp.trace(strain, axis1=-2, axis2=-1)[..., None, None]
    return 2 * material.shear * strain + material.first * trace * jnp.eye(3, dtype=gradient.dtype)


def gradient_at_gauss_points(
    displacement: Float[Array, "element 10 3"], inverse_jacobian: Float[Array, "element 4 3 3"]
) -> Float[Array, "element 4 3 3"]:
    """du_i/dx_j of elements from their nodal displacements."""
    shape_gradient = jnp.asarray(SHAPE_GRADIENT, displacement.dtype)
    reference = jnp.einsum("eai,qar->eiqr", displacement, shape_gradient)
    return jnp.einsum("eiqr,eqrj->eqij", reference, inverse_jacobian)


def internal_force(
    mesh: TetMesh, material: Lame, displacement: Float[Array, "node 3"]
) -> Float[Array, "node 3"]:
    """K u [N] of the elements alone: no constraints, no springs."""
    shape_gradient = jnp.asarray(SHAPE_GRADIENT, displacement.dtype)

    def add_chunk(
        force: Float[Array, "node 3"],
        chunk: tuple[Int[Array, "e 10"], Float[Array, "e 4 3 3"], Float[Array, "e 4"]],
    ) -> tuple[Float[Array, "node 3"], None]:
        nodes, inverse_jacobian, weight = chunk
        gradient = gradient_at_gauss_points(displacement[nodes], inverse_jacobian)
        stress = weight[..., None, None] * stress_of(gradient, material)
        reference = jnp.einsum("eqij,eqrj->eiqr", stress, inverse_jacobian)
        return force.at[nodes].add(jnp.einsum("eiqr,qar->eai", reference, shape_gradient)), None

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


class FreeStiffness(LinearOperator):
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
    shape_gradient = jnp.asarray(SHAPE_GRADIENT, dtype)

    def add_chunk(
        blocks: Float[Array, "node 3 3"],
        chunk: tuple[Int[Array, "e 10"], Float[Array, "e 4 3 3"], Float[Array, "e 4"]],
    ) -> tuple[Float[Array, "node 3 3"], None]:
        nodes, inverse_jacobian, weight = chunk
        slope = jnp.einsum("qar,eqrj->eqaj", shape_gradient, inverse_jacobian)
        outer = jnp.einsum("eq,eqai,eqaj->eaij", weight, slope, slope)
        laplace = jnp.trace(outer, axis1=-2, axis2=-1)[..., None, None] * jnp.eye(3, dtype=dtype)
        block = (material.first + material.shear) * outer + material.shear * laplace
        return blocks.at[nodes].add(block), None

    start = jnp.zeros((mesh.node_count, 3, 3), dtype)
    blocks = lax.scan(add_chunk, start, (mesh.nodes, mesh.inverse_jacobian, mesh.weight))[0]
    if model.springs is not None:
        own = jnp.einsum("faaij->faij", model.springs.stiffness)
        blocks = blocks.at[model.springs.nodes].add(own)
    return blocks
