"""What a program of the flow is compiled for, what it is given, and what evolves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, Protocol, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int

from solvers.lattice_boltzmann.collision import Populations
from solvers.lattice_boltzmann.grid import Count, Grid, at
from solvers.lattice_boltzmann.velocities import D3Q19, VelocitySet
from solvers.lattice_boltzmann.walls import Walls

_BETWEEN: Final = (
    8  # steps between two looks at eddies and at the layer at walls: 0.4 of a cell at a velocity of 0.05
)

BLOCK: Final = 32

Storage = Literal["float32", "float16"]
Result = TypeVar("Result")


@dataclass(frozen=True)
class Scheme:
    """What a program is compiled for.

    collision: recursive regularisation, or two relaxation times, for which sides are periodic or walls
    turbulent: eddies smaller than cells, and layers at walls thinner than cells, are modelled
    storage: of populations in memory
    fused: populations are pulled by index in one sweep over all cells, as GPUs like it; else by slices
    """

    grid: Grid
    velocities: VelocitySet = D3Q19
    collision: Literal["regularised", "two relaxation times"] = "regularised"
    turbulent: bool = False
    storage: Storage = "float32"
    fused: bool = False

    def __post_init__(self) -> None:
        if self.collision == "two relaxation times" and {*self.grid.faces} - {"periodic", "wall"}:
            raise ValueError("with two relaxation times sides are periodic or walls")

    @property
    def steps(self) -> int:
        """That are made together."""
        return _BETWEEN if self.turbulent else 2


class NearWall(eqx.Module):
    """Where cells beside walls are, for a sweep that goes over all cells of the row.

    What cells of the row are computed as (`Grid.sources`) counts: ghosts that repeat such a cell are among them. In a
    byte for each cell and a number for each block, because sweeps wait for memory.

    place: of a cell, how many are before it in its block of `BLOCK` cells; -1 for others, -2 for solid ones
    before: how many are in blocks before one
    number: of all of them, in the order of the row, the number among `Walls.cells`
    """

    place: Int[Array, " cells"]
    before: Int[Array, " blocks"]
    number: Int[Array, " n"]


class Conditions(eqx.Module):
    """What differs between flows of one program.

    viscosity: [cells^2/step]; force: on a unit of volume
    inflow: velocity beyond sides of kind "velocity", the same everywhere (3, 1, 1), or by y and z with ghosts
    pressure: density above one beyond sides of kind "pressure"
    absorbing: where waves and eddies are to die out, viscosity that is added, and the share of what density is above
    `pressure` that is taken out in a step: along x, y, z, with ghosts, of which the most counts; of all cells in the
    row, or one for all
    near_wall: None where there are no walls
    ghosts: places in the row
    """

    viscosity: Float[Array, ""]
    walls: Walls
    force: Float[Array, "3"]
    inflow: Float[Array, "3 y z"]
    pressure: Float[Array, ""]
    absorbing: tuple[Float[Array, " x"], Float[Array, " y"], Float[Array, " z"]] | Float[Array, "..."]
    near_wall: NearWall | None
    ghosts: Int[Array, " g"]

    def absorbed(self, coordinates: Sequence[Int[Array, "..."]]) -> Float[Array, "..."]:
        """What `absorbing` is, of cells by their coordinates, or of all, or one for all."""
        if not isinstance(self.absorbing, tuple):
            return self.absorbing
        x, y, z = (at(each, where) for each, where in zip(self.absorbing, coordinates, strict=True))
        return jnp.maximum(jnp.maximum(x, y), z)

    def spread(self, grid: Grid) -> "Conditions":
        """The same with `absorbing` of all cells in the row."""
        return replace(self, absorbing=self.absorbed(grid.coordinates))


class State(eqx.Module):
    """What evolves.

    populations: above those at rest, of all cells in the row, after a collision
    eddy: viscosity added to the fluid's own, of all cells in the row, or one for all
    moving: velocity of the wall beside cells, or of the fluid there as it slips over a layer that cells don't resolve
    """

    populations: Populations
    eddy: Float[Array, "..."]
    moving: Float[Array, "3 w"]


class Neighbours(Protocol):
    """Slabs of the same box on other devices, on either side along x."""

    def filled(self, populations: Populations) -> Populations:
        """With ghosts that are what the cells of the slab beside them are."""

    def widened(self, field: Float[Array, " cells"], planes: int) -> Float[Array, " n"]:
        """With so many planes of cells more at either end; of the last ones beyond the ends of the box."""


def materialised(once: Count | None, function: Callable[..., Result], *arguments: Any) -> Result:
    """The function of the arguments, computed before what it is used for, where `once` is given: one, as a count that
    the compiler can't know.

    XLA on CPUs would compute it anew for each of the populations that depend on it: it drops optimization_barrier
    before it fuses. A loop of unknown length it leaves alone.
    """
    if once is None:
        return function(*arguments)
    empty = jax.tree.map(lambda of: jnp.zeros(of.shape, of.dtype), jax.eval_shape(function, *arguments))
    found: Result = lax.fori_loop(0, once, lambda *_: function(*arguments), empty)
    return found
