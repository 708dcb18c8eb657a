"""The flux at the nodes of a grid: around each corner of cells a polynomial of the elements' order, fitted to the
discrete flux where that is best (Zienkiewicz & Zhu 1992, Int. J. Numer. Methods Eng. 33:1331), and from how it misses
that flux, and what of it the elements can't follow, the error.
"""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int
from scipy.spatial import cKDTree

from solvers.buckets import bucket, pad
from solvers.cutcell.cells import FilledCells, linear
from solvers.cutcell.element import CORNERS, LINEAR
from solvers.law import Law, Recovered
from solvers.precision import float64

# Corners whose cells hold less than so many cells' worth of material take their flux from a neighbour; in a wall of one
# cell none holds more than half of eight: less than such a share of the most.
LEAST_PATCH, LEAST_SHARE = 3.0, 0.7
_DAMPING = {1: 1e-3, 2: 1e-4}  # of all but the constant, by the order of the elements, in units of the cell
_CHUNK = {1: 8192, 2: 1024}  # corners at a time
_SAMPLED = 4096  # cells at a time


class Samples(eqx.Module):
    """The discrete flux at m places of each cell, and after the cells some of no weight.

    weight: how much of the cell is filled there; place: in the cell's own coordinates
    """

    weight: Float[Array, "cell m"]
    place: Float[Array, "cell m 3"]
    flux: Float[Array, "cell m s"]


@float64
def recover(cells: FilledCells, law: Law, field: Float[np.ndarray, "n k"]) -> Recovered:
    """Nodal flux of a field."""
    order, lattice = cells.element.order, cells.lattice
    volume = cells.fraction * lattice.edge**3
    weight, place, flux = _sampled(cells, law, field)
    plain = jax.tree.map(float, law)
    energy = float(((weight * plain.energy_density(flux)).sum(1) / weight.sum(1)) @ volume)
    length = bucket(len(cells) + 1, _CHUNK[1])
    samples = Samples(*(jax.device_put(pad(rows, length)) for rows in (weight, place, flux)))
    # the cell of which a corner is each corner
    corners = lattice.numbering[1]
    around = np.full((len(lattice.places), 8), len(cells), dtype=np.int32)
    around[corners, np.arange(8)] = np.arange(len(cells))[:, None]
    size = _CHUNK[order]
    polynomial, material = _by_chunks(lambda rows: _fit(samples, rows, order), size, around)
    owner = _owners(material, lattice.places)
    shift = (lattice.places - lattice.places[owner]).astype(float)
    miss, rough = _by_chunks(
        lambda rows, own, way: _error(law, samples, rows, own, way, order),
        size,
        around,
        polynomial[owner],
        shift,
    )
    value, error = _at_nodes(cells, polynomial[owner], shift, miss)
    return Recovered(value, error, rough[corners].mean(1) * volume, energy)


def _sampled(
    cells: FilledCells, law: Law, field: Float[np.ndarray, "n k"]
) -> tuple[Float[np.ndarray, "c m"], Float[np.ndarray, "c m 3"], Float[np.ndarray, "c m s"]]:
    """How much of the cells is filled around places in them, the places, the flux there.

    Of first order: at the centroid of what is filled, where incompatible modes vanish. Of second: at Gauss's eight of
    the box that has the centroid and the second moments of what is filled: the discrete flux means nothing elsewhere.
    """
    own, element = field[cells.nodes], cells.element
    if element == LINEAR:
        place = cells.centroids[:, None]
    else:
        share = cells.weights / cells.fraction[:, None]
        middle = share @ element.points
        spread = np.sqrt(np.maximum(share @ element.points**2 - middle**2, 0))
        place = middle[:, None] + spread[:, None] * (2 * CORNERS - 1)
    gradient = np.empty((*place.shape[:2], law.components, 3))
    for start in range(0, len(cells), _SAMPLED):
        rows = slice(start, start + _SAMPLED)
        slope = element.shape_gradient(place[rows].reshape(-1, 3)).reshape(*place[rows].shape[:2], -1, 3)
        gradient[rows] = np.einsum("cak,cmai->cmki", own[rows], slope, optimize=True)
    gradient /= cells.lattice.edge
    plain = jax.tree.map(float, law)  # in numpy: the number of cells differs from part to part
    slopes = [[gradient[..., i, j] for j in range(3)] for i in range(law.components)]
    weight = np.repeat(cells.fraction[:, None] / place.shape[1], place.shape[1], axis=1)
    return weight, place, np.asarray(plain.independent(plain.flux(slopes)))


def _by_chunks(
    compiled: Callable[..., tuple[Array, ...]], size: int, *arrays: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Results of a function of rows, for as many rows at a time as it is compiled for."""
    count = len(arrays[0])
    found = [
        compiled(*(jax.device_put(pad(rows[start : start + size], size)) for rows in arrays))
        for start in range(0, count, size)
    ]
    return tuple(np.concatenate(parts)[:count] for parts in zip(*found, strict=True))


def _basis(place: Array, order: int) -> Array:
    """Monomials (..., b) up to the order at places (..., 3): the constant, the slopes, then the curvatures."""
    x = [place[..., i] for i in range(3)]
    terms = [jnp.ones_like(x[0]), *x]
    if order == 2:
        terms += [x[i] * x[j] for i, j in _CURVATURES]
    return jnp.stack(terms, axis=-1)


_CURVATURES = ((0, 0), (1, 1), (2, 2), (0, 1), (1, 2), (2, 0))


def _around(samples: Samples, around: Int[Array, "node 8"]) -> tuple[Array, Array, Array]:
    """Samples of the cells around corners: weights (node, 8 m), ways from the corner (node, 8 m, 3), fluxes."""
    count = len(around)
    way = samples.place[around] - jnp.asarray(CORNERS, samples.place.dtype)[:, None]
    flux = samples.flux[around]
    return (
        samples.weight[around].reshape(count, -1),
        way.reshape(count, -1, 3),
        flux.reshape(count, -1, flux.shape[-1]),
    )


@eqx.filter_jit
def _fit(
    samples: Samples, around: Int[Array, "node 8"], order: int
) -> tuple[Float[Array, "node b s"], Float[Array, " node"]]:
    """Least squares, damped. Returns the coefficients, and how many cells' worth of material there is."""
    weight, way, flux = _around(samples, around)
    material = weight.sum(1)
    share = weight / jnp.where(material > 0, material, 1)[:, None]
    basis = _basis(way, order)
    weighted = share[:, :, None] * basis
    normal = jnp.einsum("nkb,nkc->nbc", weighted, basis)
    right = jnp.einsum("nkb,nks->nbs", weighted, flux)
    damping = np.full(basis.shape[-1], _DAMPING[order])
    damping[0] = 1e-12
    return jnp.linalg.solve(normal + np.diag(damping), right), material


def _owners(material: Float[np.ndarray, " n"], place: Int[np.ndarray, "n 3"]) -> Int[np.ndarray, " n"]:
    """Whose polynomial each corner takes: its own, or where there is little material that of a neighbour."""
    rich = material >= min(LEAST_PATCH, LEAST_SHARE * material.max())
    owner = np.arange(len(material))
    poor = np.flatnonzero(~rich)
    if len(poor):
        owner[poor] = np.flatnonzero(rich)[cKDTree(place[rich]).query(place[poor])[1]]
    return owner


@eqx.filter_jit
def _error(
    law: Law,
    samples: Samples,
    around: Int[Array, "node 8"],
    polynomial: Float[Array, "node b s"],
    shift: Float[Array, "node 3"],
    order: int,
) -> tuple[Float[Array, " node"], Float[Array, " node"]]:
    """In the law's magnitude, and as energy per volume of what a flux of an order less can't follow in a cell."""
    weight, way, flux = _around(samples, around)
    miss = jnp.einsum("nkb,nbs->nks", _basis(way + shift[:, None], order), polynomial) - flux
    material = weight.sum(1)
    square = (weight * law.magnitude(miss) ** 2).sum(1) / jnp.where(material > 0, material, 1)
    highest = polynomial[:, 1:4] if order == 1 else polynomial[:, 4:7]
    # root mean square in a cell of a coordinate, and of what its square is beyond a line
    within = highest * (1 / np.sqrt(12) if order == 1 else 1 / np.sqrt(180))
    error = jnp.sqrt(square + 3 * (law.magnitude(within) ** 2).sum(1))
    return error, law.energy_density(within).sum(1)


def _at_nodes(
    cells: FilledCells,
    polynomial: Float[np.ndarray, "c b s"],
    shift: Float[np.ndarray, "c 3"],
    error: Float[np.ndarray, " c"],
) -> tuple[Float[np.ndarray, "n s"], Float[np.ndarray, " n"]]:
    """What the polynomials of the corners about each node make there, and their error, in the mean."""
    order, lattice = cells.element.order, cells.lattice
    places = cells.places
    keys = lattice.numbering[0]
    total, errors, count = np.zeros((len(places), polynomial.shape[2])), *np.zeros((2, len(places)))
    lower = places // order
    for step in CORNERS[: 8 if order == 2 else 1]:
        corner = lower + step
        near = (step == 0) | (places % order != 0)  # on a corner's plane only that corner counts
        wanted = linear(corner, lattice.shape + 1)
        found = np.searchsorted(keys, wanted).clip(0, len(keys) - 1)
        rows = np.flatnonzero(near.all(1) & (keys[found] == wanted))
        own = found[rows]
        way = places[rows] / order - corner[rows] + shift[own]
        total[rows] += np.einsum("nb,nbs->ns", np.asarray(_basis(way, order)), polynomial[own])
        errors[rows] += error[own]
        count[rows] += 1
    return total / count[:, None], errors / count
