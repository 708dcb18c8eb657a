"""What is reported of a flow: numbers, fields on the surface, and everything that they rest on."""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Final

import jax
import numpy as np

from twin.analyses.external_flow import quantities as numbers
from twin.analyses.external_flow.quantities import Measured
from twin.analyses.external_flow.setting import Setting
from twin.analyses.external_flow.simulation import Simulation
from twin.analyses.external_flow.surface import Traction, on_surface
from twin.analyses.external_flow.tunnel import Tunnel
from twin.analyses.summary import cost
from twin.analyses.task import Stopwatch
from twin.geometry.surface import Report, Surface
from twin.quantities import Field, Location, Quantity
from twin.results.outcome import CaseOutcome, ConvergenceRow, Ending, Glyph, Outcome, UniformGrid
from twin.select import describe
from twin.studies import DEFAULT_CASE, Request

METHOD: Final = "lattice Boltzmann, D3Q19, recursive regularisation, interpolated bounce-back, float32"
_BESIDE: Final = 0.5  # of a cell, in the mean from the surface to the middle of the first one
_COMPRESSIBLE: Final = 0.3  # Mach number
_BLOCKAGE: Final = 0.05
_UNRESOLVED: Final = 0.01
_STIRRING: Final = 0.02
_ALONG: Final = 0.1  # sine of the angle up to which a velocity counts as along a surface
_ENDED: Final[dict[Ending, str]] = {
    "max_seconds": "The time allowed, {seconds:g} s, is too short for smaller cells. Allow more.",
    "max_unknowns": "Smaller cells take more unknowns than are allowed. Allow more.",
    "no_finer_mesh": "What the sides of the box and the model of turbulence are worth is more, whatever the cells.",
    "accuracy": "",
}


def outcome(
    surface: Surface,
    report: Report,
    request: Request,
    found: Simulation,
    ladder: Sequence[Measured],
    rows: Sequence[ConvergenceRow],
    ended: Ending,
    watch: Stopwatch,
    seconds: float,
) -> Outcome:
    """Put together what was found, finest tunnel last. seconds: that were allowed."""
    tunnel = found.tunnel
    made = numbers.quantities(ladder, found, request.accuracy)
    on = on_surface(found)
    warnings = [*report.warnings, *_warnings(found), *_shortfalls(made, request)]
    if ended != "accuracy":
        warnings.append(f"The accuracy is not shown to be met: {_ENDED[ended].format(seconds=seconds)}")
    return Outcome(
        cases={
            DEFAULT_CASE: CaseOutcome(
                made,
                _fields(tunnel, on.nodes, "node"),
                _fields(tunnel, on.vertices, "surface"),
                None,
            )
        },
        points=on.points,
        tets=np.zeros((0, 10), np.int32),
        faces=on.faces.astype(np.int32),
        grids=_grids(found),
        surface_vertices=surface.vertices,
        surface_triangles=surface.triangles,
        glyphs=(_wind(tunnel, surface),),
        assumptions=_assumptions(found, report),
        warnings=tuple(dict.fromkeys(warnings)),
        convergence=tuple(rows),
        ended=ended,
        mesh_quality={
            "cells": float(ladder[-1].cells),
            "cell_size": tunnel.scales.length,
            "cells_along_the_size": tunnel.setting.size / tunnel.scales.length,
            "blockage": tunnel.blockage,
            "y_plus": _wall_distance(tunnel, on.nodes),
        },
        mesher="Cartesian grid round the part, which its triangles cut",
        provenance={"twin": version("twin"), "jax": jax.__version__, "solver": METHOD},
        cost=cost(watch),
    )


def _fields(tunnel: Tunnel, on: Traction, location: Location) -> dict[str, Field]:
    study = tunnel.setting.study
    dynamic = 0.5 * study.fluid.density * study.speed**2
    return {
        "pressure": Field("pressure", on.pressure[:, None], "Pa", location),
        "pressure_coefficient": Field("pressure_coefficient", on.pressure[:, None] / dynamic, "1", location),
        "wall_shear_stress": Field("wall_shear_stress", on.friction, "Pa", location),
    }


def _grids(found: Simulation) -> tuple[UniformGrid, ...]:
    tunnel, axes = found.tunnel, found.tunnel.setting.axes
    scales = tunnel.scales
    made = []
    for box, of in zip(tunnel.boxes, found.means, strict=True):
        solid = tunnel.solid if box is tunnel.boxes[-1] else np.zeros(box.grid.shape, bool)
        velocity = scales.speed * np.moveaxis(of.velocity, 0, -1).reshape(-1, 3) @ axes
        columns = {
            "velocity": (velocity, "m/s"),
            "pressure": (scales.pressure * of.pressure, "Pa"),
            "velocity_fluctuation": (scales.speed * of.fluctuation, "m/s"),
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


def _wall_distance(tunnel: Tunnel, on: Traction) -> float:
    """Of the first cells, in the mean, in units of the layer at the wall: y+."""
    fluid = tunnel.setting.study.fluid
    friction = float(np.sqrt(np.linalg.norm(on.friction, axis=1).mean() / fluid.density))
    return _BESIDE * tunnel.scales.length * friction * fluid.density / fluid.viscosity


def _warnings(found: Simulation) -> list[str]:
    tunnel, said = found.tunnel, []
    study = tunnel.setting.study
    fastest = tunnel.setting.fastest
    if study.fluid.speed_of_sound is not None and fastest > _COMPRESSIBLE * study.fluid.speed_of_sound:
        mach = fastest / study.fluid.speed_of_sound
        said.append(
            f"The Mach number is {mach:.2g}: above {_COMPRESSIBLE:g} the density changes, which is left out here."
        )
    if tunnel.blockage > _BLOCKAGE:
        said.append(f"The part blocks {tunnel.blockage:.1%} of the box, which speeds the flow up round it.")
    said += [
        f"{share:.0%} of the surface that turns on {describe(rotating.on)} does not slide along itself: it stirs the "
        "fluid as it turns, and here it only drags it along."
        for rotating, share in zip(study.rotating, _stirring(tunnel.setting), strict=True)
        if share > _STIRRING
    ]
    if tunnel.unresolved > _UNRESOLVED:
        said.append(
            f"{tunnel.unresolved:.1%} of the cells beside the part lie between two of its walls: gaps are no wider "
            "than a cell, and what flows through them is a guess."
        )
    return said


def _stirring(setting: Setting) -> list[float]:
    """Of each rotating surface, the share of its area whose velocity is not along it."""
    surface, found = setting.surface, []
    for number in range(len(setting.study.rotating)):
        own = setting.turning == number
        velocity = setting.turned(number, surface.corners[own].mean(axis=1))
        through = np.abs((velocity * surface.normals[own]).sum(axis=1))
        aside = through > _ALONG * np.linalg.norm(velocity, axis=1)
        found.append(
            float(surface.areas[own][aside].sum() / max(surface.areas[own].sum(), np.finfo(np.float64).tiny))
        )
    return found


def _shortfalls(made: dict[str, Quantity], request: Request) -> list[str]:
    if not np.isfinite(made["drag_force"].error):
        return [
            "The errors are not known: that of the cells shows between two sizes of them, and there was time for one."
        ]
    return [
        f"{name}: error estimate {made[name].relative_error:.1%} of {made[name].scale:.4g} {made[name].unit}, above "
        f"the requested {request.accuracy:.1%}."
        for name in request.quantities or numbers.ASKED
        if made[name].relative_error > request.accuracy
    ]


def _wind(tunnel: Tunnel, surface: Surface) -> Glyph:
    study = tunnel.setting.study
    middle = np.mean(surface.bounds, axis=0)
    label = f"{study.fluid.name or 'fluid'} {study.speed:.4g} m/s"
    return Glyph("wind", label, middle[None], np.array([study.velocity]))


def _closure(setting: Setting) -> str:
    reynolds = f"The Reynolds number of the part's size is {setting.reynolds_number:.3g}: "
    if not setting.turbulent:
        return reynolds + "the cells are to resolve all of the flow."
    return (
        reynolds
        + "eddies smaller than cells are modelled (large-eddy simulation, Vreman), and so is the layer at "
        "walls, as turbulent from where it begins, by the law of the wall. Where a layer on a rounded surface comes "
        "off depends on what is not known here: its roughness, and the turbulence of what comes in."
    )


def _assumptions(found: Simulation, report: Report) -> tuple[str, ...]:
    tunnel, setting = found.tunnel, found.tunnel.setting
    study, fluid = setting.study, setting.study.fluid
    outermost = tunnel.boxes[0]
    extent = " x ".join(f"{count * outermost.spacing / setting.size:.3g}" for count in outermost.grid.shape)
    time = (len(found.force) - found.start) * found.interval * tunnel.scales.time
    said = [
        f"Flow of constant density {fluid.density:g} kg/m^3 and viscosity {fluid.viscosity:.4g} Pa s. Pressures are "
        "those above that far away.",
        f"Solved by lattice Boltzmann in {len(tunnel.boxes)} boxes inside each other, {tunnel.cells:,} cells, which "
        f"get smaller by two from one to the next, to {1e3 * tunnel.scales.length:.3g} mm at the part. The "
        f"outermost is {extent} times the part's size, the root of its frontal area of {setting.area:.4g} m^2. Its "
        "sides let the fluid slip, what reaches its end goes out.",
        _closure(setting),
        f"Means are over {time:.4g} s of the flow, in which it passes the part's size {time / setting.turnover:.3g} "
        f"times, after a start of {found.start * found.interval * tunnel.scales.time:.4g} s that is left out.",
        f"The Mach number of the lattice is {tunnel.speed * 3**0.5:.2g}.",
        "The error estimates are of the time that is averaged over, of the size of cells (by the tunnel before, as if "
        "they fell with the size), of the box (the share of it that the part blocks)"
        + (" and of the model of turbulence (by bodies whose drag is known)" if setting.turbulent else "")
        + ". They are estimates, not bounds, and say nothing about the fluid or the speed.",
    ]
    if setting.ground is not None:
        moving = study.ground is not None and study.ground.moving
        said.append(
            f"The ground lies at {setting.ground:.4g} m and "
            + ("moves with the fluid." if moving else "is at rest, from the inlet on.")
        )
    said += [
        f"The surface on {describe(each.on)} turns about its axis at {abs(each.rate):.4g} rad/s: what the fluid meets "
        "there moves, the part stays in place."
        for each in study.rotating
    ]
    if not report.watertight:
        said.append(
            "The surface is not closed. Cells are taken for inside where it winds round them more than half "
            "(generalised winding number)."
        )
    if not tunnel.solid.any():
        said.append(
            "No cell lies inside the part: it is thinner than the cells, or encloses nothing. The fluid meets its "
            "surface from both sides."
        )
    if report.bodies > 1:
        said.append(f"The {report.bodies} bodies are one obstacle.")
    return tuple(said)
