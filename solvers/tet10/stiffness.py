"""The stiffness operator of quadratic tetrahedra, matrix-free: nothing is assembled.

K u = sum over elements, Gauss points:  w  grad(N)^T  flux(grad u)
"""

import functools
import operator
from collections.abc import Callable, Iterable

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Int

from solvers.law import Law, Tensor
from solvers.operator import ConstrainedOperator
from solvers.tet10.geometry import SHAPE_GRADIENT
from solvers.tet10.mesh import CHUNK, TetMesh
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
    of_elements = _by_products if mesh.nodes.shape[-1] <= CHUNK else _by_sums
    numbers, differing = law.parted()

    def add_chunk(
        force: Float[Array, "node k"],
        chunk: tuple[Int[Array, "10 e"], Float[Array, "3 3 4 e"], Float[Array, "4 e"], Law],
    ) -> tuple[Float[Array, "node k"], None]:
        nodes, inverse_jacobian, weight, own_law = chunk
        law = eqx.combine(numbers, own_law)
        # indices are known to be good, which spares a GPU a kernel for each look at them
        at_nodes = field.at[nodes].get(mode="promise_in_bounds", wrap_negative_indices=False)
        own = of_elements(law, at_nodes, inverse_jacobian, weight)
        return force.at[nodes].add(own, mode="promise_in_bounds", wrap_negative_indices=False), None

    start = jnp.zeros_like(field)
    return lax.scan(add_chunk, start, (mesh.nodes, mesh.inverse_jacobian, mesh.weight, differing))[0]


def _by_products(
    law: Law,
    field: Float[Array, "10 e k"],
    inverse_jacobian: Float[Array, "3 3 4 e"],
    weight: Float[Array, "4 e"],
) -> Float[Array, "10 e k"]:
    """Forces of elements, with matrix products over long rows of them: for a CPU's cores."""
    slope = jnp.asarray(SHAPE_GRADIENT, field.dtype)
    local = []
    for along in law.flux(gradient_at_gauss_points(field, inverse_jacobian)):
        pulled = _pulled_back(along, inverse_jacobian, weight)
        local.append(slope.T @ jnp.concatenate(pulled))
    return jnp.stack(local, axis=-1)


def _by_sums(
    law: Law,
    field: Float[Array, "10 e k"],
    inverse_jacobian: Float[Array, "3 3 4 e"],
    weight: Float[Array, "4 e"],
) -> Float[Array, "10 e k"]:
    """The same with the products written out as sums, which a GPU's compiler fuses: one kernel gathers and makes the
    flux, another scatters, and all that is stored between them is the flux.
    """
    slope = SHAPE_GRADIENT.reshape(3, 4, 10)
    used = [
        [(int(a), jnp.asarray(slope[r, :, a], field.dtype)[:, None]) for a in _nodes_of(r)] for r in range(3)
    ]
    components = range(field.shape[-1])
    reference = [
        [sum_of(share * field[a, :, i] for a, share in used[r]) for r in range(3)] for i in components
    ]
    gradient = [
        [sum_of(reference[i][r] * inverse_jacobian[r, j] for r in range(3)) for j in range(3)]
        for i in components
    ]
    # the barrier: or everything that is scattered would compute the flux again
    pulled = _once([_pulled_back(along, inverse_jacobian, weight) for along in law.flux(gradient)])
    return jnp.stack([_at_nodes(of_component, used) for of_component in pulled], axis=-1)


def _at_nodes(
    pulled: list[Float[Array, "4 e"]], used: list[list[tuple[int, Float[Array, "4 1"]]]]
) -> Float[Array, "10 e"]:
    """A component's force at the nodes, of its flux along the reference directions."""
    terms: list[list[Array]] = [[] for _ in range(10)]
    for along, shares in zip(pulled, used, strict=True):
        for node, share in shares:
            terms[node].append(share * along)
    return jnp.stack([sum_of(of_node).sum(axis=0) for of_node in terms])


_once: Callable[[list[list[Array]]], list[list[Array]]] = lax.optimization_barrier


def _nodes_of(direction: int) -> Int[np.ndarray, " n"]:
    """Nodes whose shape functions have a slope in a reference direction."""
    return np.flatnonzero(SHAPE_GRADIENT.reshape(3, 4, 10)[direction].any(axis=0))


def _pulled_back(
    flux: list[Array], inverse_jacobian: Float[Array, "3 3 ..."], weight: Float[Array, "..."]
) -> list[Array]:
    """A component's flux along the reference directions, times the weight."""
    weighted = [weight * flux[j] for j in range(3)]
    return [sum_of(weighted[j] * inverse_jacobian[r, j] for j in range(3)) for r in range(3)]


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
    numbers, differing = law.parted()

    def add_chunk(
        blocks: Float[Array, "node k k"],
        chunk: tuple[Int[Array, "10 e"], Float[Array, "3 3 4 e"], Float[Array, "4 e"], Law],
    ) -> tuple[Float[Array, "node k k"], None]:
        nodes, inverse_jacobian, weight, own_law = chunk
        slope = jnp.einsum("rqa,rjqe->qaej", slope_at, inverse_jacobian)
        outer = jnp.einsum("qe,qaei,qaej->aeij", weight, slope, slope)
        return blocks.at[nodes].add(eqx.combine(numbers, own_law).block(outer)), None

    start = jnp.zeros((mesh.node_count, law.components, law.components), dtype)
    blocks = lax.scan(add_chunk, start, (mesh.nodes, mesh.inverse_jacobian, mesh.weight, differing))[0]
    if model.springs is not None:
        own = jnp.einsum("faaij->faij", model.springs.stiffness)
        blocks = blocks.at[model.springs.nodes].add(own)
    return blocks
