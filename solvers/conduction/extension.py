"""How the inside of a mesh follows its boundary: harmonically, each component of the motion by itself."""

import numpy as np
from jaxtyping import Float, Int

from solvers.conduction.law import fourier
from solvers.iteration import Progress
from solvers.precision import float64
from solvers.tet10 import steady

TOLERANCE = 1e-7  # relative residual: far below what a motion inside changes of any number


class HarmonicExtension:
    """Motions of the boundary's nodes, carried on to all nodes by Laplace's equation on the elements themselves."""

    def __init__(
        self,
        points: Float[np.ndarray, "n 3"],
        tets: Int[np.ndarray, "m 10"],
        boundary: Int[np.ndarray, " b"],
        progress: Progress | None = None,
    ):
        held = np.zeros((len(points), 1, 1))
        held[boundary] = 1
        self._boundary, self._progress = boundary, progress
        still = np.zeros((len(points), 1))
        self._problem = steady.prepare(points, tets, float64(fourier)(1.0), held, still)

    def __call__(self, motion: Float[np.ndarray, "b 3"]) -> Float[np.ndarray, "n 3"]:
        """Of all nodes, from that of the boundary's."""
        moved = np.zeros((self._problem.count, 3))
        moved[self._boundary] = motion
        still = np.zeros((self._problem.count, 1))
        found = [self._solve(still, moved[:, [axis]]) for axis in range(3)]
        return np.hstack(found)

    def transposed(self, gradient: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "b 3"]:
        """Derivative with respect to the boundary's nodes, from that with respect to all."""
        return np.hstack([self._onto_boundary(gradient[:, [axis]]) for axis in range(3)])

    def _onto_boundary(self, gradient: Float[np.ndarray, "n 1"]) -> Float[np.ndarray, "b 1"]:
        pull = self._solve(gradient, np.zeros_like(gradient))
        return (gradient - steady.internal_force(self._problem, pull))[self._boundary]

    def _solve(
        self, load: Float[np.ndarray, "n 1"], prescribed: Float[np.ndarray, "n 1"]
    ) -> Float[np.ndarray, "n 1"]:
        solution = steady.solve(
            self._problem, load, prescribed=prescribed, tolerance=TOLERANCE, progress=self._progress
        )
        return solution.field
