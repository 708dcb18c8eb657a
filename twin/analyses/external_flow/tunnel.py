"""A part in boxes of cells: what lies in each cell, and what the units of the innermost box are worth.

Its axes are those of drag, side force and lift. Lengths are in cells, times in steps, the density is one; what makes
them SI is in `Scales`.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from solvers.buckets import bucket
from solvers.lattice_boltzmann import flow, refinement
from solvers.lattice_boltzmann.grid import Grid
from solvers.lattice_boltzmann.refinement import Coupling
from solvers.lattice_boltzmann.scheme import Conditions, Scheme, State
from solvers.lattice_boltzmann.velocities import D3Q19
from solvers.lattice_boltzmann.walls import Links, Walls, padded, walls
from twin.analyses.external_flow.boxes import Box, boxes
from twin.analyses.external_flow.setting import Setting
from twin.errors import GeometryError
from twin.geometry.voxels import Crossings, voxelise

Floats = NDArray[np.float64]

_FEWEST: Final = 10.0  # cells along the part's size
_SPONGE: Final = 4.0  # of the part's size: where waves and eddies die out before they leave
_SPEED: Final = 0.06  # cells a step: a Mach number of a tenth
_MOST_VISCOSITY: Final = 0.1  # cells^2 a step: beyond, walls are not where they should be
_ABSORBING: Final = 0.1  # cells^2 a step
_RESOLVED: Final = 20.0  # Reynolds number of a cell, up to which cells resolve the flow
_BESIDE: Final = 1024  # cells beside walls are counted in multiples of so many


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


@dataclass(frozen=True, eq=False)
class Tunnel:
    """A part in boxes of cells, outermost first, ready for the flow.

    couplings: of each box and the one around it; scales: of the innermost box
    speed: of the fluid far away [cells/step]; solid: cells (x, y, z) of the innermost box
    crossings: of the part's triangles, and ways from cells of the innermost box
    blockage: the part's share of the cross-section of the outermost box
    unresolved: share of the cells beside the part that have no room for two cells between walls
    """

    setting: Setting
    boxes: tuple[Box, ...]
    schemes: tuple[Scheme, ...]
    conditions: tuple[Conditions, ...]
    couplings: tuple[Coupling, ...]
    scales: Scales
    speed: float
    solid: NDArray[np.bool_]
    crossings: Crossings
    blockage: float
    unresolved: float

    @property
    def cells(self) -> int:
        return sum(box.cells for box in self.boxes)

    @property
    def walls(self) -> Walls:
        """Of the part, and of the ground near it."""
        return self.conditions[-1].walls

    @cached_property
    def beside(self) -> NDArray[np.int64]:
        """The cells beside walls (w, 3), of the innermost box."""
        places = np.unravel_index(np.asarray(self.walls.cells), self.boxes[-1].grid.padded)
        return np.stack(places, axis=1) - 1

    @cached_property
    def touched(self) -> Floats:
        """Where each cell beside walls meets them (w, 3) [m], in the axes of the setting."""
        places = self.beside + np.asarray(self.walls.inward, np.float64).T
        return np.array(self.boxes[-1].origin) + self.scales.length * places

    def initial(self) -> tuple[State, ...]:
        """The fluid as it is far away, everywhere."""
        wind = jnp.asarray([self.speed, 0, 0], jnp.float32)[:, None, None, None]
        return tuple(
            flow.begun(
                scheme,
                given,
                jnp.zeros(scheme.grid.shape, jnp.float32),
                jnp.broadcast_to(wind, (3, *scheme.grid.shape)),
            )
            for scheme, given in zip(self.schemes, self.conditions, strict=True)
        )


def coarsest(setting: Setting) -> float:
    """Cells along the part's size that resolve the flow, or all of it but its turbulence."""
    if setting.turbulent:
        return _FEWEST
    return max(_FEWEST, setting.reynolds_number / _RESOLVED)


def cells(setting: Setting, across: float) -> int:
    """Of a tunnel with so many cells along the part's size."""
    return sum(box.cells for box in boxes(setting, setting.size / across))


def tunnel(setting: Setting, across: float) -> Tunnel:
    """A tunnel with so many cells along the part's size. Raises GeometryError where nothing of the part is met."""
    spacing, study = setting.size / across, setting.study
    around = boxes(setting, spacing)
    most = _SPEED * study.speed / setting.fastest
    speed = min(most, _MOST_VISCOSITY * setting.reynolds_number / across)
    scales = Scales(spacing, speed * spacing / study.speed, study.fluid.density)
    viscosity = study.fluid.viscosity / study.fluid.density * scales.time / spacing**2
    schemes = tuple(
        Scheme(
            box.grid,
            D3Q19,
            turbulent=setting.turbulent,
            fused=jax.default_backend() != "cpu",
        )
        for box in around
    )
    solid, links, crossings = _cut(setting, around[-1])
    moving = _Moving(setting, around[-1], links, setting.turning[crossings.triangle], scales.speed)
    outermost = _absorbing(around[0].grid, _SPONGE * setting.size / around[0].spacing)
    given = tuple(
        flow.conditions(
            scheme,
            viscosity * spacing / box.spacing,
            _walls(
                setting,
                box.grid,
                speed,
                (solid, links, moving) if box is around[-1] else None,
            ),
            inflow=(speed, 0, 0),
            absorbing=outermost if box is around[0] else 0.0,
        )
        for scheme, box in zip(schemes, around, strict=True)
    )
    width, height = (count * around[0].spacing for count in around[0].grid.shape[1:])
    return Tunnel(
        setting,
        around,
        schemes,
        given,
        tuple(refinement.coupling(outer.grid, inner.grid, inner.corner) for outer, inner in pairwise(around)),
        scales,
        speed,
        solid,
        crossings,
        blockage=setting.area / (width * height),
        unresolved=_unresolved(given[-1].walls),
    )


def _cut(setting: Setting, box: Box) -> tuple[NDArray[np.bool_], Links, Crossings]:
    """Cells inside the part, and where it cuts the ways between cells."""
    shape = box.grid.shape
    found = voxelise(setting.surface, np.array(box.origin), box.spacing, shape, D3Q19.directions)
    if not (found.inside.any() or len(found.crossings.triangle)):
        raise GeometryError(
            "The part lies between the cells: nothing of it is in the way of the fluid. Ask for a higher accuracy."
        )
    # a way from a cell into the surface is against the velocity of what comes off it
    against = np.array(D3Q19.opposite)
    links = Links(found.crossings.point, against[found.crossings.direction], found.crossings.distance)
    return found.inside | _shut_in(found.crossings, shape), links, found.crossings


def _shut_in(crossings: Crossings, shape: tuple[int, int, int]) -> NDArray[np.bool_]:
    """Cells from which no way along an axis leads out: nothing flows there."""
    ways = np.abs(D3Q19.directions).sum(axis=1) == 1
    cut = np.zeros(shape, np.int64)
    np.add.at(cut, tuple(crossings.point[ways[crossings.direction]].T), 1)
    shut: NDArray[np.bool_] = cut == ways.sum()
    return shut


@dataclass(frozen=True, eq=False)
class _Moving:
    """Velocity of the part's surface beside cells: of the rotating one that most of the ways from there meet.

    turning: which rotating surface each of the links meets, -1 for none; unit: [m/s] of the velocity
    """

    setting: Setting
    box: Box
    links: Links
    turning: NDArray[np.int64]
    unit: float

    def __call__(self, cells: NDArray[np.integer]) -> Floats:
        """(w, 3) [cells/step], of cells (w, 3): the mean at the ends of these ways."""
        found = np.zeros(cells.shape)
        shape = self.box.grid.shape
        most = int(np.prod(shape))
        place = np.ravel_multi_index(tuple(self.links.cell.T), shape)
        wanted = np.ravel_multi_index(tuple(cells.T), shape)
        ways = np.bincount(place, minlength=most)
        back = self.links.distance[:, None] * np.array(D3Q19.directions)[self.links.velocity]
        ends = np.array(self.box.origin) + self.box.spacing * (self.links.cell - back)
        for number in range(len(self.setting.study.rotating)):
            own = self.turning == number
            count = np.bincount(place[own], minlength=most)
            velocity = self.setting.turned(number, ends[own]) / self.unit
            sums = np.stack([np.bincount(place[own], each, most) for each in velocity.T], axis=1)
            there = (2 * count > ways)[wanted]
            found[there] = (sums / np.maximum(count, 1)[:, None])[wanted[there]]
        return found


def _walls(
    setting: Setting,
    grid: Grid,
    speed: float,
    part: tuple[NDArray[np.bool_], Links, _Moving] | None,
) -> Walls:
    """Of the ground, and of the part where it is in the box: what is solid, its links, and their velocity."""
    ground = setting.study.ground
    sides = {4: (speed, 0.0, 0.0)} if ground is not None and ground.moving else {}
    if part is None:
        found = walls(grid, D3Q19, np.zeros(grid.shape, bool), sides=sides)
    else:
        solid, links, moving = part
        found = walls(grid, D3Q19, solid, links, moving, sides)
    return padded(grid, found, bucket(len(found), _BESIDE)) if len(found) else found


def _unresolved(of: Walls) -> float:
    links = np.asarray(of.distances) * np.asarray(of.body)
    both = (links != 0) & (links[list(D3Q19.opposite)] != 0)
    return float(both.any(axis=0).sum() / max((links != 0).any(axis=0).sum(), 1))


def _absorbing(grid: Grid, depth: float) -> NDArray[np.float32]:
    """So many cells from the sides that let the fluid through, or slip: sound leaves, and does not come back."""
    found = np.zeros(grid.shape, np.float32)
    for face, kind in enumerate(grid.faces):
        if kind == "wall":
            continue
        count = grid.shape[face // 2]
        away = np.arange(count) if face % 2 == 0 else np.arange(count)[::-1]
        layer = _ABSORBING * np.clip(1 - (away + 0.5) / depth, 0, 1) ** 2
        shape = [count if axis == face // 2 else 1 for axis in range(3)]
        found = np.maximum(found, layer.reshape(shape).astype(np.float32))
    return found
