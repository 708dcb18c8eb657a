"""The box of cells around a part: its size, what lies in each cell, and what its units are worth.

Its axes are those of drag, side force and lift. Lengths are in cells, times in steps, the density is one; what makes
them SI is in `Scales`.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from solvers.lattice_boltzmann import flow
from solvers.lattice_boltzmann.grid import Grid, Kind
from solvers.lattice_boltzmann.scheme import Conditions, Scheme, State
from solvers.lattice_boltzmann.velocities import D3Q19
from solvers.lattice_boltzmann.walls import Links, walls
from twin.errors import GeometryError
from twin.geometry.surface import Surface
from twin.geometry.voxels import Crossings, voxelise
from twin.results.raster import visible
from twin.studies import ExternalFlow

Floats = NDArray[np.float64]

# Of the part's size (the root of its frontal area), between it and the sides of the box.
AHEAD: Final = 2.5
BEHIND: Final = 5.0
BESIDE: Final = 2.5
_ASIDE: Final = 0.21  # of a cell
_FEWEST: Final = 6.0  # cells along the part's size
_SPONGE: Final = 1.0  # where waves and eddies die out before they leave
_SPEED: Final = 0.06  # cells a step: a Mach number of a tenth
_MOST_VISCOSITY: Final = 0.1  # cells^2 a step: beyond, walls are not where they should be
_ABSORBING: Final = 0.1  # cells^2 a step
_PIXELS: Final = 2048  # along the longer side of the part's shadow
_RESOLVED: Final = 20.0  # Reynolds number of a cell, up to which cells resolve the flow


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
class Setting:
    """A part as the fluid meets it.

    axes: unit vectors of drag, side force and lift, in rows; surface: in them [m]
    ground: where it lies along lift [m], None where there is none; area: of the shadow along the flow [m^2]
    """

    study: ExternalFlow
    axes: Floats
    surface: Surface
    ground: float | None
    area: float

    @property
    def size(self) -> float:
        """Root of the frontal area [m]."""
        return float(np.sqrt(self.area))

    @property
    def length(self) -> float:
        """Extent along the flow [m]."""
        lower, upper = self.surface.bounds
        return upper[0] - lower[0]

    @cached_property
    def reynolds_number(self) -> float:
        """Of the part's size."""
        fluid = self.study.fluid
        return self.study.speed * self.size * fluid.density / fluid.viscosity

    @property
    def turnover(self) -> float:
        """Time [s] in which the fluid passes the part's size."""
        return self.size / self.study.speed


@dataclass(frozen=True, eq=False)
class Tunnel:
    """A part in a box of cells, ready to be blown at.

    origin: middle of the first cell, in the axes of the setting [m]; solid: cells (x, y, z)
    speed: of the fluid far away [cells/step]; blocked: the part's share of the box's cross-section
    cramped: share of the cells beside the part that have no room for two cells between walls
    """

    setting: Setting
    scheme: Scheme
    given: Conditions
    scales: Scales
    origin: Floats
    solid: NDArray[np.bool_]
    speed: float
    blocked: float
    cramped: float

    @cached_property
    def touched(self) -> Floats:
        """Where each cell beside walls meets them (w, 3) [m], in the axes of the setting."""
        grid, walls_ = self.scheme.grid, self.given.walls
        places = np.stack(np.unravel_index(np.asarray(walls_.cells), grid.padded), axis=1) - 1
        return self.origin + self.scales.length * (places + np.asarray(walls_.inward, np.float64).T)

    def begun(self) -> State:
        """The fluid as it is far away, everywhere."""
        shape = self.scheme.grid.shape
        wind = jnp.asarray([self.speed, 0, 0], jnp.float32)[:, None, None, None]
        return flow.begun(
            self.scheme, self.given, jnp.zeros(shape, jnp.float32), jnp.broadcast_to(wind, (3, *shape))
        )


def setting(surface: Surface, study: ExternalFlow) -> Setting:
    """Turn a part into the flow. Raises GeometryError where it lies under the ground."""
    drag = np.array(study.velocity) / study.speed
    lift = np.array(study.up) - (np.array(study.up) @ drag) * drag
    lift /= np.linalg.norm(lift)
    axes = np.stack([drag, np.cross(lift, drag), lift])
    turned = Surface(surface.vertices @ axes.T, surface.triangles, surface.patch)
    lower, upper = turned.bounds
    ground = None
    if study.ground is not None:
        ground = lower[2] if study.ground.height is None else study.ground.height
        if ground >= upper[2]:
            raise GeometryError(
                f"All of the part lies under the ground, which is at {ground:.4g} m: the part's highest point is at "
                f"{upper[2]:.4g} m along up. Lower the ground, or turn up round."
            )
    return Setting(study, axes, turned, ground, _shadow(turned))


def coarsest(setting_: Setting) -> float:
    """Cells along the part's size that resolve the flow."""
    return max(_FEWEST, setting_.reynolds_number / _RESOLVED)


def cells(setting_: Setting, across: float) -> int:
    """Of a tunnel with so many cells along the part's size."""
    shape, _ = _box(setting_, setting_.size / across)
    return int(np.prod(shape))


def tunnel(setting_: Setting, across: float) -> Tunnel:
    """A tunnel with so many cells along the part's size. Raises GeometryError where the part has no inside."""
    spacing = setting_.size / across
    shape, origin = _box(setting_, spacing)
    study = setting_.study
    speed = min(_SPEED, _MOST_VISCOSITY * setting_.reynolds_number / across)
    scales = Scales(spacing, speed * spacing / study.speed, study.fluid.density)
    low: Kind = "slip" if setting_.ground is None else "wall"
    grid = Grid(shape, ("velocity", "pressure", "slip", "slip", low, "slip"))
    scheme = Scheme(grid, D3Q19, fused=jax.default_backend() != "cpu")
    found = voxelise(setting_.surface, origin, spacing, shape, D3Q19.directions)
    if not found.inside.any():
        raise GeometryError(
            "No cell lies inside the part: it is thinner than the cells, or its surface encloses nothing. Ask for a "
            "higher accuracy, or export the part as a solid."
        )
    # a way from a cell into the surface is against the velocity of what comes off it
    against = np.array(D3Q19.opposite)
    solid = found.inside | _shut_in(found.crossings, shape)
    links = Links(found.crossings.point, against[found.crossings.direction], found.crossings.distance)
    moving = study.ground is not None and study.ground.moving
    sides = {4: (speed, 0.0, 0.0)} if moving else {}
    beside = walls(grid, D3Q19, solid, links, sides=sides)
    given = flow.conditions(
        scheme,
        study.fluid.viscosity / study.fluid.density * scales.time / spacing**2,
        beside,
        inflow=(speed, 0, 0),
        absorbing=_absorbing(grid, _SPONGE * across),
    )
    links_of = np.asarray(beside.distances) * np.asarray(beside.body)
    both = (links_of != 0) & (links_of[list(D3Q19.opposite)] != 0)
    touching = (links_of != 0).any(axis=0)
    return Tunnel(
        setting_,
        scheme,
        given,
        scales,
        origin,
        solid,
        speed,
        blocked=setting_.area / (shape[1] * shape[2] * spacing**2),
        cramped=float(both.any(axis=0).sum() / max(touching.sum(), 1)),
    )


def _shut_in(crossings: Crossings, shape: tuple[int, int, int]) -> NDArray[np.bool_]:
    """Cells from which no way along an axis leads out: nothing flows there."""
    ways = np.abs(D3Q19.directions).sum(axis=1) == 1
    cut = np.zeros(shape, np.int64)
    np.add.at(cut, tuple(crossings.point[ways[crossings.direction]].T), 1)
    shut: NDArray[np.bool_] = cut == ways.sum()
    return shut


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


def _box(setting_: Setting, spacing: float) -> tuple[tuple[int, int, int], Floats]:
    """Cells along the axes, and the middle of the first one."""
    size = setting_.size
    lower, upper = (np.array(bound) for bound in setting_.surface.bounds)
    # flat faces are to lie somewhere between cells, and not in the middle of some
    begin = lower - size * np.array([AHEAD, BESIDE, BESIDE]) - _ASIDE * spacing
    end = upper + size * np.array([BEHIND, BESIDE, BESIDE])
    if setting_.ground is not None:
        begin[2] = setting_.ground
    counts = np.ceil((end - begin) / spacing).astype(int)
    return (int(counts[0]), int(counts[1]), int(counts[2])), begin + 0.5 * spacing


def _shadow(surface: Surface) -> float:
    """Area [m^2] that the part covers, seen along the first axis."""
    lower, upper = (np.array(bound) for bound in surface.bounds)
    side = float((upper - lower)[1:].max()) / _PIXELS
    width, height = np.maximum(np.ceil((upper - lower)[1:] / side), 1).astype(int)
    pixels = np.column_stack([(surface.vertices[:, 1:] - lower[1:]) / side, surface.vertices[:, 0]])
    seen = visible(pixels, surface.triangles.astype(np.int64), int(width), int(height), cull=False)
    return float((seen.triangle >= 0).sum()) * side**2
