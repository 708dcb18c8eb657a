"""A part as the fluid meets it: turned into the flow, with the size that lengths and times are told in."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.errors import GeometryError
from twin.geometry.surface import Surface
from twin.results.raster import visible
from twin.studies import ExternalFlow

Floats = NDArray[np.float64]

LAMINAR: Final = 800.0  # Reynolds number of the part's size up to which cells are to resolve all of the flow
_PIXELS: Final = 2048  # along the longer side of the part's shadow


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
    def turbulent(self) -> bool:
        """Whether eddies and layers at walls are modelled: of smaller ones cells resolve the flow."""
        return self.reynolds_number > LAMINAR

    @property
    def turnover(self) -> float:
        """Time [s] in which the fluid passes the part's size."""
        return self.size / self.study.speed


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


def _shadow(surface: Surface) -> float:
    """Area [m^2] that the part covers, seen along the first axis."""
    lower, upper = (np.array(bound) for bound in surface.bounds)
    side = float((upper - lower)[1:].max()) / _PIXELS
    width, height = np.maximum(np.ceil((upper - lower)[1:] / side), 1).astype(int)
    pixels = np.column_stack([(surface.vertices[:, 1:] - lower[1:]) / side, surface.vertices[:, 0]])
    seen = visible(pixels, surface.triangles.astype(np.int64), int(width), int(height), cull=False)
    return float((seen.triangle >= 0).sum()) * side**2
