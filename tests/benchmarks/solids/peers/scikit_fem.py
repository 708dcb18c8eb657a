"""scikit-fem: its own weak form and assembly; then PARDISO's Cholesky factors or PyAMG with rigid body modes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray
from skfem import Basis, BilinearForm, ElementTetP2, ElementVector, MeshTet2, condense
from skfem.models.elasticity import lame_parameters, linear_elasticity

from tests.benchmarks.solids.case import (
    POISSONS_RATIO,
    VOIGT,
    YOUNGS_MODULUS,
    Answer,
    Case,
    Floats,
    average_at_nodes,
    von_mises,
)

TOLERANCE = 1e-8
SPD = 2  # PARDISO's matrix type: real, symmetric, positive definite

Solver = Callable[[Any, Floats, Floats, dict[str, float]], tuple[Floats, int | None]]


def pardiso(
    matrix: Any, right_side: Floats, points: Floats, seconds: dict[str, float]
) -> tuple[Floats, None]:
    """Factorise the upper triangle and solve."""
    from pypardiso import PyPardisoSolver

    begun = time.perf_counter()
    solver = PyPardisoSolver(mtype=SPD)
    upper = sparse.csr_matrix(sparse.triu(matrix, format="csr"))
    solver.factorize(upper)
    ready = time.perf_counter()
    solution = solver.solve(upper, right_side)
    seconds |= {"setup": ready - begun, "solve": time.perf_counter() - ready}
    solver.free_memory(everything=True)
    return solution, None


def pyamg(matrix: Any, right_side: Floats, points: Floats, seconds: dict[str, float]) -> tuple[Floats, int]:
    """Smoothed aggregation with rigid body modes, conjugate gradients.

    Of seven settings tried (smoothers Jacobi and energy of degree 1 and 2, thresholds 0 and 0.08, Gauss-Seidel and
    Chebyshev relaxation) these need the fewest iterations and no setting was faster.
    """
    from pyamg import smoothed_aggregation_solver

    begun = time.perf_counter()
    x, y, z = (points - points.mean(0)).T
    modes = np.zeros((len(points), 3, 6))
    modes[:, :, :3] = np.eye(3)
    modes[:, 0, 3], modes[:, 1, 3] = -y, x
    modes[:, 1, 4], modes[:, 2, 4] = -z, y
    modes[:, 0, 5], modes[:, 2, 5] = z, -x
    blocks = matrix.tobsr((3, 3))
    hierarchy = smoothed_aggregation_solver(
        blocks,
        B=modes.reshape(-1, 6),
        smooth=("energy", {"degree": 2}),
        strength=("symmetric", {"theta": 0.0}),
    )
    ready = time.perf_counter()
    residuals: list[float] = []
    solution = hierarchy.solve(right_side, tol=TOLERANCE, accel="cg", maxiter=1000, residuals=residuals)
    seconds |= {"setup": ready - begun, "solve": time.perf_counter() - ready}
    return solution, len(residuals) - 1


SOLVERS: dict[str, Solver] = {"pardiso": pardiso, "pyamg": pyamg}


FIRST, SHEAR = lame_parameters(YOUNGS_MODULUS, POISSONS_RATIO)


def quadratic_mesh(case: Case) -> MeshTet2:
    """The case's mesh, curved elements included."""
    return MeshTet2(np.ascontiguousarray(case.points.T), np.ascontiguousarray(case.tets.T))


def assemble(case: Case, mesh: MeshTet2) -> tuple[Any, Floats]:
    """Stiffness and force on the free components, node by node in the case's order: PyAMG wants blocks of a node."""
    basis = Basis(mesh, ElementVector(ElementTetP2()), intorder=2)
    dofs = _dofs(basis, case)
    form = BilinearForm(linear_elasticity(FIRST, SHEAR).form, nthreads=os.cpu_count() or 1)
    load = np.zeros(basis.N)
    load[dofs] = case.force
    matrix, right_side, *_ = condense(form.assemble(basis), load, I=dofs[~case.fixed].ravel())
    return matrix, right_side


def nodal_stress(case: Case, mesh: MeshTet2, displacement: Floats) -> Floats:
    """Stress at the nodes of each element, averaged: (n, 6) [Pa]."""
    element = ElementTetP2()
    basis = Basis(mesh, element, quadrature=(element.doflocs.T, np.full(10, 1 / 60)))
    dofs = _dofs(basis, case)[:, 0]
    gradient = []
    for component in displacement.T:
        field = np.zeros(basis.N)
        field[dofs] = component
        gradient.append(np.asarray(basis.interpolate(field).grad))
    slope = np.stack(gradient)  # (i, j, element, node)
    pressure = FIRST * np.trace(slope)
    stress = [SHEAR * (slope[i, j] + slope[j, i]) + (i == j) * pressure for i, j in VOIGT]
    return average_at_nodes(case.tets, np.stack(stress, axis=-1), len(case.points))


def run(cases: Sequence[Case], method: str) -> list[Answer]:
    """Assemble, solve by `method`, differentiate."""
    case = cases[0]
    begun = time.perf_counter()
    mesh = quadratic_mesh(case)
    matrix, right_side = assemble(case, mesh)
    seconds = {"assemble": time.perf_counter() - begun}
    solution, iterations = SOLVERS[method](matrix, right_side, case.points[~case.fixed], seconds)
    residual = float(np.linalg.norm(matrix @ solution - right_side) / np.linalg.norm(right_side))

    begun = time.perf_counter()
    displacement = np.zeros_like(case.points)
    displacement[~case.fixed] = solution.reshape(-1, 3)
    stress = nodal_stress(case, mesh, displacement)
    seconds["stress"] = time.perf_counter() - begun
    return [Answer("", seconds, displacement, von_mises(stress), iterations, residual)]


def _dofs(basis: Any, case: Case) -> NDArray[np.int64]:
    """Number of each node's three components: (n, 3). scikit-fem orders the edges of an element as VTK does."""
    local = basis.element_dofs.reshape(10, -1, len(case.tets))
    dofs = np.zeros((len(case.points), local.shape[1]), np.int64)
    for node in range(10):
        dofs[case.tets[:, node]] = local[node].T
    return dofs
