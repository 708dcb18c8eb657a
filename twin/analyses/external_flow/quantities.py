"""Forces and coefficients of ever finer tunnels, and how far they may be off."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.analyses.external_flow.setting import Setting
from twin.analyses.external_flow.tunnel import Tunnel
from twin.analyses.flow.ladder import of_cells, of_walls
from twin.analyses.flow.simulation import Simulation
from twin.quantities import Quantity

Floats = NDArray[np.float64]

NUMBERS: Final = (
    "drag_force", "lift_force", "side_force", "drag_coefficient", "lift_coefficient", "side_coefficient", "moment",
    "moment_coefficient", "reference_area", "reynolds_number",
)  # fmt: skip
MODEL: Final = 0.3  # of a force
ASKED: Final = ("drag_force", "lift_force", "side_force")
AXES: Final = {"drag": 0, "side": 1, "lift": 2}


@dataclass(frozen=True, eq=False)
class Measured:
    """Of one tunnel, in SI: force (3,) along its axes [N], moment (3,) about the reference point, in the part's
    coordinates [N m], and how far off each may be since the time was finite
    size: of the smallest cells [m], of which there are `across` along the part's size
    blockage: share of the box's cross-section, by the part or, where that is more, by its wake, whose share is half of
    the force's coefficient times that of the part (Maskell 1963, ARC R&M 3400)
    """

    cells: int
    size: float
    across: float
    force: Floats
    force_spread: Floats
    moment: Floats
    moment_spread: Floats
    blockage: float
    modelled: bool
    mach_number: float = 0.0


def measured(found: Simulation[Tunnel]) -> Measured:
    """What a tunnel tells."""
    tunnel, scales = found.lattice, found.lattice.scales
    pressed = scale(tunnel.setting)
    means, spreads = found.mean(found.series)
    force, moment = means[:3], means[3:]
    force_spread, moment_spread = spreads[:3], spreads[3:]
    axes = tunnel.setting.axes
    return Measured(
        tunnel.cells,
        scales.length,
        tunnel.setting.size / scales.length,
        scales.force * force,
        scales.force * force_spread,
        scales.force * moment @ axes,
        scales.force * moment_spread @ np.abs(axes),
        tunnel.blockage * max(1.0, scales.force * float(np.linalg.norm(force)) / (2 * pressed)),
        tunnel.setting.turbulent,
        tunnel.setting.mach_number,
    )


def errors(ladder: Sequence[Measured]) -> tuple[Floats, Floats]:
    """Of the finest force and moment: of finite time, of cells, of the box's sides, of the density that does not
    change, and of the model of turbulence.

    Sides: the fluid that a part and its wake push aside passes faster between walls. The share of the cross-section
    that they block, of each number, is what corrections of wind tunnels are of the size of.
    Density: the pressure where the fluid comes to rest is higher by a share of M^2/4 + M^4/40 in a gas.
    Model: what known drags of bodies differ by (tests/verification/test_external_flow.py).
    """
    finest = ladder[-1]
    sizes = [each.size for each in ladder]
    walls, share = of_walls(finest.across), _out_of_reach(finest)

    def error(values: Sequence[Floats], spread: Floats) -> Floats:
        whole = np.full(3, np.linalg.norm(values[-1]))
        return of_cells(sizes, values, walls * whole) + spread + share * whole

    return (
        error([each.force for each in ladder], finest.force_spread),
        error([each.moment for each in ladder], finest.moment_spread),
    )


def _out_of_reach(finest: Measured) -> float:
    """Of a force, what neither smaller cells nor more time would tell."""
    squared = finest.mach_number**2
    return finest.blockage + squared / 4 + squared**2 / 40 + MODEL * finest.modelled


def is_known_as_well_as_can_be(
    ladder: Sequence[Measured], names: Sequence[str], accuracy: float, scale: float
) -> bool:
    """Whether an accuracy, of a force that is the scale, is out of reach, and cells and time add no more to the errors
    than what makes it so.
    """
    finest = ladder[-1]
    floor = _out_of_reach(finest) * float(np.linalg.norm(finest.force))
    force, _ = errors(ladder)
    axes = [axis for name, axis in AXES.items() if any(each.startswith(name) for each in names)]
    chosen = axes or list(AXES.values())  # a moment is of all of them
    return floor > accuracy * scale and bool((force[chosen] <= 2 * floor).all())


def scale(setting: Setting) -> float:
    """That errors of forces are told by [N]: of the pressure of the flow on the part's shadow."""
    fluid = setting.study.fluid
    return 0.5 * fluid.density * setting.study.speed**2 * setting.area


def quantities(ladder: Sequence[Measured], setting: Setting, accuracy: float) -> dict[str, Quantity]:
    """All that is reported of the finest tunnel."""
    finest, study, unit = ladder[-1], setting.study, scale(setting)
    area = study.reference_area or setting.area
    pressure = 0.5 * study.fluid.density * study.speed**2
    force_error, moment_error = errors(ladder)
    made: dict[str, Quantity] = {}
    for name, axis in AXES.items():
        made[f"{name}_force"] = _quantity(finest.force[axis], "N", force_error[axis], unit, accuracy)
    for name, axis in AXES.items():
        made[f"{name}_coefficient"] = _quantity(
            finest.force[axis] / (pressure * area),
            "1",
            force_error[axis] / (pressure * area),
            setting.area / area,
            accuracy,
        )
    x, y, z = study.reference_point
    about = f"about ({x:.4g}, {y:.4g}, {z:.4g}) m"
    made["moment"] = Quantity(finest.moment, "N m", moment_error, about, unit * setting.surface.diagonal)
    length = study.reference_length or setting.length
    made["moment_coefficient"] = Quantity(
        finest.moment / (pressure * area * length),
        "1",
        moment_error / (pressure * area * length),
        f"{about}, by the reference area and length",
        setting.area / area * setting.surface.diagonal / length,
    )
    made["reference_area"] = Quantity(area, "m^2", 0.0)
    made["reynolds_number"] = Quantity(
        study.speed * length * study.fluid.density / study.fluid.viscosity, "1", 0.0
    )
    return made


def _quantity(value: float, unit: str, error: float, scale: float, accuracy: float) -> Quantity:
    above = error > accuracy * scale
    note = f"error estimate above the requested {accuracy:.3g} of {scale:.4g} {unit}" if above else ""
    return Quantity(value, unit, error, note, scale)
