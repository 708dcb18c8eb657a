"""Static stress on quadratic tetrahedra: load cases share everything up to their right-hand side."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from solvers.elasticity import coupling
from solvers.elasticity.coupling import RigidRegion, UnitMotions
from solvers.iteration import Progress, Solution
from solvers.law import Law
from solvers.tet10 import steady
from solvers.tet10.recovery import Recovery
from solvers.tet10.steady import Problem
from twin.analyses import goals
from twin.analyses.analysis import CaseSolution, Span
from twin.analyses.boundary import MeshBoundary
from twin.analyses.goals import GoalError
from twin.analyses.static_stress import checks
from twin.analyses.static_stress.balance import equilibrium
from twin.analyses.static_stress.certificate import certified
from twin.analyses.static_stress.loads import CaseLoads, assemble, by_rigid_regions, rigid_regions
from twin.analyses.static_stress.supports import Held, hold
from twin.analyses.task import Task, solver_errors
from twin.meshing import VolumeMesh
from twin.meshing.volume_mesh import pieces
from twin.studies import StaticStress

Floats = NDArray[np.float64]


def solve(
    task: Task, study: StaticStress, law: Law, mesh: VolumeMesh, boundary: MeshBoundary, span: Span
) -> dict[str, CaseSolution]:
    """Solve all cases on a mesh; progress goes over `span`."""
    with task.watch.phase("set-up"):
        held = hold(boundary, study.supports)
        checks.check_pieces_held(mesh.points, mesh.tets, pieces(mesh.tets), held)
        loads = assemble(boundary, study.materials, study.cases)
    cases: dict[str, CaseSolution] = {}
    for group in by_rigid_regions(loads):
        cases |= _solve_group(task, law, mesh, boundary, held, group, span, len(loads), len(cases))
    return cases


def _solve_group(
    task: Task,
    law: Law,
    mesh: VolumeMesh,
    boundary: MeshBoundary,
    held: Held,
    loads: Mapping[str, CaseLoads],
    span: Span,
    count: int,
    done: int,
) -> dict[str, CaseSolution]:
    with task.watch.phase("set-up"):
        regions = rigid_regions(boundary, next(iter(loads.values())), held.directions)
        problem = prepare(law, mesh, held, regions)
        sides = mesh.sides
        recovery = Recovery(problem, sides.points, sides.tets, sides.node)
    with task.watch.phase("expect"):
        expected = _expected(task, boundary, held, regions)
        for name, field in expected.items():
            steady.expect(problem, loads[name].nodal, field)
    found: dict[str, CaseSolution] = {}
    goal = "max_displacement" in task.analysis.decisive(task.request)
    count, done = (1 + goal) * count, (1 + goal) * done
    with solver_errors():
        with task.watch.phase("solve"):
            follow = task.follow("rigid coupling", span, count, done)
            unit = coupling.unit_motions(problem, mesh.points, regions, follow) if regions else None
        for name, case in loads.items():
            solved = done + (1 + goal) * len(found)
            follow = task.follow(f"load case {name}", span, count, solved)
            near = None
            with task.watch.phase("solve"):
                if name in expected:
                    outside = task.zones.of(name).at(mesh.points[mesh.tets[:, :4]].mean(1)) < 0
                    counted = mesh.tets[outside] if outside.any() else mesh.tets
                    near = certified(problem, mesh, law, case.nodal, counted, task.request.accuracy, follow)
                if near is not None:
                    size = max(float(np.linalg.norm(case.nodal)), np.finfo(float).tiny)
                    rest = float(np.linalg.norm(near.approach.rest)) / size
                    solution, rigid_work = (
                        Solution(near.approach.field, near.certificate.iterations, rest),
                        0.0,
                    )
                elif unit is None:
                    solution, rigid_work = steady.solve(problem, case.nodal, progress=follow), 0.0
                else:
                    resultants = [(rigid.force, rigid.moment) for rigid in case.rigid]
                    coupled = coupling.solve_coupled(problem, unit, case.nodal, resultants, progress=follow)
                    solution, rigid_work = coupled.solution, coupled.rigid_work
            with task.watch.phase("recover"):
                stress = recovery(solution.field)
            errors: dict[str, GoalError] = {}
            if goal:
                with task.watch.phase("estimate"):
                    follow = task.follow(f"error of load case {name}", span, count, solved + 1)
                    magnitude = np.linalg.norm(solution.field, axis=1)
                    peak = int(magnitude.argmax())
                    dual = near.dual if near else _dual(problem, unit, mesh, solution.field, peak, follow)
                    errors["max_displacement"] = GoalError(
                        recovery.products(solution.field, dual),
                        goals.beside(mesh, law, peak, stress.element_error)
                        + goals.between(mesh, magnitude, peak),
                    )
            found[name] = CaseSolution(
                sides.of(solution.field),
                float(np.vdot(case.nodal, solution.field)) + rigid_work,
                stress,
                equilibrium(mesh.points, case, _support_force(problem, held, case, solution.field)),
                solution.iterations + (unit.iterations if unit else 0),
                solution.residual,
                errors,
                sides.material,
                near.certificate if near else None,
            )
    return found


def _expected(
    task: Task, boundary: MeshBoundary, held: Held, regions: Sequence[RigidRegion]
) -> Mapping[str, Floats]:
    """What the displacements are thought to be, where nothing but loads moves the part."""
    if task.expected is None or regions or held.prescribed.any():
        return {}
    return task.expected(boundary.points, boundary.facets)


def prepare(law: Law, mesh: VolumeMesh, held: Held, regions: Sequence[RigidRegion]) -> Problem:
    """The equations of the cases that share these rigid regions, which are held."""
    directions = held.directions.copy()
    for region in regions:
        directions[region.nodes] = np.eye(3)
    return steady.prepare(mesh.points, mesh.tets, law, directions, held.prescribed, held.foundation)


def _dual(
    problem: Problem,
    unit: UnitMotions | None,
    mesh: VolumeMesh,
    displacement: Floats,
    peak: int,
    follow: Progress,
) -> Floats:
    """Displacement under the load that makes of any displacement its part along the one at the node `peak`."""
    size = np.linalg.norm(displacement[peak])
    if size == 0:
        return np.zeros_like(displacement)
    load = goals.around(mesh, peak)[:, None] * displacement[peak] / size
    still = np.zeros_like(displacement)
    if unit is None:
        return steady.solve(problem, load, prescribed=still, tolerance=goals.TOLERANCE, progress=follow).field
    unloaded = [(np.zeros(3), np.zeros(3))] * len(unit.regions)
    return coupling.solve_coupled(
        problem, unit, load, unloaded, prescribed=still, progress=follow
    ).solution.field


def _support_force(problem: Problem, held: Held, case: CaseLoads, displacement: Floats) -> Floats:
    """Force of supports on the part at each node [N]: what holds the held directions, and the foundations."""
    rest = steady.internal_force(problem, displacement) - case.nodal
    force = np.einsum("nij,nj->ni", held.directions, rest)
    if held.foundation is not None:
        facets, stiffness = held.foundation
        springs = np.einsum("fabij,fbj->fai", stiffness, displacement[facets])
        np.add.at(force, facets, -springs)
    return force
