"""How the force on the body changes with the conditions of the flow, by reverse-mode differentiation.

Of a mean over a stretch of time reverse mode needs the states of all steps, in reverse order. They are computed anew
from states that are kept every so often, and of those from some kept more seldom: of n steps memory holds about two
roots of n states, and each step is made three times (Griewank & Walther 2000, ACM Trans. Math. Softw. 26:19, for two
levels of equal length). Of a steady flow all states are one, and the adjoint goes back from it until it changes no
more, like the flow itself went on (Christianson 1994, Optim. Methods Softw. 3:311).

Where the flow is steady or periodic the gradient settles as time gets longer. In chaotic flow it grows without bound,
exponentially, though the mean itself has a slope (Lea, Allen & Haine 2000, Tellus A 52:523): there is none here for
turbulent flow, and of others that are not steady it means what it says only over some passages of the body.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from solvers.lattice_boltzmann import flow, refinement
from solvers.lattice_boltzmann.collision import Populations
from solvers.lattice_boltzmann.refinement import Coupling, States
from solvers.lattice_boltzmann.scheme import Conditions, Scheme, State

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
    _refuse_turbulence(schemes)
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


@dataclass(frozen=True, eq=False)
class SteadyGradient:
    """value: a component of the force; by: how it changes with the conditions of each box, for as long as it takes

    change: the larger one of the derivative by the inflow along x in the last two stretches, of its size; steps: that
    the adjoint went back
    """

    value: float
    by: tuple[Conditions, ...]
    change: float
    steps: int


def steady_gradient(
    schemes: tuple[Scheme, ...],
    given: tuple[Conditions, ...],
    couplings: tuple[Coupling, ...],
    states: States,
    weights: Float[Array, "3"],
    stretch: int,
    most: int,
    tolerance: float,
    tell: Callable[[int, float], bool],
) -> SteadyGradient:
    """Of a component of the force on the body in a steady flow, once that has answered to the change for ever.

    Arguments as of `mean_force` and `force_gradient`. stretch: steps of the outermost box until the next look at the
    derivative by the inflow along x, which ends it where it changes by less than the tolerance twice; most: stretches
    tell: hears how many there were, and the last change; it says whether to go on

    Raises:
        ValueError: the flow is turbulent
    """
    _refuse_turbulence(schemes)
    lattices = tuple(state.populations for state in states)
    value, adjoint = _pull(schemes, given, lattices, weights)
    last, change, before, count = 0.0, math.inf, math.inf, 0
    while count < most and max(change, before) > tolerance and (not count or tell(count, change)):
        adjoint = _further(schemes, given, couplings, lattices, weights, adjoint, stretch)
        by = _by_conditions(schemes, given, couplings, lattices, weights, adjoint)
        slope = float(by[0].inflow[0].sum())
        change, before = abs(slope - last) / max(abs(slope), 1e-30), change
        last, count = slope, count + 1
    return SteadyGradient(float(value), by, max(change, before), count * stretch)


Lattices = tuple[Populations, ...]


def _after(
    schemes: tuple[Scheme, ...],
    given: tuple[Conditions, ...],
    couplings: tuple[Coupling, ...],
    lattices: Lattices,
) -> Lattices:
    """A step of the outermost box later, without turbulence."""
    states = refinement.step_of(schemes, given, couplings)(0, _states(schemes, given, lattices))
    return tuple(state.populations for state in states)


def _component(
    schemes: tuple[Scheme, ...], given: tuple[Conditions, ...], lattices: Lattices, weights: Float[Array, "3"]
) -> Float[Array, ""]:
    return flow.exchanged(schemes[-1], given[-1], _states(schemes, given, lattices)[-1]).sum(axis=1) @ weights


def _states(schemes: tuple[Scheme, ...], given: tuple[Conditions, ...], lattices: Lattices) -> States:
    return tuple(
        State(populations, of.absorbed(scheme.grid.coordinates), of.walls.moving)
        for scheme, of, populations in zip(schemes, given, lattices, strict=True)
    )


@eqx.filter_jit
def _pull(
    schemes: tuple[Scheme, ...],
    given: tuple[Conditions, ...],
    lattices: Lattices,
    weights: Float[Array, "3"],
) -> tuple[Float[Array, ""], Lattices]:
    """A component of the force, and how it changes with the populations now."""
    return jax.value_and_grad(lambda lattices: _component(schemes, given, lattices, weights))(lattices)


@eqx.filter_jit
def _further(
    schemes: tuple[Scheme, ...],
    given: tuple[Conditions, ...],
    couplings: tuple[Coupling, ...],
    lattices: Lattices,
    weights: Float[Array, "3"],
    adjoint: Lattices,
    steps: int,
) -> Lattices:
    """The adjoint so many steps further back."""
    _, source = _pull(schemes, given, lattices, weights)
    _, back = jax.vjp(lambda lattices: _after(schemes, given, couplings, lattices), lattices)
    return lax.fori_loop(0, steps, lambda _, later: jax.tree.map(jnp.add, source, back(later)[0]), adjoint)


@eqx.filter_jit
def _by_conditions(
    schemes: tuple[Scheme, ...],
    given: tuple[Conditions, ...],
    couplings: tuple[Coupling, ...],
    lattices: Lattices,
    weights: Float[Array, "3"],
    adjoint: Lattices,
) -> tuple[Conditions, ...]:
    def lagrangian(given: tuple[Conditions, ...]) -> Float[Array, ""]:
        after = jax.tree.leaves(_after(schemes, given, couplings, lattices))
        worth = [jnp.vdot(one, other) for one, other in zip(jax.tree.leaves(adjoint), after, strict=True)]
        return _component(schemes, given, lattices, weights) + sum(worth)

    found: tuple[Conditions, ...] = eqx.filter_grad(lagrangian)(given)
    return found


def _refuse_turbulence(schemes: tuple[Scheme, ...]) -> None:
    if any(scheme.turbulent for scheme in schemes):
        raise ValueError("the mean of a turbulent flow has no gradient by way of its steps, which grow apart")


def _repeated(function: Callable[[Carried], Carried], begun: Carried, count: int) -> Carried:
    """So many applications, of which memory keeps about the root while they are differentiated."""
    stretch = math.isqrt(count)

    def several(carried: Carried, length: int) -> Carried:
        one = jax.checkpoint(lambda each, _: (function(each), None))
        return lax.scan(one, carried, length=length)[0]

    whole = jax.checkpoint(lambda each, _: (several(each, stretch), None))
    carried, _ = lax.scan(whole, begun, length=count // stretch)
    return several(carried, count % stretch)
