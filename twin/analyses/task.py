"""One run while it is worked on."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from solvers.iteration import TOLERANCE, SolveError
from twin.analyses.monitor import Monitor
from twin.errors import GeometryError, SolveFailed
from twin.geometry.occupancy import Occupancy
from twin.geometry.selection import Selection
from twin.geometry.surface import Report, Surface
from twin.results.zones import Zones
from twin.studies import Request

if TYPE_CHECKING:
    from twin.analyses.analysis import Analysis

# Shares of the whole for the progress bar: what follows the first mesh takes most of the time.
STAGES = {
    "check": 0.02,
    "pilot mesh": 0.10,
    "pilot solve": 0.20,
    "mesh": 0.45,
    "solve": 0.85,
    "recover": 0.95,
}


class OutOfTimeError(Exception):
    """The time that the request allows has passed."""


@dataclass(frozen=True)
class Regions:
    """The parts of the surface that a study speaks of, selected once.

    supports: what holds, and where; loads: of each the case that it belongs to, and where it acts, None for the whole
    materials: of each body of the part, as `twin.analyses.materials.of_bodies` has them
    """

    supports: tuple[tuple[Any, Selection], ...]
    loads: tuple[tuple[str, Any, Selection | None], ...]
    materials: NDArray[np.int64] = field(default_factory=lambda: np.zeros(1, np.int64))

    @property
    def selections(self) -> list[Selection]:
        """All selections."""
        return [s for _, s in self.supports] + [s for _, _, s in self.loads if s is not None]


class Expected(Protocol):
    """A field that is thought to be near the solution."""

    def __call__(
        self, points: NDArray[np.float64], facets: NDArray[np.int64]
    ) -> Mapping[str, NDArray[np.float64]]:
        """Of each load case, at the nodes of a mesh (n, 3) [m], of which facets (f, 6) lie on the surface: (n, k)."""


@dataclass
class Stopwatch:
    """Wall time by phase [s]."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


@dataclass(frozen=True)
class Task:
    """What was asked, and whom to tell.

    zones: around singular places; deadline: on the clock of `time.perf_counter`
    expected: what the field is thought to be, from which solutions on tetrahedra start, and end as soon as all numbers
        are near enough
    """

    surface: Surface
    report: Report
    analysis: "Analysis[Any]"
    request: Request
    regions: Regions
    zones: Zones
    source: Path | None
    monitor: Monitor
    workdir: Path
    watch: Stopwatch
    deadline: float
    expected: Expected | None = None

    @cached_property
    def volume(self) -> float:
        """Of the part [m^3]; bodies that overlap count once.

        Raises:
            GeometryError: the surface encloses nothing
        """
        if self.surface.closed and self.report.bodies == 1:
            return self.surface.volume
        volume, _ = Occupancy(self.surface).volume
        if volume <= 0:
            raise GeometryError(
                "The surface encloses nothing: no point has a winding number clearly above one half. It may be a "
                "sheet, or its triangles may face inwards and outwards at random. Export the part as a solid.",
            )
        return volume

    @property
    def remaining(self) -> float:
        """Time until the deadline [s]."""
        return self.deadline - time.perf_counter()

    def within(self, share: float) -> "Task":
        """The same with a share of the time that is left."""
        return replace(self, deadline=time.perf_counter() + share * self.remaining)

    def tell(self, phase: str, fraction: float, message: str, residual: float | None = None) -> None:
        """Report progress; raise OutOfTimeError past the deadline."""
        self.monitor.progress(phase, fraction, message, residual)
        if self.remaining < 0:
            raise OutOfTimeError

    def follow(
        self, what: str, span: tuple[float, float], count: int, done: int
    ) -> Callable[[int, float], None]:
        """Progress of one linear solve: the residual falls to its tolerance on a logarithmic scale."""

        def follow(iteration: int, residual: float) -> None:
            share = min(1.0, np.log10(max(residual, 1e-12)) / np.log10(TOLERANCE)) if residual < 1 else 0.0
            fraction = span[0] + (span[1] - span[0]) * (done + share) / count
            self.tell("solve", fraction, f"{what}, iteration {iteration}", residual)

        return follow


@contextmanager
def solver_errors() -> Iterator[None]:
    """Failures of the linear solver, for the user."""
    try:
        yield
    except SolveError as error:
        raise SolveFailed(
            f"The equations could not be solved: {error}. Look at the mesh quality in the report, or ask for "
            "another accuracy to get another mesh.",
        ) from error
