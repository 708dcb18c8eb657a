"""The flow in a tunnel over time: forces, and fields in the mean."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.typing import NDArray

from solvers.lattice_boltzmann import flow, refinement
from solvers.lattice_boltzmann.scheme import Conditions, Scheme, State
from twin.analyses.external_flow.averaging import average
from twin.analyses.external_flow.tunnel import Tunnel
from twin.errors import SolveFailed

Floats = NDArray[np.float64]

# In times in which the fluid passes the part's size.
EVERY: Final = 0.1  # between two looks at the forces
_START: Final = 3.0  # after the fluid that was there first has passed: then fields are averaged
_LEAST: Final = 6.0  # that are averaged
_LONGEST: Final = 80.0
_LOOK: Final = 20  # forces between two looks at how well their mean is known
_FASTEST: Final = 0.5  # cells a step: a flow that is faster has broken down
_SPREAD: Final = 2.0  # standard errors that the error of a mean is told as


@dataclass(frozen=True, eq=False)
class Means:
    """Over time, in a box of cells: pressure (x, y, z), velocity (3, x, y, z), and the root of the mean square by which
    that changes (x, y, z).
    """

    pressure: Floats
    velocity: Floats
    fluctuation: Floats


class Sums(eqx.Module):
    """Over looks at a box. density: above one; square: of the velocity."""

    density: Float[Array, "x y z"]
    velocity: Float[Array, "3 x y z"]
    square: Float[Array, "x y z"]

    def means(self, count: int) -> Means:
        density, velocity, square = (
            np.asarray(each, np.float64) / count for each in (self.density, self.velocity, self.square)
        )
        change = np.maximum(square - (velocity**2).sum(axis=0), 0)
        return Means(density / 3, velocity, np.sqrt(change))


@dataclass(frozen=True, eq=False)
class Simulation:
    """What was found in a tunnel, in its units.

    force, moment (about the setting's origin, with lengths in m): over time (n, 3); interval: steps between two
    start: of these, how many are of the start; exchanged: force beside each cell (w, 3), in the mean after it
    means: of each box, outermost first, likewise
    finished: whether the means were good enough before the time was over
    seconds: that it took, without what came before the first look at the forces (compilation)
    """

    tunnel: Tunnel
    force: Floats
    moment: Floats
    interval: int
    start: int
    exchanged: Floats
    means: tuple[Means, ...]
    finished: bool
    seconds: float

    @property
    def has_settled(self) -> bool:
        """Whether there is anything after the start."""
        return len(self.force) > self.start + 1

    def mean(self, series: Floats) -> tuple[Floats, Floats]:
        """Of (n, k), and how far off it may be."""
        found = [mean(column[self.start :]) for column in series.T]
        return np.array([each for each, _ in found]), np.array([error for _, error in found])


@dataclass
class Course:
    """A simulation so far, which goes on.

    sums: of each box, outermost first; pushes: sums of forces beside each cell (w, 3); forces, moments: over time
    settled: whether the means are good enough; seconds: as of `Simulation`
    """

    states: tuple[State, ...]
    sums: tuple[Sums, ...]
    pushes: Floats
    forces: list[Floats]
    moments: list[Floats]
    settled: bool = False
    seconds: float = 0.0


def beginning(tunnel: Tunnel) -> Course:
    """Before the first step."""
    sums = tuple(_nothing(box.grid.shape) for box in tunnel.boxes)
    return Course(tunnel.initial(), sums, np.zeros_like(tunnel.touched), [], [])


def simulate(
    tunnel: Tunnel,
    wished: float,
    tell: Callable[[float, Floats], bool],
    course: Course,
    keep: Callable[[Course], None],
) -> Simulation:
    """Until the mean force is known to `wished`, in pressure of the flow times area.

    tell: hears the share that is done, of the longest time, and the forces so far (n, 3) in lattice units; it says
    whether there is time to go on
    course: from where to go on; keep: hears it after every look at the forces, and may store it
    Raises SolveFailed where the flow breaks down.
    """
    scales, setting = tunnel.scales, tunnel.setting
    innermost = tunnel.schemes[-1], tunnel.conditions[-1]
    steps = 2 ** (len(tunnel.boxes) - 1)  # of the innermost box, in one of the outermost
    turnover = setting.turnover / scales.time
    interval = max(round(EVERY * turnover / steps), 1) * steps
    passed = (setting.length + 2 * setting.size) / setting.size + _START
    start = round(passed * turnover / interval)
    least, longest = (start + round(span * turnover / interval) for span in (_LEAST, _LONGEST))
    unit = 0.5 * tunnel.speed**2 * setting.area / scales.length**2
    forces, go_on, begun = course.forces, True, None
    while len(forces) < longest and go_on and not course.settled:
        course.states = refinement.advance(
            tunnel.schemes, tunnel.conditions, tunnel.couplings, course.states, interval // steps
        )
        exchanged = np.asarray(flow.exchanged(*innermost, course.states[-1]), np.float64).T
        forces.append(exchanged.sum(axis=0))
        course.moments.append(np.cross(tunnel.touched, exchanged).sum(axis=0))
        if not np.isfinite(forces[-1]).all():
            _refuse(tunnel)
        if begun is None:
            begun = time.perf_counter() - course.seconds
        course.seconds = time.perf_counter() - begun
        if len(forces) > start:
            boxes = zip(tunnel.schemes, tunnel.conditions, course.states, course.sums, strict=True)
            course.sums = tuple(_added(*box) for box in boxes)
            course.pushes += exchanged
        series = np.array(forces)
        go_on = tell(len(forces) / longest, series)
        if len(forces) >= least and len(forces) % _LOOK == 0:
            course.settled = max(mean(column[start:])[1] for column in series.T) <= wished * unit
        keep(course)
    count = max(len(forces) - start, 1)
    for each in zip(tunnel.schemes, tunnel.conditions, course.states, strict=True):
        if not float(jnp.linalg.norm(flow.macroscopic(*each).velocity, axis=0).max()) < _FASTEST:
            _refuse(tunnel)
    return Simulation(
        tunnel,
        np.array(forces),
        np.array(course.moments),
        interval,
        start,
        course.pushes / count,
        tuple(each.means(count) for each in course.sums),
        course.settled or len(forces) >= longest,
        course.seconds,
    )


def mean(series: Floats) -> tuple[float, float]:
    """Of a series (n,), and how far it may be off: by its correlations, or at most by all that it varies at the end.

    A steady flow nears its end so slowly that correlations never say when to stop; what it still changes does.
    """
    found = average(series)
    end = series[len(series) // 2 :]
    return found.mean, min(_SPREAD * found.error, float(np.ptp(end)))


def _refuse(tunnel: Tunnel) -> None:
    raise SolveFailed(
        f"The flow broke down on cells of {1e3 * tunnel.scales.length:.3g} mm: its speed has no bound. Look for gaps "
        "and needles of the part (part.report), or ask for another accuracy, which takes other cells."
    )


def _nothing(shape: tuple[int, int, int]) -> Sums:
    return Sums(*(jnp.zeros(each, jnp.float32) for each in (shape, (3, *shape), shape)))


@partial(jax.jit, static_argnums=0, donate_argnums=3)
def _added(scheme: Scheme, given: Conditions, state: State, sums: Sums) -> Sums:
    of = flow.macroscopic(scheme, given, state)
    square = (of.velocity**2).sum(axis=0)
    return Sums(sums.density + of.density, sums.velocity + of.velocity, sums.square + square)
