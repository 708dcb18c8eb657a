"""The question how a number of an answer changes with what it was computed from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from twin.errors import StudyError
from twin.studies import words
from twin.studies.external_flow import ExternalFlow
from twin.studies.heat_conduction import HeatConduction
from twin.studies.internal_flow import InternalFlow
from twin.studies.static_stress import StaticStress

Wrt = Literal["loads", "material", "shape"]

Answered = StaticStress | HeatConduction | ExternalFlow | InternalFlow

DIFFERENTIABLE: Mapping[type[Answered], tuple[str, ...]] = {
    StaticStress: ("max_displacement", "max_von_mises", "compliance", "mass", "safety_factor"),
    HeatConduction: ("max_temperature", "min_temperature", "heat_flow", "max_heat_flux"),
    ExternalFlow: ("drag_force", "lift_force", "side_force"),
    InternalFlow: (),
}
"""The quantities that have gradients, by study."""


@dataclass(frozen=True, slots=True)
class GradientOf:
    """The gradient of a quantity of a load case with respect to loads (of a flow its speed), material or shape.

    run: "runs/...", which has found the quantity.
    Raises StudyError for a `wrt` that does not exist.
    """

    run: str
    case: str
    quantity: str
    wrt: Wrt

    def __post_init__(self) -> None:
        words.one_of("wrt", self.wrt, Wrt)

    def check(self, study: Answered) -> None:
        """Raise StudyError where the study has no such load case, or no such quantity with a gradient."""
        if self.case not in study.cases:
            raise StudyError(
                f"{self.run} has no load case {self.case!r}; it has {', '.join(map(repr, study.cases))}.",
                {"case": self.case},
            )
        known = DIFFERENTIABLE[type(study)]
        if not known:
            raise StudyError(
                f"Numbers of {type(study).__name__} have no gradients yet. Fit one to the answers of a sweep."
            )
        if self.quantity not in known:
            raise StudyError(
                f"{self.quantity!r} has no gradient. Those that have one: {', '.join(known)}.",
                {"quantity": self.quantity},
            )
        if isinstance(study, ExternalFlow | InternalFlow):
            return
        if study.bodies:
            raise StudyError(
                f"{self.run} is of bodies of different material. Gradients are of parts of one material.",
                {"run": self.run},
            )
        if self.quantity == "safety_factor" and study.material.yield_strength is None:
            raise StudyError(
                f"{self.run} has found no safety factor, because its material has no yield strength. Give "
                "yield_strength to twin.Material and ask again.",
                {"quantity": self.quantity},
            )
