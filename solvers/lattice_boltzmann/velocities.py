"""Sets of discrete velocities, and populations as sums over their moments."""

from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Final

from jaxtyping import Array, Float

Exponents = tuple[int, int, int]
Field = Float[Array, "..."]

SOUND_SPEED_SQUARED: Final = 1 / 3
_WEIGHT: Final = {0: 2 / 3, 1: 1 / 6}  # of a component of a velocity, by its size


@dataclass(frozen=True)
class VelocitySet:
    """Velocities of a lattice, in cells a time step. most: components of a velocity that may differ from zero.

    Both sets are the velocities with components -1, 0 and 1: all of them (most = 3), or those without the corners.
    """

    most: int

    @cached_property
    def directions(self) -> tuple[tuple[int, int, int], ...]:
        """Rest first."""
        every = [
            (x, y, z) for x, y, z in product((-1, 0, 1), repeat=3) if abs(x) + abs(y) + abs(z) <= self.most
        ]
        return tuple(sorted(every, key=lambda c: (sum(map(abs, c)), c)))

    @cached_property
    def weights(self) -> tuple[float, ...]:
        """Populations of a fluid of density one at rest."""
        full = [_WEIGHT[abs(x)] * _WEIGHT[abs(y)] * _WEIGHT[abs(z)] for x, y, z in self.directions]
        if self.most == 3:
            return tuple(full)
        return tuple({0: 1 / 3, 1: 1 / 18, 2: 1 / 36}[sum(map(abs, c))] for c in self.directions)

    @cached_property
    def opposite(self) -> tuple[int, ...]:
        """Number of the velocity that is the reverse of each."""
        return tuple(self.directions.index((-x, -y, -z)) for x, y, z in self.directions)

    @cached_property
    def exponents(self) -> tuple[Exponents, ...]:
        """Of the monomials x^a y^b z^c by which populations are determined, as many as there are velocities."""
        every = [(a, b, c) for a, b, c in product((0, 1, 2), repeat=3)]
        return tuple(e for e in every if sum(map(bool, e)) <= self.most)

    def __len__(self) -> int:
        return len(self.directions)

    def raw_moment(self, populations: tuple[Field, ...], exponents: Exponents) -> Field:
        """The sum of populations times c_x^a c_y^b c_z^c, without a multiplication."""
        plus: list[Field] = []
        minus: list[Field] = []
        for c, population in zip(self.directions, populations, strict=True):
            factor = c[0] ** exponents[0] * c[1] ** exponents[1] * c[2] ** exponents[2]
            if factor:
                (plus if factor > 0 else minus).append(population)
        return _sum(plus) - _sum(minus) if minus else _sum(plus)

    def from_hermite(self, coefficients: dict[Exponents, Field]) -> tuple[Field, ...]:
        """Populations that have these moments <H_a(c_x) H_b(c_y) H_c(c_z)>, one for each of `exponents`.

        H_0 = 1, H_1 = c, H_2 = c^2 - 1/3. Missing ones are zero.
        """
        raw = dict(coefficients)
        for axis in range(3):  # <c^2> = <H_2> + <H_0>/3
            for e in [e for e in self.exponents if e[axis] == 2]:
                lower = raw.get(_replaced(e, axis, 0))
                if lower is not None:
                    raw[e] = _plus(raw.get(e), SOUND_SPEED_SQUARED * lower)
        for axis in range(3):
            split: dict[Exponents, Field] = {}
            for e in {_replaced(e, axis, 0) for e in raw}:
                none, first, second = (raw.get(_replaced(e, axis, power)) for power in range(3))
                for sign in (-1, 0, 1):  # the component itself takes the place of its exponent
                    found = _component(sign, none, first, second)
                    if found is not None:
                        split[_replaced(e, axis, sign)] = found
            raw = split
        return tuple(raw[c] for c in self.directions)


def _component(sign: int, none: Field | None, first: Field | None, second: Field | None) -> Field | None:
    """What moves with one component -1, 0 or 1, of what has moments of order 0, 1 and 2 in it."""
    if sign == 0:
        return none if second is None else _plus(none, -second)
    if first is None:
        return None if second is None else 0.5 * second
    signed = first if sign > 0 else -first
    return 0.5 * _plus(second, signed)


def _plus(one: Field | None, other: Field) -> Field:
    return other if one is None else one + other


def _sum(terms: list[Field]) -> Field:
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def _replaced(exponents: Exponents, axis: int, by: int) -> Exponents:
    changed = list(exponents)
    changed[axis] = by
    return changed[0], changed[1], changed[2]


D3Q19: Final = VelocitySet(2)
D3Q27: Final = VelocitySet(3)
