"""JAX-FEM in an environment of its own: it is GPL, so nothing of ours imports or installs it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax_fem import logger
from jax_fem.generate_mesh import Mesh
from jax_fem.problem import Problem
from jax_fem.solver import solver
from petsc4py import PETSc

from tests.benchmarks.solids.case import (
    POISSONS_RATIO,
    VOIGT,
    YOUNGS_MODULUS,
    Answer,
    Case,
    average_at_nodes,
    von_mises,
)

TOLERANCE = 1e-9  # of PETSc, which looks at the preconditioned residual; Newton's own is 1e-8


class Elasticity(Problem):  # type: ignore[misc]
    """Linear elasticity with nodal forces."""

    def custom_init(self, force: Any) -> None:
        self.force = force

    def get_tensor_map(self) -> Any:
        shear = YOUNGS_MODULUS / (2 * (1 + POISSONS_RATIO))
        first = YOUNGS_MODULUS * POISSONS_RATIO / ((1 + POISSONS_RATIO) * (1 - 2 * POISSONS_RATIO))

        def stress(gradient: Any) -> Any:
            return shear * (gradient + gradient.T) + first * jnp.trace(gradient) * jnp.eye(3)

        return stress

    def compute_residual_vars_helper(self, *flat: Any) -> list[Any]:
        return [super().compute_residual_vars_helper(*flat)[0] - self.force]


def run(cases: Sequence[Case], method: str) -> list[Answer]:
    """Assemble and solve by its Newton loop, one step; stress at the Gauss points averaged over nodes."""
    logger.setLevel("WARNING")
    krylov, preconditioner = method.split("-")
    PETSc.Options()["ksp_rtol"] = TOLERANCE
    case = cases[0]
    begun = time.perf_counter()
    fixed = jnp.asarray(case.fixed)

    def held(point: Any, index: Any) -> Any:
        return fixed[index]

    problem = Elasticity(
        Mesh(case.points, case.tets, ele_type="TET10"),
        vec=3,
        dim=3,
        ele_type="TET10",
        dirichlet_bc_info=[[held] * 3, [0, 1, 2], [lambda point: 0.0] * 3],
        additional_info=(jnp.asarray(case.force),),
    )
    ready = time.perf_counter()
    options = {"petsc_solver": {"ksp_type": krylov, "pc_type": preconditioner}}
    displacement = np.asarray(solver(problem, options)[0])
    solved = time.perf_counter()
    gradient = problem.fes[0].sol_to_grad(jnp.asarray(displacement))
    stress = np.asarray(jax.vmap(jax.vmap(problem.get_tensor_map()))(gradient))
    at_gauss = np.stack([stress[..., i, j] for i, j in VOIGT], axis=-1).mean(1, keepdims=True)
    nodal = average_at_nodes(case.tets, np.repeat(at_gauss, 10, axis=1), len(case.points))
    seconds = {"assemble": ready - begun, "solve": solved - ready, "stress": time.perf_counter() - solved}
    return [Answer("", seconds, displacement, von_mises(nodal))]
