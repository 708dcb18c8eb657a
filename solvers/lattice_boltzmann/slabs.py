"""A box of cells over several devices: a slab across x for each, whose outermost planes its neighbours hear of."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, Final

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Float

from solvers.lattice_boltzmann import flow
from solvers.lattice_boltzmann.collision import Populations
from solvers.lattice_boltzmann.grid import Count
from solvers.lattice_boltzmann.scheme import Conditions, Scheme, State
from solvers.lattice_boltzmann.walls import Walls, padded

_FEWEST: Final = 4  # planes of cells in a slab: layers at walls hear of cells of one neighbour only
_AXIS: Final = "slab"
_SPLIT: Final = PartitionSpec(_AXIS)  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class Slabs:
    """How a flow is cut.

    whole: what the flow is in one piece
    Raises ValueError where the planes of cells are not shared out evenly, or too few for each.
    """

    whole: Scheme
    devices: tuple[jax.Device, ...]

    def __post_init__(self) -> None:
        planes, count = self.whole.grid.shape[0], len(self.devices)
        if planes % count or planes < _FEWEST * count:
            raise ValueError(
                f"{planes} planes of cells are not shared out evenly over {count} devices, or fewer than {_FEWEST} each"
            )

    @cached_property
    def mesh(self) -> Mesh:
        return Mesh(np.array(self.devices), (_AXIS,))

    @cached_property
    def scheme(self) -> Scheme:
        """Of a slab: at its ends the sides of the whole, where a neighbour's cells don't take their place."""
        grid = self.whole.grid
        return replace(
            self.whole, grid=replace(grid, shape=(grid.shape[0] // len(self.devices), *grid.shape[1:]))
        )

    def conditions(self, given: Conditions) -> Conditions:
        """Of the whole, cut: arrays with the slabs along their first axis."""
        if given.walls.open_links is not None:
            raise ValueError("openings of a body are not cut into slabs")
        own, cells = self.scheme.grid, np.asarray(given.walls.cells)
        plane, across = own.shape[0], own.strides[0]
        chosen = [
            np.flatnonzero((cells // across - 1) // plane == number) for number in range(len(self.devices))
        ]
        most = max(map(len, chosen))
        parts = [self._part(given, number, which, most) for number, which in enumerate(chosen)]
        return self._placed(jax.tree.map(_stacked, *parts))

    def _part(self, given: Conditions, number: int, which: np.ndarray, most: int) -> Conditions:
        grid, rows = self.scheme.grid, partial(self._rows, number=number)
        cells = given.walls.cells[which] - number * grid.shape[0] * grid.strides[0]
        of = given.walls
        own = Walls(
            cells,
            of.distances[:, which],
            of.moving[:, which],
            of.body[:, which],
            of.inward[:, which],
            jnp.asarray(rows(of.solid)),
        )
        walls = padded(grid, own, most)
        if len(walls) < most:
            raise ValueError("a slab has fewer cells of fluid than another one has cells beside walls")
        if isinstance(given.absorbing, tuple):
            along, *across = (np.asarray(each)[1:-1] for each in given.absorbing)
            first = number * grid.shape[0]
            absorbing = [along[first : first + grid.shape[0]], *across]
        else:
            assert not given.absorbing.ndim  # of all cells it is only within programs
            absorbing = None
        return flow.conditions(
            self.scheme,
            float(given.viscosity),
            walls,
            given.force.tolist(),
            np.asarray(given.inflow),
            float(given.pressure),
            absorbing,
        )

    def state(self, state: State, given: Conditions) -> State:
        """Of the whole, cut. given: what `conditions` made"""
        parts = [
            jax.tree.map(partial(self._rows, number=number), (state.populations, state.eddy))
            for number in range(len(self.devices))
        ]
        populations, eddy = jax.tree.map(lambda *each: np.stack(each), *parts)
        return self._placed(State(populations, eddy, jnp.array(given.walls.moving)))

    def joined(self, state: State) -> Populations:
        """Populations of the whole, of all cells in the row."""
        padded = self.scheme.grid.padded

        def together(each: Array) -> Array:
            slabs = np.asarray(each).reshape(-1, *padded)
            inside = slabs[:, 1:-1].reshape(-1, *padded[1:])
            return jnp.asarray(np.concatenate([slabs[0, :1], inside, slabs[-1, -1:]]).reshape(-1))

        return tuple(together(each) for each in state.populations)

    def _rows(self, of: Array, number: int) -> np.ndarray:
        """Of all cells in the row those of a slab, with its ghosts; what there is one of for all, as it is."""
        if of.ndim == 0:
            return np.asarray(of)
        planes = np.asarray(of).reshape(self.whole.grid.shape[0] + 2, -1)
        first = number * self.scheme.grid.shape[0]
        return planes[first : first + self.scheme.grid.padded[0]].reshape(-1).copy()

    def _placed(self, tree: Any) -> Any:
        return jax.device_put(tree, NamedSharding(self.mesh, _SPLIT))


@dataclass(frozen=True)
class _Ring:
    """The slabs on either side, as one of them sees them. Implements `Neighbours`."""

    slabs: Slabs

    def filled(self, populations: Populations) -> Populations:
        boxes = [each.reshape(self._padded) for each in populations]
        low, first, last, high = (jnp.stack([box[plane] for box in boxes]) for plane in (0, 1, -2, -1))
        low, high = self._beside(low, first, last, high)
        return tuple(
            box.at[0].set(below).at[-1].set(above).reshape(-1)
            for below, box, above in zip(low, boxes, high, strict=True)
        )

    def widened(self, field: Float[Array, " cells"], planes: int) -> Float[Array, " n"]:
        of = field.reshape(self._padded)
        low, high = (jnp.repeat(end, planes, axis=0) for end in (of[:1], of[-1:]))
        low, high = self._beside(low, of[2 : 2 + planes], of[-2 - planes : -2], high)
        return jnp.concatenate([low, of, high]).reshape(-1)

    @property
    def _padded(self) -> tuple[int, int, int]:
        return self.slabs.scheme.grid.padded

    def _beside(self, low: Array, first: Array, last: Array, high: Array) -> tuple[Array, Array]:
        """What the neighbours sent, who hear of the first and the last; beyond the ends of the box low and high."""
        count = len(self.slabs.devices)
        ring = [(k, (k + 1) % count) for k in range(count)]
        up: Array = lax.ppermute(last, _AXIS, ring)  # type: ignore[no-untyped-call]
        down: Array = lax.ppermute(first, _AXIS, [(to, k) for k, to in ring])  # type: ignore[no-untyped-call]
        if self.slabs.whole.grid.faces[0] == "periodic":
            return up, down
        here = lax.axis_index(_AXIS)
        return jnp.where(here == 0, low, up), jnp.where(here == count - 1, high, down)


@partial(jax.jit, static_argnums=0, donate_argnums=2)
def advance(slabs: Slabs, given: Conditions, state: State, times: Count) -> State:
    """As `flow.advance`, of what `Slabs.conditions` and `Slabs.state` made."""

    def one(given: Conditions, state: State, times: Count) -> State:
        return flow.advanced(slabs.scheme, given, state, times, _Ring(slabs))

    found: State = _on_each(slabs, one)(given, state, jnp.full(len(slabs.devices), times, jnp.int32))
    return found


@partial(jax.jit, static_argnums=0)
def force(slabs: Slabs, given: Conditions, state: State) -> Float[Array, "3"]:
    """On the body, by what links exchange in the next step."""

    def one(given: Conditions, state: State) -> Array:
        return flow.exchanged(slabs.scheme, given, state).sum(axis=1)

    found: Array = _on_each(slabs, one)(given, state)
    return found.sum(axis=0)


def _stacked(*arrays: Array) -> np.ndarray:
    """Of slabs; what is one number for each of some cells may be longer in some than in others."""
    longest = max((len(each) for each in arrays if each.ndim), default=0)
    return np.stack([np.pad(each, (0, longest - len(each))) if each.ndim == 1 else each for each in arrays])


def _on_each(slabs: Slabs, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function on each device, of arguments and with results that have the slabs along their first axis."""

    def one(*arguments: Any) -> Any:
        found = function(*jax.tree.map(lambda each: each[0], arguments))
        return jax.tree.map(lambda each: each[None], found)

    return jax.shard_map(one, mesh=slabs.mesh, in_specs=_SPLIT, out_specs=_SPLIT, check_vma=False)
