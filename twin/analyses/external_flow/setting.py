"""A part as the fluid meets it: turned into the flow, with the size that lengths and times are told in."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.analyses.checks import SELECTION_RESOLUTION
from twin.errors import GeometryError, SelectionError, StudyError
from twin.geometry.selection import select
from twin.geometry.surface import Surface
from twin.results.raster import visible
from twin.select import describe
from twin.studies import ExternalFlow

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LAMINAR: Final = 800.0  # Reynolds number of the part's size up to which cells are to resolve all of the flow
MOST_MACH: Final = 0.8
FAR_GROUND: Final = (
    8.0  # of the part's size: as far as boxes reach beside it, beyond which a plane is not felt
)
_SLENDER: Final = 1.5
_FASTEST: Final = 30.0  # times the speed of the fluid far away
_DIRECTIONS: Final = 36  # that the widest extent is looked for in
_PIXELS: Final = 2048  # along the longer side of the part's shadow
_LEAST_PIXELS: Final = 256  # along the shorter one


@dataclass(frozen=True, eq=False)
class Setting:
    """A part as the fluid meets it.

    axes: unit vectors of drag, side force and lift, in rows; surface: in them [m]
    ground: where it lies along lift [m], None where there is none, or none that is felt
    area: of the shadow along the flow, above the ground [m^2]; size: that cells are counted along [m]
    turning: of triangles (t,), which of the study's rotating surfaces each is of, -1 for none
    """

    study: ExternalFlow
    axes: Floats
    surface: Surface
    ground: float | None
    area: float
    size: float
    turning: Ints

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
    def mach_number(self) -> float:
        """Of the fastest; 0 where the speed of sound is not given."""
        sound = self.study.fluid.speed_of_sound
        return 0.0 if sound is None else self.fastest / sound

    @property
    def under_ground(self) -> float:
        """Share of the part's height."""
        lower, upper = (bound[2] for bound in self.surface.bounds)
        return 0.0 if self.ground is None else max((self.ground - lower) / (upper - lower), 0.0)

    @property
    def on_road(self) -> bool:
        """Whether there is ground, and it moves with the fluid."""
        return self.ground is not None and self.study.ground is not None and self.study.ground.moving

    @property
    def turbulent(self) -> bool:
        """Whether eddies and layers at walls are modelled: of smaller ones cells resolve the flow."""
        return self.reynolds_number > LAMINAR

    @property
    def turnover(self) -> float:
        """Time [s] in which the fluid passes the part's size."""
        return self.size / self.study.speed

    @cached_property
    def fastest(self) -> float:
        """Of the fluid far away and of surfaces that turn, the highest speed [m/s]."""
        tips = [0.0]
        for number in range(len(self.study.rotating)):
            corners = self.surface.vertices[np.unique(self.surface.triangles[self.turning == number])]
            tips.append(float(np.linalg.norm(self.turned(number, corners), axis=1).max(initial=0.0)))
        return max(self.study.speed, *tips)

    def turned(self, number: int, points: Floats) -> Floats:
        """Velocity [m/s] at points (n, 3) [m] of a rotating surface, both in the axes."""
        rotating = self.study.rotating[number]
        axis = self.axes @ rotating.axis
        found: Floats = np.cross(
            rotating.rate * axis / np.linalg.norm(axis), points - self.axes @ rotating.point
        )
        return found


def setting(surface: Surface, study: ExternalFlow) -> Setting:
    """Turn a part into the flow.

    Raises:
        GeometryError: it lies under the ground; SelectionError: a rotating surface is nowhere
        StudyError: it is too fast for a fluid of constant density, or turns too fast
    """
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
    area = _shadow(turned, ground)
    size = _size(turned, ground, area)
    if ground is not None and lower[2] - ground > FAR_GROUND * size:
        ground = None
    made = Setting(study, axes, turned, ground, area, size, _turning(surface, study))
    if made.fastest > _FASTEST * study.speed:
        raise StudyError(
            f"The surface that turns is as fast as {made.fastest:.3g} m/s, {made.fastest / study.speed:.3g} times the "
            f"fluid far away. Up to {_FASTEST:g} times is answered: is the rate in rad/s?"
        )
    if made.mach_number > MOST_MACH:
        raise StudyError(
            f"The Mach number is {made.mach_number:.2g}: this is flow of constant density, which has no shocks, and "
            f"answers up to {MOST_MACH:g}. Is the velocity in m/s?"
        )
    return made


def _turning(surface: Surface, study: ExternalFlow) -> Ints:
    found = np.full(len(surface.triangles), -1)
    for number, rotating in reversed([*enumerate(study.rotating)]):  # the first one counts
        selected = select(surface, rotating.on, SELECTION_RESOLUTION * surface.diagonal)
        own = selected.mostly(surface.areas)
        if not own.any():
            raise SelectionError(
                f"What is to turn takes no triangle by most of its area: {describe(rotating.on)}. Select whole faces, "
                "which twin.select.cylinder, plane, patch and group do.",
                {"rotating": str(number)},
            )
        found[own] = number
    return found


def _size(surface: Surface, ground: float | None, area: float) -> float:
    """Root of the frontal area [m]; of a part that is long across the flow, such as a wing, a rod or a wire, no more
    than one and a half times what the flow passes: its mean width, or its mean depth along the flow.
    """
    seen = surface.vertices[:, 1:]
    if ground is not None:
        seen = np.column_stack([seen[:, 0], np.maximum(seen[:, 1], ground)])
    angles = np.linspace(0, np.pi, _DIRECTIONS, endpoint=False)
    span = np.ptp(seen @ [np.cos(angles), np.sin(angles)], axis=0).max()
    if not area > 0:
        return 0.0
    lower, upper = surface.bounds
    depth = abs(surface.volume) / area if surface.closed else upper[0] - lower[0]
    return float(min(np.sqrt(area), _SLENDER * max(area / span, depth)))


def _shadow(surface: Surface, ground: float | None) -> float:
    """Area [m^2] that the part covers above the ground, seen along the first axis."""
    lower, upper = (np.array(bound)[1:] for bound in surface.bounds)
    extent = upper - lower
    if not (extent > 0).all():
        return 0.0
    width, height = np.clip(np.ceil(_PIXELS * extent / extent.max()), _LEAST_PIXELS, _PIXELS).astype(int)
    sides = extent / (width, height)
    pixels = np.column_stack([(surface.vertices[:, 1:] - lower) / sides, surface.vertices[:, 0]])
    seen = visible(pixels, surface.triangles.astype(np.int64), int(width), int(height), cull=False)
    under = 0 if ground is None else max(round((ground - lower[1]) / sides[1]), 0)
    return float((seen.triangle[under:] >= 0).sum() * sides.prod())
