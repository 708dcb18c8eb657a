"""The columns that a table of designs has besides its parameters."""

from collections.abc import Mapping
from typing import Final

QUANTITIES: Final[Mapping[str, tuple[str, ...]]] = {
    "static_stress": (
        "max_displacement", "max_von_mises", "compliance", "mass", "safety_factor",
        "reaction_force_x", "reaction_force_y", "reaction_force_z",
    ),
    "heat_conduction": ("max_temperature", "min_temperature", "heat_flow", "max_heat_flux"),
    "external_flow": (
        "drag_force", "lift_force", "side_force", "drag_coefficient", "lift_coefficient", "side_coefficient",
        "moment_x", "moment_y", "moment_z",
        "moment_coefficient_x", "moment_coefficient_y", "moment_coefficient_z",
    ),
    "internal_flow": ("pressure_drop", "total_pressure_drop", "flow_rate", "dissipated_power"),
}  # fmt: skip
"""By kind of study; with several load cases each has the name of its case before it, and a dot."""

ERROR: Final = "_error"
"""What the column of a quantity's error ends in."""

OTHERS: Final = ("design", "state", "run", "reason")

RESERVED: Final = frozenset(
    (
        *OTHERS,
        "reaction_force",
        "moment",
        "moment_coefficient",
        *(name for names in QUANTITIES.values() for name in names),
    )
)
"""Names that no parameter can have."""


def of_study(kind: str, load_cases: tuple[str, ...]) -> tuple[str, ...]:
    """The columns of quantities that designs of a study have."""
    names = QUANTITIES[kind]
    return names if len(load_cases) == 1 else tuple(f"{case}.{name}" for case in load_cases for name in names)
