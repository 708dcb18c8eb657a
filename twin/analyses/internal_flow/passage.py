"""A part that fluid flows through: its openings, and the sizes that lengths and times are told in."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.analyses.checks import SELECTION_RESOLUTION
from twin.errors import SelectionError
from twin.geometry.selection import Selection, select
from twin.geometry.surface import Surface
from twin.select import describe
from twin.studies import Inlet, InternalFlow, Outlet

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_REYNOLDS: Final = 2000.0  # of an opening: what cells beside walls add to friction beyond is not known
_CREEPING: Final = 20.0  # Reynolds number, below which what happens at an inlet's rim is much of the loss
_FLAT: Final = 0.99  # of an opening's area, that its sides' mean covers


@dataclass(frozen=True, eq=False)
class Opening:
    """name; outward: unit normal, in the axes; middle: in them [m]; area [m^2]; width: hydraulic diameter [m]

    flow: that comes in [m^3/s], or None where fluid goes out; pressure: held there, above the passage's reference [Pa]
    """

    name: str
    outward: Floats
    middle: Floats
    area: float
    width: float
    flow: float | None
    pressure: float


@dataclass(frozen=True, eq=False)
class Passage:
    """A part that fluid flows through.

    axes: unit vectors in rows, the second one along the part's least extent; surface: in them [m]
    openings: inlets first; through: of triangles (t,), which opening each is of, -1 for a wall
    reference: pressure that all others are told above, in cells: the mean of what outlets hold [Pa]
    """

    study: InternalFlow
    axes: Floats
    surface: Surface
    openings: tuple[Opening, ...]
    through: Ints
    reference: float

    @property
    def inlets(self) -> int:
        return len(self.study.inlets)

    @cached_property
    def flow_rate(self) -> float:
        """That comes in, of all inlets [m^3/s]."""
        return sum(each.flow or 0.0 for each in self.openings)

    @cached_property
    def size(self) -> float:
        """Least hydraulic diameter of an opening [m]."""
        return min(each.width for each in self.openings)

    @property
    def outlets_area(self) -> float:
        """Of all outlets [m^2]."""
        return sum(each.area for each in self.openings[self.inlets :])

    @cached_property
    def speeds(self) -> tuple[float, ...]:
        """Mean velocity in each opening [m/s]; of outlets, were each to take a share by its area."""
        out = self.flow_rate / self.outlets_area
        return tuple(out if each.flow is None else each.flow / each.area for each in self.openings)

    @property
    def speed(self) -> float:
        """The fastest of them [m/s]."""
        return max(self.speeds)

    @property
    def widest(self) -> float:
        """Largest hydraulic diameter of an opening [m]."""
        return max(each.width for each in self.openings)

    @property
    def dynamic_pressure(self) -> float:
        """Of the speed [Pa]."""
        return 0.5 * self.study.fluid.density * self.speed**2

    @property
    def size_reynolds_number(self) -> float:
        """Of the speed and the size."""
        return self.speed * self.size * self.study.fluid.density / self.study.fluid.viscosity

    @cached_property
    def reynolds_number(self) -> float:
        """Of the opening where it is highest, by its hydraulic diameter."""
        return max(self.reynolds_numbers)

    @property
    def reynolds_numbers(self) -> tuple[float, ...]:
        """Of each opening, by its hydraulic diameter."""
        fluid = self.study.fluid
        return tuple(
            speed * each.width * fluid.density / fluid.viscosity
            for speed, each in zip(self.speeds, self.openings, strict=True)
        )

    @property
    def creeping(self) -> list[tuple[str, float]]:
        """Inlets that are uniform and slow, and their Reynolds numbers."""
        numbers = self.reynolds_numbers[: self.inlets]
        return [
            (name, reynolds)
            for (name, inlet), reynolds in zip(self.study.inlets.items(), numbers, strict=True)
            if inlet.profile == "uniform" and reynolds < _CREEPING
        ]

    @property
    def volume(self) -> float:
        """Of the space that the fluid fills [m^3]."""
        return abs(self.surface.volume)


def passage(surface: Surface, study: InternalFlow) -> Passage:
    """Find the openings.

    Raises SelectionError where one is nowhere, not flat, or shares its faces with another one.
    """
    lower, upper = (np.array(bound) for bound in surface.bounds)
    second, last, first = np.argsort(upper - lower, kind="stable")
    axes = np.eye(3)[[first, second, last]]
    axes[1] *= np.linalg.det(axes)
    chosen = {
        name: select(surface, opening.on, SELECTION_RESOLUTION * surface.diagonal)
        for name, opening in study.openings.items()
    }
    through = np.full(len(surface.triangles), -1)
    for number, (name, selected) in enumerate(chosen.items()):
        own = selected.mostly(surface.areas)
        shared = np.flatnonzero(own & (through >= 0))
        if len(shared):
            other = list(chosen)[through[shared[0]]]
            raise SelectionError(
                f"{name} and {other} share {len(shared)} triangles of the surface. Select a face of its own for each "
                "opening.",
                {"openings": f"{other}, {name}"},
            )
        if not own.any():
            raise SelectionError(
                f"{name} takes no triangle by most of its area: {describe(study.openings[name].on)}. Select whole "
                "faces, which twin.select.plane, facing, patch and group do.",
                {"opening": name},
            )
        through[own] = number
    reference = float(np.mean([outlet.pressure for outlet in study.outlets.values()]))
    openings = tuple(
        _opening(surface, name, study.openings[name], np.flatnonzero(through == number), axes, reference)
        for number, name in enumerate(chosen)
    )
    turned = Surface(surface.vertices @ axes.T, surface.triangles, surface.patch)
    return Passage(study, axes, turned, openings, through, reference)


def _opening(
    surface: Surface, name: str, asked: Inlet | Outlet, triangles: Ints, axes: Floats, reference: float
) -> Opening:
    selected = Selection(surface.corners[triangles], triangles.astype(np.int32))
    towards = np.sign(surface.volume) * selected.area_vectors.sum(axis=0)
    area = float(np.linalg.norm(towards))
    if area < _FLAT * selected.area:
        raise SelectionError(
            f"{name} is not flat: its sides look into different directions. Select one flat face, where the fluid "
            "comes in or goes out square to it.",
            {"opening": name},
        )
    flow, pressure = None, 0.0
    if isinstance(asked, Outlet):
        pressure = asked.pressure - reference
    elif asked.velocity is not None:
        flow = asked.velocity * area
    else:
        flow = asked.flow_rate
    return Opening(
        name, axes @ (towards / area), axes @ selected.centroid, area, 2 * selected.width, flow, pressure
    )
