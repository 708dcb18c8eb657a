"""Boxes of finer cells inside each other: half the size, half the time of a step, the same velocities.

Ghosts of the finer box get the moments of the coarser one, between its cells (cubic) and its steps (linear); coarser
cells under the finer box get the mean of theirs. Stress out of equilibrium is that of the same strain on either side:
Dupuis & Chopard 2003, Phys. Rev. E 67:066707; Lagrava et al. 2012, J. Comput. Phys. 231:4808.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Int

from solvers.lattice_boltzmann import collision
from solvers.lattice_boltzmann.collision import Moments
from solvers.lattice_boltzmann.grid import Count, Grid, at
from solvers.lattice_boltzmann.scheme import Conditions, Scheme, State, materialised
from solvers.lattice_boltzmann.step import put, step
from solvers.lattice_boltzmann.storage import loaded, stored
from solvers.lattice_boltzmann.turbulence import closed

States = tuple[State, ...]

_OVERLAP: Final = 2  # outer cells
# of a cubic through four values, a quarter of the way from the second to the third
_QUARTER: Final = np.array([-7, 105, 35, -5], np.float32) / 128


class Coupling(eqx.Module):
    """Where a box (inner) lies in the one around it (outer).

    corner: the outer cell of its first cells
    seen: outer cells along its nested sides, four from outside to inside, places in the row; one side after the other,
    each with one cell more all round
    ghosts: of its nested sides, places in the row; planes: where these are among the inner cells of those sides, one
    side after the other, each with one ghost more all round
    """

    corner: Int[Array, "3"]
    seen: Int[Array, "4 n"]
    ghosts: Int[Array, " g"]
    planes: Int[Array, " g"]


def coupling(outer: Grid, inner: Grid, corner: Sequence[int]) -> Coupling:
    """Of an inner box whose first cells lie in the outer cell `corner`.

    Its sides that are not "nested" lie on those of the outer box. Near the others outer cells stay as they are: what
    came back from them into the inner box within a step, between cells, would be one more viscosity.

    Raises:
        ValueError: it does not fit
    """
    first, size = np.array(corner), np.array(inner.shape) // 2
    kept = _kept(inner)
    for axis in range(3):
        low, high = inner.faces[2 * axis], inner.faces[2 * axis + 1]
        beyond = outer.shape[axis] - first[axis] - size[axis]
        fits = (first[axis] >= 1 if low == "nested" else first[axis] == 0) and (
            beyond >= 1 if high == "nested" else beyond == 0
        )
        if inner.shape[axis] % 2 or not fits or size[axis] <= sum(kept[2 * axis : 2 * axis + 2]):
            raise ValueError(
                f"{inner.shape} finer cells from {tuple(corner)} on do not fit into {outer.shape}"
            )
    row = np.arange(len(inner)).reshape(inner.padded)
    sides = [np.take(row, -1 if face % 2 else 0, axis=face // 2).reshape(-1) for face in _nested(inner)]
    ghosts, planes = np.unique(np.concatenate(sides), return_index=True)
    seen = []
    for side in _nested(inner):
        axis, at_end = side // 2, side % 2
        ranges = [np.arange(begin - 1, begin + count + 1) for begin, count in zip(first, size, strict=True)]
        layers = np.arange(4) - 2
        ranges[axis] = first[axis] + (size[axis] - 1 - layers if at_end else layers)
        cells = np.stack(np.meshgrid(*ranges, indexing="ij"), axis=-1)
        seen.append(np.moveaxis(outer.number(cells), axis, 0).reshape(4, -1))
    arrays = (first, np.concatenate(seen, axis=1), ghosts, planes)
    return Coupling(*(jnp.asarray(each, jnp.int32) for each in arrays))


@partial(jax.jit, static_argnums=0, donate_argnums=3)
def advance(
    schemes: tuple[Scheme, ...],
    given: tuple[Conditions, ...],
    couplings: tuple[Coupling, ...],
    states: States,
    times: Count,
    before: Count = 0,
) -> States:
    """The states of boxes, outermost first, after so many steps of the outermost one. before: steps that were made"""
    once = jnp.minimum(times, 1) if jax.default_backend() == "cpu" else None
    return lax.fori_loop(before, before + times, step_of(schemes, given, couplings, once), states)


def step_of(
    schemes: tuple[Scheme, ...],
    given: tuple[Conditions, ...],
    couplings: tuple[Coupling, ...],
    once: Count | None = None,
) -> Callable[[Count, States], States]:
    """A step of the outermost box, which has a number; once: as of `materialised`."""
    given = tuple(of if on.fused else of.spread(on.grid) for on, of in zip(schemes, given, strict=True))

    def moved(level: int, number: Count, states: States) -> States:
        """This box by one step, which has a number, and those inside it by as much time."""
        scheme, of = schemes[level], given[level]
        old = _closed(scheme, of, states[level], number, once)
        new = State(step(scheme, of, old, old.populations, once), old.eddy, old.moving)
        if level == len(schemes) - 1:
            return _with(states, level, new)
        link, inner = couplings[level], schemes[level + 1].grid
        before, after = (materialised(once, partial(_sampled, scheme, of, link), each) for each in (old, new))

        def half(which: Count, states: States) -> States:
            states = moved(level + 1, 2 * number + which, states)
            share = 0.5 * (which + 1)
            seen = before + share * (after - before)
            finer = _prolonged(schemes[level + 1], given[level + 1], link, states[level + 1], seen, once)
            return _with(states, level + 1, finer)

        states = lax.fori_loop(0, 2, half, _with(states, level, new))
        mean = _restricted(scheme, given[level : level + 2], link, inner, (new, states[level + 1]), once)
        return _with(states, level, mean)

    return partial(moved, 0)


def _closed(scheme: Scheme, given: Conditions, state: State, number: Count, once: Count | None) -> State:
    """The state, at some steps with eddies and layers as they are now."""
    if not scheme.turbulent:
        return state

    def renewed(old: State) -> tuple[Array, Array]:
        new = closed(scheme, given, old, once)
        return new.eddy, new.moving

    eddy, moving = lax.cond(number % scheme.steps == 0, renewed, lambda old: (old.eddy, old.moving), state)
    return State(state.populations, eddy, moving)


def _sampled(scheme: Scheme, given: Conditions, link: Coupling, state: State) -> Float[Array, "11 n"]:
    """Moments and viscosity where the nested sides of the inner box have ghosts, of outer cells along these sides."""
    of = collision.moments(scheme.velocities, loaded([at(each, link.seen) for each in state.populations]))
    viscosity = jnp.broadcast_to(given.viscosity + _at(state.eddy, link.seen), link.seen.shape)
    fields = jnp.stack([of.density, *of.velocity, *of.stress, viscosity])
    return jnp.einsum("l,kln->kn", _QUARTER, fields)


def _prolonged(
    scheme: Scheme,
    given: Conditions,
    link: Coupling,
    state: State,
    seen: Float[Array, "11 n"],
    once: Count | None,
) -> State:
    """The inner box with what the outer one knows in its ghosts."""
    own = given.viscosity + _at(state.eddy, link.ghosts)

    def moments(seen: Array, own: Array) -> Moments:
        sides, begin = [], 0
        for face in _nested(scheme.grid):
            extent = [count // 2 + 2 for axis, count in enumerate(scheme.grid.shape) if axis != face // 2]
            end = begin + math.prod(extent)
            sides.append(_finer(seen[:, begin:end].reshape(-1, *extent)).reshape(len(seen), -1))
            begin = end
        density, *others = jnp.concatenate(sides, axis=1)[:, link.planes]
        x, y, z, *stress, viscosity = others
        return _scaled(Moments(density, (x, y, z), tuple(stress)), _ratio(viscosity, own))

    of = materialised(once, moments, seen, own)
    ghosts = collision.regularised(scheme.velocities, of)
    return State(put(state.populations, link.ghosts, ghosts), state.eddy, state.moving)


def _restricted(
    scheme: Scheme,
    given: Sequence[Conditions],
    link: Coupling,
    inner: Grid,
    states: tuple[State, State],
    once: Count | None,
) -> State:
    """The outer box, the first of the two, with the means of the inner one in the cells that this covers."""
    state, inside = states
    kept = _kept(inner)
    size = [count // 2 - kept[2 * axis] - kept[2 * axis + 1] for axis, count in enumerate(inner.shape)]
    begin = list(link.corner + 1 + np.array(kept[::2]))
    chosen = tuple(
        slice(1 + 2 * low, 1 + 2 * (low + count)) for low, count in zip(kept[::2], size, strict=True)
    )

    def mean(fields: Sequence[Array]) -> Array:
        """Of eight inner cells."""
        boxes = jnp.stack([each.reshape(inner.padded)[chosen] for each in fields])
        return boxes.reshape(-1, size[0], 2, size[1], 2, size[2], 2).mean(axis=(2, 4, 6))

    def moments(means: Array, own: Array, finer: Array) -> Moments:
        return _scaled(collision.moments(scheme.velocities, tuple(means)), 1 / _ratio(own, finer))

    means = materialised(once, lambda kept: mean(loaded(kept)), inside.populations)
    eddies = state.eddy, inside.eddy
    own = given[0].viscosity + (_box(scheme.grid, eddies[0], begin, size) if eddies[0].ndim else eddies[0])
    finer = given[1].viscosity + (mean([eddies[1]])[0] if eddies[1].ndim else eddies[1])
    new = collision.regularised(scheme.velocities, materialised(once, moments, means, own, finer))
    new = stored(new, state.populations[0].dtype)
    populations = tuple(
        lax.dynamic_update_slice(old.reshape(scheme.grid.padded), each, begin).reshape(-1)
        for old, each in zip(state.populations, new, strict=True)
    )
    return State(populations, state.eddy, state.moving)


def _box(grid: Grid, field: Array, begin: Sequence[Array], size: Sequence[int]) -> Array:
    return lax.dynamic_slice(field.reshape(grid.padded), begin, size)


def _at(eddy: Array, cells: Int[Array, "..."]) -> Array:
    return at(eddy, cells) if eddy.ndim else eddy


def _kept(inner: Grid) -> list[int]:
    """Outer cells under the inner box, along each of its sides, that stay as they are."""
    return [_OVERLAP * (kind == "nested") for kind in inner.faces]


def _nested(grid: Grid) -> list[int]:
    return [face for face, kind in enumerate(grid.faces) if kind == "nested"]


def _finer(planes: Float[Array, "k y z"]) -> Float[Array, "k v w"]:
    """Of outer cells with one more on each side, of inner cells with one ghost on each side."""
    for axis in (1, 2):
        of = jnp.moveaxis(planes, axis, 0)
        of = jnp.concatenate([2 * of[:1] - of[1:2], of, 2 * of[-1:] - of[-2:-1]])
        four = jnp.stack([of[shift : shift + len(of) - 3] for shift in range(4)], axis=-1)
        pairs = jnp.stack([four @ _QUARTER, four @ _QUARTER[::-1]], axis=1)
        planes = jnp.moveaxis(pairs.reshape(-1, *pairs.shape[2:]), 0, axis)
    return planes


def _ratio(viscosity: Float[Array, "..."], inside: Float[Array, "..."]) -> Float[Array, "..."]:
    """What stress after a collision is in cells of half the size, over what it is in these, for the same strain."""
    return (3 * inside - 0.5) / (2 * (3 * viscosity - 0.5))


def _scaled(of: Moments, stress: Float[Array, "..."]) -> Moments:
    return Moments(of.density, of.velocity, tuple(stress * part for part in of.stress))


def _with(states: States, level: int, new: State) -> States:
    return (*states[:level], new, *states[level + 1 :])
