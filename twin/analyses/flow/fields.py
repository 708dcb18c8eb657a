"""What is reported of a flow besides numbers: fields on the surface, and in the boxes."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twin.analyses.flow.climb import Answered
from twin.analyses.flow.lattice import Lattice
from twin.analyses.flow.simulation import Simulation
from twin.analyses.flow.surface import Traction
from twin.materials import Fluid
from twin.quantities import Field, Location, Quantity
from twin.results.outcome import Ending, UniformGrid
from twin.studies import Request

METHOD: Final = "lattice Boltzmann, D3Q19, recursive regularisation, interpolated bounce-back, float32"
_ENDED: Final[dict[Ending, str]] = {
    "max_seconds": "The time allowed, {seconds:g} s, is too short for smaller cells. Allow more.",
    "max_unknowns": "Smaller cells take more unknowns than are allowed. Allow more.",
    "no_finer_mesh": "What the model of turbulence is worth, and what else cells have no part in, is more.",
    "accuracy": "",
}
_BESIDE: Final = 0.5  # of a cell, in the mean from the surface to the middle of the first one
_UNRESOLVED: Final = 0.01


def on_points(on: Traction, dynamic: float, location: Location, above: float = 0.0) -> dict[str, Field]:
    """Pressure and friction. dynamic: pressure [Pa] that the coefficient is of; above: which pressures are those of
    cells [Pa]
    """
    return {
        "pressure": Field("pressure", above + on.pressure[:, None], "Pa", location),
        "pressure_coefficient": Field("pressure_coefficient", on.pressure[:, None] / dynamic, "1", location),
        "wall_shear_stress": Field("wall_shear_stress", on.friction, "Pa", location),
    }


def in_boxes(found: Simulation[Lattice], above: float = 0.0) -> tuple[UniformGrid, ...]:
    """Mean velocity and pressure and by how much they fluctuate, outermost box first. above: as of `on_points`"""
    lattice, axes = found.lattice, found.lattice.axes
    scales = lattice.scales
    made = []
    for box, of in zip(lattice.boxes, found.means, strict=True):
        solid: NDArray[np.bool_] = np.zeros(box.grid.shape, bool)
        if box is lattice.boxes[-1]:
            solid = lattice.solid
        velocity = scales.speed * np.moveaxis(of.velocity, 0, -1).reshape(-1, 3) @ axes
        columns = {
            "velocity": (velocity, "m/s"),
            "pressure": (above + scales.pressure * of.pressure, "Pa"),
            "velocity_fluctuation": (scales.speed * of.velocity_fluctuation, "m/s"),
            "pressure_fluctuation": (scales.pressure * of.pressure_fluctuation, "Pa"),
            "solid": (solid, "1"),
        }
        corner = (np.array(box.origin) - 0.5 * box.spacing) @ axes
        x, y, z = (tuple(axis) for axis in axes.tolist())
        made.append(
            UniformGrid(
                tuple(corner.tolist()),
                (x, y, z),
                box.spacing,
                box.grid.shape,
                {
                    name: Field(name, values.reshape(solid.size, -1).astype(np.float32), unit, "cell")
                    for name, (values, unit) in columns.items()
                },
            )
        )
    return tuple(made)


def wall_distance(lattice: Lattice, fluid: Fluid, on: Traction) -> float:
    """Of the first cells, in the mean, in units of the layer at the wall: y+."""
    friction = float(np.sqrt(np.linalg.norm(on.friction, axis=1).mean() / fluid.density))
    return _BESIDE * lattice.scales.length * friction * fluid.density / fluid.viscosity


def shortfalls(
    made: Mapping[str, Quantity], request: Request, asked: Sequence[str], answered: Answered[Any, Any]
) -> list[str]:
    """Warnings of what was not reached. asked: the quantities that count where none are named"""
    names = request.quantities or asked
    if np.isfinite(made[names[0]].error).all():
        said = [
            f"{name}: error estimate {made[name].relative_error:.1%} of {made[name].scale:.4g} {made[name].unit}, "
            f"above the requested {request.accuracy:.1%}."
            for name in names
            if made[name].relative_error > request.accuracy
        ]
    else:
        said = [
            "The errors are not known: that of the cells shows between two sizes of them, and there was time for one."
        ]
    if answered.ended != "accuracy":
        said.append(
            f"The accuracy is not shown to be met: {_ENDED[answered.ended].format(seconds=answered.seconds)}"
        )
    return said


def of_gaps(lattice: Lattice) -> list[str]:
    """A warning, where there are gaps that cells do not resolve."""
    if lattice.unresolved <= _UNRESOLVED:
        return []
    return [
        f"{lattice.unresolved:.1%} of the cells beside the part lie between two of its walls: gaps are no wider than a "
        "cell, and what flows through them is a guess."
    ]
