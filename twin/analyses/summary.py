"""What is reported: numbers, fields, and everything that they rest on."""

import resource
from collections.abc import Mapping
from importlib.metadata import version

import jax
import numpy as np
from numpy.typing import NDArray

from solvers.iteration import TOLERANCE
from solvers.tet10 import steady
from twin.analyses.analysis import CaseSolution
from twin.analyses.resolution import DEFAULT_UNKNOWNS
from twin.analyses.solution import Discretised, Ladder, StudySolution
from twin.analyses.task import Stopwatch, Task
from twin.geometry.surface import Report, Surface
from twin.quantities import Field, Quantity
from twin.results import display
from twin.results.outcome import CaseOutcome, Cost, Ending, Outcome

Floats = NDArray[np.float64]


ENDED: dict[Ending, str] = {
    "accuracy": "",
    "max_seconds": "max_seconds = {seconds:g} s ended before a mesh fine enough was solved. Allow more time.",
    "max_unknowns": "max_unknowns = {unknowns:,} leaves no room for a finer mesh. Allow more.",
    "no_finer_mesh": "further meshes were not worth it, or could not be had.",
}


def summarise(task: Task, ladder: Ladder) -> Outcome:
    """Put together what was found."""
    final = ladder.solutions[-1]
    coarser = ladder.solutions[-2] if len(ladder.solutions) > 1 else None
    discretised, surface, analysis = final.discretised, task.surface, task.analysis
    volume = _volume(final, coarser, surface, task.report)
    cases = {}
    warnings = [*task.report.warnings, *ladder.warnings]
    ended = ladder.ended
    for name, case in final.cases.items():
        measured = _measured(final, name, coarser, task.request.accuracy)
        found = analysis.quantities(measured, case, volume, discretised.shares)
        short = _shortfalls(found, task, name if len(final.cases) > 1 else "")
        warnings += short
        if short and ended == "accuracy":
            ended = "no_finer_mesh"  # of a volume whose facets and elements differ, say, which no mesh mends
        warnings += _unbounded(found, final, name, task)
        fields = analysis.fields(case.field, case.flux.nodal, "node") | analysis.error_fields(case.flux)
        fields |= discretised.fields
        cases[name] = CaseOutcome(found, fields, _surface_fields(task, discretised, case), case.balance)
    if ended != "accuracy":
        limits = {
            "seconds": task.request.max_seconds or np.inf,
            "unknowns": task.request.max_unknowns or DEFAULT_UNKNOWNS,
        }
        warnings.append(f"The accuracy is not shown to be met: {ENDED[ended].format(**limits)}")
    tets, hexahedra = discretised.elements
    return Outcome(
        cases=cases,
        points=discretised.points,
        tets=tets,
        hexahedra=hexahedra,
        surface_vertices=surface.vertices,
        surface_triangles=surface.triangles,
        glyphs=analysis.glyphs(surface, task.regions),
        assumptions=_assumptions(task, final, ladder.chosen),
        warnings=tuple(dict.fromkeys(warnings)),
        convergence=tuple(
            solution.row(analysis.severity, before)
            for before, solution in zip((None, *ladder.solutions), ladder.solutions, strict=False)
        ),
        ended=ended,
        singularities=task.zones.places,
        mesh_quality={
            "nodes": float(len(discretised.points)),
            "elements": float(len(discretised)),
            **discretised.quality(),
            "volume_difference": discretised.volume / surface.volume - 1 if surface.volume > 0 else 0.0,
        },
        mesher=discretised.mesher,
        provenance=provenance(discretised.method, _tolerance(final)),
        cost=cost(task.watch),
    )


def _volume(
    final: StudySolution, coarser: StudySolution | None, surface: Surface, report: Report
) -> Quantity:
    """Of the elements; its error where the surface is one closed body is told by the surface itself."""
    volume = final.discretised.volume
    if surface.closed and report.bodies == 1:
        error, source = abs(volume - surface.volume), "volume of the elements against that of the surface"
    elif coarser is not None:
        error = 2 * abs(volume - coarser.discretised.volume)
        source = "change of the volume of the elements since a coarser solution, twice"
    else:
        error, source = np.inf, "unknown: the surface does not enclose one volume"
    return Quantity(volume, "m^3", error, f"error: {source}")


def _measured(
    final: StudySolution, case: str, coarser: StudySolution | None, accuracy: float
) -> dict[str, Quantity]:
    """The numbers that were measured, with their errors."""
    fine, errors = final.measured[case], final.errors(case, coarser)

    def quantity(name: str) -> Quantity:
        value, off = fine.values[name], errors[name]
        above = off > accuracy * fine.scale(name)
        note = f"error estimate above the requested {accuracy:.3g}" if above else ""
        if above and name in fine.scales:
            note += f" of {fine.scales[name]:.4g} {fine.units[name]}"
        if name == fine.at_peak and fine.in_zones:
            outside = "the largest outside of the zones around singular places"
            if fine.all_in_zones:
                outside = (
                    "no point lies outside of the zones around singular places: this value means nothing"
                )
            note = f"{outside}; {note}" if note else outside
        return Quantity(value, fine.units[name], off, note, fine.scales.get(name))

    return {name: quantity(name) for name in fine.values}


def _surface_fields(task: Task, discretised: Discretised, case: CaseSolution) -> dict[str, Field]:
    nodal = np.hstack([case.field, case.flux.nodal])
    values = discretised.boundary.interpolate(nodal, task.surface.vertices)
    components = case.field.shape[1]
    return task.analysis.fields(values[:, :components], values[:, components:], "surface")


def _shortfalls(found: Mapping[str, Quantity], task: Task, case: str) -> list[str]:
    accuracy, said = task.request.accuracy, []
    where = f" in load case {case}" if case else ""
    for name in task.request.quantities or task.analysis.asked:
        quantity = found.get(name)
        if quantity is None or quantity.relative_error <= accuracy:
            continue
        of = "" if quantity.scale is None else f" of {quantity.scale:.4g} {quantity.unit}"
        said.append(
            f"{name}{where}: error estimate {quantity.relative_error:.1%}{of}, above the requested {accuracy:.1%}."
        )
    return said


def _unbounded(found: Mapping[str, Quantity], final: StudySolution, case: str, task: Task) -> list[str]:
    """Singular places that would have the largest flux, if that meant anything."""
    measured, said = final.measured[case], []
    number, unit = measured.at_peak, measured.units[measured.at_peak]
    where = f" in load case {case}" if len(final.cases) > 1 else ""
    for index, value in measured.in_zones.items():
        place = task.zones.of(case).places[index]
        here = display.unit_for(unit, value)(value)
        said.append(
            f"{place.label}: there the exact {number.removeprefix('max_')} has no bound{where}, and the "
            f"{here} of this mesh mean nothing. {number} is the largest outside of a zone of "
            f"{1e3 * place.radius:.3g} mm around it."
        )
    return said


def _assumptions(task: Task, final: StudySolution, chosen: str) -> tuple[str, ...]:
    said = [
        f"Solved on {final.discretised.method.split(',')[0]}, {chosen}.",
        *task.analysis.assumptions(),
        "The error estimates speak of the discretisation, not of loads or material; they are estimates with a safety "
        "factor, not guaranteed bounds.",
    ]
    chord = task.report.chord_error
    if task.report.bodies > 1:
        said.append(
            "Sharp inner edges where bodies touch or overlap are not looked for: stress there has no bound."
        )
    facets = (
        f"the facets that the file was read as are at most {1e3 * chord:.3g} mm from its CAD surface"
        if chord
        else "the facets of the file are taken for the part, their distance from its CAD surface is not known"
    )
    shares = _geometry_shares(final)
    if shares:
        told = ", ".join(f"{share:.1g} % of {name}" for name, share in shares.items())
        said.append(f"Geometry error, a part of the estimates: {facets}, worth {told}.")
    else:
        said.append(f"Geometry error, beside the estimates: {facets}.")
    return tuple(said)


def _geometry_shares(final: StudySolution) -> dict[str, float]:
    """Of each number the error that its facets make, in per cent of its scale, in the worst case."""
    shares: dict[str, float] = {}
    for measured in final.measured.values():
        for name, amount in measured.geometry.items():
            if scale := measured.scale(name):
                shares[name] = max(shares.get(name, 0.0), 100 * amount / scale)
    return shares


def _tolerance(final: StudySolution) -> float:
    """Relative residual that was solved to, or that was left where numbers were certified before."""
    return max([TOLERANCE, *(case.residual for case in final.cases.values() if case.certificate is not None)])


def provenance(method: str, tolerance: float = TOLERANCE) -> dict[str, str]:
    """What an answer rests on; method: of the solution; tolerance: of its linear equations."""
    return {
        "twin": version("twin"),
        "jax": jax.__version__,
        "netgen": version("netgen-mesher"),
        "solver": method,
        "linear_tolerance": f"{tolerance:.0e}",
    }


def cost(watch: Stopwatch) -> Cost:
    """What the work so far cost; energy is counted outside."""
    return Cost(dict(watch.seconds), joules=None, device=steady.devices(), peak_bytes=_peak_bytes())


def _peak_bytes() -> int | None:
    statistics = jax.devices()[0].memory_stats()
    if statistics:
        return int(statistics["peak_bytes_in_use"])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
