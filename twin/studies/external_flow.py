"""Flow round a part: a wind tunnel."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from twin import materials, units
from twin.errors import StudyError
from twin.materials import Fluid
from twin.select import Selector, check
from twin.studies import words
from twin.studies.words import DEFAULT_CASE
from twin.units import Scalar, Triple, Vector, quantity

_PARALLEL: Final = 1e-3  # sine of the angle under which two directions count as one


@dataclass(frozen=True, slots=True, init=False)
class Ground:
    """A plane under the part, across `up` of the study.

    height: where it lies along `up` [m], as a coordinate of the part; None: at the part's lowest point
    moving: whether it moves with the fluid far away, as a road does under a car; otherwise it is at rest
    """

    height: float | None
    moving: bool

    def __init__(self, height: Scalar | None = None, moving: bool = True) -> None:
        object.__setattr__(
            self, "height", None if height is None else quantity(height, "m", "height of Ground")
        )
        object.__setattr__(self, "moving", bool(moving))


@dataclass(frozen=True, slots=True, init=False)
class Rotating:
    """A surface of the part that turns about an axis through `point` [m], such as a wheel; rate [rad/s] or "3000 rpm".

    on: takes triangles by most of their area. What the fluid meets there moves, the part stays in place: that is all
    there is to a surface of revolution about the axis. Of others, such as spokes, it is the speed and not the stirring.
    """

    axis: Triple
    point: Triple
    rate: float
    on: Selector

    def __init__(self, axis: Vector, point: Vector, rate: Scalar, on: Selector) -> None:
        check(on, "Rotating")
        direction = units.vector(axis, "1", "axis of Rotating")
        if not any(direction):
            raise StudyError("The axis of Rotating is the zero vector, which has no direction.")
        object.__setattr__(self, "axis", direction)
        object.__setattr__(self, "point", units.vector(point, "m", "point of Rotating"))
        object.__setattr__(self, "rate", quantity(rate, "rad/s", "rate of Rotating"))
        object.__setattr__(self, "on", on)


@dataclass(frozen=True, slots=True, init=False)
class ExternalFlow:
    """Steady or unsteady flow of constant density round a part, and the force on it in the mean.

    velocity: of the fluid far away [m/s]; drag is along it. fluid: "air", "water", or a Fluid.
    up: lift is along it, without its share along the velocity; side force is along the cross product of lift and drag.
    rotating: surfaces that turn, such as wheels; of one that several take, the first
    reference_area: of the coefficients [m^2]; None: of the part's shadow along the velocity
    reference_length: of the Reynolds number and of the moment's coefficient [m]; None: the part's extent along the
        velocity
    reference_point: that moments are about [m], in the part's coordinates
    Raises StudyError, MaterialError or UnitError for what can't work on any part.
    """

    velocity: Triple
    fluid: Fluid
    up: Triple
    ground: Ground | None
    reference_area: float | None
    reference_length: float | None
    rotating: tuple[Rotating, ...]
    reference_point: Triple

    def __init__(
        self,
        velocity: Vector,
        fluid: Fluid | str = "air",
        up: Vector = (0, 0, 1),
        ground: Ground | None = None,
        reference_area: Scalar | None = None,
        reference_length: Scalar | None = None,
        rotating: Iterable[Rotating] = (),
        reference_point: Vector = (0, 0, 0),
    ) -> None:
        object.__setattr__(self, "velocity", units.vector(velocity, "m/s", "velocity of ExternalFlow"))
        object.__setattr__(self, "fluid", materials.fluid(fluid))
        object.__setattr__(self, "up", units.vector(up, "1", "up of ExternalFlow"))
        if not (ground is None or isinstance(ground, Ground)):
            raise StudyError(f"ground must be a twin.Ground(), or None for none, not {ground!r}.")
        object.__setattr__(self, "ground", ground)
        for name, value, unit in (
            ("reference_area", reference_area, "m^2"),
            ("reference_length", reference_length, "m"),
        ):
            known = None if value is None else quantity(value, unit, f"{name} of ExternalFlow")
            if known is not None and known <= 0:
                raise StudyError(f"{name} of ExternalFlow must be above 0, not {known:g} {unit}.")
            object.__setattr__(self, name, known)
        example = (
            "twin.Rotating(axis=(0, 1, 0), point=(0, 0, 0.3), rate='800 rpm', on=twin.select.group('wheel'))"
        )
        object.__setattr__(self, "rotating", words.items(rotating, (Rotating,), "rotating", example))
        object.__setattr__(
            self, "reference_point", units.vector(reference_point, "m", "reference_point of ExternalFlow")
        )
        self._check()

    @property
    def cases(self) -> dict[str, tuple[()]]:
        """It has one."""
        return {DEFAULT_CASE: ()}

    @property
    def speed(self) -> float:
        """Of the fluid far away [m/s]."""
        return float(np.linalg.norm(self.velocity))

    def _check(self) -> None:
        if not any(self.velocity):
            raise StudyError("The fluid is at rest: give ExternalFlow a velocity such as (30, 0, 0) m/s.")
        if not any(self.up):
            raise StudyError("up of ExternalFlow is the zero vector, which has no direction.")
        wind, up = np.array(self.velocity) / self.speed, np.array(self.up) / np.linalg.norm(self.up)
        if np.linalg.norm(np.cross(wind, up)) < _PARALLEL:
            raise StudyError(
                "up of ExternalFlow is along the velocity, so that lift has no direction. Give an up that is across it."
            )
        if self.ground is not None and abs(float(wind @ up)) > _PARALLEL:
            raise StudyError(
                "The velocity is not along the ground, which lies across up: the fluid would blow through it. Turn one "
                "of them, or leave the ground out."
            )
