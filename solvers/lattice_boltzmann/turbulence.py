"""What cells do not resolve: eddies smaller than they are, and the layer at walls.

Eddies: Vreman 2004, Phys. Fluids 16:3670, whose viscosity vanishes in laminar shear. Layer: the law of the wall in the
form of Reichardt 1951 gives the friction, of which the fluid that slips over the wall is the rest; between wall and
first cell the viscosity is that of a mixing length, as in Malaspinas & Sagaut 2014, J. Comput. Phys. 275:25, or what it
takes for the cell to be stable: an error that falls with the size of cells.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Final

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Float

from solvers.lattice_boltzmann import collision
from solvers.lattice_boltzmann.grid import Count, Grid, at
from solvers.lattice_boltzmann.scheme import Conditions, Neighbours, Scheme, State, materialised
from solvers.lattice_boltzmann.storage import loaded
from solvers.lattice_boltzmann.walls import Walls

_VREMAN: Final = 0.07  # 2.5 times the square of Smagorinsky's 0.17
_KARMAN: Final = 0.41
_DAMPING: Final = 25.0  # wall units over which the mixing length grows to its full size
_REACH: Final = 2.0  # cells from the one beside the wall to where the law of the wall is applied
_ITERATIONS: Final = 12
_WALL_REYNOLDS: Final = 6.0  # most, of a cell beside a wall: with 30, sharp edges of a body are not stable
_CRAMPED: Final = 1 / 6  # with it stress is gone after a collision: between two walls nothing else damps it
_TINY: Final = float(np.finfo(np.float32).tiny)


def closed(
    scheme: Scheme,
    given: Conditions,
    state: State,
    once: Count | None = None,
    neighbours: Neighbours | None = None,
) -> State:
    """The state with eddies and layers as they are now."""
    grid, walls = scheme.grid, given.walls
    velocity = materialised(
        once, lambda kept: collision.moments(scheme.velocities, loaded(kept)).velocity, state.populations
    )
    first, _ = grid.interior
    eddy = lax.dynamic_update_slice(jnp.zeros(len(grid)), eddy_viscosity(_gradient(grid, velocity)), (first,))
    moving = walls.moving
    if len(walls):
        layer, moving = _layer(scheme, given, velocity, neighbours)
        touched = (walls.distances != 0).any(axis=0)
        layer = jnp.where(touched, layer, at(eddy, walls.cells))
        eddy = eddy.at[walls.cells].set(layer, mode="promise_in_bounds", unique_indices=True)
    sources = grid.sources([at(each, given.ghosts) for each in grid.coordinates])
    eddy = eddy.at[given.ghosts].set(at(eddy, sources), mode="promise_in_bounds", unique_indices=True)
    return State(state.populations, given.absorbed(grid.coordinates) + eddy, moving)


def eddy_viscosity(gradient: Sequence[Sequence[Float[Array, "..."]]]) -> Float[Array, "..."]:
    """Of eddies smaller than a cell [cells^2/step]. gradient: [i][j] is the slope of component j along i [1/step]."""
    beta = [[sum(along[i] * along[j] for along in gradient) for j in range(3)] for i in range(3)]
    second = (
        *(beta[0][0] * beta[1][1] - beta[0][1] ** 2, beta[0][0] * beta[2][2] - beta[0][2] ** 2),
        beta[1][1] * beta[2][2] - beta[1][2] ** 2,
    )
    size = jnp.maximum(beta[0][0] + beta[1][1] + beta[2][2], _TINY)
    found: Float[Array, ...] = _VREMAN * jnp.sqrt(jnp.maximum(sum(second), 0) / size)
    return found


def friction_velocity(
    speed: Float[Array, "..."], distance: Float[Array, "..."], viscosity: Float[Array, ""]
) -> Float[Array, "..."]:
    """Of a layer that has a speed at a distance from the wall: the root of the friction."""
    found = jnp.sqrt(viscosity * speed / distance)  # as in the sublayer
    for _ in range(_ITERATIONS):
        unit = law_of_the_wall(distance * found / viscosity)
        found = jnp.sqrt(found * speed / jnp.maximum(unit, _TINY))
    return found


def law_of_the_wall(distance: Float[Array, "..."]) -> Float[Array, "..."]:
    """Velocity in a layer, both in wall units."""
    buffer = 1 - jnp.exp(-distance / 11) - distance / 11 * jnp.exp(-distance / 3)
    return jnp.log1p(_KARMAN * distance) / _KARMAN + 7.8 * buffer


def _gradient(grid: Grid, velocity: Sequence[Float[Array, " cells"]]) -> list[list[Float[Array, " n"]]]:
    """In the stretch `interior`."""
    first, end = grid.interior
    return [
        [
            0.5
            * (
                lax.slice(u, (first + stride,), (end + stride,))
                - lax.slice(u, (first - stride,), (end - stride,))
            )
            for u in velocity
        ]
        for stride in grid.strides
    ]


def _layer(
    scheme: Scheme,
    given: Conditions,
    velocity: Sequence[Float[Array, " cells"]],
    neighbours: Neighbours | None,
) -> tuple[Float[Array, " w"], Float[Array, "3 w"]]:
    """Viscosity added at cells beside walls, and the velocity with which the fluid slips over these."""
    walls, grid, cells, around = given.walls, scheme.grid, given.walls.cells, velocity
    if neighbours is not None:  # what is looked at may lie beyond the ghosts
        planes = math.ceil(_REACH)
        grid = replace(grid, shape=(grid.shape[0] + 2 * planes, *grid.shape[1:]))
        cells = cells + planes * grid.strides[0]
        around = [neighbours.widened(of, planes) for of in velocity]
    gap = jnp.maximum(jnp.linalg.norm(walls.inward, axis=0), _TINY)
    normal = -walls.inward / gap
    inside = _interpolated(grid, cells, _REACH * normal, around) - walls.moving
    beside = jnp.stack([at(u, walls.cells) for u in velocity]) - walls.moving
    fastest = jnp.maximum(*(jnp.linalg.norm(each, axis=0) for each in (inside, beside)))
    inside = inside - jnp.sum(inside * normal, axis=0) * normal
    speed = jnp.linalg.norm(inside, axis=0)
    friction = friction_velocity(speed, gap + _REACH, given.viscosity)
    damping = (1 - jnp.exp(-gap * friction / given.viscosity / _DAMPING)) ** 2
    viscosity = jnp.maximum(damping * _KARMAN * friction * gap, fastest / _WALL_REYNOLDS)
    viscosity = jnp.where(_between_walls(scheme, walls), jnp.maximum(viscosity, _CRAMPED), viscosity)
    along = inside / jnp.maximum(speed, _TINY)
    nearest = jnp.sum(beside * along, axis=0)
    rest = nearest - friction**2 * gap / (given.viscosity + viscosity)
    slip = damping * jnp.clip(rest, 0, jnp.maximum(nearest, 0))
    return viscosity, walls.moving + slip * along


def _between_walls(scheme: Scheme, walls: Walls) -> Bool[Array, " w"]:
    """Cells that have a wall on either side."""
    cut = walls.distances != 0
    return (cut & cut[np.array(scheme.velocities.opposite)]).any(axis=0)


def _interpolated(
    grid: Grid, cells: Array, offset: Float[Array, "3 w"], velocity: Sequence[Float[Array, " cells"]]
) -> Float[Array, "3 w"]:
    """Trilinear, at offsets from cells [cells]; at the side of the box where that lies beyond."""
    places = [cells // grid.strides[0], cells // grid.strides[1] % grid.padded[1], cells % grid.padded[2]]
    low, share = [], []
    for place, move, count in zip(places, offset, grid.padded, strict=True):
        where = jnp.clip(place + move, 0, count - 1.001)
        low.append(where.astype(jnp.int32))
        share.append(where - low[-1])
    found = jnp.zeros((3, len(cells)))
    for corner in product((0, 1), repeat=3):
        weight = jnp.ones(len(cells))
        number = jnp.zeros(len(cells), jnp.int32)
        for upper, begin, part, stride in zip(corner, low, share, grid.strides, strict=True):
            weight = weight * (part if upper else 1 - part)
            number = number + (begin + upper) * stride
        found = found + weight * jnp.stack([at(u, number) for u in velocity])
    return found
