"""What is reported of a flow: numbers, fields on the surface, and everything that they rest on."""

from importlib.metadata import version
from typing import Final

import jax
import numpy as np

from twin.analyses.external_flow import quantities as numbers
from twin.analyses.external_flow.quantities import Measured
from twin.analyses.external_flow.setting import FAR_GROUND, Setting
from twin.analyses.external_flow.tunnel import Tunnel
from twin.analyses.flow.climb import Answered
from twin.analyses.flow.fields import METHOD, in_boxes, of_gaps, on_points, shortfalls, wall_distance
from twin.analyses.flow.simulation import Simulation
from twin.analyses.flow.surface import on_surface
from twin.analyses.summary import cost
from twin.analyses.task import Stopwatch
from twin.geometry.surface import Report, Surface
from twin.results.outcome import CaseOutcome, Glyph, Outcome
from twin.select import describe
from twin.studies import DEFAULT_CASE, Request

_COMPRESSIBLE: Final = 0.3  # Mach number
_BLOCKAGE: Final = 0.05
_UNDER: Final = 0.01  # of the part's height: less is wheels that touch
_WALL_UNITS: Final = 300.0
_STIRRING: Final = 0.02
_ALONG: Final = 0.1  # sine of the angle up to which a velocity counts as along a surface


def outcome(
    surface: Surface,
    report: Report,
    request: Request,
    answered: Answered[Tunnel, Measured],
    watch: Stopwatch,
) -> Outcome:
    """Put together what was found."""
    found = answered.finest
    tunnel, study = found.lattice, found.lattice.setting.study
    dynamic = 0.5 * study.fluid.density * study.speed**2
    made = numbers.quantities(answered.ladder, tunnel.setting, request.accuracy)
    on = on_surface(found)
    y_plus = wall_distance(tunnel, study.fluid, on.nodes)
    warnings = [
        *report.warnings,
        *warnings_of(found, y_plus),
        *shortfalls(made, request, numbers.ASKED, answered),
    ]
    return Outcome(
        cases={
            DEFAULT_CASE: CaseOutcome(
                made,
                on_points(on.nodes, dynamic, "node"),
                on_points(on.vertices, dynamic, "surface"),
                None,
            )
        },
        points=on.points,
        tets=np.zeros((0, 10), np.int32),
        faces=on.faces.astype(np.int32),
        grids=in_boxes(found),
        surface_vertices=surface.vertices,
        surface_triangles=surface.triangles,
        glyphs=(_wind(tunnel, surface),),
        assumptions=_assumptions(found, report),
        warnings=tuple(dict.fromkeys(warnings)),
        convergence=tuple(answered.rows),
        ended=answered.ended,
        mesh_quality={
            "cells": float(tunnel.cells),
            "cell_size": tunnel.scales.length,
            "cells_along_the_size": tunnel.setting.size / tunnel.scales.length,
            "blockage": tunnel.blockage,
            "y_plus": y_plus,
        },
        mesher="Cartesian grid round the part, which its triangles cut",
        provenance={"twin": version("twin"), "jax": jax.__version__, "solver": METHOD},
        cost=cost(watch),
    )


def warnings_of(found: Simulation[Tunnel], y_plus: float) -> list[str]:
    """What makes the answer worth less than its error says. y_plus: of the first cells, in the mean"""
    tunnel, said = found.lattice, []
    study = tunnel.setting.study
    if (mach := tunnel.setting.mach_number) > _COMPRESSIBLE:
        said.append(
            f"The Mach number is {mach:.2g}: above {_COMPRESSIBLE:g} the density changes, which is left out here."
        )
    if study.ground is not None and tunnel.setting.ground is None:
        said.append(
            f"The ground is left out: it lies more than {FAR_GROUND:g} times the part's size below it, where it is not "
            "felt."
        )
    if (under := tunnel.setting.under_ground) > _UNDER:
        said.append(f"{under:.1%} of the part's height lies under the ground, where nothing flows.")
    if tunnel.setting.turbulent and y_plus > _WALL_UNITS:
        said.append(
            f"The first cells are y+ = {y_plus:.2g} from the surface in the mean. Beyond {_WALL_UNITS:g} the law of "
            "the wall says little of friction and of where the flow comes off: give more time (max_seconds)."
        )
    if tunnel.blockage > _BLOCKAGE:
        said.append(f"The part blocks {tunnel.blockage:.1%} of the box, which speeds the flow up round it.")
    said += [
        f"{share:.0%} of the surface that turns on {describe(rotating.on)} does not slide along itself: it stirs the "
        "fluid as it turns, and here it only drags it along."
        for rotating, share in zip(study.rotating, _stirring(tunnel.setting), strict=True)
        if share > _STIRRING
    ]
    return said + of_gaps(tunnel)


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


def _assumptions(found: Simulation[Tunnel], report: Report) -> tuple[str, ...]:
    tunnel, setting = found.lattice, found.lattice.setting
    study, fluid = setting.study, setting.study.fluid
    outermost = tunnel.boxes[0]
    extent = " x ".join(f"{count * outermost.spacing / setting.size:.3g}" for count in outermost.grid.shape)
    start, time = found.lasted
    said = [
        f"Flow of constant density {fluid.density:g} kg/m^3 and viscosity {fluid.viscosity:.4g} Pa s. Pressures are "
        "those above that far away.",
        f"Solved by lattice Boltzmann in {len(tunnel.boxes)} boxes inside each other, {tunnel.cells:,} cells, which "
        f"get smaller by two from one to the next, to {1e3 * tunnel.scales.length:.3g} mm at the part. The "
        f"outermost is {extent} times the part's size of {setting.size:.4g} m. Its sides let the fluid slip, what "
        f"reaches its end goes out. The part's frontal area is {setting.area:.4g} m^2.",
        _closure(setting),
        f"Means are over {time:.4g} s of the flow, in which it passes the part's size {time / setting.turnover:.3g} "
        f"times, after a start of {start:.4g} s that is left out.",
        f"The Mach number of the lattice is {tunnel.speed * 3**0.5:.2g}.",
        "The error estimates are of the time that is averaged over, of the size of cells (by the tunnel before, as if "
        "they fell with the size), of the box (the share of it that the part or its wake blocks), of the Mach number "
        "(by the pressure where a gas comes to rest)"
        + (" and of the model of turbulence (by bodies whose drag is known)" if setting.turbulent else "")
        + ". They are estimates, not bounds, and say nothing about the fluid or the speed.",
    ]
    if setting.ground is not None:
        said.append(
            f"The ground lies at {setting.ground:.4g} m and "
            + ("moves with the fluid." if setting.on_road else "is at rest, from the inlet on.")
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
