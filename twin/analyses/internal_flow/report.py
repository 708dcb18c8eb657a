"""What is reported of a flow through a part: numbers, fields, and everything that they rest on."""

from importlib.metadata import version
from typing import Final

import jax
import numpy as np

from twin.analyses.flow.climb import Answered
from twin.analyses.flow.fields import METHOD, in_boxes, of_gaps, on_points, shortfalls
from twin.analyses.flow.simulation import Simulation
from twin.analyses.flow.surface import on_surface
from twin.analyses.internal_flow import quantities as numbers
from twin.analyses.internal_flow.channel import Channel
from twin.analyses.internal_flow.passage import MOST_REYNOLDS, Passage
from twin.analyses.internal_flow.quantities import Measured
from twin.analyses.summary import cost
from twin.analyses.task import Stopwatch
from twin.geometry.surface import Report, Surface
from twin.quantities import Quantity
from twin.results.outcome import CaseOutcome, Glyph, Outcome
from twin.studies import DEFAULT_CASE, Request

_LEAKING: Final = 0.02
_DENSER: Final = 0.05
_DEAD: Final = 0.01
_FAST: Final = 0.15  # cells a step


def outcome(
    surface: Surface,
    report: Report,
    request: Request,
    answered: Answered[Channel, Measured],
    watch: Stopwatch,
) -> Outcome:
    """Put together what was found."""
    found, finest = answered.finest, answered.ladder[-1]
    channel, placed = found.lattice, found.lattice.passage
    made = numbers.quantities(answered.ladder, placed, request.accuracy)
    on = on_surface(found)
    dynamic = placed.dynamic_pressure
    _, pressure, _ = found.series[found.start :].mean(axis=0).reshape(3, 1, -1)
    held = float(channel.level(pressure)[0])
    above = placed.reference - held * channel.scales.pressure
    warnings = [
        *report.warnings,
        *_warnings(channel, finest, made),
        *shortfalls(made, request, numbers.ASKED, answered),
    ]
    return Outcome(
        cases={
            DEFAULT_CASE: CaseOutcome(
                made,
                on_points(on.nodes, dynamic, "node", above),
                on_points(on.vertices, dynamic, "surface", above),
                None,
            )
        },
        points=on.points,
        tets=np.zeros((0, 10), np.int32),
        faces=on.faces.astype(np.int32),
        grids=in_boxes(found, above),
        surface_vertices=surface.vertices,
        surface_triangles=surface.triangles,
        glyphs=_arrows(placed),
        assumptions=_assumptions(found, finest),
        warnings=tuple(dict.fromkeys(warnings)),
        convergence=tuple(answered.rows),
        ended=answered.ended,
        mesh_quality={
            "cells": float((~channel.solid).sum()),
            "cell_size": channel.scales.length,
            "cells_along_the_size": channel.across,
            "mass_imbalance": finest.leaking,
        },
        mesher="Cartesian grid in the part, which its triangles cut",
        provenance={"twin": version("twin"), "jax": jax.__version__, "solver": METHOD},
        cost=cost(watch),
    )


def _warnings(channel: Channel, finest: Measured, made: dict[str, Quantity]) -> list[str]:
    said = []
    if finest.leaking > _LEAKING:
        said.append(
            f"Walls between cells lose or add {finest.leaking:.1%} of the fluid that comes in. Smaller cells leak less."
        )
    if finest.denser > _DENSER:
        said.append(
            f"On the lattice the density differs by {finest.denser:.1%} along the way, which constant density has not. "
            "The error estimate has half of it."
        )
    if finest.compressed > _DENSER:
        said.append(
            f"Pressure changes the density of the fluid by {finest.compressed:.1%} along the way, which is left out "
            "here. The error estimate has half of it."
        )
    if channel.dead > _DEAD:
        said.append(
            f"{channel.dead:.1%} of the space in the part is cut off from the inlets: nothing flows there."
        )
    said += [
        f"{name} is slow (Reynolds number {slow:.2g}) and uniform. At its rim shear has no bound, so that its pressure "
        'grows as cells get smaller, beyond the error estimate. Ask for profile="developed".'
        for name, slow in channel.passage.creeping
    ]
    placed, faster = channel.passage, finest.fastest / channel.speed
    narrow = placed.reynolds_number * faster**0.5  # of what is round, by what passes it
    if finest.fastest > _FAST:
        said.append(
            f"The fluid gets {faster:.1f} times as fast as in any opening: a lattice Mach number of "
            f"{3**0.5 * finest.fastest:.2g}, at which its density is not constant. Make an opening of the "
            "narrowest place, or look at a part of the whole."
        )
    if narrow > MOST_REYNOLDS:
        said.append(
            f"The fluid gets {faster:.1f} times as fast as in any opening, where the Reynolds number may be "
            f"{narrow:.2g}: flow may be turbulent there, which is left out here."
        )
    said += [
        f"{opening.name} lets fluid in, not out: its pressure is too high for it to be an outlet. What comes in "
        "through it is not known."
        for opening in placed.openings[placed.inlets :]
        if float(made[f"flow_rate_{opening.name}"].value) < 0
    ]
    return said + of_gaps(channel)


def _arrows(placed: Passage) -> tuple[Glyph, ...]:
    made = []
    for opening in placed.openings:
        inwards = opening.flow is not None
        label = (
            f"{opening.name} {opening.flow:.4g} m³/s"
            if inwards
            else f"{opening.name} {opening.pressure:.4g} Pa"
        )
        direction = (-1 if inwards else 1) * opening.outward @ placed.axes
        made.append(Glyph("opening", label, (opening.middle @ placed.axes)[None], direction[None]))
    return tuple(made)


def _assumptions(found: Simulation[Channel], finest: Measured) -> tuple[str, ...]:
    channel, placed = found.lattice, found.lattice.passage
    fluid, (start, time) = placed.study.fluid, found.lasted
    return (
        f"Flow of constant density {fluid.density:g} kg/m^3 and viscosity {fluid.viscosity:.4g} Pa s. The part is the "
        "space that it fills; what is neither inlet nor outlet is a smooth wall at rest.",
        "Fluid comes in square to each inlet: with the profile of laminar flow that has developed in a duct of the "
        "inlet's shape, or equally fast everywhere where that is asked for. Outlets hold a pressure in the mean over "
        "them.",
        f"Solved by lattice Boltzmann in one box of {channel.cells:,} cells of {1e3 * channel.scales.length:.3g} mm, "
        f"{int((~channel.solid).sum()):,} of them with fluid: {channel.across:.3g} along the least hydraulic diameter "
        f"of an opening, {1e3 * placed.size:.4g} mm.",
        f"The highest Reynolds number of an opening is {placed.reynolds_number:.3g}: the cells are to resolve all of "
        "the flow.",
        f"Means are over {time:.4g} s of the flow, after a start of {start:.4g} s that is left out.",
        "The pressure coefficient is by the speed of the fastest opening. Pressures of openings are continued "
        "to them from the cells beside them. Total pressure has the kinetic energy too, in the "
        "mean by what passes; what is lost of it, times the flow rate, is the dissipated power.",
        "The error estimates are of the time that is averaged over, of the size of cells (by that before, as if they "
        f"fell with the size), of the density, which differs by {finest.denser:.2%} on the lattice and by "
        f"{finest.compressed:.2%} in the fluid itself, and of what walls "
        f"leak, {finest.leaking:.2%}. They are estimates, not bounds, and say nothing about the fluid or "
        "what comes in.",
    )
