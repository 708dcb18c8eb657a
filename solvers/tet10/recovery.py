"""Nodal fluxes (stress, heat flow) by patch recovery, and from them the error of the solution.

Around each vertex a quadratic polynomial is fitted to the flux at the Gauss points of the elements that meet
there (Zienkiewicz & Zhu 1992, Int. J. Numer. Methods Eng. 33:1331, part 1). Its quadratic terms are damped a
little, so that a patch of one element falls back to that element's own linear flux. The distance between the
recovered and the discrete flux estimates the error in energy (part 2, 33:1365).
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Int

from solvers.buckets import companion, pad
from solvers.law import Law, Recovered
from solvers.precision import float64
from solvers.tet10 import element
from solvers.tet10.mesh import TetMesh, tet_mesh, usual_corners
from solvers.tet10.steady import Problem
from solvers.tet10.stiffness import gradient_at_gauss_points

# Damping of the linear and of the quadratic terms, relative to the patch's weight with coordinates scaled to it.
# Products count half of squares: so the damping is that of the polynomial's Hessian, whatever the axes.
DAMPING = np.array([0.0] + [1e-9] * 3 + [1e-4] * 3 + [5e-5] * 3)


class Patches(eqx.Module):
    """Which patches an element and a node belong to.

    vertices: patch of each element corner; ends: the one or two patches whose polynomials a node averages
    centre: vertex position [m]; size: distance to its farthest neighbour [m]
    """

    vertices: Int[Array, "chunk 4 element"]
    ends: Int[Array, "node 2"]
    centre: Float[Array, "patch 3"]
    size: Float[Array, " patch"]
    position: Float[Array, "node 3"]


class _Errors(eqx.Module):
    """Of a field: the recovered flux at nodes; how far it is from the discrete one at Gauss points, whose energy."""

    nodal: Float[Array, "node s"]
    difference: Float[Array, "chunk 4 element s"]
    energy: Float[Array, ""]


def _patches(points: Float[np.ndarray, "n 3"], tets: Int[np.ndarray, "m 10"], mesh: TetMesh) -> Patches:
    corners, local = np.unique(tets[:, :4], return_inverse=True)
    local = local.reshape(-1, 4)
    ends = np.zeros((len(points), 2), np.int64)
    ends[corners] = np.arange(len(corners))[:, None]
    for middle, (a, b) in enumerate(element.EDGES, start=4):
        ends[tets[:, middle], 0], ends[tets[:, middle], 1] = local[:, a], local[:, b]
    size = np.zeros(len(corners))
    for a, b in element.EDGES:
        length = np.linalg.norm(points[tets[:, a]] - points[tets[:, b]], axis=1)
        np.maximum.at(size, local[:, a], length)
        np.maximum.at(size, local[:, b], length)
    chunks, _, length = mesh.nodes.shape
    count = companion(len(corners), usual_corners(mesh.capacity))
    # Padding elements weigh nothing; their patch is any.
    vertices = pad(local.astype(np.int32), mesh.capacity).reshape(chunks, length, 4)
    return Patches(
        vertices=jax.device_put(np.moveaxis(vertices, 1, 2)),
        ends=jax.device_put(pad(ends.astype(np.int32), mesh.node_count)),
        centre=jax.device_put(pad(points[corners], count)),
        size=jax.device_put(pad(size, count, fill=1.0)),
        position=jax.device_put(pad(points, mesh.node_count)),
    )


def _monomials(x: Float[Array, "... 3"]) -> Float[Array, "... 10"]:
    a, b, c = x[..., 0], x[..., 1], x[..., 2]
    return jnp.stack([jnp.ones_like(a), a, b, c, a * a, b * b, c * c, a * b, b * c, c * a], axis=-1)


def gauss_flux(mesh: TetMesh, law: Law, field: Float[Array, "node k"]) -> Float[Array, "chunk 4 element s"]:
    """Discrete flux at the Gauss points."""
    numbers, differing = law.parted()

    def chunk(arrays: tuple[Array, Array, Law]) -> Array:
        nodes, inverse_jacobian, own_law = arrays
        flux = eqx.combine(numbers, own_law).flux(gradient_at_gauss_points(field[nodes], inverse_jacobian))
        return law.independent(flux)

    return lax.map(chunk, (mesh.nodes, mesh.inverse_jacobian, differing))


def _energy(
    mesh: TetMesh, law: Law, flux: Float[Array, "chunk 4 element s"]
) -> Float[Array, "chunk 4 element"]:
    """Of a flux at the Gauss points."""
    numbers, differing = law.parted()

    def density(own_law: Law, flux: Array) -> Array:
        return eqx.combine(numbers, own_law).energy_density(flux)

    return mesh.weight * jax.vmap(density)(differing, flux)


def _recover_nodal(
    mesh: TetMesh, patches: Patches, flux: Float[Array, "chunk 4 element s"]
) -> Float[Array, "node s"]:
    shape = jnp.asarray(element.shape(element.GAUSS_POINTS))
    count = patches.size.shape[0]

    def add_chunk(
        sums: tuple[Array, Array, Array], chunk: tuple[Array, Array, Array, Array]
    ) -> tuple[tuple[Array, Array, Array], None]:
        matrix, right, total = sums
        nodes, vertices, weight, flux = chunk
        position = jnp.einsum("qa,aei->qei", shape, patches.position[nodes])
        offset = position - patches.centre[vertices][:, None]
        local = offset / patches.size[vertices][:, None, :, None]
        basis = _monomials(local)
        weighted = weight[:, :, None] * basis
        return (
            matrix.at[vertices].add(jnp.einsum("vqek,vqel->vekl", weighted, basis)),
            right.at[vertices].add(jnp.einsum("vqek,qes->veks", weighted, flux)),
            total.at[vertices].add(weight.sum(0)),
        ), None

    start = (jnp.zeros((count, 10, 10)), jnp.zeros((count, 10, flux.shape[-1])), jnp.zeros(count))
    chunks = (mesh.nodes, patches.vertices, mesh.weight, flux)
    (matrix, right, total), _ = lax.scan(add_chunk, start, chunks)
    total = jnp.where(total > 0, total, 1)[:, None, None]
    empty = matrix[:, 0, 0][:, None, None] == 0
    system = jnp.where(empty, jnp.eye(10), matrix / total + jnp.diag(DAMPING))
    coefficients = jnp.linalg.solve(system, right / total)

    def at_end(end: Int[Array, " node"]) -> Float[Array, "node s"]:
        local = (patches.position - patches.centre[end]) / patches.size[end][:, None]
        return jnp.einsum("nk,nks->ns", _monomials(local), coefficients[end])

    return (at_end(patches.ends[:, 0]) + at_end(patches.ends[:, 1])) / 2


# A program of its own for each field: two recoveries in one program wait for each other for ever on few cores.
@eqx.filter_jit
def _errors(mesh: TetMesh, law: Law, patches: Patches, field: Float[Array, "node k"]) -> _Errors:
    flux = gauss_flux(mesh, law, field)
    nodal = _recover_nodal(mesh, patches, flux)
    shape = jnp.asarray(element.shape(element.GAUSS_POINTS))

    def chunk(arrays: tuple[Array, Array]) -> Array:
        nodes, flux = arrays
        return jnp.einsum("qa,aes->qes", shape, nodal[nodes]) - flux

    return _Errors(nodal, lax.map(chunk, (mesh.nodes, flux)), _energy(mesh, law, flux).sum())


@eqx.filter_jit
def _sizes(
    mesh: TetMesh, law: Law, errors: _Errors
) -> tuple[Float[Array, " node"], Float[Array, " element"]]:
    """Error of the flux at nodes, and its energy in elements."""
    weight = mesh.weight
    square = (weight * law.magnitude(errors.difference) ** 2).sum(1)
    shares = jnp.stack([square, weight.sum(1)], axis=-1)[:, None]  # of every node of an element
    sums = (
        jnp.zeros((mesh.node_count, 2)).at[mesh.nodes].add(jnp.broadcast_to(shares, (*mesh.nodes.shape, 2)))
    )
    nodal = jnp.sqrt(sums[:, 0] / jnp.where(sums[:, 1] > 0, sums[:, 1], 1))
    return nodal, _energy(mesh, law, errors.difference).sum(1).reshape(-1)


@eqx.filter_jit
def _products(mesh: TetMesh, law: Law, primal: _Errors, dual: _Errors) -> Float[Array, " element"]:
    alike = jnp.sqrt(primal.energy / jnp.where(dual.energy > 0, dual.energy, 1))  # so that nothing cancels
    other = alike * dual.difference
    mixed = _energy(mesh, law, primal.difference + other) - _energy(mesh, law, primal.difference - other)
    return mixed.sum(1).reshape(-1) / jnp.where(alike > 0, alike, 1) / 4


class Recovery:
    """Flux recovery on one mesh: the patches are found once for all load cases.

    Where the mesh is of several materials, between which fluxes jump, each has nodes of its own here: points (s, 3)
    and the elements' nodes among them, and node (s,) tells which of the problem's each is.
    """

    def __init__(
        self,
        problem: Problem,
        points: Float[np.ndarray, "s 3"],
        tets: Int[np.ndarray, "m 10"],
        node: Int[np.ndarray, " s"] | None = None,
    ):
        self._law, self._node = problem.model.law, node
        self._mesh = problem.model.mesh if node is None else float64(tet_mesh)(points, tets)
        self._sizes = (len(points), len(tets))
        self._patches = float64(_patches)(points, tets, self._mesh)

    @float64
    def __call__(self, field: Float[np.ndarray, "n k"]) -> Recovered:
        """Of a solution."""
        errors = self._errors(field)
        nodal_error, element_error = _sizes(self._mesh, self._law, errors)
        nodes, tets = self._sizes
        return Recovered(
            np.asarray(errors.nodal)[:nodes],
            np.asarray(nodal_error)[:nodes],
            np.asarray(element_error)[:tets],
            float(errors.energy),
        )

    @float64
    def products(
        self, field: Float[np.ndarray, "n k"], dual: Float[np.ndarray, "n k"]
    ) -> Float[np.ndarray, " m"]:
        """What each element adds to the error of a quantity: the energy product of the errors of the solution and
        of the dual solution, whose load is the derivative of the quantity with respect to the field.

        Their sum estimates the error itself (Cirak & Ramm 1998, Comput. Methods Appl. Mech. Eng. 156:351).
        """
        products = _products(self._mesh, self._law, self._errors(field), self._errors(dual))
        return np.asarray(products)[: self._sizes[1]]

    def _errors(self, field: Float[np.ndarray, "n k"]) -> _Errors:
        own = field if self._node is None else field[self._node]
        padded = jax.device_put(pad(own, self._mesh.node_count))
        errors = _errors(self._mesh, self._law, self._patches, padded)
        errors.energy.block_until_ready()
        return errors
