"""Rigid regions of a grid that the part is immersed in."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from solvers.hex8 import immersed
from solvers.iteration import Progress, Solution
from solvers.quadrature import FacetQuadrature


class RigidRegions:
    """Regions of the surface that move as rigid bodies under a force and a moment each.

    They hang on stiff springs as supports do, from bodies whose six motions are unknowns of their own.
    """

    def __init__(
        self,
        problem: immersed.ImmersedProblem,
        regions: Sequence[tuple[FacetQuadrature, Float[np.ndarray, "p 3 3"], Float[np.ndarray, "p 3 6"]]],
        progress: Progress | None = None,
    ):
        """regions: points, springs per area [N/m^3], and displacement of the points in the six unit motions."""
        self._problem = problem
        count = len(problem.points)
        self._forces = [
            immersed.spring_force(where, springs, motions[:, :, k], count)
            for where, springs, motions in regions
            for k in range(6)
        ]
        solutions = [immersed.solve(problem, force, progress=progress) for force in self._forces]
        self.iterations = sum(solution.iterations for solution in solutions)
        self._displacements = np.array([solution.field for solution in solutions])
        stiffness = -np.array([[np.vdot(f, u) for u in self._displacements] for f in self._forces])
        for region, (where, springs, motions) in enumerate(regions):
            rows = slice(6 * region, 6 * region + 6)
            stiffness[rows, rows] += np.einsum("p,pik,pij,pjl->kl", where.weight, motions, springs, motions)
        self._stiffness = (stiffness + stiffness.T) / 2

    def solve(
        self,
        load: Float[np.ndarray, "n 3"],
        resultants: Float[np.ndarray, " k"],
        progress: Progress | None = None,
    ) -> tuple[Solution, float]:
        """Displacement under nodal forces [N] and the regions' forces [N] and moments [N m]; also their work [J]."""
        first = immersed.solve(self._problem, load, progress=progress)
        carried = np.array([np.vdot(force, first.field) for force in self._forces])
        motion = np.linalg.solve(self._stiffness, resultants + carried)
        displacement = first.field + np.einsum("k,kni->ni", motion, self._displacements)
        return Solution(displacement, first.iterations, first.residual), float(resultants @ motion)
