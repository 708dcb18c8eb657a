"""The flux at the nodes of a grid: around each node a linear function, fitted to the flux at the centroids of the cells
there, and from how it misses them and how steep it is the error.
"""

import functools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int
from scipy.spatial import cKDTree

from solvers.buckets import bucket, pad
from solvers.hex8 import element
from solvers.hex8.cells import FilledCells
from solvers.law import Law, Recovered
from solvers.operator import invert_blocks
from solvers.precision import float64

# Nodes whose cells hold less than so many cells' worth of material take their flux from a neighbour.
LEAST_PATCH = 3.0
_SLOPE_DAMPING = 1e-3  # of the fit of a node's flux, in units of the cell
_CHUNK = 8192  # nodes at a time

_Components = Sequence[Sequence[Array]]  # of each, an array for each of the cells around

_once: Callable[[tuple[Array, ...]], tuple[Array, ...]] = jax.lax.optimization_barrier


class CellFlux(eqx.Module):
    """Cells, and after them some of no weight: how full they are, their centroids in their own coordinates, the flux
    there.
    """

    weight: Float[Array, " cell"]
    centroid: Float[Array, "cell 3"]
    flux: Float[Array, "cell s"]


@float64
def recover(cells: FilledCells, law: Law, field: Float[np.ndarray, "n k"]) -> Recovered:
    """Nodal flux of a field.

    The error at a node is what the fit misses and what the flux changes within half a cell.
    """
    lattice = cells.lattice
    corners = lattice.numbering[1]
    centroid = element.centroids(cells.moments)
    gradient = np.einsum("cak,cai->cik", element.shape_gradient(centroid), field[corners]) / lattice.edge
    plain = jax.tree.map(float, law)  # in numpy: the number of cells differs from part to part
    slopes = [[gradient[:, i, j] for j in range(3)] for i in range(law.components)]
    flux = np.asarray(plain.independent(plain.flux(slopes)))
    length = bucket(len(cells) + 1, _CHUNK)
    known = CellFlux(*(jax.device_put(pad(rows, length)) for rows in (cells.fraction, centroid, flux)))
    # the cell of which a node is each corner
    around = np.full((len(lattice.places), 8), len(cells), dtype=np.int32)
    around[corners, np.arange(8)] = np.arange(len(cells))[:, None]
    value, slope, material = _by_chunks(lambda rows: _fit(known, rows), around)
    value, slope = _borrowed(value, slope, material, lattice.places)
    error, rough = _by_chunks(lambda *rows: _error(law, known, *rows), around, value, slope)
    volume = cells.fraction * lattice.edge**3
    energy = float(plain.energy_density(flux) @ volume)
    return Recovered(value, error, rough[corners].mean(1) * volume, energy)


def _by_chunks(compiled: Callable[..., tuple[Array, ...]], *arrays: np.ndarray) -> tuple[np.ndarray, ...]:
    """Results of a function of rows, for as many rows at a time as it is compiled for."""
    count = len(arrays[0])
    found = [
        compiled(*(jax.device_put(pad(rows[start : start + _CHUNK], _CHUNK)) for rows in arrays))
        for start in range(0, count, _CHUNK)
    ]
    return tuple(np.concatenate(parts)[:count] for parts in zip(*found, strict=True))


def _cells_around(
    known: CellFlux, around: Int[Array, "node 8"]
) -> Iterator[tuple[Array, list[Array], list[Array]]]:
    """Of each of the eight cells around nodes: how full it is, the way from the node to its centroid, the flux there.

    Components are arrays of their own, and sums over the cells are written out: a CPU's compiler makes five times as
    fast a program of them as of reductions over short axes.
    """
    for corner, cell in zip(element.CORNERS, around.T, strict=True):
        step = [known.centroid[cell, i] - float(corner[i]) for i in range(3)]
        yield known.weight[cell], step, [known.flux[cell, s] for s in range(known.flux.shape[1])]


@eqx.filter_jit
def _fit(
    known: CellFlux, around: Int[Array, "node 8"]
) -> tuple[Float[Array, "node s"], Float[Array, "node 3 s"], Float[Array, " node"]]:
    """Least squares of the cells around nodes, slopes damped.

    Returns the value at the node, the slopes per cell along x, y, z, and how many cells' worth of material is there.
    """
    weights, steps, fluxes = zip(*_cells_around(known, around), strict=True)
    material = _sum(weights)
    shares = [weight / jnp.where(material > 0, material, 1) for weight in weights]

    def mean(*factors: Sequence[Array]) -> Array:
        return _sum(math.prod(terms) for terms in zip(shares, *factors, strict=True))

    def covariance(first: _Components, second: _Components) -> Float[Array, "node row column"]:
        rows = [[mean(a, b) - mean(a) * mean(b) for b in second] for a in first]
        return jnp.stack([jnp.stack(row, axis=-1) for row in rows], axis=-2)

    step, flux = list(zip(*steps, strict=True)), list(zip(*fluxes, strict=True))  # [component][cell]
    # the barrier: or every use of the sums would compute them again
    spread, together = _once((covariance(step, step), covariance(step, flux)))
    inverse = invert_blocks(spread + _SLOPE_DAMPING * np.eye(3))
    slope = _sum(inverse[:, :, j, None] * together[:, None, j] for j in range(3))
    to_middle = _sum(mean(step[i])[:, None] * slope[:, i] for i in range(3))
    return jnp.stack([mean(f) for f in flux], axis=-1) - to_middle, slope, material


def _borrowed(
    value: Float[np.ndarray, "n s"],
    slope: Float[np.ndarray, "n 3 s"],
    material: Float[np.ndarray, " n"],
    place: Int[np.ndarray, "n 3"],
) -> tuple[Float[np.ndarray, "n s"], Float[np.ndarray, "n 3 s"]]:
    """The functions, at nodes with little material around those of a neighbour. Places are in units of the cell."""
    rich = material >= min(LEAST_PATCH, material.max())
    poor = np.flatnonzero(~rich)
    if len(poor):
        neighbour = np.flatnonzero(rich)[cKDTree(place[rich]).query(place[poor])[1]]
        slope[poor] = slope[neighbour]
        step = (place[poor] - place[neighbour]).astype(float)
        value[poor] = value[neighbour] + np.einsum("ni,nis->ns", step, slope[neighbour])
    return value, slope


@eqx.filter_jit
def _error(
    law: Law,
    known: CellFlux,
    around: Int[Array, "node 8"],
    value: Float[Array, "node s"],
    slope: Float[Array, "node 3 s"],
) -> tuple[Float[Array, " node"], Float[Array, " node"]]:
    """In the law's magnitude, and as energy per volume of what the flux changes within a cell."""
    square = material = jnp.zeros(len(around))
    for weight, step, flux in _cells_around(known, around):
        off = [value[:, s] + _sum(step[i] * slope[:, i, s] for i in range(3)) - f for s, f in enumerate(flux)]
        square += weight * law.magnitude(jnp.stack(off, axis=-1)) ** 2
        material += weight
    within = [
        slope[:, i] / np.sqrt(12) for i in range(3)
    ]  # root mean square change of the flux in a cell, per axis
    change = _sum(3 * law.magnitude(flux) ** 2 for flux in within)
    error = jnp.sqrt(square / jnp.where(material > 0, material, 1) + change)
    return error, _sum(law.energy_density(flux) for flux in within)


def _sum(terms: Iterable[Array]) -> Array:
    return functools.reduce(jnp.add, terms)
