"""Static stress on a grid that the surface cuts."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from solvers.cutcell import immersed, supports
from solvers.cutcell.cells import FilledCells
from solvers.cutcell.recovery import recover
from solvers.cutcell.supports import Supports
from solvers.elasticity.constraints import rigid_motions
from solvers.elasticity.immersed_coupling import RigidRegions
from solvers.elasticity.law import Lame
from twin.analyses.analysis import CaseSolution, Span
from twin.analyses.immersed_boundary import ImmersedBoundary
from twin.analyses.static_stress import checks
from twin.analyses.static_stress.balance import equilibrium
from twin.analyses.static_stress.immersed_supports import supported
from twin.analyses.static_stress.loads import CaseLoads, RigidLoad, assemble, by_rigid_regions, refuse_taken
from twin.analyses.static_stress.supports import ORDER as HOLDING
from twin.analyses.task import Task, solver_errors
from twin.geometry.selection import Selected
from twin.geometry.surface import closest
from twin.select import Selector
from twin.studies import StaticStress

Floats = NDArray[np.float64]


def solve(
    task: Task, study: StaticStress, law: Lame, cells: FilledCells, boundary: ImmersedBoundary, span: Span
) -> dict[str, CaseSolution]:
    """Solve all cases on a grid; progress goes over `span`."""
    with task.watch.phase("set-up"):
        hanging = supported(boundary, law, study.supports)
        checks.check_pieces_hang(cells, hanging)
        loads = assemble(boundary, study.materials, study.cases)
    taken = [support.on for support in study.supports if isinstance(support, HOLDING)]
    cases: dict[str, CaseSolution] = {}
    for group in by_rigid_regions(loads):
        cases |= _solve_group(
            task, law, cells, boundary, hanging, list(taken), group, span, len(loads), len(cases)
        )
    return cases


def _solve_group(
    task: Task,
    law: Lame,
    cells: FilledCells,
    boundary: ImmersedBoundary,
    hanging: Supports,
    taken: list[Selector],
    loads: Mapping[str, CaseLoads],
    span: Span,
    count: int,
    done: int,
) -> dict[str, CaseSolution]:
    rigid: list[tuple[Supports, Floats]] = []
    for load in next(iter(loads.values())).rigid:
        rigid.append(_rigid_region(boundary, law, load, taken))
        taken.append(load.on)
    with task.watch.phase("set-up"):
        every = supports.joined(cells, law, [hanging, *(region for region, _ in rigid)])
        problem = immersed.prepare(cells, law, every)
        moved = hanging.force(np.zeros_like(boundary.points))
    found: dict[str, CaseSolution] = {}
    with solver_errors():
        with task.watch.phase("solve"):
            follow = task.follow("rigid coupling", span, count, done)
            regions = RigidRegions(problem, rigid, follow) if rigid else None
        for name, case in loads.items():
            follow = task.follow(f"load case {name}", span, count, done + len(found))
            rigid_work = 0.0
            with task.watch.phase("solve"):
                if regions is None:
                    solution = immersed.solve(problem, case.nodal + moved, progress=follow)
                else:
                    resultants = np.concatenate([[*load.force, *load.moment] for load in case.rigid])
                    solution, rigid_work = regions.solve(case.nodal + moved, resultants, follow)
            with task.watch.phase("recover"):
                stress = recover(cells, law, solution.field)
            found[name] = CaseSolution(
                solution.field,
                float(np.vdot(case.nodal, solution.field)) + rigid_work,
                stress,
                equilibrium(boundary.points, case, hanging.force(solution.field)),
                solution.iterations + (regions.iterations if regions else 0),
                solution.residual,
            )
    return found


def _rigid_region(
    boundary: ImmersedBoundary, law: Lame, load: RigidLoad, taken: list[Selector]
) -> tuple[Supports, Floats]:
    """What holds a rigid region, and the motion of its points in the region's six unit motions (p, 3, 6)."""
    where = boundary.quadrature(load.on)
    triangle = closest(boundary.surface, where.position)[1]
    free = np.ones(len(where.weight), bool)
    for other in taken:
        free &= ~Selected(boundary.surface, other).mask(where.position, triangle)
    refuse_taken(load.on, float(where.weight[free].sum() / where.area))
    where = where[free]
    count = len(where.weight)
    every = np.broadcast_to(np.eye(3), (count, 3, 3))
    region = supports.given(boundary.cells, law, where, every, np.zeros((count, 3)))
    return region, rigid_motions(where.position, np.array(load.at))
