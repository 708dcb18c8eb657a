"""The auxiliary-space preconditioner: smoothing on the mesh around one V-cycle on the grids.

Xu 1996, Computing 56:215. Single precision throughout; conjugate gradients around it work in double.
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from solvers.multigrid import chebyshev, cycle
from solvers.multigrid.grid import GridHierarchy
from solvers.operator import LinearOperator, invert_blocks

DEGREE = 3


class AuxiliaryGrid(eqx.Module):
    """The preconditioner of an operator: everything in single precision."""

    operator: LinearOperator
    inverse_diagonal: Float[Array, "node 3 3"]
    top: Float[Array, ""]
    hierarchy: GridHierarchy
    smoothers: tuple[cycle.GridSmoother, ...]


def free_inverse(
    diagonal: Float[Array, "node 3 3"], free: Float[Array, "node 3 3"]
) -> Float[Array, "node 3 3"]:
    """Inverse of the diagonal blocks on the free directions, zero on the others."""
    size = jnp.trace(diagonal, axis1=1, axis2=2)[:, None, None] / 3
    held = jnp.eye(3, dtype=diagonal.dtype) - free
    restricted = free @ diagonal @ free + size * held
    return free @ invert_blocks(restricted) @ free


def auxiliary_grid(
    operator: LinearOperator,
    diagonal: Float[Array, "node 3 3"],
    free: Float[Array, "node 3 3"],
    hierarchy: GridHierarchy,
) -> AuxiliaryGrid:
    """Set up the preconditioner: diagonals and largest eigenvalues of every level."""
    inverse = free_inverse(diagonal, free).astype(jnp.float32)
    single = operator.single_precision()
    top = chebyshev.largest_eigenvalue(single.apply, inverse)
    smoothers = tuple(
        cycle.grid_smoother(grid, hierarchy.unit_stiffness)
        for grid in hierarchy.levels
        if grid.to_coarser is not None
    )
    return AuxiliaryGrid(single, inverse, top, hierarchy, smoothers)


def precondition(auxiliary: AuxiliaryGrid, residual: Float[Array, "node 3"]) -> Float[Array, "node 3"]:
    """Approximate displacement under `residual`, in the residual's precision."""
    norm = jnp.linalg.norm(residual)
    scale = jnp.where(norm > 0, norm, 1)
    force = (residual / scale).astype(jnp.float32)

    operator, hierarchy = auxiliary.operator, auxiliary.hierarchy

    def smooth(force: Float[Array, "node 3"]) -> Float[Array, "node 3"]:
        return chebyshev.smooth(operator.apply, auxiliary.inverse_diagonal, auxiliary.top, force, DEGREE)

    displacement = smooth(force)
    grid_force = hierarchy.from_mesh.restrict(
        force - operator.apply(displacement), hierarchy.levels[0].node_count
    )
    correction = hierarchy.from_mesh.prolong(cycle.v_cycle(hierarchy, auxiliary.smoothers, grid_force))
    displacement = displacement + operator.project(correction)
    displacement = displacement + smooth(force - operator.apply(displacement))
    return displacement.astype(residual.dtype) * scale
