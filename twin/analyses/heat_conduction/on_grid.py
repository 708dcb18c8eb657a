"""Heat conduction on a grid that the surface cuts."""

import numpy as np
from numpy.typing import NDArray

from solvers.conduction.law import Fourier
from solvers.cutcell import immersed, supports
from solvers.cutcell.cells import FilledCells
from solvers.cutcell.recovery import recover
from solvers.cutcell.supports import Supports
from twin.analyses.analysis import CaseSolution, Span
from twin.analyses.heat_conduction import checks
from twin.analyses.heat_conduction.loads import assemble, balance, reference
from twin.analyses.immersed_boundary import ImmersedBoundary
from twin.analyses.task import Task, solver_errors
from twin.studies import Convection, HeatConduction, Temperature, ThermalSupport

Floats = NDArray[np.float64]


def solve(
    task: Task,
    study: HeatConduction,
    law: Fourier,
    cells: FilledCells,
    boundary: ImmersedBoundary,
    span: Span,
) -> dict[str, CaseSolution]:
    """Solve all cases on a grid; progress goes over `span`."""
    zero = reference(study)
    with task.watch.phase("set-up"):
        ties = [_tie(boundary, law, support, zero) for support in study.supports]
        every = supports.joined(cells, law, ties)
        checks.check_pieces_tied(boundary.points, cells.nodes, every.where.nodes.ravel())
        loads = assemble(boundary, study.cases)
        problem = immersed.prepare(cells, law, every)
        pulled = every.force(np.zeros((len(boundary.points), 1)))
    found: dict[str, CaseSolution] = {}
    for name, parts in loads.items():
        nodal = sum(parts, pulled)
        with solver_errors(), task.watch.phase("solve"):
            follow = task.follow(f"load case {name}", span, len(loads), len(found))
            solution = immersed.solve(problem, nodal, progress=follow)
        with task.watch.phase("recover"):
            flux = recover(cells, law, solution.field)
        heat = [float(tie.force(solution.field).sum()) for tie in ties]
        found[name] = CaseSolution(
            solution.field + zero,
            sum(float(np.vdot(load, solution.field)) for load in parts),
            flux,
            balance(study, task.surface.diagonal, heat, name, parts),
            solution.iterations,
            solution.residual,
        )
    return found


def _tie(boundary: ImmersedBoundary, law: Fourier, support: ThermalSupport, zero: float) -> Supports:
    where = boundary.quadrature(support.on)
    count = len(where.weight)
    match support:
        case Temperature(value):
            ground = np.full((count, 1), value - zero)
            return supports.given(boundary.cells, law, where, np.ones((count, 1, 1)), ground)
        case Convection(coefficient, ambient):
            springs, ground = np.full((count, 1, 1), coefficient), np.full((count, 1), ambient - zero)
            return supports.sprung(boundary.cells, law, where, springs, ground)
