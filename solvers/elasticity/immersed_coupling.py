"""Rigid regions of a grid that the part is immersed in."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from solvers.cutcell import immersed
from solvers.cutcell.supports import Supports
from solvers.iteration import Progress, Solution


class RigidRegions:
    """Regions of the surface that move as rigid bodies under a force and a moment each.

    They are held as supports are, by bodies whose six motions are unknowns of their own.
    """

    def __init__(
        self,
        problem: immersed.ImmersedProblem,
        regions: Sequence[tuple[Supports, Float[np.ndarray, "p 3 6"]]],
        progress: Progress | None = None,
    ):
        """regions: what holds them, and the displacement of its points in the six unit motions."""
        self._problem = problem
        still = np.zeros_like(problem.cells.points)
        self._forces = [
            region.on(motions[:, :, k]).force(still) for region, motions in regions for k in range(6)
        ]
        solutions = [immersed.solve(problem, force, progress=progress) for force in self._forces]
        self.iterations = sum(solution.iterations for solution in solutions)
        self._displacements = np.array([solution.field for solution in solutions])
        stiffness = -np.array([[np.vdot(f, u) for u in self._displacements] for f in self._forces])
        for index, (region, motions) in enumerate(regions):
            rows = slice(6 * index, 6 * index + 6)
            stiffness[rows, rows] += region.energy(motions)
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
