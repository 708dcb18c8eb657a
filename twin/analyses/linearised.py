"""A solved load case, ready to be differentiated."""

import abc
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from solvers.iteration import Progress
from solvers.law import Law
from solvers.tet10 import steady
from solvers.tet10.steady import Problem
from twin.analyses.derivatives import Adjoined, BodyTerm, Objective, Term
from twin.meshing import VolumeMesh

Floats = NDArray[np.float64]


class Linearised(abc.ABC):
    """One load case of a study on tetrahedra: its equations, its field, and what acts in it.

    law: the material; field: the solution (n, k); load: nodal forces (n, k); terms: loads and supports
    weighs: whether the density is one of the numbers of the material that the physics knows
    """

    mesh: VolumeMesh
    law: Law
    field: Floats
    load: Floats
    terms: tuple[Term, ...]
    weighs: ClassVar[bool]

    @property
    @abc.abstractmethod
    def problem(self) -> Problem:
        """The equations; of use where there is an adjoint."""

    @abc.abstractmethod
    def objective(self, quantity: str, counted: NDArray[np.int32] | None = None) -> Objective:
        """A quantity of `twin.studies.gradient.DIFFERENTIABLE`.

        counted: elements (m, 10) in which the largest flux is looked for; all by default
        """

    @abc.abstractmethod
    def solve_adjoint(self, objective: Objective, progress: Progress | None = None) -> Floats:
        """K z = dJ/du where the field is free (n, k).

        Raises:
            SolveError: the iteration broke down or did not converge
        """

    @abc.abstractmethod
    def by_material(self, by_law: Law) -> dict[str, float]:
        """Derivatives with respect to the material's numbers, from those with respect to the law's."""

    def adjoined(self, objective: Objective, progress: Progress | None = None) -> Adjoined:
        """The solution with the adjoint of a quantity."""
        if objective.adjoint is not None:
            adjoint = objective.adjoint
        elif objective.by_field.any() or objective.held is not None or objective.work:
            adjoint = self.solve_adjoint(objective, progress)
        else:  # nothing that the field does
            still = np.zeros_like(self.field)
            return Adjoined(self.mesh.points, self.mesh.tets, self.field, still, still, still, objective.work)
        return Adjoined(
            self.mesh.points,
            self.mesh.tets,
            self.field,
            adjoint,
            objective.by_field - steady.internal_force(self.problem, adjoint),
            self.load - steady.internal_force(self.problem, self.field),
            objective.work,
        )

    def by_density(self, at: Adjoined) -> float:
        """Derivative with respect to the density of the part, through the loads."""
        return sum(term.by_density(at) for term in self.terms if isinstance(term, BodyTerm))
