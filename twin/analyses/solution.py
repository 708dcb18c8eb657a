"""What is left behind on one mesh or grid."""

import abc
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from solvers.cutcell.cells import FilledCells
from twin.analyses import estimates
from twin.analyses.analysis import CaseSolution
from twin.analyses.boundary import MeshBoundary
from twin.analyses.immersed_boundary import ImmersedBoundary
from twin.meshing import VolumeMesh
from twin.meshing.volume_mesh import quality, volume
from twin.quantities import Field
from twin.results.outcome import ConvergenceRow, Ending

Floats = NDArray[np.float64]
Int32 = NDArray[np.int32]


class Discretised(abc.ABC):
    """A part cut into elements, with what a summary has to say of them."""

    @property
    @abc.abstractmethod
    def method(self) -> str:
        """How its equations are solved."""

    @property
    @abc.abstractmethod
    def boundary(self) -> MeshBoundary | ImmersedBoundary:
        """The part's surface in terms of the elements."""

    @property
    @abc.abstractmethod
    def elements(self) -> tuple[Int32, Int32]:
        """Nodes of quadratic tetrahedra (m, 10) and of hexahedra (m, 8), in VTK's order; one of them is empty."""

    @property
    @abc.abstractmethod
    def volume(self) -> float:
        """Of the elements [m^3]."""

    @property
    def shares(self) -> Floats:
        """Of the volume, by material (k,)."""
        return np.ones(1)

    @property
    def fields(self) -> dict[str, Field]:
        """What is to be told of each element."""
        return {}

    @property
    @abc.abstractmethod
    def mesher(self) -> str:
        """What made them."""

    @abc.abstractmethod
    def quality(self) -> dict[str, float]:
        """Measures of the elements."""

    @property
    @abc.abstractmethod
    def points(self) -> Floats:
        """What fields are given at (n, 3) [m]."""

    def __len__(self) -> int:
        return sum(map(len, self.elements))


@final
@dataclass(frozen=True)
class Meshed(Discretised):
    """Quadratic tetrahedra that follow the surface."""

    mesh: VolumeMesh
    on: MeshBoundary

    @property
    def method(self) -> str:
        return "quadratic tetrahedra, conjugate gradients in float64, auxiliary-grid multigrid in float32"

    @property
    def boundary(self) -> MeshBoundary:
        return self.on

    @property
    def points(self) -> Floats:
        return self.mesh.sides.points

    @property
    def elements(self) -> tuple[Int32, Int32]:
        return self.mesh.sides.tets, np.zeros((0, 8), np.int32)

    @property
    def shares(self) -> Floats:
        return self.mesh.volumes / self.mesh.volumes.sum()

    @property
    def fields(self) -> dict[str, Field]:
        if self.mesh.material is None:
            return {}
        return {"material": Field("material", self.mesh.material[:, None].astype(np.float64), "1", "cell")}

    @property
    def volume(self) -> float:
        return volume(self.mesh.points, self.mesh.tets)

    @property
    def mesher(self) -> str:
        return self.mesh.mesher

    def quality(self) -> dict[str, float]:
        shape = quality(self.mesh.points, self.mesh.tets)
        return {
            "worst_shape": float(shape.min()),
            "mean_shape": float(shape.mean()),
            "distance_from_facets": self.on.deviation,
        }


@final
@dataclass(frozen=True)
class Gridded(Discretised):
    """Cells of a grid, cut by the surface."""

    cells: FilledCells
    on: ImmersedBoundary

    @property
    def method(self) -> str:
        order = {1: "first", 2: "second"}[self.cells.element.order]
        return (
            f"hexahedra of {order} order on a grid cut by the surface, conjugate gradients in float64, multigrid in "
            "float32"
        )

    @property
    def boundary(self) -> ImmersedBoundary:
        return self.on

    @property
    def points(self) -> Floats:
        return self.on.points

    @property
    def elements(self) -> tuple[Int32, Int32]:
        return np.zeros((0, 10), np.int32), self.on.hexahedra[0].astype(np.int32)

    @property
    def volume(self) -> float:
        return self.cells.volume

    @property
    def mesher(self) -> str:
        return "none: a grid, cut by the surface"

    def quality(self) -> dict[str, float]:
        return {
            "cell_size": self.cells.lattice.edge,
            "cut_cells": float((~self.cells.whole).sum()),
            "emptiest_cell": float(self.cells.fraction.min()),
        }


@dataclass(frozen=True)
class StudySolution:
    """All cases on one mesh or grid. size: of the elements [m]; missed: share of the surface that they leave out."""

    discretised: Discretised
    cases: Mapping[str, CaseSolution]
    measured: Mapping[str, estimates.Values]
    size: float
    seconds: float
    missed: float = 0.0

    @property
    def unknowns(self) -> int:
        """Components of the field."""
        return int(next(iter(self.cases.values())).field.size)

    def row(self, severity: str, coarser: "StudySolution | None") -> ConvergenceRow:
        """How this mesh stands in the table of convergence; the worst case by the number `severity`."""
        worst = max(self.measured, key=lambda case: self.measured[case].values[severity])
        return ConvergenceRow(
            unknowns=self.unknowns,
            size=self.size,
            iterations=max(case.iterations for case in self.cases.values()),
            residual=max(case.residual for case in self.cases.values()),
            seconds=self.seconds,
            quantities=self.measured[worst].values,
            errors=self.errors(worst, coarser),
        )

    def errors(self, case: str, coarser: "StudySolution | None") -> dict[str, float]:
        """Error of each number of a case, also by its change since a coarser solution."""
        before = None if coarser is None else coarser.measured[case]
        return estimates.errors(self.measured[case], before)

    def worst_error(self, coarser: "StudySolution", decisive: Mapping[str, float]) -> float:
        """Largest relative error of the numbers named, each times its factor, over all cases."""
        worst = 0.0
        for case, fine in self.measured.items():
            for name, error in self.errors(case, coarser).items():
                if name in decisive and (scale := fine.scale(name)):
                    worst = max(worst, decisive[name] * error / scale if np.isfinite(error) else np.inf)
        return worst


@dataclass(frozen=True)
class Ladder:
    """Solutions from coarse to fine, why there is none finer, and what there is to say of them.

    chosen: why on tetrahedra or on a grid
    """

    solutions: tuple[StudySolution, ...]
    ended: Ending
    warnings: tuple[str, ...] = ()
    chosen: str = "as asked for"
