"""Static stress on a grid that the surface cuts."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from solvers.elasticity.constraints import rigid_motions
from solvers.elasticity.immersed_coupling import RigidRegions
from solvers.elasticity.law import Lame
from solvers.hex8 import immersed
from solvers.hex8.cells import FilledCells
from solvers.hex8.recovery import recover
from twin.analyses.analysis import CaseSolution, Span
from twin.analyses.immersed_boundary import ImmersedBoundary
from twin.analyses.springs import Springs, joined
from twin.analyses.static_stress import checks
from twin.analyses.static_stress.balance import equilibrium
from twin.analyses.static_stress.immersed_supports import springs
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
        hanging = springs(boundary, study.supports, immersed.penalty(law, cells.lattice.edge))
        checks.check_pieces_hang(boundary.points, boundary.corners, cells.lattice.pieces, hanging)
        loads = assemble(boundary, study.material.density, study.cases)
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
    hanging: Springs,
    taken: list[Selector],
    loads: Mapping[str, CaseLoads],
    span: Span,
    count: int,
    done: int,
) -> dict[str, CaseSolution]:
    rigid: list[tuple[Springs, Floats]] = []
    for load in next(iter(loads.values())).rigid:
        rigid.append(_rigid_region(boundary, load, immersed.penalty(law, cells.lattice.edge), taken))
        taken.append(load.on)
    with task.watch.phase("set-up"):
        every = joined([hanging, *(region for region, _ in rigid)])
        problem = immersed.prepare(cells, law, every.where, every.stiffness)
        moved = hanging.force(np.zeros_like(boundary.points))
    found: dict[str, CaseSolution] = {}
    with solver_errors():
        with task.watch.phase("solve"):
            follow = task.follow("rigid coupling", span, count, done)
            parts = [(region.where, region.stiffness, motions) for region, motions in rigid]
            regions = RigidRegions(problem, parts, follow) if rigid else None
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
    boundary: ImmersedBoundary, load: RigidLoad, penalty: float, taken: list[Selector]
) -> tuple[Springs, Floats]:
    """The springs that a rigid region hangs on, and the motion of their points in its six unit motions (p, 3, 6)."""
    where = boundary.quadrature(load.on)
    triangle = closest(boundary.surface, where.position)[1]
    free = np.ones(len(where.weight), bool)
    for other in taken:
        free &= ~Selected(boundary.surface, other).mask(where.position, triangle)
    refuse_taken(load.on, float(where.weight[free].sum() / where.area))
    where = where[free]
    count = len(where.weight)
    stiffness = np.broadcast_to(penalty * np.eye(3), (count, 3, 3))
    return Springs(where, stiffness, np.zeros((count, 3))), rigid_motions(where.position, np.array(load.at))
