"""One step: populations move to neighbours, come off walls, and collide; ghosts get what is beyond the sides."""

import os
from collections.abc import Sequence
from functools import partial
from typing import Final

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int

from solvers.lattice_boltzmann import collision
from solvers.lattice_boltzmann.collision import Moments, Populations
from solvers.lattice_boltzmann.grid import Count, at, stretch
from solvers.lattice_boltzmann.scheme import BLOCK, Conditions, Scheme, State, materialised
from solvers.lattice_boltzmann.storage import loaded, stored
from solvers.lattice_boltzmann.walls import HELD, Walls, let_out, reflected

_MAGIC: Final = 3 / 16  # of two relaxation times
# Cells of a stretch, with some 60 numbers each: 8192 for the cache of each processor.
_CACHED: Final = 8192 * (os.cpu_count() or 1)


def step(
    scheme: Scheme, given: Conditions, state: State, into: Populations, once: Count | None = None
) -> Populations:
    """The populations after one step.

    into: of the same shape, whose memory they may take; once: as of `materialised`
    """
    if scheme.fused:
        return _fused(scheme, given, state, once)
    return _sliced(scheme, given, state, into, once)


def _fused(scheme: Scheme, given: Conditions, state: State, once: Count | None) -> Populations:
    coordinates = scheme.grid.coordinates
    arriving = materialised(once, partial(_arriving, scheme, given, coordinates), state)
    viscosity = given.viscosity + state.eddy
    if scheme.collision == "two relaxation times":
        found = _relaxed(scheme, given, viscosity, arriving)
    else:
        absorbing = given.absorbed(coordinates)
        after = materialised(once, partial(_collided, scheme, given), viscosity, absorbing, arriving)
        found = _regularised(scheme, _with_ghosts(scheme, given, after, coordinates), once)
    if given.near_wall is not None:
        found = tuple(jnp.where(given.near_wall.place < -1, 0, each) for each in found)
    return stored(found, state.populations[0].dtype)


def _arriving(
    scheme: Scheme, given: Conditions, coordinates: Sequence[Int[Array, " cells"]], state: State
) -> Populations:
    """What arrives at all cells, at ghosts what arrives at those that they repeat."""
    sources = scheme.grid.sources(coordinates)
    pulled = scheme.grid.pulled(scheme.velocities, state.populations, sources)
    if given.near_wall is None:
        # which changes nothing: with a choice, XLA for GPUs puts all that cells pull into one kernel
        return loaded([jnp.where(sources >= 0, each, 0) for each in pulled])
    # beside walls, few cells, by a program of its own: the one of all cells would be too large to be one kernel
    arriving = arriving_beside(scheme, given.walls, state)
    beside = lax.optimization_barrier(tuple(at(each, given.near_wall.number) for each in arriving))  # type: ignore[no-untyped-call]
    place = given.near_wall.place.astype(jnp.int32)
    before = jnp.repeat(given.near_wall.before, BLOCK)[: len(place)]
    number = jnp.where(place >= 0, before + place, -1)
    return tuple(
        jnp.where(number >= 0, at(new, jnp.maximum(number, 0)), old)
        for new, old in zip(beside, loaded(pulled), strict=True)
    )


def _sliced(
    scheme: Scheme, given: Conditions, state: State, into: Populations, once: Count | None
) -> Populations:
    grid, walls = scheme.grid, given.walls
    found = _swept(scheme, given, state, into, once)
    if len(walls):
        absorbing = given.absorbed(grid.coordinates)
        eddy, absorbing = (at(of, walls.cells) if of.ndim else of for of in (state.eddy, absorbing))
        arriving = tuple(materialised(once, partial(arriving_beside, scheme, walls), state))
        beside = _collide(scheme, given, given.viscosity + eddy, absorbing, arriving, once)
        found = put(found, walls.cells, beside)
    if set(grid.faces) == {"nested"}:
        return found  # their ghosts are for the box around them to fill
    coordinates = [at(each, given.ghosts) for each in grid.coordinates]
    sources = grid.sources(coordinates)
    repeated = loaded([at(each, sources) for each in found])
    if scheme.collision == "regularised":
        of = materialised(once, partial(collision.moments, scheme.velocities), repeated)
        of = materialised(once, partial(_with_ghosts, scheme, given), of, coordinates)
        repeated = _regularised(scheme, of, once)
    return put(found, given.ghosts, repeated)


def _swept(
    scheme: Scheme, given: Conditions, state: State, into: Populations, once: Count | None
) -> Populations:
    """The populations of the stretch `interior`, as if no wall were near, and none where it is solid.

    On a CPU some cells after the others, as many as its cache holds with all that is computed between.
    """
    first, end = scheme.grid.interior
    size = end - first if once is None else min(_CACHED, end - first)
    absorbing = given.absorbed(scheme.grid.coordinates)

    def swept(number: Count, into: Populations) -> Populations:
        begin = first if size == end - first else jnp.minimum(first + number * size, end - size)

        def here(of: Array) -> Array:
            return stretch(of, begin, size) if of.ndim else of

        viscosity = given.viscosity + here(state.eddy)
        arriving = loaded(scheme.grid.pulled_in_row(scheme.velocities, state.populations, begin, size))
        found = _collide(scheme, given, viscosity, here(absorbing), arriving, once)
        if len(given.walls):
            solid = here(given.walls.solid)
            found = tuple(jnp.where(solid, 0, each) for each in found)
        found = stored(found, into[0].dtype)
        return tuple(
            lax.dynamic_update_slice(old, new, (begin,)) for old, new in zip(into, found, strict=True)
        )

    count = -(-(end - first) // size)
    return swept(0, into) if count == 1 else lax.fori_loop(0, count, swept, into)


def put(populations: Populations, cells: Int[Array, " n"], new: Populations) -> Populations:
    """The populations with those of some cells, each of which is named once, replaced."""
    return tuple(
        old.at[cells].set(each, mode="promise_in_bounds", unique_indices=True)
        for old, each in zip(populations, stored(new, populations[0].dtype), strict=True)
    )


def arriving_beside(scheme: Scheme, walls: Walls, state: State) -> Float[Array, "q w"]:
    """What arrives at the cells beside walls."""
    pulled = loaded(scheme.grid.pulled(scheme.velocities, state.populations, walls.cells))
    local = loaded([at(of, walls.cells) for of in state.populations])
    found = reflected(scheme.velocities, pulled, local, walls, state.moving)
    if walls.open_links is None:
        return found
    open_links = walls.open_links
    like = loaded([at(of, open_links.like[:, i]) for i, of in enumerate(state.populations)])
    return let_out(
        scheme.velocities,
        found,
        jnp.einsum("qsm,sqm->qm", jnp.stack(like), open_links.share),
        local,
        open_links,
    )


def _collide(
    scheme: Scheme,
    given: Conditions,
    viscosity: Float[Array, "..."],
    absorbing: Float[Array, "..."],
    arriving: Populations,
    once: Count | None,
) -> Populations:
    if scheme.collision == "two relaxation times":
        return _relaxed(scheme, given, viscosity, arriving)
    after = materialised(once, partial(_collided, scheme, given), viscosity, absorbing, arriving)
    return _regularised(scheme, after, once)


def _regularised(scheme: Scheme, of: Moments, once: Count | None) -> Populations:
    hermite = materialised(once, partial(collision.hermite, scheme.velocities), of)
    return scheme.velocities.from_hermite(hermite)


def _relaxed(
    scheme: Scheme, given: Conditions, viscosity: Float[Array, "..."], arriving: Populations
) -> Populations:
    even = 1 / (3 * viscosity + 0.5)
    odd = 1 / (0.5 + _MAGIC / (3 * viscosity))
    force = (given.force[0], given.force[1], given.force[2])
    return collision.two_relaxation_times(scheme.velocities, arriving, even, odd, force)


def _collided(
    scheme: Scheme,
    given: Conditions,
    viscosity: Float[Array, "..."],
    absorbing: Float[Array, "..."],
    arriving: Populations,
) -> Moments:
    """Moments after the collision, before which the force has done one half of its work, and the other half after it.

    Where waves are absorbed, their density goes.

    Guo, Zheng & Shi 2002, Phys. Rev. E 65:046308.
    """
    before = collision.moments(scheme.velocities, arriving)
    kept = 1 - 1 / (3 * viscosity + 0.5)
    mass = 1 + before.density
    half = [0.5 * f / mass for f in given.force]
    halfway = [u + h for u, h in zip(before.velocity, half, strict=True)]
    x, y, z = (u + h for u, h in zip(halfway, half, strict=True))
    stress = []
    for (a, b), of in zip(collision.PAIRS, before.stress, strict=True):
        shifted = half[a] * before.velocity[b] + half[b] * before.velocity[a] + half[a] * half[b]
        worked = 0.5 * (halfway[a] * given.force[b] + halfway[b] * given.force[a])
        stress.append(kept * (of - mass * shifted + worked))
    density = before.density + absorbing * (given.pressure - before.density)
    return Moments(density, (x, y, z), tuple(stress))


def _with_ghosts(
    scheme: Scheme, given: Conditions, of: Moments, coordinates: Sequence[Int[Array, " n"]]
) -> Moments:
    """Moments at cells, of those of the cells that they repeat: of ghosts what is beyond the sides."""
    grid, profile = scheme.grid, given.inflow.reshape(3, -1)
    place = coordinates[1] * grid.padded[2] + coordinates[2]
    inflow = profile if profile.shape[1] == 1 else [at(each, place) for each in profile]
    for face, kind in enumerate(grid.faces):
        ghost, density, velocity, stress = grid.ghosts(coordinates, face), of.density, of.velocity, of.stress
        if kind == "velocity":
            x, y, z = (jnp.where(ghost, new, u) for new, u in zip(inflow, velocity, strict=True))
            velocity = (x, y, z)
        elif kind == "pressure":
            density = jnp.where(ghost, density + HELD * (given.pressure - density), density)
        elif kind == "slip":
            sign = [jnp.where(ghost, -1, 1) if axis == face // 2 else 1 for axis in range(3)]
            x, y, z = (s * u for s, u in zip(sign, velocity, strict=True))
            velocity = (x, y, z)
            stress = tuple(
                part if a == b else sign[a] * sign[b] * part
                for (a, b), part in zip(collision.PAIRS, stress, strict=True)
            )
        of = Moments(density, velocity, stress)
    return of
