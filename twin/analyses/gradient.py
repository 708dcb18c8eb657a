"""From the answer of a run to the gradient of one of its numbers: the mesh and the field are those of the answer."""

import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from solvers.conduction.extension import HarmonicExtension
from solvers.tet10 import sensitivity
from twin.analyses.boundary import MeshBoundary
from twin.analyses.derivatives import Adjoined, Objective
from twin.analyses.external_flow import gradient as external_flow
from twin.analyses.linearised import Linearised
from twin.analyses.monitor import Monitor
from twin.analyses.run import analysis_of
from twin.analyses.shape import by_moves
from twin.analyses.summary import cost, provenance
from twin.analyses.task import OutOfTimeError, Regions, Stopwatch, Task, solver_errors
from twin.errors import DeadlineExceeded
from twin.geometry.surface import Report, Surface
from twin.meshing import VolumeMesh
from twin.results.gradient import Differentiation, Gradient, Sensitivity
from twin.results.zones import Zones
from twin.studies import ExternalFlow, GradientOf, InternalFlow, Request

Floats = NDArray[np.float64]

SHARES = {
    "set-up": 0.05,
    "solve": 0.2,
    "differentiate": 0.6,
    "extend": 0.7,
    "write": 0.95,
}  # of the progress bar
MATERIAL_UNITS = {
    "youngs_modulus": "Pa",
    "poissons_ratio": "1",
    "density": "kg/m^3",
    "yield_strength": "Pa",
    "thermal_conductivity": "W/(m K)",
}


def differentiate(
    surface: Surface,
    report: Report,
    study: Differentiation,
    request: Request,
    *,
    source: Path | None,
    monitor: Monitor,
    workdir: Path,
) -> Gradient:
    """The gradient of a number of an outcome.

    Args:
        study: what is asked, and the answer that it is asked of
        source: not needed, as the mesh is there

    Raises:
        twin.errors.TwinError: there is none; the sentence says why
    """
    question, outcome, asked = study.question, study.outcome, study.study
    question.check(asked)
    assert not isinstance(asked, InternalFlow)  # which has none
    if isinstance(asked, ExternalFlow):
        return external_flow.differentiate(surface, study, request, monitor=monitor)
    deadline = time.perf_counter() + (request.max_seconds or np.inf)
    analysis = analysis_of(asked)
    nowhere, zones = Regions((), ()), Zones(outcome.singularities).of(question.case)
    task = Task(
        surface, report, analysis, request, nowhere, zones, source, monitor, workdir, Stopwatch(), deadline
    )
    try:
        task.tell("set-up", SHARES["set-up"], "the equations of the answer again")
        with task.watch.phase("set-up"):
            mesh = VolumeMesh(outcome.points, outcome.tets, outcome.mesher, 0.0, ())
            boundary = MeshBoundary(surface, mesh)
            found = outcome.cases[question.case]
            linear = analysis.linearise(mesh, boundary, question.case, found)
            outside = zones.at(mesh.points[mesh.tets[:, :4]].mean(1)) < 0
            objective = linear.objective(question.quantity, mesh.tets[outside] if outside.any() else None)
        follow = task.follow("adjoint", (SHARES["solve"], SHARES["differentiate"]), 1, 0)
        with solver_errors(), task.watch.phase("solve"):
            at = linear.adjoined(objective, follow)
        task.tell("differentiate", SHARES["differentiate"], "work of the adjoint")
        parameters = _parameters(task, boundary, linear, objective, at, study)
    except OutOfTimeError:
        raise DeadlineExceeded(
            f"max_seconds = {request.max_seconds:g} s is too short for this gradient. Allow more time.",
            {"max_seconds": request.max_seconds},
        ) from None
    reported = float(found.quantities[question.quantity].value)
    smooth = question.quantity in analysis.peaks
    return Gradient(
        of=question.run,
        case=question.case,
        quantity=question.quantity,
        wrt=question.wrt,
        value=objective.value,
        unit=objective.unit,
        gap=reported - objective.value if smooth else 0.0,
        parameters=parameters,
        assumptions=_assumptions(question, smooth),
        warnings=(),
        provenance=provenance("adjoint on the quadratic tetrahedra of the answer") | {"answer": question.run},
        cost=cost(task.watch),
    )


def _parameters(
    task: Task,
    boundary: MeshBoundary,
    linear: Linearised,
    objective: Objective,
    at: Adjoined,
    study: Differentiation,
) -> dict[str, Sensitivity]:
    match study.question.wrt:
        case "loads":
            with task.watch.phase("differentiate"):
                return {
                    f"{term.name}.{name}": Sensitivity(value, per(objective.unit, term.units[name]))
                    for term in linear.terms
                    for name, value in term.by_parameters(at).items()
                }
        case "material":
            with task.watch.phase("differentiate"):
                found = by_material(linear, objective, at)
            return {
                name: Sensitivity(np.array(value), per(objective.unit, MATERIAL_UNITS[name]))
                for name, value in found.items()
            }
        case "shape":
            with task.watch.phase("differentiate"):
                by_points = by_shape(linear, objective, at)
            with solver_errors(), task.watch.phase("extend"):
                follow = task.follow("motion of the inside", (SHARES["extend"], SHARES["write"]), 1, 0)
                extension = HarmonicExtension(at.points, at.tets, boundary.nodes_on_surface, follow)
                vertices = boundary.onto_vertices(extension.transposed(by_points))
                moves = by_moves(task.surface, study.boxes, vertices)
            unit = per(objective.unit, "m")
            return {
                "vertices": Sensitivity(vertices, unit),
                **{f"shape[{box}].moves": Sensitivity(values, unit) for box, values in enumerate(moves)},
            }


def by_material(linear: Linearised, objective: Objective, at: Adjoined) -> dict[str, float]:
    """Derivatives with respect to the numbers of the material."""
    _, stiffness = sensitivity.stiffness(at.points, at.tets, linear.law, at.field, at.adjoint)
    found = {name: -value for name, value in linear.by_material(stiffness).items()}
    if objective.by_law is not None:
        for name, value in linear.by_material(objective.by_law).items():
            found[name] += value
    if linear.weighs:
        found["density"] = linear.by_density(at)
    for name, value in objective.by_material.items():
        found[name] = found.get(name, 0.0) + value
    return found


def by_shape(linear: Linearised, objective: Objective, at: Adjoined) -> Floats:
    """Derivatives with respect to the positions of all nodes (n, 3)."""
    by_points, _ = sensitivity.stiffness(at.points, at.tets, linear.law, at.field, at.adjoint)
    total = sum((term.by_points(at) for term in linear.terms), -by_points)
    return total if objective.by_points is None else total + objective.by_points


def per(unit: str, parameter: str) -> str:
    """The unit of a derivative."""
    if parameter == "1":
        return unit
    return f"{unit}/({parameter})" if any(sign in parameter for sign in " /") else f"{unit}/{parameter}"


def _assumptions(question: GradientOf, smooth: bool) -> tuple[str, ...]:
    said = [
        "The gradient is that of the discrete answer on its own mesh; it knows nothing of the error of the mesh."
    ]
    if smooth:
        said.append(
            f"{question.quantity} is differentiated through a mean of a high power over the volume, which is smooth; "
            "the gap says by how much the number itself lies off it."
        )
    if question.wrt == "shape":
        said.append(
            "Nodes on the boundary move with the triangle of the surface that they lie on, those inside follow "
            "harmonically. A force keeps its total and a pressure its size; the directions along which supports hold "
            "stay as they are, which is exact where flat faces slide, shift or stretch."
        )
    return tuple(said)
