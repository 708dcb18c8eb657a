"""Derivatives of the discrete equations with respect to the nodes' positions and to the law.

A quantity J(u) of the solution of K u = f changes with a parameter by

    dJ = adjoint . (df - dK u),    K adjoint = dJ/du,

one more solve for any number of parameters (Haftka & Gürdal, Elements of Structural Optimization, 3rd ed., ch. 7). Here
are dK and df: of the integrals over elements and facets at fixed topology, never through the iterations.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Int

from solvers.buckets import pad
from solvers.law import Law
from solvers.precision import float64
from solvers.quadrature import FacetQuadrature
from solvers.tet10 import element, geometry
from solvers.tet10.geometry import SHAPE_GRADIENT
from solvers.tet10.loads import VOLUME_POINTS, VOLUME_WEIGHTS
from solvers.tet10.mesh import chunked
from solvers.tet10.stiffness import gradient_at_gauss_points, sum_of

Parameters = Mapping[str, Float[np.ndarray, "..."]]


class Places(NamedTuple):
    """Quadrature points on facets, as functions of the nodes' positions: what `FacetQuadrature` is in numbers.

    position [m]; normal: outward, unit; weight [m^2]; values: of fields at them
    """

    position: Float[Array, "p 3"]
    normal: Float[Array, "p 3"]
    weight: Float[Array, " p"]
    values: tuple[Float[Array, "p k"], ...]

    @property
    def area(self) -> Float[Array, ""]:
        """Total weight [m^2]."""
        return self.weight.sum()

    @property
    def centroid(self) -> Float[Array, "3"]:
        """Area centroid [m]."""
        return self.weight @ self.position / self.area


class FluxMean(NamedTuple):
    """A mean of the flux's magnitude, and its derivatives with respect to field, positions and law."""

    value: float
    by_field: Float[np.ndarray, "n k"]
    by_points: Float[np.ndarray, "n 3"]
    by_law: Law


@float64
def stiffness(
    points: Float[np.ndarray, "n 3"],
    tets: Int[np.ndarray, "m 10"],
    law: Law,
    field: Float[np.ndarray, "n k"],
    adjoint: Float[np.ndarray, "n k"],
) -> tuple[Float[np.ndarray, "n 3"], Law]:
    """Derivatives of adjoint . K field with respect to positions [1/m] and, as a law, to the law's parameters."""
    nodes, real = _chunks(tets)
    shape, of_law = _stiffness(
        jnp.asarray(points), law, nodes, real, jnp.asarray(field), jnp.asarray(adjoint)
    )
    return np.asarray(shape), of_law


@float64
def body_force(
    points: Float[np.ndarray, "n 3"],
    tets: Int[np.ndarray, "m 10"],
    base: Float[np.ndarray, " k"],
    slope: Float[np.ndarray, "k 3"],
    adjoint: Float[np.ndarray, "n k"],
) -> Float[np.ndarray, "n 3"]:
    """Derivative of adjoint . f with respect to positions, f being `loads.body_force` of the same arguments."""
    nodes, real = _chunks(tets)
    arrays = (jnp.asarray(values) for values in (points, base, slope, adjoint))
    return np.asarray(_body_force(nodes, real, *arrays))


@float64
def facets(
    points: Float[np.ndarray, "n 3"],
    where: FacetQuadrature,
    work: Callable[[Places, Parameters], Float[Array, ""]],
    parameters: Parameters,
    *fields: Float[np.ndarray, "n k"],
) -> tuple[Float[np.ndarray, "n 3"], dict[str, Float[np.ndarray, "..."]]]:
    """Derivatives of a sum over facets, whose quadrature moves with them, to positions and to its parameters.

    Args:
        work: the sum, of the places, of `fields` there, and of `parameters`; a program is compiled for each that
            differs (by ==) from those before
    """
    # shape functions reproduce positions, so those in the reference triangle follow from their values
    slope = element.triangle_shape_gradient(where.shape @ element.TRIANGLE_NODES)
    tangent = np.einsum("par,pai->pri", slope, points[where.nodes])
    weight = where.weight / np.linalg.norm(np.cross(tangent[:, 0], tangent[:, 1]), axis=1)
    at_points = [np.einsum("pa,pak->pk", where.shape, field[where.nodes]) for field in fields]
    given = {name: jnp.asarray(value, jnp.float64) for name, value in parameters.items()}
    arrays = [jnp.asarray(values) for values in (where.nodes, where.shape, slope, weight, *at_points)]
    by_points, by_parameters = _facets(work, jnp.asarray(points), given, arrays)
    return np.asarray(by_points), {name: np.asarray(value) for name, value in by_parameters.items()}


@partial(jax.jit, static_argnums=0)
def _facets(
    work: Callable[[Places, Parameters], Float[Array, ""]],
    points: Float[Array, "n 3"],
    given: Parameters,
    arrays: list[Array],
) -> tuple[Float[Array, "n 3"], dict[str, Float[Array, "..."]]]:
    nodes, shape, slope, weight, *values = arrays

    def total(points: Float[Array, "n 3"], given: Parameters) -> Float[Array, ""]:
        corners = points[nodes]
        tangent = jnp.einsum("par,pai->pri", slope, corners)
        vector = jnp.cross(tangent[:, 0], tangent[:, 1])
        length = jnp.linalg.norm(vector, axis=1)
        position = jnp.einsum("pa,pai->pi", shape, corners)
        return work(Places(position, vector / length[:, None], weight * length, tuple(values)), given)

    return jax.grad(total, argnums=(0, 1))(points, given)


@float64
def flux_mean(
    points: Float[np.ndarray, "n 3"],
    tets: Int[np.ndarray, "m 10"],
    law: Law,
    field: Float[np.ndarray, "n k"],
    exponent: float,
) -> FluxMean:
    """The p-mean of the flux's magnitude over the volume, (integral of magnitude^p / volume)^(1/p), at Gauss points.

    It is below the largest magnitude and approaches it as the exponent grows.
    """
    nodes, real = _chunks(tets)
    arrays = jnp.asarray(points), law, jnp.asarray(field)
    largest = _largest_flux(*arrays, nodes, real)
    if float(largest) == 0:
        still = jax.tree.map(jnp.zeros_like, law)
        return FluxMean(0.0, np.zeros_like(field), np.zeros_like(points), still)
    power, volume = _flux_sums(*arrays, nodes, real, largest, exponent)
    value = largest * (power / volume) ** (1 / exponent)
    shares = value / exponent / power, -value / exponent / volume  # d(mean) is their sum over d(sums)
    by_points, by_law, by_field = _flux_slopes(*arrays, nodes, real, largest, exponent, shares)
    return FluxMean(float(value), np.asarray(by_field), np.asarray(by_points), by_law)


def _chunks(tets: Int[np.ndarray, "m 10"]) -> tuple[Int[Array, "chunk 10 e"], Float[Array, "chunk e"]]:
    """Nodes of elements, padded, with elements last; and which of them are real."""
    count, length = chunked(len(tets))
    nodes = pad(tets.astype(np.int32), count).reshape(-1, length, 10)
    real = np.arange(count).reshape(-1, length) < len(tets)
    return jnp.asarray(np.moveaxis(nodes, 1, 2)), jnp.asarray(real)


@eqx.filter_jit
def _stiffness(
    points: Float[Array, "n 3"],
    law: Law,
    nodes: Int[Array, "chunk 10 e"],
    real: Float[Array, "chunk e"],
    field: Float[Array, "n k"],
    adjoint: Float[Array, "n k"],
) -> tuple[Float[Array, "n 3"], Law]:
    slope = jnp.asarray(SHAPE_GRADIENT)

    def work(corners: Array, law: Law, field: Array, adjoint: Array, real: Array) -> Array:
        jacobian = [(slope @ corners[:, :, i]).reshape(3, 4, -1) for i in range(3)]  # [i][r]
        determinant, inverse = geometry.inverse(jacobian)
        flux = law.flux(gradient_at_gauss_points(field, inverse))
        slopes = gradient_at_gauss_points(adjoint, inverse)
        density = sum_of(
            f * s for row, other in zip(flux, slopes, strict=True) for f, s in zip(row, other, strict=True)
        )
        return (element.GAUSS_WEIGHTS[:, None] * determinant * density * real).sum()

    def add_chunk(total: tuple[Array, Law], chunk: tuple[Array, Array]) -> tuple[tuple[Array, Law], None]:
        shape, of_law = total
        nodes, real = chunk
        corners = geometry.corners(points, nodes, real)
        by_corner, by_law = jax.grad(work, argnums=(0, 1))(corners, law, field[nodes], adjoint[nodes], real)
        by_corner = jnp.where(real[:, None], by_corner, 0)
        return (shape.at[nodes].add(by_corner), jax.tree.map(jnp.add, of_law, by_law)), None

    start = (jnp.zeros_like(points), jax.tree.map(jnp.zeros_like, law))
    return lax.scan(add_chunk, start, (nodes, real))[0]


def _flux_magnitude(
    corners: Float[Array, "10 e 3"], law: Law, field: Float[Array, "10 e k"], least: Float[Array, ""]
) -> tuple[Float[Array, "4 e"], Float[Array, "4 e"]]:
    """At Gauss points, zero below `least`, where a root has no slope; and the points' share of the volume."""
    slope = jnp.asarray(SHAPE_GRADIENT)
    determinant, inverse = geometry.inverse([(slope @ corners[:, :, i]).reshape(3, 4, -1) for i in range(3)])
    flux = law.independent(law.flux(gradient_at_gauss_points(field, inverse)))
    counts = law.magnitude(lax.stop_gradient(flux)) > least
    size = law.magnitude(jnp.where(counts[..., None], flux, 1))
    return jnp.where(counts, size, 0), jnp.asarray(element.GAUSS_WEIGHTS)[:, None] * determinant


@eqx.filter_jit
def _largest_flux(
    points: Array, law: Law, field: Array, nodes: Int[Array, "chunk 10 e"], real: Float[Array, "chunk e"]
) -> Float[Array, ""]:
    def look(largest: Array, chunk: tuple[Array, Array]) -> tuple[Array, None]:
        nodes, real = chunk
        size, _ = _flux_magnitude(geometry.corners(points, nodes, real), law, field[nodes], jnp.zeros(()))
        return jnp.maximum(largest, (size * real).max()), None

    return lax.scan(look, jnp.zeros(()), (nodes, real))[0]


def _chunk_sums(
    corners: Array, law: Law, field: Array, real: Array, largest: Array, exponent: float
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    # what is far below the largest flux counts for nothing at a high power
    size, weight = _flux_magnitude(corners, law, field, 1e-6 * largest)
    return (weight * real * (size / largest) ** exponent).sum(), (weight * real).sum()


@eqx.filter_jit
def _flux_sums(
    points: Array, law: Law, field: Array, nodes: Array, real: Array, largest: Array, exponent: float
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Integral of (magnitude / largest)^exponent, and the volume [m^3]."""

    def add_chunk(total: tuple[Array, Array], chunk: tuple[Array, Array]) -> tuple[tuple[Array, Array], None]:
        nodes, real = chunk
        sums = _chunk_sums(geometry.corners(points, nodes, real), law, field[nodes], real, largest, exponent)
        return (total[0] + sums[0], total[1] + sums[1]), None

    return lax.scan(add_chunk, (jnp.zeros(()), jnp.zeros(())), (nodes, real))[0]


@eqx.filter_jit
def _flux_slopes(
    points: Array,
    law: Law,
    field: Array,
    nodes: Array,
    real: Array,
    largest: Array,
    exponent: float,
    shares: tuple[Array, Array],
) -> tuple[Float[Array, "n 3"], Law, Float[Array, "n k"]]:
    def combined(corners: Array, law: Law, field: Array, real: Array) -> Array:
        power, volume = _chunk_sums(corners, law, field, real, largest, exponent)
        return shares[0] * power + shares[1] * volume

    def add_chunk(
        total: tuple[Array, Law, Array], chunk: tuple[Array, Array]
    ) -> tuple[tuple[Array, Law, Array], None]:
        nodes, real = chunk
        by_corner, by_law, by_field = jax.grad(combined, argnums=(0, 1, 2))(
            geometry.corners(points, nodes, real), law, field[nodes], real
        )
        return (
            total[0].at[nodes].add(jnp.where(real[:, None], by_corner, 0)),
            jax.tree.map(jnp.add, total[1], by_law),
            total[2].at[nodes].add(jnp.where(real[:, None], by_field, 0)),
        ), None

    start = jnp.zeros_like(points), jax.tree.map(jnp.zeros_like, law), jnp.zeros_like(field)
    return lax.scan(add_chunk, start, (nodes, real))[0]


@eqx.filter_jit
def _body_force(
    nodes: Int[Array, "chunk 10 e"],
    real: Float[Array, "chunk e"],
    points: Float[Array, "n 3"],
    base: Float[Array, " k"],
    slope: Float[Array, "k 3"],
    adjoint: Float[Array, "n k"],
) -> Float[Array, "n 3"]:
    shape = jnp.asarray(element.shape(VOLUME_POINTS))
    shape_slope = jnp.asarray(element.shape_gradient(VOLUME_POINTS).transpose(2, 0, 1).reshape(-1, 10))

    def work(corners: Array, adjoint: Array, real: Array) -> Array:
        jacobian = [(shape_slope @ corners[:, :, i]).reshape(3, len(shape), -1) for i in range(3)]
        determinant, _ = geometry.inverse(jacobian)
        position = jnp.einsum("qa,aei->qei", shape, corners)
        density = base + jnp.einsum("ij,qej->qei", slope, position)
        value = (jnp.einsum("qa,aek->qek", shape, adjoint) * density).sum(-1)
        return (VOLUME_WEIGHTS[:, None] * determinant * value * real).sum()

    def add_chunk(total: Array, chunk: tuple[Array, Array]) -> tuple[Array, None]:
        nodes, real = chunk
        by_corner = jax.grad(work)(geometry.corners(points, nodes, real), adjoint[nodes], real)
        return total.at[nodes].add(jnp.where(real[:, None], by_corner, 0)), None

    return lax.scan(add_chunk, jnp.zeros_like(points), (nodes, real))[0]
