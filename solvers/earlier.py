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
        member, size = _orthonormal(operator, solution, tuple(self._basis))
        if size > 0:
            self._basis.append(member)


@eqx.filter_jit
def _towards(
    start: Float[Array, "node k"], member: Float[Array, "node k"], right_side: Float[Array, "node k"]
) -> Float[Array, "node k"]:
    return start + jnp.vdot(member, right_side) * member


@eqx.filter_jit
def _orthonormal(
    operator: LinearOperator, solution: Float[Array, "node k"], basis: tuple[Float[Array, "node k"], ...]
) -> tuple[Float[Array, "node k"], Float[Array, ""]]:
    """The solution without its part along the basis, of energy one; and its energy."""
    force = operator.apply(solution)
    energy = jnp.vdot(solution, force)
    for member in basis:
        share = jnp.vdot(member, force)
        solution, energy = solution - share * member, energy - share**2
    return solution / jnp.sqrt(jnp.where(energy > 0, energy, 1.0)), energy
