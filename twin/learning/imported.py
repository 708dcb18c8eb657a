"""An answer of another code becomes one of ours: fields on the surface, once they are known to belong to the study.

What is checked: that it is the same part in the same place, that supports hold, that stress and displacement are those
of one elastic material, and that the loads do the work. What can't be: how far off it is, which its owner says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Final, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from solvers.elasticity.invariants import von_mises
from twin.analyses import summary
from twin.analyses.estimates import largest
from twin.analyses.monitor import Monitor
from twin.analyses.run import set_up
from twin.analyses.static_stress import quantities
from twin.analyses.task import Task
from twin.errors import InvalidInput
from twin.geometry.projection import Projection
from twin.geometry.selection import barycentric
from twin.geometry.subdivision import six_node_faces
from twin.geometry.surface import Report, Surface
from twin.learning.questions import Question, asked
from twin.materials import Material
from twin.quantities import Quantity
from twin.results import imported
from twin.results.imported import SurfaceFields
from twin.results.outcome import CaseOutcome, Outcome
from twin.studies import Request, StaticStress

Floats = NDArray[np.float64]

_NEAR: Final = 0.02  # of the part's diagonal: what lies further from its surface is not of it
_COVERED: Final = 0.05  # of the diagonal: the surface may have no larger gaps
_HELD: Final = 0.05  # of the largest displacement, that a support may move by
_OF_HOOKE: Final = (1 / 3, 3.0)  # what strains make of the stress, over the stress
_ALIKE: Final = 0.5  # least correlation of the two


@final
class Import(NamedTuple):
    """A study, and the file with an answer to it."""

    study: StaticStress
    fields: Path


def import_answer(
    surface: Surface,
    report: Report,
    asked_for: Import,
    request: Request,
    *,
    source: Path | None,
    monitor: Monitor,
    workdir: Path,
) -> Outcome:
    """The answer as an outcome.

    Raises:
        InvalidInput: it is not of this part and study
        StudyError: the study is of a kind whose answers are not known well enough to be checked
    """
    task = set_up(surface, report, asked_for.study, request, source=source, monitor=monitor, workdir=workdir)
    with task.watch.phase("check"):
        monitor.progress("check", 0.2, "whether the answer belongs to the part and the study")
        solution = _SurfaceSolution(imported.read(asked_for.fields))
        question = asked(surface, task.volume, asked_for.study, task.regions)
        _check(solution, task, question)
    with task.watch.phase("recover"):
        monitor.progress("recover", 0.7, "numbers, fields on the uploaded surface")
        return _outcome(solution.turned(surface), task, question)


@dataclass(frozen=True, eq=False)
class _SurfaceSolution:
    """What was solution, and where it is looked up."""

    fields: SurfaceFields

    @cached_property
    def corners(self) -> Floats:
        """Of the triangles (t, 3, 3) [m]."""
        return np.asarray(self.fields.points[self.fields.triangles])

    @cached_property
    def vectors(self) -> Floats:
        """Normals of the triangles times their area (t, 3) [m^2]."""
        corners = self.corners
        return np.asarray(0.5 * np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]))

    @cached_property
    def projection(self) -> Projection:
        return Projection(self.fields.points, self.fields.triangles.astype(np.int32))

    def at(self, values: Floats, points: Floats) -> Floats:
        """Nodal values (n, k) at the places nearest to points (p, 3) [m]: (p, k)."""
        _, triangle, places = self.projection(points)
        weights = barycentric(self.corners[triangle], places[:, None])[:, 0]
        return np.asarray(np.einsum("pa,pak->pk", weights, values[self.fields.triangles[triangle]]))

    def turned(self, surface: Surface) -> _SurfaceSolution:
        """With triangles that are counter-clockwise from outside, as those of the part are."""
        _, triangle, _ = surface.projection(self.corners.mean(axis=1))
        if np.einsum("ti,ti->", self.vectors, surface.normals[triangle]) >= 0:
            return self
        points, triangles, cases = self.fields.points, self.fields.triangles, self.fields.cases
        return _SurfaceSolution(SurfaceFields(points, triangles[:, ::-1].copy(), cases))


def _check(solution: _SurfaceSolution, task: Task, question: Question) -> None:
    fields, diagonal = solution.fields, task.surface.diagonal
    if set(fields.cases) != set(question.cases):
        raise InvalidInput(
            f"the file has load cases {', '.join(fields.cases)}, and the study has {', '.join(question.cases)}"
        )
    away, _, _ = task.surface.projection(fields.points[np.unique(fields.triangles)])
    if away.max() > _NEAR * diagonal:
        raise InvalidInput(
            f"a point of the file lies {1e3 * away.max():.4g} mm from the surface of the part. The file spans "
            f"{_box(fields.points)}, the part {_box(task.surface.vertices)}: are the units right, and is the mesh "
            "undeformed?"
        )
    gap, _, _ = solution.projection(question.cloud.points)
    if gap.max() > _COVERED * diagonal:
        place = ", ".join(f"{1e3 * each:.4g}" for each in question.cloud.points[gap.argmax()])
        raise InvalidInput(
            f"the file has nothing of the part's surface around ({place}) mm: it takes all of the surface, without "
            "symmetries that the part does not have"
        )
    for case, found in fields.cases.items():
        _check_case(case, found, solution, question)


def _check_case(
    case: str, found: Mapping[str, Floats], solution: _SurfaceSolution, question: Question
) -> None:
    moved, stress = found["displacement"], found["stress"]
    most = np.linalg.norm(moved, axis=1).max()
    if most == 0 or not stress.any():
        raise InvalidInput(f"nothing moves, or no stress is there, in load case {case}")
    for hold in question.problems[0].holds:
        slipped = np.abs(solution.at(moved, hold.where.points)[:, list(hold.axes)]).max(initial=0.0)
        if slipped > _HELD * most:
            raise InvalidInput(
                f"a support moves by {slipped:.3g} m in load case {case}, where the largest displacement is {most:.3g} "
                "m: is it of this study?"
            )
    ratio, alike = _hooke(solution, moved, stress, question.material)
    low, high = _OF_HOOKE
    if not (low < ratio < high and alike > _ALIKE):
        raise InvalidInput(
            f"stress and displacement of load case {case} are not of one elastic part of {question.material.name}: the "
            f"strains make {ratio:.3g} times the stress that is given, with a correlation of {alike:.2f}. "
            "Are the units right, is the order of components xx, yy, zz, xy, yz, zx, and is it a linear analysis?"
        )
    if (work := _work(solution, case, moved, question)) is not None and work <= 0:
        raise InvalidInput(
            f"the loads of load case {case} do the work {work:.3g} J on the displacement, which can't be: do they act "
            "the other way?"
        )


def _hooke(
    solution: _SurfaceSolution, moved: Floats, stress: Floats, material: Material
) -> tuple[float, float]:
    """What strains along the surface make of the stress in it, over that stress; and how the two correlate.

    As if nothing pressed on the surface, which is so almost everywhere.
    """
    corners, triangles = solution.corners, solution.fields.triangles
    areas = np.linalg.norm(solution.vectors, axis=1)
    kept = areas > 1e-12 * areas.max()
    corners, triangles, areas = corners[kept], triangles[kept], areas[kept]
    normals = solution.vectors[kept] / areas[:, None]
    first = corners[:, 1] - corners[:, 0]
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    frame = np.stack([first, np.cross(normals, first)], axis=1)  # (t, 2, 3)
    sides = np.einsum("tai,tki->tka", frame, corners[:, 1:] - corners[:, :1])
    changes = np.einsum("tai,tki->tka", frame, moved[triangles][:, 1:] - moved[triangles][:, :1])
    gradient = np.linalg.solve(sides, changes)  # d u_b / d x_a
    xx, yy, xy = gradient[:, 0, 0], gradient[:, 1, 1], 0.5 * (gradient[:, 0, 1] + gradient[:, 1, 0])
    nu = material.poissons_ratio
    implied = (
        material.youngs_modulus / (1 - nu**2) * np.stack([xx + nu * yy, yy + nu * xx, (1 - nu) * xy], axis=1)
    )
    mean = stress[triangles].mean(axis=1)
    full = mean[:, [[0, 3, 5], [3, 1, 4], [5, 4, 2]]]
    within = np.einsum("tai,tij,tbj->tab", frame, full, frame)
    given = np.stack([within[:, 0, 0], within[:, 1, 1], within[:, 0, 1]], axis=1)
    product, own, other = (
        float(np.sum(areas[:, None] * a * b))
        for a, b in ((implied, given), (given, given), (implied, implied))
    )
    tiny = np.finfo(float).tiny
    return product / max(own, tiny), product / max(np.sqrt(own * other), tiny)


def _work(solution: _SurfaceSolution, case: str, moved: Floats, question: Question) -> float | None:
    """Of the loads [J]; None where some act everywhere."""
    regions = [problem.region for problem in question.problems]
    if None in regions:
        return None
    return question.work(
        case, [solution.at(moved, region.points) for region in regions if region is not None]
    )


def _outcome(solution: _SurfaceSolution, task: Task, question: Question) -> Outcome:
    given = task.request.imported
    assert given is not None  # which is why this is asked
    points, faces = six_node_faces(solution.fields.points, solution.fields.triangles)
    owner = f"Its error is what its owner says, {given.error:.1%}."
    said = f"Found by {given.code}, and imported: nothing was computed. {owner}"
    return Outcome(
        cases={
            case: _case(case, solution, (points, faces), task, question, given.error)
            for case in question.cases
        },
        points=points,
        tets=np.zeros((0, 10), np.int32),
        faces=faces.astype(np.int32),
        surface_vertices=task.surface.vertices,
        surface_triangles=task.surface.triangles,
        glyphs=task.analysis.glyphs(task.surface, task.regions),
        assumptions=(said, *task.analysis.assumptions()),
        warnings=tuple(task.report.warnings),
        convergence=(),
        singularities=task.zones.places,
        mesh_quality={"nodes": float(len(points)), "elements": float(len(faces))},
        mesher=f"none: fields on the surface, by {given.code}",
        provenance={"twin": version("twin"), "imported": given.code, "fields": given.fields},
        cost=summary.cost(task.watch),
    )


def _case(
    case: str,
    solution: _SurfaceSolution,
    mesh: tuple[Floats, NDArray[np.int64]],
    task: Task,
    question: Question,
    error: float,
) -> CaseOutcome:
    """mesh: points (n, 3) [m] and six-node faces (f, 6) that fields are given on."""
    points, faces = mesh
    found = solution.fields.cases[case]
    moved, stress = (_with_middles(found[kind], faces) for kind in ("displacement", "stress"))
    mises = von_mises(stress)
    peak, _ = largest(mises, task.zones.of(case).at(points))
    values = {
        "max_displacement": float(np.linalg.norm(moved, axis=1).max()),
        "max_von_mises": float(mises[peak]),
        "compliance": _work(solution, case, found["displacement"], question),
    }
    measured = {
        name: Quantity(value, quantities.UNITS[name], error * abs(value), "error as its owner says")
        for name, value in values.items()
        if value is not None
    }
    whole = task.surface.closed and task.report.bodies == 1
    volume = Quantity(question.cloud.volume, "m^3", 0.0 if whole else np.inf)
    balance = question.balance(case)
    at_vertices = [solution.at(found[kind], task.surface.vertices) for kind in ("displacement", "stress")]
    return CaseOutcome(
        quantities.quantities(measured, balance, volume, np.ones(1), (question.material,)),
        task.analysis.fields(moved, stress, "node"),
        task.analysis.fields(at_vertices[0], at_vertices[1], "surface"),
        balance,
    )


def _with_middles(values: Floats, faces: NDArray[np.int64]) -> Floats:
    """Nodal values (n, k) with those in the middle of edges, which come after them; faces (f, 6)."""
    found = np.concatenate([values, np.zeros((int(faces.max()) + 1 - len(values), values.shape[1]))])
    for side in range(3):
        found[faces[:, 3 + side]] = values[faces[:, [side, (side + 1) % 3]]].mean(axis=1)
    return found


def _box(points: Floats) -> str:
    return " x ".join(f"{1e3 * side:.4g}" for side in np.ptp(points, axis=0)) + " mm"
