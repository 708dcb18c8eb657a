"""The flux at the nodes of a grid: around each corner of cells a quadratic, fitted to the discrete flux where that is
best (Zienkiewicz & Zhu 1992, Int. J. Numer. Methods Eng. 33:1331), and from how it misses that flux, and what of it the
elements can't follow, the error.

The flux of cut cells of first order errs by about one over how full they are, that of whole cells hardly at all: so
it weighs by the inverse square of its error, and corners at the surface take the quadratic of one further inside.
"""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from solvers.buckets import bucket, pad
from solvers.cutcell.cells import FilledCells, Lattice, linear
from solvers.cutcell.element import CORNERS, LINEAR
from solvers.law import Law, Recovered
from solvers.precision import float64

# By the order of the elements. Corners whose cells hold less material, in cells, take the polynomial of one beside them
# that has more, and that one likewise: two steps lead from any corner of a cell to one inside, where there is one.
ENOUGH, STEPS = {1: 6.0, 2: 3.0}, 2
_NEARER = 0.1  # material that a step along an edge must gain, twice that across a face
_POWER = {1: 2, 2: 1}  # of how full a cell is: the weight of its flux
# Of the slopes and of the curvatures, in units of the cell: walls too thin for them.
_DAMPING = {1: (1e-4, 1e-2), 2: (1e-4, 1e-4)}
_CHUNK = 1024  # corners at a time: what stays in a processor's cache
_SAMPLED = 4096  # cells at a time
_LEAST_BUCKET = 8192  # cells
_TINY = 1e-300


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
    length = bucket(len(cells) + 1, _LEAST_BUCKET)
    samples = Samples(*(jax.device_put(pad(rows, length)) for rows in (weight, place, flux)))
    around, step = _patches(lattice, order)
    material = np.append(cells.fraction, 0)[around[:, :8]].sum(1)
    owner = _owners(np.minimum(material, ENOUGH[order]), around[:, :8], lattice.numbering[1])
    polynomial = _polynomials(cells, samples, around, step, owner)
    miss, rough = _by_chunks(
        lambda rows, own: _error(law, samples, rows, own, order), around[:, :8], polynomial
    )
    value, error = _at_nodes(cells, polynomial, miss)
    return Recovered(value, error, rough[lattice.numbering[1]].mean(1) * volume, energy)


def _patches(lattice: Lattice, order: int) -> tuple[Int[np.ndarray, "n p"], Int[np.ndarray, "p 3"]]:
    """Cells around each corner, and where their own lower corners are from it: the eight that it is a corner of, which
    is enough of second order, and of first order the next beyond each of their outer faces.
    """
    count = len(lattice)
    around = np.full((len(lattice.places), 8), count, dtype=np.int32)
    around[lattice.numbering[1], np.arange(8)] = np.arange(count)[:, None]
    if order == 2:
        return around, -CORNERS
    patch, steps = [around], [-CORNERS]
    for axis, (lower, upper) in enumerate(lattice.neighbours):
        beyond = np.full((2, count + 1), count, dtype=np.int32)
        beyond[0, lower], beyond[1, upper] = upper, lower
        patch.append(beyond[CORNERS[:, axis], around])
        steps.append(-CORNERS + (1 - 2 * CORNERS[:, axis, None]) * np.eye(3, dtype=int)[axis])
    return np.concatenate(patch, axis=1), np.concatenate(steps)


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
    weight = np.repeat(cells.fraction[:, None] / place.shape[1], place.shape[1], axis=1)
    (flux,) = _by_chunks(lambda rows: (_discrete(law, rows),), gradient)
    return weight, place, flux


@eqx.filter_jit
def _discrete(law: Law, gradient: Float[Array, "cell m k 3"]) -> Float[Array, "cell m s"]:
    """Flux of the field's slopes."""
    slopes = [[gradient[..., i, j] for j in range(3)] for i in range(law.components)]
    return law.independent(law.flux(slopes))


def _by_chunks(compiled: Callable[..., tuple[Array, ...]], *arrays: np.ndarray) -> tuple[np.ndarray, ...]:
    """Results of a function of rows, for as many rows at a time as it is compiled for."""
    count = len(arrays[0])
    found = [
        compiled(*(jax.device_put(pad(rows[start : start + _CHUNK], _CHUNK)) for rows in arrays))
        for start in range(0, count, _CHUNK)
    ]
    return tuple(np.concatenate(parts)[:count] for parts in zip(*found, strict=True))


_CURVATURES = ((0, 0), (1, 1), (2, 2), (0, 1), (1, 2), (2, 0))


def _basis(place: Float[np.ndarray | Array, "... 3"]) -> list[Any]:
    """Monomials at places (..., 3): the constant, the slopes, then the curvatures."""
    x = [place[..., i] for i in range(3)]
    return [0 * x[0] + 1, *x, *(x[i] * x[j] for i, j in _CURVATURES)]


def _patch(
    samples: Samples, around: Int[Array, "node p"], step: Int[np.ndarray, "p 3"]
) -> tuple[Float[Array, "node k"], Float[Array, "node k 10"]]:
    """Of the samples in the cells around corners: weights, monomials."""
    way = samples.place[around] + jnp.asarray(step, samples.place.dtype)[:, None]
    basis = jnp.stack(_basis(way.reshape(len(around), -1, 3)), axis=-1)
    return samples.weight[around].reshape(len(around), -1), basis


def _flux(samples: Samples, around: Int[Array, "node p"]) -> Float[Array, "node k s"]:
    return samples.flux[around].reshape(len(around), -1, samples.flux.shape[-1])


@eqx.filter_jit
def _fit(
    samples: Samples, around: Int[Array, "node p"], step: Int[np.ndarray, "p 3"], order: int, alike: bool
) -> Float[Array, "node 10 s"]:
    """Coefficients by least squares, damped.

    alike: all patches are as the first one but for the flux
    """
    weight, basis = _patch(samples, around[:1] if alike else around, step)
    flux = _flux(samples, around)
    weight = weight ** _POWER[order]
    weighted = (weight / jnp.maximum(weight.sum(1, keepdims=True), _TINY))[:, :, None] * basis
    slope, curvature = _DAMPING[order]
    normal = jnp.einsum("nkb,nkc->nbc", weighted, basis) + np.diag([1e-12] + 3 * [slope] + 6 * [curvature])
    if alike:
        return jnp.einsum("bk,nks->nbs", jnp.linalg.solve(normal[0], weighted[0].T), flux)
    return jnp.linalg.solve(normal, jnp.einsum("nkb,nks->nbs", weighted, flux))


def _polynomials(
    cells: FilledCells,
    samples: Samples,
    around: Int[np.ndarray, "n p"],
    step: Int[np.ndarray, "p 3"],
    owner: Int[np.ndarray, " n"],
) -> Float[np.ndarray, "n 10 s"]:
    """Of the corners, about themselves: fitted where they own theirs, moved where they don't."""
    order = cells.element.order
    found = np.empty((len(around), 10, samples.flux.shape[2]))
    fitted = np.flatnonzero(np.bincount(owner))
    amid_whole = np.append(cells.whole, False)[around[fitted]].all(axis=1)
    for alike in (True, False):
        own = fitted[amid_whole == alike]
        if len(own):
            (found[own],) = _by_chunks(
                lambda rows, alike=alike: (_fit(samples, rows, step, order, alike),),
                around[own],
            )
    away = np.flatnonzero(owner != np.arange(len(owner)))
    found[away] = _moved(found[owner[away]], cells.lattice.places[away] - cells.lattice.places[owner[away]])
    return found


def _moved(
    polynomial: Float[np.ndarray, "n 10 s"], shift: Float[np.ndarray, "n 3"]
) -> Float[np.ndarray, "n 10 s"]:
    """The same polynomials about places that lie `shift` further."""
    moved = polynomial.copy()
    moved[:, 0] = np.einsum("bn,nbs->ns", _basis(shift), polynomial)
    for power, (i, j) in enumerate(_CURVATURES, start=4):
        moved[:, 1 + i] += shift[:, j, None] * polynomial[:, power]
        moved[:, 1 + j] += shift[:, i, None] * polynomial[:, power]
    return moved


def _owners(
    material: Float[np.ndarray, " n"], around: Int[np.ndarray, "n 8"], corners: Int[np.ndarray, "c 8"]
) -> Int[np.ndarray, " n"]:
    """Whose polynomial each corner takes; of material there is none more than enough."""
    owner = np.arange(len(material))
    poor = np.flatnonzero(material < material.max())
    beside = np.pad(corners, ((0, 1), (0, 0)), constant_values=-1)[around[poor]].reshape(len(poor), -1)
    away = ((CORNERS - CORNERS[:, None]) ** 2).sum(axis=2).ravel()
    best = (np.append(material, -np.inf)[beside] - _NEARER * away).argmax(axis=1)
    owner[poor] = beside[np.arange(len(poor)), best]
    for _ in range(1, STEPS):
        owner = owner[owner]
    return owner


@eqx.filter_jit
def _error(
    law: Law,
    samples: Samples,
    around: Int[Array, "node 8"],
    polynomial: Float[Array, "node 10 s"],
    order: int,
) -> tuple[Float[Array, " node"], Float[Array, " node"]]:
    """In the law's magnitude, and as energy per volume of what a flux of an order less can't follow in a cell."""
    weight, basis = _patch(samples, around, -CORNERS)
    miss = jnp.einsum("nkb,nbs->nks", basis, polynomial) - _flux(samples, around)
    square = (weight * law.magnitude(miss) ** 2).sum(1) / jnp.maximum(weight.sum(1), _TINY)
    highest = polynomial[:, 1:4] if order == 1 else polynomial[:, 4:7]
    # root mean square in a cell of a coordinate, and of what its square is beyond a line
    within = highest * (1 / np.sqrt(12) if order == 1 else 1 / np.sqrt(180))
    error = jnp.sqrt(square + 3 * (law.magnitude(within) ** 2).sum(1))
    return error, law.energy_density(within).sum(1)


def _at_nodes(
    cells: FilledCells,
    polynomial: Float[np.ndarray, "c 10 s"],
    error: Float[np.ndarray, " c"],
) -> tuple[Float[np.ndarray, "n s"], Float[np.ndarray, " n"]]:
    """What the polynomials of the corners about each node make there, and their error, in the mean."""
    order, lattice = cells.element.order, cells.lattice
    if order == 1:
        return polynomial[:, 0], error
    places = cells.places
    keys = lattice.numbering[0]
    total, errors, count = np.zeros((len(places), polynomial.shape[2])), *np.zeros((2, len(places)))
    lower = places // order
    for step in CORNERS:
        corner = lower + step
        near = (step == 0) | (places % order != 0)  # on a corner's plane only that corner counts
        wanted = linear(corner, lattice.shape + 1)
        found = np.searchsorted(keys, wanted).clip(0, len(keys) - 1)
        rows = np.flatnonzero(near.all(1) & (keys[found] == wanted))
        own = found[rows]
        way = places[rows] / order - corner[rows]
        total[rows] += np.einsum("bn,nbs->ns", _basis(way), polynomial[own])
        errors[rows] += error[own]
        count[rows] += 1
    return total / count[:, None], errors / count
