"""Collision: what is conserved stays, the rest relaxes towards equilibrium.

Populations are kept as what they are above those of a fluid of density one at rest: small numbers, whose float32 then
holds the pressure of slow flow. Recursive regularisation: Malaspinas 2015, arXiv:1505.06900; Coreixas et al. 2017,
Phys. Rev. E 96:033306.
"""

from itertools import combinations
from typing import NamedTuple

from jaxtyping import Array, Float

from solvers.lattice_boltzmann.velocities import SOUND_SPEED_SQUARED, Exponents, Field, VelocitySet

Populations = tuple[Float[Array, "..."], ...]
Vector = tuple[Field, Field, Field]

PAIRS: tuple[tuple[int, int], ...] = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))


class Moments(NamedTuple):
    """All that regularised populations depend on, in lattice units.

    density: above one; stress: non-equilibrium part of the second moments, xx, yy, zz, xy, xz, yz
    """

    density: Field
    velocity: Vector
    stress: tuple[Field, ...]


def moments(velocities: VelocitySet, populations: Populations) -> Moments:
    """Of populations, without a force."""
    density = velocities.raw_moment(populations, (0, 0, 0))
    momentum = [velocities.raw_moment(populations, _power((axis,))) for axis in range(3)]
    volume = 1 / (1 + density)
    x, y, z = (of_axis * volume for of_axis in momentum)
    u = (x, y, z)
    stress = []
    for a, b in PAIRS:
        second = velocities.raw_moment(populations, _power((a, b))) - momentum[a] * u[b]
        stress.append(second - SOUND_SPEED_SQUARED * density if a == b else second)
    return Moments(density, u, tuple(stress))


def regularised(velocities: VelocitySet, of: Moments) -> Populations:
    """Populations with these moments, whose higher ones are what velocity and stress imply."""
    return velocities.from_hermite(hermite(velocities, of))


def hermite(velocities: VelocitySet, of: Moments) -> dict[Exponents, Field]:
    """Hermite moments of regularised populations."""
    mass = 1 + of.density
    stress = dict(zip(PAIRS, of.stress, strict=True))
    found: dict[Exponents, Field] = {}
    for exponents in velocities.exponents:
        axes = [axis for axis in range(3) for _ in range(exponents[axis])]
        if not axes:
            found[exponents] = of.density
            continue
        value = mass * _product(of.velocity, axes)
        for one, other in combinations(range(len(axes)), 2):
            pair = stress[min(axes[one], axes[other]), max(axes[one], axes[other])]
            rest = [axis for place, axis in enumerate(axes) if place not in (one, other)]
            value = value + (pair * _product(of.velocity, rest) if rest else pair)
        found[exponents] = value
    if velocities.most < 3:
        # Without corners H_2(c_x) H_2(c_y) is not orthogonal to H_2(c_z). What is left of it when it is made so has the
        # moment that was found; with any other one sound grows.
        for exponents in found:
            if sum(exponents) == 4:
                third = [0 if power else 2 for power in exponents]
                found[exponents] = found[exponents] - found[third[0], third[1], third[2]] / 6
    return found


def equilibrium(velocities: VelocitySet, density: Field, velocity: Vector) -> Populations:
    """Of a fluid of a density, above one, and a velocity."""
    zero = 0 * density
    return regularised(velocities, Moments(density, velocity, (zero,) * 6))


def two_relaxation_times(
    velocities: VelocitySet, populations: Populations, even: Field | float, odd: Field | float, force: Vector
) -> Populations:
    """Populations relaxed, those that are even in the velocity at one rate and those that are odd at another.

    force: on a unit of volume. With (1/even - 1/2)(1/odd - 1/2) = 3/16 a wall halfway between cells is where it should
    be for a parabolic profile. Ginzburg et al. 2008, Commun. Comput. Phys. 3:427.
    """
    found = moments(velocities, populations)
    volume = 1 / (1 + found.density)
    halfway = [u + 0.5 * f * volume for u, f in zip(found.velocity, force, strict=True)]
    rest = equilibrium(velocities, found.density, (halfway[0], halfway[1], halfway[2]))
    relaxed = []
    for i, opposite in enumerate(velocities.opposite):
        one, other = populations[i] - rest[i], populations[opposite] - rest[opposite]
        push = sum(c * f for c, f in zip(velocities.directions[i], force, strict=True) if c)
        source = 3 * velocities.weights[i] * (1 - 0.5 * odd) * push
        relaxed.append(populations[i] - 0.5 * (even * (one + other) + odd * (one - other)) + source)
    return tuple(relaxed)


def _power(axes: tuple[int, ...]) -> Exponents:
    return axes.count(0), axes.count(1), axes.count(2)


def _product(velocity: Vector, axes: list[int]) -> Field:
    value = velocity[axes[0]]
    for axis in axes[1:]:
        value = value * velocity[axis]
    return value
