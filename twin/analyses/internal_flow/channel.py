"""A part that fluid flows through, in one box of cells."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import jax
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from solvers.buckets import bucket
from solvers.lattice_boltzmann import flow
from solvers.lattice_boltzmann.grid import Grid
from solvers.lattice_boltzmann.openings import Openings, opened, passing, regulated
from solvers.lattice_boltzmann.scheme import Conditions, Scheme, State
from solvers.lattice_boltzmann.velocities import D3Q19
from solvers.lattice_boltzmann.walls import Links, padded, walls
from twin.analyses.flow.lattice import (
    BESIDE,
    MOST_VISCOSITY,
    MULTIPLE,
    Box,
    Lattice,
    Scales,
    between,
    links_of,
    shut_in,
)
from twin.analyses.internal_flow.passage import Passage
from twin.analyses.internal_flow.profile import developed
from twin.errors import GeometryError
from twin.geometry.voxels import LEAST, Crossings, voxelise
from twin.studies import Inlet

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

_FEWEST: Final = 10.0  # cells along the least hydraulic diameter of an opening
_RESOLVED: Final = 60.0  # Reynolds number of a cell, up to which cells resolve the flow
_SPEED: Final = 0.05  # cells a step: a Mach number of less than a tenth
_DENSER: Final = 0.02  # by which density may differ along the way: the flow is to be of constant density
_LOSSES: Final = 3.0  # that are expected at least, of the pressure of the fastest flow
RAMP: Final = 60  # looks over which the flow sets in
_EVERY: Final = 0.1  # between two looks, of the time in which the fluid passes the size
_HELD: Final = 10.0  # times what is missing, that outlets add in as many steps as the box has cells along it
_GAIN: Final = 0.05  # share of what is missing at an opening, by which it is corrected after a look
_LEVEL: Final = 0.02  # likewise, of what all outlets' pressures have in common: faster, it swings


@dataclass(frozen=True, eq=False)
class Channel(Lattice):
    """A part that fluid flows through, in one box of cells.

    openings: their links; speed: [cells/step] of the passage's `speed`
    dead: share of the space that no flow reaches, as nothing connects it with the inlets
    """

    passage: Passage
    openings: Openings
    speed: float
    dead: float

    @cached_property
    def interval(self) -> int:
        """Steps between two looks."""
        turnover = self.passage.size / self.passage.speed / self.scales.time
        return max(2 * round(0.5 * _EVERY * min(turnover, self.relaxing)), 2)

    @property
    def relaxing(self) -> float:
        """Steps in which viscosity reaches across the widest opening."""
        return (self.passage.widest / self.scales.length) ** 2 / float(self.conditions[0].viscosity)

    @property
    def wetted(self) -> Bools:
        """What is a wall."""
        found: Bools = self.passage.through < 0
        return found

    @property
    def across(self) -> float:
        """Cells along the size."""
        return self.passage.size / self.scales.length

    def initial(self) -> tuple[State, ...]:
        """At rest."""
        return (flow.at_rest(self.schemes[0], self.conditions[0]),)

    def observed(self, given: Conditions, state: State, exchanged: Floats) -> Floats:
        """Of each opening how much goes out, in what is to go through all, the pressure and the total pressure."""
        found = passing(self.schemes[0], given, state, self.openings)
        out = np.asarray(found.out, np.float64) / self.flow
        return np.concatenate([out, np.asarray(found.pressure), np.asarray(found.total)])

    def level(self, pressure: Floats) -> Floats:
        """What outlets have in the mean (n,), of the pressures of all openings (n, m)."""
        found: Floats = pressure[:, self.passage.inlets :].mean(axis=1)
        return found

    @property
    def flow(self) -> float:
        """That is to go through all openings [cells^3/step]."""
        return self.passage.flow_rate / (self.scales.speed * self.scales.length**2)

    def regulated(
        self, series: Sequence[Floats], states: tuple[State, ...]
    ) -> tuple[tuple[Conditions, ...], tuple[State, ...]]:
        """Inlets so fast that what is to come in does, by links that are not all halfway; outlets held so that their
        pressures differ as they are to; what they have in common, from which all pressures are told, is kept near zero.
        Both are found from what has been, so that nothing else is kept.
        """
        count, past = len(series), np.array(series).reshape(len(series), 3, len(self.passage.openings))
        ramp = np.ones(count + 1) if self.continued else _ramp(np.arange(count + 1))
        inflow, density = np.zeros((len(self.passage.openings), 3)), np.zeros(len(self.passage.openings))
        level = self.level(past[:, 1])
        raised = -_LEVEL * level.sum()
        for number, opening in enumerate(self.passage.openings):
            if opening.flow is None:
                wanted = opening.pressure / self.scales.pressure
                missing = (ramp[:-1] * wanted - past[:, 1, number] + level).sum()
                density[number] = 3 * (ramp[-1] * wanted + _GAIN * missing + raised)
            else:
                share = opening.flow / self.passage.flow_rate
                missing = (ramp[:-1] + past[:, 0, number] / share).sum()
                speed = opening.flow / opening.area / self.scales.speed
                inflow[number] = -opening.outward * speed * (ramp[-1] + _GAIN * missing)
        given, state = regulated(self.openings, self.conditions[0], states[0], inflow, density)
        return (given,), (state,)


def coarsest(passage: Passage) -> float:
    """Cells along the size that resolve the flow."""
    return max(_FEWEST, passage.size_reynolds_number / _RESOLVED)


def cells(passage: Passage, across: float) -> int:
    """Of a channel with so many cells along the size."""
    return int(np.prod(_shape(passage, passage.size / across)))


def channel(passage: Passage, across: float, *, continued: bool = False) -> Channel:
    """A part with so many cells along its openings' least hydraulic diameter. continued: as of `Lattice`

    Raises GeometryError where nothing leads from an inlet to an outlet.
    """
    spacing, study = passage.size / across, passage.study
    lower, upper = (np.array(bound) for bound in passage.surface.bounds)
    shape = _shape(passage, spacing)
    counts = np.array(shape)
    middle = between(lower, upper, spacing)
    first = np.floor((0.5 * (lower + upper) - middle) / spacing - counts / 2 + 0.5)
    origin = middle + spacing * (first + 0.5)
    found = voxelise(passage.surface, origin, spacing, shape, D3Q19.directions)
    solid, crossings = ~found.inside, found.crossings
    solid[tuple(crossings.point[crossings.distance <= LEAST].T)] = True
    solid |= shut_in(crossings, shape)
    filled = int((~solid).sum())
    solid |= ~_reached(passage, solid, crossings, spacing)
    grid = Grid(shape, ("wall",) * 6)
    scheme = Scheme(grid, D3Q19, fused=jax.default_backend() != "cpu")
    links = links_of(crossings)
    number = passage.through[crossings.triangle]
    of = walls(grid, D3Q19, solid, links)
    of, openings = opened(
        grid,
        D3Q19,
        padded(grid, of, bucket(len(of), BESIDE)),
        links,
        number,
        [opening.flow is not None for opening in passage.openings],
        np.array([opening.outward for opening in passage.openings]),
        _HELD / max(shape),
        _profile(passage, number, origin, spacing, links),
    )
    speed = _speed(passage, across)
    scales = Scales(spacing, speed * spacing / passage.speed, study.fluid.density)
    viscosity = study.fluid.viscosity / study.fluid.density * scales.time / spacing**2
    x, y, z = origin.tolist()
    return Channel(
        passage.surface,
        passage.axes,
        (Box(grid, (x, y, z), spacing, (0, 0, 0)),),
        (scheme,),
        (flow.conditions(scheme, viscosity, of),),
        (),
        scales,
        solid,
        crossings,
        passage,
        openings,
        speed,
        dead=1 - float((~solid).sum()) / max(filled, 1),
        continued=continued,
    )


def _profile(passage: Passage, number: Ints, origin: Floats, spacing: float, links: Links) -> Floats:
    """Of the velocity in each inlet's mean, where links go through it."""
    found = np.ones(len(number))
    directions = np.array(D3Q19.directions, float)[links.velocity]
    ends = origin + spacing * (links.cell - links.distance[:, None] * directions)
    for each, opening in enumerate(passage.study.openings.values()):
        if isinstance(opening, Inlet) and opening.profile == "developed":
            corners = passage.surface.corners[passage.through == each]
            found[number == each] = developed(corners, passage.openings[each].width, ends[number == each])
    return found


def _speed(passage: Passage, across: float) -> float:
    """Of the fastest opening [cells/step]: slow enough for the density to stay nearly the same."""
    lower, upper = (np.array(bound) for bound in passage.surface.bounds)
    ways = float((upper - lower).sum()) / passage.size
    losses = _LOSSES + ways * (64 / passage.size_reynolds_number + 0.02)
    held = [each.pressure for each in passage.openings]
    losses += float(np.ptp(held)) / passage.dynamic_pressure
    slow = (_DENSER / (1.5 * losses)) ** 0.5  # a pressure is a third of a density
    viscous = MOST_VISCOSITY * passage.size_reynolds_number / across
    return min(_SPEED, slow, viscous)


def _shape(passage: Passage, spacing: float) -> tuple[int, int, int]:
    """With solid cells on all sides."""
    lower, upper = (np.array(bound) for bound in passage.surface.bounds)
    counts = np.ceil((upper - lower) / spacing) + 3
    x, y, z = (MULTIPLE * np.ceil(counts / MULTIPLE)).astype(int).tolist()
    return x, y, z


def _ramp(look: NDArray[np.integer]) -> Floats:
    share = np.clip((look + 1) / RAMP, 0, 1)
    found: Floats = share**2 * (3 - 2 * share)
    return found


def _reached(passage: Passage, solid: Bools, crossings: Crossings, spacing: float) -> Bools:
    """Cells of the fluid that something leads to from an inlet, along axes. Raises GeometryError where one leads
    nowhere, or nothing leads to an outlet.
    """
    shape = solid.shape
    ways = [number for number, way in enumerate(D3Q19.directions) if sorted(way) == [0, 0, 1]]
    places = np.arange(solid.size).reshape(shape)
    starts, ends = [], []
    for number in ways:
        axis = D3Q19.directions[number].index(1)
        cut = np.zeros(shape, bool)
        cut[tuple(crossings.point[crossings.direction == number].T)] = True
        low, high = (np.take(places, np.arange(a, shape[axis] - 1 + a), axis) for a in (0, 1))
        free = ~(solid | cut).reshape(-1)[low] & ~solid.reshape(-1)[high]
        starts.append(low[free])
        ends.append(high[free])
    rows, columns = np.concatenate(starts), np.concatenate(ends)
    graph = coo_array((np.ones(len(rows), np.int8), (rows, columns)), (solid.size, solid.size))
    _, labels = connected_components(graph, directed=False)
    labels[solid.reshape(-1)] = -1
    beside = [
        labels[np.ravel_multi_index(tuple(crossings.point[own].T), shape)]
        for own in (passage.through[crossings.triangle] == number for number in range(len(passage.openings)))
    ]
    fed = [set(each[each >= 0].tolist()) for each in beside]
    entered = set().union(*fed[: passage.inlets])
    left = set().union(*fed[passage.inlets :])
    for opening, own in zip(passage.openings, fed, strict=True):
        if not own & (left if opening.flow is not None else entered):
            to = "an outlet" if opening.flow is not None else "an inlet"
            raise GeometryError(
                f"Nothing leads from {opening.name} to {to} that is wider than cells of {1e3 * spacing:.3g} mm. The "
                "part is to be the space that the fluid fills, not the material round it. If it is, look for what "
                "closes the way.",
                {"opening": opening.name},
            )
    found: Bools = np.isin(labels, list(entered & left)).reshape(shape)
    return found
