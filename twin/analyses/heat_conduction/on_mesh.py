"""Heat conduction on quadratic tetrahedra."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from solvers import quadrature
from solvers.iteration import Progress
from solvers.law import Law
from solvers.quadrature import FacetQuadrature
from solvers.tet10 import loads as tet10_loads
from solvers.tet10 import steady
from solvers.tet10.element import TRIANGLE_NODES, triangle_shape_gradient
from solvers.tet10.recovery import Recovery
from solvers.tet10.steady import Problem
from twin import select
from twin.analyses import goals
from twin.analyses.analysis import CaseSolution, Span
from twin.analyses.boundary import MeshBoundary
from twin.analyses.goals import GoalError
from twin.analyses.heat_conduction import checks
from twin.analyses.heat_conduction.loads import FLUXES, assemble, balance, parameters, reference
from twin.analyses.task import Task, solver_errors
from twin.meshing import VolumeMesh
from twin.studies import Convection, HeatConduction, HeatSource, Temperature

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

AT_NODES = triangle_shape_gradient(TRIANGLE_NODES)
PART = 1e-6  # of a facet: what a region leaves of it, or takes, by rounding
FLAT = 0.05  # of the largest: what the normals around an edge spread along it, in square
TURNED = 0.9  # length of the mean normal around a node, below which faces meet there at an edge


@dataclass(frozen=True)
class Tied:
    """How the temperature of a mesh is tied, above the reference.

    claims: of each node, how many supports hold it (n,); prescribed: the mean of what they ask for (n, 1) [K]
    nodes: of each support those that it holds, empty for convection; fluids: where convection acts, of each support
    """

    claims: Ints
    prescribed: Floats
    nodes: list[Ints]
    fluids: list[FacetQuadrature | None]


def tie(boundary: MeshBoundary, study: HeatConduction, zero: float) -> Tied:
    """Apply supports. Nodes that several temperatures hold take their mean: the rim between two faces.

    zero: the reference [K]
    """
    count = len(boundary.points)
    claims, total = np.zeros(count, np.int64), np.zeros((count, 1))
    nodes: list[Ints] = []
    fluids: list[FacetQuadrature | None] = []
    for support in study.supports:
        match support:
            case Temperature(value, on):
                own = boundary.nodes(on).unique
                claims[own] += 1
                total[own] += value - zero
                nodes.append(own)
                fluids.append(None)
            case Convection():
                nodes.append(np.zeros(0, np.int64))
                fluids.append(boundary.quadrature(support.on))
    return Tied(claims, total / np.maximum(claims, 1)[:, None], nodes, fluids)


@dataclass(frozen=True)
class Equations:
    """Of all load cases.

    zero: the reference [K]; ambient: nodal heat (n, 1) that fluids bring into a part at that temperature [W]
    """

    zero: float
    tied: Tied
    ambient: Floats
    problem: Problem


def set_up(study: HeatConduction, law: Law, mesh: VolumeMesh, boundary: MeshBoundary) -> Equations:
    """What all load cases share.

    Raises:
        twin.errors.UnconstrainedError: a body is insulated all around
    """
    zero = reference(study)
    tied = tie(boundary, study, zero)
    fluids = [(s, w) for s, w in zip(study.supports, tied.fluids, strict=True) if w is not None]
    held = (tied.claims > 0).astype(float)[:, None, None]
    touched = np.concatenate([np.flatnonzero(tied.claims), *(where.nodes.ravel() for _, where in fluids)])
    checks.check_pieces_tied(mesh.points, mesh.tets, touched)
    ambient = np.zeros((len(mesh.points), 1))
    springs: list[tuple[Ints, Floats]] = []
    for support, where in fluids:
        assert isinstance(support, Convection)
        exchange = np.full((len(where.weight), 1, 1), support.coefficient)
        springs.append(tet10_loads.foundation(where, exchange))
        ambient += quadrature.traction(where, exchange[:, 0] * (support.ambient - zero), len(mesh.points))
    foundation = None
    if springs:
        facets, stiffness = zip(*springs, strict=True)
        foundation = np.concatenate(facets), np.concatenate(stiffness)
    problem = steady.prepare(mesh.points, mesh.tets, law, held, tied.prescribed, foundation)
    return Equations(zero, tied, ambient, problem)


def heat_of_supports(
    study: HeatConduction, equations: Equations, nodal: Floats, field: Floats
) -> list[float]:
    """What each support brings into the part [W], of a field (n, 1) above the reference under nodal heat (n, 1)."""
    tied = equations.tied
    entering = (steady.internal_force(equations.problem, field) - nodal)[:, 0] / np.maximum(tied.claims, 1)
    return [
        _from_fluid(support, where, field, equations.zero)
        if isinstance(support, Convection) and where
        else float(entering[nodes].sum())
        for support, nodes, where in zip(study.supports, tied.nodes, tied.fluids, strict=True)
    ]


def solve(
    task: Task, study: HeatConduction, law: Law, mesh: VolumeMesh, boundary: MeshBoundary, span: Span
) -> dict[str, CaseSolution]:
    """Solve all cases on a mesh; progress goes over `span`."""
    with task.watch.phase("set-up"):
        equations = set_up(study, law, mesh, boundary)
        loads = assemble(boundary, study.cases)
        sides = mesh.sides
        recovery = Recovery(equations.problem, sides.points, sides.tets, sides.node)
    found: dict[str, CaseSolution] = {}
    for name, parts in loads.items():
        nodal = sum(parts, equations.ambient)
        with solver_errors(), task.watch.phase("solve"):
            follow = task.follow(f"load case {name}", span, len(loads), len(found))
            solution = steady.solve(equations.problem, nodal, progress=follow)
        with task.watch.phase("recover"):
            flux = recovery(solution.field)
            temperature = solution.field + equations.zero
            missed = missed_at_edges(boundary, study, name, temperature, sides.joined(flux.nodal))
            flux = replace(flux, nodal_error=np.maximum(flux.nodal_error, sides.of(missed)))
        errors: dict[str, GoalError] = {}
        with solver_errors(), task.watch.phase("estimate"):
            for number, values in (
                ("max_temperature", solution.field[:, 0]),
                ("min_temperature", -solution.field[:, 0]),
            ):
                node = int(values.argmax())
                if number in task.analysis.decisive(task.request):
                    follow = task.follow(f"error of load case {name}", span, len(loads), len(found) + 1)
                    if equations.tied.claims[node]:  # a temperature that is given has no error
                        errors[number] = GoalError(np.zeros(len(mesh.tets)), 0.0)
                        continue
                    dual = _dual(equations.problem, goals.around(mesh, node), follow)
                    errors[number] = GoalError(
                        recovery.products(solution.field, dual),
                        goals.beside(mesh, law, node, flux.element_error) + goals.between(mesh, values, node),
                    )
        heat = heat_of_supports(study, equations, nodal, solution.field)
        found[name] = CaseSolution(
            sides.of(temperature),
            sum(float(np.vdot(load, solution.field)) for load in parts),
            flux,
            balance(study, task.surface.diagonal, heat, name, parts),
            solution.iterations,
            solution.residual,
            errors,
            sides.material,
        )
    return found


def missed_at_edges(
    boundary: MeshBoundary, study: HeatConduction, case: str, temperature: Floats, flux: Floats
) -> Floats:
    """By how much a nodal flux (n, 3) misses what is given through the faces that meet at edges (n,) [W/m^2].

    Where they exchange differently the exact flux goes like r log r from the edge: neither the discrete flux nor the
    polynomials of the recovered one follow that, so that their distance says too little of it. Edges of given
    temperatures are left out, and what a region takes of a facet only in part: there the flux is unbounded.
    """
    every = boundary.quadrature(select.all())
    facets, count = boundary.facets, len(boundary.facets)
    area = np.bincount(every.facet, every.weight, count)
    known = area > 0
    inflow, exchange = np.zeros((2, count))
    for item in (*study.supports, *study.cases[case]):
        if isinstance(item, HeatSource):
            continue
        where = boundary.quadrature(item.on)
        share = np.bincount(where.facet, where.weight, count) / np.where(area > 0, area, 1.0)
        match item:
            case Temperature():
                known &= share == 0
            case Convection(coefficient, ambient):
                inflow += share * coefficient * ambient
                exchange += share * coefficient
            case _:
                inflow += share * FLUXES[type(item)](parameters(item), where)
        known &= np.abs(share - np.round(share)) < PART
    tangent = np.einsum("qar,fai->rfqi", AT_NODES, boundary.points[facets])
    normal = np.cross(tangent[0], tangent[1])
    normal /= np.maximum(np.linalg.norm(normal, axis=2), np.finfo(float).tiny)[:, :, None]
    total, around = np.zeros((len(boundary.points), 3)), np.zeros((len(boundary.points), 2))
    np.add.at(total, facets, normal)
    np.add.at(around, facets, np.stack([np.ones(count), ~known], axis=1)[:, None])
    edge = (np.linalg.norm(total, axis=1) < TURNED * around[:, 0]) & (around[:, 1] == 0)
    own, corner = np.nonzero(edge[facets])
    at, across = facets[own, corner], normal[own, corner]
    through = np.einsum("pi,pi->p", flux[at], across)
    short = inflow[own] - exchange[own] * temperature[at, 0] - through
    # the smallest flux that makes up for what is short through all faces
    faces, needed = np.zeros((len(boundary.points), 3, 3)), np.zeros((len(boundary.points), 3))
    np.add.at(faces, at, across[:, :, None] * across[:, None, :])
    np.add.at(needed, at, short[:, None] * across)
    missed = np.zeros(len(boundary.points))
    mend = np.linalg.pinv(faces[edge], rcond=FLAT, hermitian=True)
    missed[edge] = np.linalg.norm(np.einsum("nij,nj->ni", mend, needed[edge]), axis=1)
    return missed


def _dual(problem: Problem, load: Floats, follow: Progress) -> Floats:
    """The field under the load (n,) that makes of any field the mean that is asked for."""
    still = np.zeros((len(load), 1))
    return steady.solve(
        problem, load[:, None], prescribed=still, tolerance=goals.TOLERANCE, progress=follow
    ).field


def _from_fluid(support: Convection, where: FacetQuadrature, field: Floats, zero: float) -> float:
    """Heat that a fluid brings into the part [W]; field: temperature above the reference (n, 1)."""
    wall = np.einsum("pa,pa->p", where.shape, field[where.nodes, 0])
    return float(support.coefficient * where.weight @ (support.ambient - zero - wall))
