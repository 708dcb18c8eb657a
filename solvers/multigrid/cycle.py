"""One V-cycle on the grids, or one that repeats itself from each level down."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from solvers.multigrid import chebyshev
from solvers.multigrid.bricks import add_diagonal, add_force
from solvers.multigrid.grid import Grid, GridHierarchy
from solvers.operator import Preconditioner, invert_blocks

DEGREE = 3
MOST_CONDITION = 4.0  # that one cycle may leave; solid parts have 1.2 to 2.5
# With three repeats on every level the spectrum is like that on all of them (0.10 to 1.08 on walls of a fiftieth of
# the part and a cylinder of a hundredth), and an error falls to a third.
REPEATS, SPECTRUM = 3, (0.1, 1.2)


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
    """A V-cycle, in single precision; where `thin`, one that repeats the cycle from each level down.

    condition: of the operator with the V-cycle from the second level down, 1 where that is the coarsest
    """

    hierarchy: GridHierarchy
    smoothers: tuple[GridSmoother, ...]
    condition: Float[Array, ""]
    thin: bool = eqx.field(static=True, default=False)

    def apply(self, residual: Float[Array, "node k"]) -> Float[Array, "node k"]:
        norm = jnp.linalg.norm(residual)
        scale = jnp.where(norm > 0, norm, 1)
        return self.once((residual / scale).astype(jnp.float32), 0).astype(residual.dtype) * scale

    def cycle(self, force: Float[Array, "node k"], level: int = 0) -> Float[Array, "node k"]:
        """Approximate solution of a level under `force`."""
        if self.hierarchy.levels[level].to_coarser is None:
            return (self.hierarchy.coarsest_inverse @ force.reshape(-1)).reshape(force.shape)
        if not self.thin:
            return self.once(force, level)

        def apply(x: Float[Array, "node k"]) -> Float[Array, "node k"]:
            return apply_grid(self.hierarchy.levels[level], self.hierarchy.unit_stiffness, x)

        def precondition(x: Float[Array, "node k"]) -> Float[Array, "node k"]:
            return self.once(x, level)

        return chebyshev.solve(apply, precondition, SPECTRUM, force, REPEATS)

    def once(self, force: Float[Array, "node k"], level: int) -> Float[Array, "node k"]:
        """One cycle from a level that has a coarser one."""
        grid, unit_stiffness = self.hierarchy.levels[level], self.hierarchy.unit_stiffness
        assert grid.to_coarser is not None
        smoother = self.smoothers[level]

        def apply(x: Float[Array, "node k"]) -> Float[Array, "node k"]:
            return apply_grid(grid, unit_stiffness, x)

        def smooth(residual: Float[Array, "node k"]) -> Float[Array, "node k"]:
            return chebyshev.smooth(apply, smoother.inverse_diagonal, smoother.top, residual, DEGREE)

        field = smooth(force)
        coarse_force = grid.to_coarser.restrict(force - apply(field))
        field = field + grid.to_coarser.prolong(self.cycle(coarse_force, level + 1))
        return field + smooth(force - apply(field))

    def spectrum(self, level: int) -> tuple[Float[Array, ""], Float[Array, ""]]:
        """Ends of the spectrum of a level's operator with one cycle."""
        grid = self.hierarchy.levels[level]
        used = self.smoothers[level].inverse_diagonal.any(axis=2)
        noise = jax.random.normal(jax.random.key(1), used.shape, jnp.float32)

        def apply(x: Float[Array, "node k"]) -> Float[Array, "node k"]:
            return apply_grid(grid, self.hierarchy.unit_stiffness, x)

        # what the operator makes of noise is even over the spectrum of the cycle
        start = apply(self.once(jnp.where(used, noise, 0), level))
        return chebyshev.spectrum(apply, lambda x: self.once(x, level), start / jnp.linalg.norm(start))


def grid_cycle(hierarchy: GridHierarchy) -> GridCycle:
    """Set up the smoothers of all levels."""
    smoothers = tuple(
        grid_smoother(grid, hierarchy.unit_stiffness)
        for grid in hierarchy.levels
        if grid.to_coarser is not None
    )
    plain = GridCycle(hierarchy, smoothers, jnp.ones((), jnp.float32))
    if len(smoothers) < 2:
        return plain
    lowest, highest = plain.spectrum(1)
    # in single precision the lowest one of very thin parts may come out at zero or below
    return eqx.tree_at(lambda cycle: cycle.condition, plain, highest / jnp.maximum(lowest, 1e-3 * highest))


def strengthened(plain: GridCycle) -> GridCycle:
    """The cycle that a part needs: where walls are thinner than coarse cells, bending hides from those, and each level
    has to make up for what the coarser ones leave.
    """
    if float(plain.condition) <= MOST_CONDITION:
        return plain
    thin = GridCycle(plain.hierarchy, plain.smoothers, plain.condition, thin=True)
    # where single precision does not tell the bending of very thin walls from nothing, repeating makes it worse
    lowest, highest = (float(end) for end in _ends(thin))
    return thin if lowest > 0 and highest < SPECTRUM[1] + SPECTRUM[0] else plain


@eqx.filter_jit
def _ends(cycle: GridCycle) -> tuple[Float[Array, ""], Float[Array, ""]]:
    return cycle.spectrum(0)
