"""A part in boxes of cells. Lengths are in cells, times in steps, the density is one; `Scales` makes them SI."""

import abc
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from solvers.lattice_boltzmann import flow
from solvers.lattice_boltzmann.grid import Grid
from solvers.lattice_boltzmann.refinement import Coupling
from solvers.lattice_boltzmann.scheme import Conditions, Scheme, State
from solvers.lattice_boltzmann.velocities import D3Q19
from solvers.lattice_boltzmann.walls import Links, Walls
from twin.geometry.surface import Surface
from twin.geometry.voxels import Crossings

Floats = NDArray[np.float64]

MULTIPLE: Final = 8  # counts of cells: parts that are nearly of one size have one program
BESIDE: Final = 1024  # cells beside walls are counted in multiples of so many
MOST_VISCOSITY: Final = 0.1  # cells^2 a step: beyond, walls are not where they should be


@dataclass(frozen=True)
class Scales:
    """What a lattice's units are worth. length [m] of a cell; time [s] of a step; density [kg/m^3]."""

    length: float
    time: float
    density: float

    @property
    def speed(self) -> float:
        """[m/s] of a cell a step."""
        return self.length / self.time

    @property
    def pressure(self) -> float:
        """[Pa] of density times speed squared."""
        return self.density * self.speed**2

    @property
    def force(self) -> float:
        """[N]"""
        return self.pressure * self.length**2


@dataclass(frozen=True)
class Box:
    """A box of cells.

    origin: middle of its first cell, in the axes of the lattice [m]; spacing: of its cells [m]
    corner: cell of the box around it in which it begins
    """

    grid: Grid
    origin: tuple[float, float, float]
    spacing: float
    corner: tuple[int, int, int]

    @property
    def cells(self) -> int:
        return int(np.prod(self.grid.shape))


@dataclass(frozen=True, eq=False)
class Lattice(abc.ABC):
    """A part in boxes of cells, outermost first, ready for the flow.

    surface: of the part [m], in these axes: unit vectors in rows
    couplings: of each box and the one around it; scales: of the innermost box
    solid: cells (x, y, z) of the innermost box; crossings: of the part's triangles, and ways from these cells
    continued: the flow begins as it was found on larger cells
    """

    surface: Surface
    axes: Floats
    boxes: tuple[Box, ...]
    schemes: tuple[Scheme, ...]
    conditions: tuple[Conditions, ...]
    couplings: tuple[Coupling, ...]
    scales: Scales
    solid: NDArray[np.bool_]
    crossings: Crossings
    continued: bool = field(default=False, kw_only=True)

    @property
    def cells(self) -> int:
        return sum(box.cells for box in self.boxes)

    @property
    def walls(self) -> Walls:
        """In the innermost box."""
        return self.conditions[-1].walls

    @cached_property
    def beside(self) -> NDArray[np.int64]:
        """The cells beside walls (w, 3), of the innermost box."""
        places = np.unravel_index(np.asarray(self.walls.cells), self.boxes[-1].grid.padded)
        return np.stack(places, axis=1) - 1

    @cached_property
    def touched(self) -> Floats:
        """Where each cell beside walls meets them (w, 3) [m], in the axes."""
        places = self.beside + np.asarray(self.walls.inward, np.float64).T
        return np.array(self.boxes[-1].origin) + self.scales.length * places

    @property
    def wetted(self) -> NDArray[np.bool_]:
        """Which triangles of the surface (t,) are a wall."""
        return np.ones(len(self.surface.triangles), bool)

    @cached_property
    def unresolved(self) -> float:
        """Share of the cells beside the part that have walls on either side along an axis: no room for two cells."""
        cut = np.asarray(self.walls.distances) != 0
        part = np.asarray(self.walls.body) & cut
        both = (part & cut[list(D3Q19.opposite)])[_along_axes()]
        return float(both.any(axis=0).sum() / max(part.any(axis=0).sum(), 1))

    @abc.abstractmethod
    def initial(self) -> tuple[State, ...]:
        """The fluid before the first step."""

    @abc.abstractmethod
    def observed(self, given: Conditions, state: State, exchanged: Floats) -> Floats:
        """Numbers (k,) of the innermost box, of which the series is kept.

        exchanged: force beside each cell (w, 3)
        """

    def regulated(
        self, series: Sequence[Floats], states: tuple[State, ...]
    ) -> tuple[tuple[Conditions, ...], tuple[State, ...]]:
        """Conditions until the next look, after those that have been; and the states as they are under these."""
        return self.conditions, states

    def exchanged(self, given: Conditions, state: State) -> Floats:
        """Force beside each cell of the innermost box (w, 3)."""
        return np.asarray(flow.exchanged(self.schemes[-1], given, state), np.float64).T


def links_of(crossings: Crossings) -> Links:
    """A way from a cell into the surface is against the velocity of what comes off it."""
    against = np.array(D3Q19.opposite)
    return Links(crossings.point, against[crossings.direction], crossings.distance)


def shut_in(crossings: Crossings, shape: tuple[int, int, int]) -> NDArray[np.bool_]:
    """Cells from which no way along an axis leads out: nothing flows there."""
    ways = _along_axes()
    cut = np.zeros(shape, np.int64)
    np.add.at(cut, tuple(crossings.point[ways[crossings.direction]].T), 1)
    shut: NDArray[np.bool_] = cut == ways.sum()
    return shut


def _along_axes() -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = np.abs(D3Q19.directions).sum(axis=1) == 1
    return found


def between(lower: Floats, upper: Floats, spacing: float) -> Floats:
    """A point between cells [m], from which they are counted so that they lie alike on either side of the middle, and
    the outermost faces rather between cells than in the middle of some.
    """
    half = 0.5 * (upper - lower) / spacing
    away = [np.abs((half + share) % 1 - 0.5) for share in (0.0, 0.5)]
    found: Floats = 0.5 * (lower + upper) - spacing * np.where(away[0] >= away[1], 0.0, 0.5)
    return found
