"""Solutions of one operator so far, as a place to start from.

A new solution begins with its projection onto the earlier ones (Fischer, Computer Methods in Applied Mechanics and
Engineering 163, 1998): of right-hand sides that combine, as those of one load in many sizes and directions do, only as
many as are independent cost iterations.
"""

from typing import Final, final

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from solvers.operator import LinearOperator

MOST: Final = 12  # solutions that are kept: each is as large as the field
NEW: Final = (
    1e-4  # of the right-hand side that earlier solutions leave, from which on a solution is worth keeping
)


@final
class Earlier:
    """Of one operator, orthonormal by it. Grows with each solution that is new."""

    def __init__(self) -> None:
        self._basis: list[Float[Array, "node k"]] = []

    def start(self, right_side: Float[Array, "node k"]) -> Float[Array, "node k"] | None:
        """The nearest combination of the earlier solutions, in energy; None where there are none."""
        if not self._basis:
            return None
        start = jnp.zeros_like(right_side)
        for member in self._basis:
            start = _towards(start, member, right_side)
        return start

    def keep(self, operator: LinearOperator, solution: Float[Array, "node k"]) -> None:
        """Start from this one too; solution: what was added to `start`."""
        if len(self._basis) == MOST:
            return
        force, energy = _load(operator, solution)
        for member in self._basis:
            solution, energy = _without(member, solution, force, energy)
        if energy > 0:
            self._basis.append(_of_energy_one(solution, energy))


@eqx.filter_jit
def _towards(
    start: Float[Array, "node k"], member: Float[Array, "node k"], right_side: Float[Array, "node k"]
) -> Float[Array, "node k"]:
    return start + jnp.vdot(member, right_side) * member


# Programs of one member each: one of all would be compiled anew for each number of them.
@eqx.filter_jit
def _load(
    operator: LinearOperator, solution: Float[Array, "node k"]
) -> tuple[Float[Array, "node k"], Float[Array, ""]]:
    """What a solution is under, and its energy."""
    force = operator.apply(solution)
    return force, jnp.vdot(solution, force)


@eqx.filter_jit
def _without(
    member: Float[Array, "node k"],
    solution: Float[Array, "node k"],
    force: Float[Array, "node k"],
    energy: Float[Array, ""],
) -> tuple[Float[Array, "node k"], Float[Array, ""]]:
    """A solution and its energy without their part along a member; force: that the whole solution is under."""
    share = jnp.vdot(member, force)
    return solution - share * member, energy - share**2


@eqx.filter_jit
def _of_energy_one(solution: Float[Array, "node k"], energy: Float[Array, ""]) -> Float[Array, "node k"]:
    return solution / jnp.sqrt(energy)
