"""What the linear solver leaves behind on one mesh."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from solvers.elasticity.recovery import RecoveredStress
from twin.analyses import quantities
from twin.analyses.boundary import MeshBoundary
from twin.analyses.loads import CaseLoads
from twin.meshing import VolumeMesh
from twin.results.outcome import ConvergenceRow

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class CaseSolution:
    """A solved case.

    displacement (n, 3) [m]; work of the loads [J]; support_force: force of the supports on each node (n, 3) [N]
    """

    displacement: Floats
    work: float
    loads: CaseLoads
    stress: RecoveredStress
    support_force: Floats
    iterations: int
    residual: float


@dataclass(frozen=True)
class MeshSolution:
    """All cases on one mesh."""

    mesh: VolumeMesh
    boundary: MeshBoundary
    cases: Mapping[str, CaseSolution]
    measured: Mapping[str, quantities.Values]
    size: float
    seconds: float

    @property
    def row(self) -> ConvergenceRow:
        """How this mesh stands in the table of convergence; the worst case by stress."""
        worst = max(self.measured.values(), key=lambda m: m.values["max_von_mises"])
        return ConvergenceRow(
            unknowns=3 * len(self.mesh.points),
            size=self.size,
            iterations=max(case.iterations for case in self.cases.values()),
            residual=max(case.residual for case in self.cases.values()),
            seconds=self.seconds,
            quantities=worst.values,
            errors=worst.errors,
        )


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
