"""The flow in boxes of cells over time: numbers, and fields in the mean."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, Generic, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.typing import NDArray

from solvers.lattice_boltzmann import flow, refinement
from solvers.lattice_boltzmann.scheme import Conditions, Scheme, State
from twin.analyses.flow.averaging import average
from twin.analyses.flow.lattice import Lattice
from twin.errors import SolveFailed

Floats = NDArray[np.float64]
LatticeT = TypeVar("LatticeT", bound=Lattice)
Found = TypeVar("Found", bound=Lattice, covariant=True)

_LOOK: Final = 20  # looks at the numbers between two at how well their means are known
_FASTEST: Final = 0.5  # cells a step: a flow that is faster has broken down
_SOON: Final = 0.8  # of the progress, when means may be good enough for the first time
_CALL: Final = 0.5  # s, of steps that are made in one call
CHANGED: Final = 0.3  # of what means have changed by since larger cells: they need not be known better
_SPREAD: Final = 2.0  # standard errors that the error of a mean is told as


@dataclass(frozen=True, eq=False)
class Means:
    """Over time, in a box of cells: pressure (x, y, z), velocity (3, x, y, z), and the root mean squares by which they
    fluctuate (x, y, z).
    """

    pressure: Floats
    velocity: Floats
    pressure_fluctuation: Floats
    velocity_fluctuation: Floats


class Sums(eqx.Module):
    """Over looks at a box. density: above one; squares: of the density and of the velocity."""

    density: Float[Array, "x y z"]
    velocity: Float[Array, "3 x y z"]
    density_square: Float[Array, "x y z"]
    velocity_square: Float[Array, "x y z"]

    def means(self, count: int) -> Means:
        density, velocity, density_square, velocity_square = (
            np.asarray(each, np.float64) / count
            for each in (self.density, self.velocity, self.density_square, self.velocity_square)
        )
        return Means(
            density / 3,
            velocity,
            np.sqrt(np.maximum(density_square - density**2, 0)) / 3,
            np.sqrt(np.maximum(velocity_square - (velocity**2).sum(axis=0), 0)),
        )


@dataclass(frozen=True)
class Plan:
    """interval: steps of the innermost box between two looks at the numbers; start: looks before there are means

    least, longest: looks before the end; enough: whether the numbers after the start (n, k) are known well enough
    """

    interval: int
    start: int
    least: int
    longest: int
    enough: Callable[[Floats], bool]

    def share(self, looks: int) -> float:
        """That is done after so many looks. Most flows end soon after the least."""
        if looks < self.least:
            return _SOON * looks / self.least
        return _SOON + (1 - _SOON) * (looks - self.least) / max(self.longest - self.least, 1)


@dataclass(frozen=True, eq=False)
class Simulation(Generic[Found]):
    """What was found on a lattice, in its units.

    series: numbers over time (n, k); interval: steps between two
    start: of these, how many are of the start; exchanged: force beside each cell (w, 3), in the mean after it
    means: of each box, outermost first, likewise
    sufficient: whether the means are over as long as they are to be at least
    finished: whether they are good enough, or over as long as they are to be at most
    seconds: that it took, without what came before the first look at the numbers (compilation)
    """

    lattice: Found
    series: Floats
    interval: int
    start: int
    exchanged: Floats
    means: tuple[Means, ...]
    sufficient: bool
    finished: bool
    seconds: float

    @property
    def has_means(self) -> bool:
        """Whether there are looks after the start, to take means of."""
        return len(self.series) > self.start + 1

    @property
    def lasted(self) -> tuple[float, float]:
        """The start, and what means are over [s]."""
        look = self.interval * self.lattice.scales.time
        return self.start * look, (len(self.series) - self.start) * look

    def mean(self, series: Floats) -> tuple[Floats, Floats]:
        """Of (n, k), and how far off it may be."""
        found = [mean(column[self.start :]) for column in series.T]
        return np.array([each for each, _ in found]), np.array([error for _, error in found])


@dataclass
class Course:
    """A simulation so far, which goes on.

    sums: of each box, outermost first; pushes: sums of forces beside each cell (w, 3); series: numbers over time
    settled: whether the means are good enough; seconds: as of `Simulation`
    """

    states: tuple[State, ...]
    sums: tuple[Sums, ...]
    pushes: Floats
    series: list[Floats]
    settled: bool = False
    seconds: float = 0.0


def beginning(lattice: Lattice, states: tuple[State, ...] | None = None) -> Course:
    """Before the first step. states: that it begins with, where these are not the initial ones"""
    sums = tuple(_nothing(box.grid.shape) for box in lattice.boxes)
    return Course(states or lattice.initial(), sums, np.zeros_like(lattice.touched), [])


def simulate(
    lattice: LatticeT,
    plan: Plan,
    tell: Callable[[float, Floats], bool],
    course: Course,
    keep: Callable[[Course], None],
) -> Simulation[LatticeT]:
    """Until the means are known well enough.

    tell: hears the share that is done and the numbers so far (n, k) in lattice units, about twice
    a second; it says whether there is time to go on
    course: from where to go on; keep: hears it after every look at the numbers, and may store it
    Raises SolveFailed where the flow breaks down.
    """
    steps = 2 ** (len(lattice.boxes) - 1)  # of the innermost box, in one of the outermost
    series, go_on, begun, given = course.series, True, None, lattice.conditions
    batch = 1
    while len(series) < plan.longest and go_on and not course.settled:
        given, states = lattice.regulated(series, course.states)
        told = partial(tell, plan.share(len(series)), np.array(series))
        course.states, batch = _advanced(lattice, given, states, plan.interval // steps, batch, told)
        exchanged = lattice.exchanged(given[-1], course.states[-1])
        series.append(lattice.observed(given[-1], course.states[-1], exchanged))
        if not np.isfinite(series[-1]).all():
            _refuse(lattice)
        if begun is None:
            begun = time.perf_counter() - course.seconds
        course.seconds = time.perf_counter() - begun
        if len(series) > plan.start:
            boxes = zip(lattice.schemes, given, course.states, course.sums, strict=True)
            course.sums = tuple(_added(*box) for box in boxes)
            course.pushes += exchanged
        numbers = np.array(series)
        go_on = tell(plan.share(len(series)), numbers)
        if len(series) >= plan.least and len(series) % _LOOK == 0:
            course.settled = plan.enough(numbers[plan.start :])
        keep(course)
    count = max(len(series) - plan.start, 1)
    for each in zip(lattice.schemes, given, course.states, strict=True):
        if not float(jnp.linalg.norm(flow.macroscopic(*each).velocity, axis=0).max()) < _FASTEST:
            _refuse(lattice)
    return Simulation(
        lattice,
        np.array(series),
        plan.interval,
        plan.start,
        course.pushes / count,
        tuple(each.means(count) for each in course.sums),
        len(series) >= plan.least,
        course.settled or len(series) >= plan.longest,
        course.seconds,
    )


def _advanced(
    lattice: Lattice,
    given: tuple[Conditions, ...],
    states: tuple[State, ...],
    count: int,
    batch: int,
    told: Callable[[], bool],
) -> tuple[tuple[State, ...], int]:
    """So many steps of the outermost box later. In calls that last no longer than one may wait for a run to stop: of
    `batch` steps at first, and of as many as the next one may have.
    """
    done = 0
    while done < count:
        now = min(batch, count - done)
        begun = time.perf_counter()
        states = refinement.advance(lattice.schemes, given, lattice.couplings, states, now, done)
        states[0].eddy.block_until_ready()
        done += now
        if done < count:
            told()
        batch = max(1, min(2 * batch, int(now * _CALL / (time.perf_counter() - begun))))
    return states, batch


def mean(series: Floats) -> tuple[float, float]:
    """Of a series (n,), and how far it may be off: by its correlations, or at most by all that it varies at the end.

    A steady flow nears its end so slowly that correlations never say when to stop; what it still changes does.
    """
    found = average(series)
    end = series[len(series) // 2 :]
    return found.mean, min(_SPREAD * found.error, float(np.ptp(end)))


def _refuse(lattice: Lattice) -> None:
    raise SolveFailed(
        f"The flow broke down on cells of {1e3 * lattice.scales.length:.3g} mm: its speed has no bound. Look for gaps "
        "and needles of the part (part.report)."
    )


def _nothing(shape: tuple[int, int, int]) -> Sums:
    return Sums(*(jnp.zeros(each, jnp.float32) for each in (shape, (3, *shape), shape, shape)))


@partial(jax.jit, static_argnums=0, donate_argnums=3)
def _added(scheme: Scheme, given: Conditions, state: State, sums: Sums) -> Sums:
    of = flow.macroscopic(scheme, given, state)
    return Sums(
        sums.density + of.density,
        sums.velocity + of.velocity,
        sums.density_square + of.density**2,
        sums.velocity_square + (of.velocity**2).sum(axis=0),
    )
