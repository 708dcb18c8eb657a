"""What is particular to one physics. Meshes, grids, refinement, error estimates and reports are shared."""

import abc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import ClassVar, Generic, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from solvers.cutcell.cells import FilledCells
from solvers.law import Law, Recovered
from solvers.precision import float64
from twin.analyses.boundary import MeshBoundary
from twin.analyses.estimates import Trust, Values
from twin.analyses.goals import GoalError
from twin.analyses.immersed_boundary import ImmersedBoundary
from twin.analyses.linearised import Linearised
from twin.analyses.singularities import Grip
from twin.analyses.task import Regions, Task
from twin.geometry.surface import Surface
from twin.meshing import VolumeMesh
from twin.quantities import Field, Location, Quantity
from twin.results.outcome import Balance, CaseOutcome, Glyph
from twin.studies import PartStudy, Request

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Span = tuple[float, float]  # of the progress bar
StudyT = TypeVar("StudyT", bound=PartStudy)


@dataclass(frozen=True)
class Discrete:
    """How far a number is from that of the mesh's own solution, relative to it.

    correction: what its adjoint says is missing; remainder: by how much that may be wrong
    """

    correction: float
    remainder: float

    @property
    def error(self) -> float:
        return abs(self.correction) + self.remainder


@dataclass(frozen=True)
class Certificate:
    """Of a field that was not solved to the end: each number, and the iterations of the field and of the adjoints."""

    numbers: Mapping[str, Discrete]
    iterations: int
    adjoint_iterations: int


@dataclass(frozen=True)
class CaseSolution:
    """A solved case.

    field: of k components at the nodes (n, k); work of the loads on it
    flux: recovered from it; balance: of what acts and what holds
    goals: the errors of numbers whose dual problems were solved; material: of the nodes (n,), None: all of one
    certificate: where it was not solved to the end
    """

    field: Floats
    work: float
    flux: Recovered
    balance: Balance
    iterations: int
    residual: float
    goals: Mapping[str, GoalError] = dataclass_field(default_factory=dict)
    material: Ints | None = None
    certificate: Certificate | None = None


class Analysis(abc.ABC, Generic[StudyT]):
    """One study of a physics.

    subject: what it is a study of; components: of the field at a node
    numbers: what is reported; asked: of those, what the accuracy speaks of where nothing is named
    severity: the number by which load cases are compared; peak: the one of the flux at its largest
    peaks: the numbers that depend on it, and that are differentiated through a mean
    """

    subject: ClassVar[str]
    components: ClassVar[int]
    numbers: ClassVar[tuple[str, ...]]
    asked: ClassVar[tuple[str, ...]]
    severity: ClassVar[str]
    peak: ClassVar[str]
    peaks: ClassVar[frozenset[str]]

    def __init__(self, study: StudyT):
        self.study = study

    @property
    @abc.abstractmethod
    def laws(self) -> Sequence[Law]:
        """The study's materials, as the solvers take them."""

    @float64
    def law_of(self, material: NDArray[np.int32] | None) -> Law:
        """Of elements (m,), by the number of each one's material; None: of all the first."""
        if material is None:
            return self.laws[0]
        return jax.tree.map(lambda *values: jnp.stack(values)[material], *self.laws)

    @abc.abstractmethod
    def check(self, surface: Surface, request: Request) -> Regions:
        """Refuse what can't be answered; else the parts of the surface that the study speaks of.

        Raises:
            twin.errors.TwinError: the sentence says what is wrong and what to do
        """

    @abc.abstractmethod
    def solve_on_mesh(
        self, task: Task, mesh: VolumeMesh, boundary: MeshBoundary, span: Span
    ) -> dict[str, CaseSolution]:
        """Solve all load cases on tetrahedra."""

    @abc.abstractmethod
    def solve_on_grid(
        self, task: Task, cells: FilledCells, boundary: ImmersedBoundary, span: Span
    ) -> dict[str, CaseSolution]:
        """Solve all load cases on a grid."""

    @abc.abstractmethod
    def linearise(
        self, mesh: VolumeMesh, boundary: MeshBoundary, case: str, found: CaseOutcome
    ) -> Linearised:
        """A load case that was solved on tetrahedra, ready to be differentiated."""

    @abc.abstractmethod
    def grips(self, regions: Regions) -> list[Grip]:
        """What holds, as far as rims go."""

    @abc.abstractmethod
    def measure(self, trust: Trust, zone: Ints, case: CaseSolution) -> Values:
        """Numbers of a case.

        zone: (n,) singular place that the points of its field and flux are near, or -1
        """

    @abc.abstractmethod
    def decisive(self, request: Request) -> dict[str, float]:
        """The measured numbers whose relative errors are to meet the accuracy, times so much."""

    @abc.abstractmethod
    def quantities(
        self, measured: Mapping[str, Quantity], case: CaseSolution, volume: Quantity, shares: Floats
    ) -> dict[str, Quantity]:
        """Everything that is reported of a case.

        Args:
            measured: what `measure` found, with errors; volume: of the elements [m^3]
            shares: of it, by material (k,)
        """

    @abc.abstractmethod
    def fields(self, field: Floats, flux: Floats, location: Location) -> dict[str, Field]:
        """The field and its flux, and what is made of them."""

    @abc.abstractmethod
    def error_fields(self, flux: Recovered) -> dict[str, Field]:
        """Where the error is, at nodes and in elements."""

    @abc.abstractmethod
    def glyphs(self, surface: Surface, regions: Regions) -> tuple[Glyph, ...]:
        """What holds and what acts, as it is drawn."""

    @abc.abstractmethod
    def assumptions(self) -> tuple[str, ...]:
        """Of the physics and the material, in sentences."""
