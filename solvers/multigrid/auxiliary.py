"""The auxiliary-space preconditioner: smoothing on the mesh around one V-cycle on the grids.

Xu 1996, Computing 56:215. Single precision throughout; conjugate gradients around it work in double.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from solvers.multigrid import chebyshev
from solvers.multigrid.cycle import GridCycle
from solvers.multigrid.grid import Interpolation
from solvers.operator import ConstrainedOperator, Preconditioner, invert_blocks

DEGREE = 3


class AuxiliaryGrid(Preconditioner):
    """The preconditioner of an operator: everything in single precision.

    relative_stiffness: of the operator to that which the grids were made of
    """

    operator: ConstrainedOperator
    inverse_diagonal: Float[Array, "node k k"]
    top: Float[Array, ""]
    from_mesh: Interpolation
    grids: GridCycle
    relative_stiffness: Float[Array, ""]

    def apply(self, residual: Float[Array, "node k"]) -> Float[Array, "node k"]:
        norm = jnp.linalg.norm(residual)
        scale = jnp.where(norm > 0, norm, 1)
        force = (residual / scale).astype(jnp.float32)
        field = self._smooth(force)
        grid_force = self.from_mesh.restrict(
            force - self.operator.apply(field), self.grids.hierarchy.levels[0].node_count
        )
        correction = self.from_mesh.prolong(self.grids.cycle(grid_force) / self.relative_stiffness)
        field = field + self.operator.project(correction)
        field = field + self._smooth(force - self.operator.apply(field))
        return field.astype(residual.dtype) * scale

    def _smooth(self, force: Float[Array, "node k"]) -> Float[Array, "node k"]:
        return chebyshev.smooth(self.operator.apply, self.inverse_diagonal, self.top, force, DEGREE)


def free_inverse(
    diagonal: Float[Array, "node k k"], free: Float[Array, "node k k"]
) -> Float[Array, "node k k"]:
    """Inverse of the diagonal blocks on the free directions, zero on the others."""
    components = diagonal.shape[-1]
    size = jnp.trace(diagonal, axis1=1, axis2=2)[:, None, None] / components
    held = jnp.eye(components, dtype=diagonal.dtype) - free
    restricted = free @ diagonal @ free + size * held
    return free @ invert_blocks(restricted) @ free


def auxiliary_grid(
    operator: ConstrainedOperator,
    diagonal: Float[Array, "node k k"],
    free: Float[Array, "node k k"],
    from_mesh: Interpolation,
    grids: GridCycle,
    relative_stiffness: float | Float[Array, ""] = 1.0,
) -> AuxiliaryGrid:
    """Set up the preconditioner around grids that are set up: the diagonal's inverse and its largest eigenvalue."""
    inverse = free_inverse(diagonal, free).astype(jnp.float32)
    single = operator.single_precision()
    top = chebyshev.largest_eigenvalue(single.apply, inverse)
    relative = jnp.asarray(relative_stiffness, jnp.float32)
    return AuxiliaryGrid(single, inverse, top, from_mesh, grids, relative)
