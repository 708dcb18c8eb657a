"""Heat conduction on a grid that the surface cuts: every support is springs on the surface."""

import numpy as np
from numpy.typing import NDArray

from solvers.conduction.law import Fourier
from solvers.hex8 import immersed
from solvers.hex8.cells import FilledCells
from solvers.hex8.recovery import recover
from twin.analyses.analysis import CaseSolution, Span
from twin.analyses.heat_conduction import checks
from twin.analyses.heat_conduction.loads import assemble, balance, reference
from twin.analyses.immersed_boundary import ImmersedBoundary
from twin.analyses.springs import Springs, joined
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
    penalty = immersed.penalty(law, cells.lattice.edge)
    with task.watch.phase("set-up"):
        ties = [_springs(boundary, support, penalty, zero) for support in study.supports]
        every = joined(ties)
        checks.check_pieces_tied(boundary.points, boundary.corners, every.where.nodes.ravel())
        loads = assemble(boundary, study.cases)
        problem = immersed.prepare(cells, law, every.where, every.stiffness)
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


def _springs(boundary: ImmersedBoundary, support: ThermalSupport, penalty: float, zero: float) -> Springs:
    where = boundary.quadrature(support.on)
    match support:
        case Temperature(value):
            stiffness, ground = penalty, value
        case Convection(coefficient, ambient):
            stiffness, ground = coefficient, ambient
    count = len(where.weight)
    return Springs(where, np.full((count, 1, 1), stiffness), np.full((count, 1), ground - zero))
