"""Mean force on the body over a stretch of time, for reverse-mode differentiation.

Reverse mode needs the states of all steps, in reverse order. They are computed anew from states that are kept every so
often, and of those from some kept more seldom: of n steps memory holds about two roots of n states, and each step is
made three times (Griewank & Walther 2000, ACM Trans. Math. Softw. 26:19, for two levels of equal length).

Where the flow is steady or periodic the gradient settles as time gets longer. In chaotic flow it grows without bound,
exponentially, though the mean itself has a slope (Lea, Allen & Haine 2000, Tellus A 52:523): there is none here for
turbulent flow, and of others that are not steady it means what it says only over some passages of the body.
"""

import math
from collections.abc import Callable
from typing import TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from solvers.lattice_boltzmann import flow, refinement
from solvers.lattice_boltzmann.refinement import Coupling, States
from solvers.lattice_boltzmann.scheme import Conditions, Scheme

Carried = TypeVar("Carried")


def mean_force(
    schemes: tuple[Scheme, ...],
    given: tuple[Conditions, ...],
    couplings: tuple[Coupling, ...],
    states: States,
    steps: int,
) -> Float[Array, "3"]:
    """Mean force on the body in so many steps from some states on, in units of the innermost box.

    Arguments as of `refinement.advance`: boxes outermost first, or one box and no coupling; steps of the outermost one,
    before each of which the force is looked at. To be differentiated by `given` (inflow, viscosity, walls' distances
    and velocities, ...) and by `states`; the distances of links keep their signs, and what is solid stays so: a wall
    may move until it meets the next cell.

    Raises:
        ValueError: the flow is turbulent, or fewer than one step is asked for
    """
    if any(scheme.turbulent for scheme in schemes):
        raise ValueError("the mean of a turbulent flow has no gradient by way of its steps, which grow apart")
    if steps < 1:
        raise ValueError(f"a mean is of one step at least, not of {steps}")
    step = refinement.step_of(schemes, given, couplings)

    def one(carried: tuple[States, Array]) -> tuple[States, Array]:
        states, total = carried
        total = total + flow.exchanged(schemes[-1], given[-1], states[-1]).sum(axis=1)
        return step(0, states), total  # without turbulence steps are all alike

    _, total = _repeated(one, (states, jnp.zeros(3, jnp.float32)), steps)
    return total / steps


@eqx.filter_jit
def force_gradient(
    schemes: tuple[Scheme, ...],
    given: tuple[Conditions, ...],
    couplings: tuple[Coupling, ...],
    states: States,
    steps: int,
    weights: Float[Array, "3"],
) -> tuple[Float[Array, ""], tuple[Conditions, ...]]:
    """A component of the mean force, and how it changes with all numbers of the conditions, the states being given.

    weights: of x, y, z; others as of `mean_force`
    """

    def component(given: tuple[Conditions, ...]) -> Float[Array, ""]:
        return mean_force(schemes, given, couplings, states, steps) @ weights

    found: tuple[Float[Array, ""], tuple[Conditions, ...]] = eqx.filter_value_and_grad(component)(given)
    return found


def _repeated(function: Callable[[Carried], Carried], begun: Carried, count: int) -> Carried:
    """So many applications, of which memory keeps about the root while they are differentiated."""
    stretch = math.isqrt(count)

    def several(carried: Carried, length: int) -> Carried:
        one = jax.checkpoint(lambda each, _: (function(each), None))
        return lax.scan(one, carried, length=length)[0]

    whole = jax.checkpoint(lambda each, _: (several(each, stretch), None))
    carried, _ = lax.scan(whole, begun, length=count // stretch)
    return several(carried, count % stretch)
