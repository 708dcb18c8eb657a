"""How a part is deformed before a question is asked of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin import units
from twin.errors import StudyError
from twin.units import Triple, Vector

Place = tuple[int, int, int]

_MOST = 12  # control points along an axis


@dataclass(frozen=True, slots=True, init=False)
class FreeForm:
    """A box with control points in a regular lattice, its corners included; moves of these take the space along.

    min, max: corners of the box [m]. control: control points along x, y and z. moves: how far a control point goes [m],
    by its place (i, j, k). Outside of the box nothing moves, so control points on a side that the part goes through
    have to stay.
    """

    min: Triple
    max: Triple
    control: Place
    moves: tuple[tuple[Place, Triple], ...]

    def __init__(
        self,
        min: Vector,  # noqa: A002  the words of the contract
        max: Vector,  # noqa: A002
        control: Sequence[int],
        moves: Mapping[Place, Vector],
    ) -> None:
        low, high = units.vector(min, "m", "min of FreeForm"), units.vector(max, "m", "max of FreeForm")
        if not all(a < b for a, b in zip(low, high, strict=True)):
            raise StudyError(
                f"The box of FreeForm goes from {low} to {high}: min has to be below max in x, y and z."
            )
        counts = tuple(control)
        if len(counts) != 3 or not all(isinstance(n, int) and 2 <= n <= _MOST for n in counts):
            raise StudyError(f"control of FreeForm is three numbers from 2 to {_MOST}, not {control!r}.")
        found = []
        for place, by in moves.items():
            where = tuple(place)
            if len(where) != 3 or not all(0 <= at < n for at, n in zip(where, counts, strict=True)):
                raise StudyError(
                    f"{place!r} is no control point: with {counts} they go from (0, 0, 0) up, below that."
                )
            found.append((where, units.vector(by, "m", f"move of control point {where}")))
        object.__setattr__(self, "min", low)
        object.__setattr__(self, "max", high)
        object.__setattr__(self, "control", counts)
        object.__setattr__(self, "moves", tuple(found))

    @property
    def lattice(self) -> NDArray[np.float64]:
        """Moves of all control points (i, j, k, 3) [m]."""
        lattice = np.zeros((*self.control, 3))
        for place, by in self.moves:
            lattice[place] += by
        return lattice
