"""Boxes of finer cells inside each other: half the size, half the time of a step, the same velocities.

Ghosts of the finer box get the moments of the coarser one, between its cells and its steps; coarser cells under the
finer box get the mean of theirs. Stress out of equilibrium is that of the same strain on either side: Dupuis & Chopard
2003, Phys. Rev. E 67:066707; Lagrava et al. 2012, J. Comput. Phys. 231:4808.
"""

from collections.abc import Sequence
from functools import partial
from itertools import product
from typing import Final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Int

from solvers.lattice_boltzmann import collision
from solvers.lattice_boltzmann.collision import Moments, Populations
from solvers.lattice_boltzmann.grid import Grid, at
from solvers.lattice_boltzmann.scheme import Conditions, Count, Scheme, State
from solvers.lattice_boltzmann.step import put, step

Lattices = tuple[Populations, ...]

_OVERLAP: Final = 2  # outer cells


class Coupling(eqx.Module):
    """How a box (inner) and the one around it (outer) know each other.

    ghosts: of the inner box, whose moments come from outside; of each, the outer cells that it lies between, and their
    weights
    covered: outer cells under the inner box; under: of each, the eight inner cells
    """

    ghosts: Int[Array, " g"]
    between: Int[Array, "8 g"]
    weights: Float[Array, "8 g"]
    covered: Int[Array, " m"]
    under: Int[Array, "8 m"]


def coupling(outer: Grid, inner: Grid, corner: Sequence[int]) -> Coupling:
    """Of an inner box whose first cells lie in the outer cell `corner`.

    Its sides that are not "nested" lie on those of the outer box. Near the others outer cells stay as they are: what
    came back from them into the inner box within a step, between cells, would be one more viscosity.

    Raises:
        ValueError: it does not fit
    """
    first, size = np.array(corner), np.array(inner.shape) // 2
    for axis in range(3):
        low, high = inner.faces[2 * axis], inner.faces[2 * axis + 1]
        beyond = outer.shape[axis] - first[axis] - size[axis]
        fits = (first[axis] >= 1 if low == "nested" else first[axis] == 0) and (
            beyond >= 1 if high == "nested" else beyond == 0
        )
        if inner.shape[axis] % 2 or not fits:
            raise ValueError(
                f"{inner.shape} finer cells from {tuple(corner)} on do not fit into {outer.shape}"
            )
    corners = list(product((0, 1), repeat=3))
    places = np.stack(np.unravel_index(inner.outside, inner.padded), axis=1) - 1
    given = np.zeros(len(places), bool)
    for face, kind in enumerate(inner.faces):
        if kind == "nested":
            given |= places[:, face // 2] == (inner.shape[face // 2] if face % 2 else -1)
    position = first - 0.25 + 0.5 * places[given]
    begin = np.floor(position).astype(int)
    share = position - begin
    ends = [
        np.arange(_OVERLAP * (low == "nested"), count - _OVERLAP * (high == "nested"))
        for low, high, count in zip(inner.faces[::2], inner.faces[1::2], size, strict=True)
    ]
    cells = np.stack(np.meshgrid(*ends, indexing="ij"), axis=-1).reshape(-1, 3)
    return Coupling(
        jnp.asarray(inner.outside[given], jnp.int32),
        jnp.asarray([outer.number(begin + np.array(each)) for each in corners], jnp.int32),
        jnp.asarray([np.where(each, share, 1 - share).prod(axis=1) for each in corners], jnp.float32),
        jnp.asarray(outer.number(first + cells), jnp.int32),
        jnp.asarray([inner.number(2 * cells + np.array(each)) for each in corners], jnp.int32),
    )


@partial(jax.jit, static_argnums=0, donate_argnums=3)
def advance(
    schemes: tuple[Scheme, ...],
    given: tuple[Conditions, ...],
    couplings: tuple[Coupling, ...],
    states: tuple[State, ...],
    times: Count,
) -> tuple[State, ...]:
    """The states of boxes, outermost first, after so many steps of the outermost one."""
    once = jnp.minimum(times, 1) if jax.default_backend() == "cpu" else None
    velocities = schemes[0].velocities

    def moved(level: int, lattices: Lattices, spares: Lattices) -> tuple[Lattices, Lattices]:
        """This box by one step, and those inside it by as much time."""
        old = lattices[level]
        state = State(old, states[level].eddy, states[level].moving)
        new = step(schemes[level], given[level], state, spares[level], once)
        lattices, spares = _with(lattices, level, new), _with(spares, level, old)
        if level == len(schemes) - 1:
            return lattices, spares
        link, viscosity = couplings[level], given[level].viscosity
        before, after = (_between(schemes[level], link, of) for of in (old, new))
        for seen in (jax.tree.map(lambda one, other: 0.5 * (one + other), before, after), after):
            lattices, spares = moved(level + 1, lattices, spares)
            ghosts = collision.regularised(velocities, _scaled(seen, _finer(viscosity)))
            lattices = _with(lattices, level + 1, put(lattices[level + 1], link.ghosts, ghosts))
        mean = tuple(at(of, link.under).mean(axis=0) for of in lattices[level + 1])
        of = _scaled(collision.moments(velocities, mean), 1 / _finer(viscosity))
        covered = put(lattices[level], link.covered, collision.regularised(velocities, of))
        return _with(lattices, level, covered), spares

    def body(_: Count, carried: tuple[Lattices, Lattices]) -> tuple[Lattices, Lattices]:
        return moved(0, *carried)

    begun = tuple(state.populations for state in states)
    found, _ = lax.fori_loop(0, times, body, (begun, jax.tree.map(jnp.zeros_like, begun)))
    return tuple(State(new, old.eddy, old.moving) for new, old in zip(found, states, strict=True))


def _between(scheme: Scheme, link: Coupling, populations: Populations) -> Moments:
    """Moments where the inner box has ghosts."""
    there = tuple((link.weights * at(of, link.between)).sum(axis=0) for of in populations)
    return collision.moments(scheme.velocities, there)


def _finer(viscosity: Float[Array, ""]) -> Float[Array, ""]:
    """What stress after a collision is in cells of half the size, over what it is in these, for the same strain."""
    return (6 * viscosity - 0.5) / (2 * (3 * viscosity - 0.5))


def _scaled(of: Moments, stress: Float[Array, ""]) -> Moments:
    return Moments(of.density, of.velocity, tuple(stress * part for part in of.stress))


def _with(lattices: Lattices, level: int, new: Populations) -> Lattices:
    return (*lattices[:level], new, *lattices[level + 1 :])
