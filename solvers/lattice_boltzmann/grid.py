"""Cells of a box in a row, with one layer of ghosts around them, and how populations move between them.

Two ways to pull populations, which give the same: by index, where a program may read anywhere at once (one kernel on a
GPU); by slices of what lies in a row, where processors want neighbours (CPU).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Int

from solvers.lattice_boltzmann.collision import Populations
from solvers.lattice_boltzmann.velocities import VelocitySet

Count = int | Int[Array, ""]
Kind = Literal["periodic", "velocity", "pressure", "slip", "wall", "nested"]


@dataclass(frozen=True)
class Grid:
    """A box of cells.

    shape: cells along x, y, z, without ghosts
    faces: what is beyond each side: low x, high x, low y, high y, low z, high z; "nested": coarser cells
    """

    shape: tuple[int, int, int]
    faces: tuple[Kind, Kind, Kind, Kind, Kind, Kind] = ("periodic",) * 6

    def __post_init__(self) -> None:
        for axis, (low, high) in enumerate(zip(self.faces[::2], self.faces[1::2], strict=True)):
            if (low == "periodic") != (high == "periodic"):
                raise ValueError(f"along {'xyz'[axis]} both sides are periodic, or none")

    @cached_property
    def padded(self) -> tuple[int, int, int]:
        """Cells along x, y, z with ghosts."""
        return self.shape[0] + 2, self.shape[1] + 2, self.shape[2] + 2

    @cached_property
    def strides(self) -> tuple[int, int, int]:
        return self.padded[1] * self.padded[2], self.padded[2], 1

    def __len__(self) -> int:
        """Cells with ghosts."""
        return math.prod(self.padded)

    def offset(self, direction: Sequence[int]) -> int:
        """Of a neighbour, in the row."""
        return sum(c * stride for c, stride in zip(direction, self.strides, strict=True))

    def number(self, cell: Int[np.ndarray, "... 3"]) -> Int[np.ndarray, "..."]:
        """Place in the row of cells by their x, y, z; ghosts have -1 or the number of cells in one of them."""
        return (cell + 1) @ np.array(self.strides)

    @cached_property
    def interior(self) -> tuple[int, int]:
        """A stretch of the row that holds all cells which are no ghosts, and some that are."""
        first = self.offset((1, 1, 1))
        return first, len(self) - first

    @cached_property
    def outside(self) -> Int[np.ndarray, " g"]:
        """Places in the row of all ghosts."""
        ghost = np.ones(self.padded, bool)
        ghost[1:-1, 1:-1, 1:-1] = False
        return np.flatnonzero(ghost).astype(np.int32)

    @property
    def coordinates(self) -> list[Int[Array, " cells"]]:
        """x, y, z of each cell of the row; ghosts have 0 or the number of padded cells less one."""
        return [lax.broadcasted_iota(jnp.int32, self.padded, axis).reshape(-1) for axis in range(3)]

    def sources(self, coordinates: Sequence[Int[Array, " n"]]) -> Int[Array, " n"]:
        """Places of the cells that cells are computed as: each itself, a ghost as the one that it repeats, beside it or
        periodic.
        """
        x, y, z = coordinates
        place = x * self.strides[0] + y * self.strides[1] + z
        for axis, (each, count, stride) in enumerate(zip(coordinates, self.shape, self.strides, strict=True)):
            away = count if self.faces[2 * axis] == "periodic" else 1
            place += jnp.where(each == 0, stride * away, jnp.where(each == count + 1, -stride * away, 0))
        return place

    def ghosts(self, coordinates: Sequence[Int[Array, " n"]], face: int) -> Bool[Array, " n"]:
        """Which are beyond a side."""
        at, count = coordinates[face // 2], self.padded[face // 2]
        return at == (count - 1 if face % 2 else 0)

    def pulled(
        self, velocities: VelocitySet, populations: Populations, cells: Int[Array, " n"]
    ) -> Populations:
        """What arrives at cells that are no ghosts."""
        return tuple(
            at(of, cells - self.offset(c)) for c, of in zip(velocities.directions, populations, strict=True)
        )

    def pulled_in_row(
        self, velocities: VelocitySet, populations: Populations, first: Count, count: int
    ) -> Populations:
        """What arrives at so many cells of the stretch `interior`; at the ghosts in it, nothing that means anything."""
        return tuple(
            stretch(of, first - self.offset(c), count)
            for c, of in zip(velocities.directions, populations, strict=True)
        )


def stretch(values: Array, first: Count, count: int) -> Array:
    """So many values of a row. Where the first is a plain number it is a static slice, whose gradient is cheap."""
    if isinstance(first, int):
        return lax.slice(values, (first,), (first + count,))
    return lax.dynamic_slice(values, (first,), (count,))


def at(values: Array, cells: Int[Array, "..."]) -> Array:
    found: Array = values.at[cells].get(mode="promise_in_bounds")
    return found
