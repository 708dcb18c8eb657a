"""One V-cycle on the grids."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from solvers.multigrid import chebyshev
from solvers.multigrid.bricks import add_diagonal, add_force
from solvers.multigrid.grid import Grid, GridHierarchy
from solvers.operator import Preconditioner, invert_blocks

DEGREE = 3


class GridSmoother(eqx.Module):
    """Inverse diagonal blocks of a level and the largest eigenvalue that they leave."""

    inverse_diagonal: Float[Array, "node k k"]
    top: Float[Array, ""]


def apply_grid(
    grid: Grid, unit_stiffness: Float[Array, "rows rows"], field: Float[Array, "node k"]
) -> Float[Array, "node k"]:
    """Stiffness of the cells of a level."""
    force = jnp.zeros_like(field)
    if grid.bricks is not None:
        force = add_force(grid.bricks, unit_stiffness, field, force)
    local = jnp.einsum(
        "cij,cj->ci", grid.stiffness, field[grid.stiff_cells].reshape(len(grid.stiff_cells), -1)
    )
    return force.at[grid.stiff_cells].add(local.reshape(-1, 8, field.shape[-1]))


def grid_smoother(grid: Grid, unit_stiffness: Float[Array, "rows rows"]) -> GridSmoother:
    """Set up the smoother of a level."""
    components = len(unit_stiffness) // 8
    own = jnp.einsum("caiaj->caij", grid.stiffness.reshape(-1, 8, components, 8, components))
    diagonal = (
        jnp.zeros((grid.node_count, components, components), unit_stiffness.dtype)
        .at[grid.stiff_cells]
        .add(own)
    )
    if grid.bricks is not None:
        diagonal = add_diagonal(grid.bricks, unit_stiffness, diagonal)
    inverse = invert_blocks(diagonal)
    top = chebyshev.largest_eigenvalue(lambda x: apply_grid(grid, unit_stiffness, x), inverse)
    return GridSmoother(inverse, top)


class GridCycle(Preconditioner):
    """A V-cycle, in single precision."""

    hierarchy: GridHierarchy
    smoothers: tuple[GridSmoother, ...]

    def apply(self, residual: Float[Array, "node k"]) -> Float[Array, "node k"]:
        norm = jnp.linalg.norm(residual)
        scale = jnp.where(norm > 0, norm, 1)
        return self.cycle((residual / scale).astype(jnp.float32)).astype(residual.dtype) * scale

    def cycle(self, force: Float[Array, "node k"], level: int = 0) -> Float[Array, "node k"]:
        """Approximate solution of a level under `force`."""
        grid, unit_stiffness = self.hierarchy.levels[level], self.hierarchy.unit_stiffness
        if grid.to_coarser is None:
            return (self.hierarchy.coarsest_inverse @ force.reshape(-1)).reshape(force.shape)
        smoother = self.smoothers[level]

        def apply(x: Float[Array, "node k"]) -> Float[Array, "node k"]:
            return apply_grid(grid, unit_stiffness, x)

        def smooth(residual: Float[Array, "node k"]) -> Float[Array, "node k"]:
            return chebyshev.smooth(apply, smoother.inverse_diagonal, smoother.top, residual, DEGREE)

        field = smooth(force)
        coarse_force = grid.to_coarser.restrict(force - apply(field))
        field = field + grid.to_coarser.prolong(self.cycle(coarse_force, level + 1))
        return field + smooth(force - apply(field))


def grid_cycle(hierarchy: GridHierarchy) -> GridCycle:
    """Set up the smoothers of all levels."""
    return GridCycle(
        hierarchy,
        tuple(
            grid_smoother(grid, hierarchy.unit_stiffness)
            for grid in hierarchy.levels
            if grid.to_coarser is not None
        ),
    )
