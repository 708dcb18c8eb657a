"""A part in a wind tunnel: what lies in each cell, and how fast it moves."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from solvers.buckets import bucket
from solvers.lattice_boltzmann import flow, refinement
from solvers.lattice_boltzmann.grid import Grid
from solvers.lattice_boltzmann.scheme import Conditions, Scheme, State
from solvers.lattice_boltzmann.velocities import D3Q19
from solvers.lattice_boltzmann.walls import Links, Walls, padded, walls
from twin.analyses.external_flow.boxes import boxes
from twin.analyses.external_flow.setting import Setting
from twin.analyses.flow.lattice import BESIDE, MOST_VISCOSITY, Box, Lattice, Scales, links_of, shut_in
from twin.errors import GeometryError
from twin.geometry.voxels import Crossings, voxelise

Floats = NDArray[np.float64]

_FEWEST: Final = 10.0  # cells along the part's size
_SPONGE: Final = 4.0  # of the part's size: where waves and eddies die out before they leave
_GUST: Final = 0.02  # of the wind, to begin with
_ABOUT: Final = (1 / 14**0.5, 2 / 14**0.5, 3 / 14**0.5)
_SPEED: Final = 0.06  # cells a step: a Mach number of a tenth
_ABSORBING: Final = 0.1  # cells^2 a step
_RESOLVED: Final = 20.0  # Reynolds number of a cell, up to which cells resolve the flow


@dataclass(frozen=True, eq=False)
class Tunnel(Lattice):
    """A part in boxes of cells, in the axes of drag, side force and lift.

    speed: of the fluid far away [cells/step]
    blockage: the part's share of the cross-section of the outermost box
    """

    setting: Setting
    speed: float
    blockage: float

    def initial(self) -> tuple[State, ...]:
        """The fluid as it is far away, and a gust at the part."""
        return tuple(
            flow.begun(
                scheme,
                given,
                jnp.zeros(scheme.grid.shape, jnp.float32),
                jnp.asarray(self.speed * _gusty(self.setting, box), jnp.float32),
            )
            for scheme, given, box in zip(self.schemes, self.conditions, self.boxes, strict=True)
        )

    def observed(self, given: Conditions, state: State, exchanged: Floats) -> Floats:
        """Force (3,), and moment (3,) about the study's reference point, with lengths in m."""
        arms = self.touched - self.axes @ self.setting.study.reference_point
        moment = np.cross(arms, exchanged).sum(axis=0)
        return np.concatenate([exchanged.sum(axis=0), moment])


def coarsest(setting: Setting) -> float:
    """Cells along the part's size that resolve the flow, or all of it but its turbulence."""
    if setting.turbulent:
        return _FEWEST
    return max(_FEWEST, setting.reynolds_number / _RESOLVED)


def cells(setting: Setting, across: float) -> int:
    """Of a tunnel with so many cells along the part's size."""
    return sum(box.cells for box in boxes(setting, setting.size / across))


def tunnel(setting: Setting, across: float, *, continued: bool = False) -> Tunnel:
    """A tunnel with so many cells along the part's size. Raises GeometryError where nothing of the part is met.

    continued: as of `Lattice`
    """
    spacing, study = setting.size / across, setting.study
    around = boxes(setting, spacing)
    most = _SPEED * study.speed / setting.fastest
    speed = min(most, MOST_VISCOSITY * setting.reynolds_number / across)
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
            absorbing=outermost if box is around[0] else None,
        )
        for scheme, box in zip(schemes, around, strict=True)
    )
    width, height = (count * around[0].spacing for count in around[0].grid.shape[1:])
    return Tunnel(
        setting.surface,
        setting.axes,
        around,
        schemes,
        given,
        tuple(refinement.coupling(outer.grid, inner.grid, inner.corner) for outer, inner in pairwise(around)),
        scales,
        solid,
        crossings,
        setting,
        speed,
        blockage=setting.area / (width * height),
        continued=continued,
    )


def _gusty(setting: Setting, box: Box) -> Floats:
    """Velocity (3, x, y, z), in that of the wind: with an eddy at the part, whose axis lies in none of the planes that
    parts are symmetric about.

    Without it the wake of such a part stays symmetric for long before it begins to shed eddies. The wind takes it away
    from the part during the start. It is the curl of a Gaussian, so that nothing is compressed.
    """
    middle = np.mean(setting.surface.bounds, axis=0)
    axes = (
        (origin - centre + box.spacing * np.arange(count)) / setting.size
        for origin, centre, count in zip(box.origin, middle, box.grid.shape, strict=True)
    )
    x, y, z = np.meshgrid(*axes, indexing="ij", sparse=True)
    bell = _GUST * np.exp(-(x**2 + y**2 + z**2) / 2)
    a, b, c = _ABOUT
    return np.stack([1 + (b * z - c * y) * bell, (c * x - a * z) * bell, (a * y - b * x) * bell])


def _cut(setting: Setting, box: Box) -> tuple[NDArray[np.bool_], Links, Crossings]:
    """Cells inside the part, and where it cuts the ways between cells."""
    shape = box.grid.shape
    found = voxelise(setting.surface, np.array(box.origin), box.spacing, shape, D3Q19.directions)
    if not (found.inside.any() or len(found.crossings.triangle)):
        raise GeometryError("The part lies between the cells: nothing of it is in the way of the fluid.")
    return found.inside | shut_in(found.crossings, shape), links_of(found.crossings), found.crossings


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
    sides = {4: (speed, 0.0, 0.0)} if setting.on_road else {}
    if part is None:
        found = walls(grid, D3Q19, np.zeros(grid.shape, bool), sides=sides)
    else:
        solid, links, moving = part
        found = walls(grid, D3Q19, solid, links, moving, sides)
    return padded(grid, found, bucket(len(found), BESIDE)) if len(found) else found


def _absorbing(grid: Grid, depth: float) -> list[NDArray[np.float64]]:
    """Along x, y, z, so many cells from the sides that let the fluid through, or slip: sound leaves, and does not come
    back.
    """
    found = [np.zeros(count) for count in grid.shape]
    for face, kind in enumerate(grid.faces):
        if kind != "wall":
            away = np.arange(grid.shape[face // 2])
            layer = _ABSORBING * np.clip(1 - (away + 0.5) / depth, 0, 1) ** 2
            found[face // 2] = np.maximum(found[face // 2], layer[::-1] if face % 2 else layer)
    return found
