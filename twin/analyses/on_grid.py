"""A grid that the surface cuts: no mesher, any surface.

Ever finer grids, until the change from one to the next says that the accuracy is met or the budget ends.
"""

import time
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from solvers.cutcell.cells import FilledCells
from solvers.law import Recovered
from twin.analyses import estimates, facets
from twin.analyses.analysis import CaseSolution, Span
from twin.analyses.immersed_boundary import ImmersedBoundary, UnresolvedError
from twin.analyses.resolution import DEFAULT_UNKNOWNS
from twin.analyses.solution import Gridded, Ladder, StudySolution
from twin.analyses.task import STAGES, OutOfTimeError, Task
from twin.errors import FailedPrecondition, GeometryError, SolveFailed
from twin.geometry.subdivision import six_node_faces, subdivide
from twin.gridding import fill
from twin.results.outcome import Ending

Floats = NDArray[np.float64]

ROUGHLY = 0.1  # asked accuracy from which on elements of first order do, which are quicker
# By the order of the elements: cells of the first grid, cells across the walls in it, nodes to a cell.
FIRST_CELLS = {1: 12_000, 2: 2_500}
ACROSS = {1: 2.0, 2: 1.0}
NODES_PER_CELL = {1: 1.5, 2: 10.0}
MOST_GRIDS = 4
REFINEMENT = (0.5, 0.7)  # of the edge, from grid to grid
WORTH_IT = 0.85
MOST_FILLS = 5  # tries to keep to the unknowns that are allowed
LEAST_MISSED = 1e-3  # of the surface without cells: less is rounding at edges


def solve(task: Task) -> Ladder:
    """Ever finer grids, until the accuracy is met or the budget ends.

    Raises:
        OutOfTimeError: not even the first grid was solved in time; GeometryError; SolveFailed
        FailedPrecondition: the part is of several materials
    """
    if task.regions.materials.any():
        raise FailedPrecondition(
            "On a grid a part is of one material, since no cell ends at the faces between bodies. Bodies of different "
            "material are solved on tetrahedra that follow these faces: send a STEP file of solids."
        )
    most = task.request.max_unknowns or DEFAULT_UNKNOWNS
    span = STAGES["check"], STAGES["pilot solve"]
    solutions = [_first(task, most, span)]
    warnings: list[str] = []
    ended: Ending | None = None
    while ended is None:
        finer = _finer_edge(task, solutions, most)
        if not isinstance(finer, float):
            ended = finer
            break
        span = span[1], (span[1] + STAGES["solve"]) / 2
        try:
            solutions.append(_solve(task, finer, most, span))
        except OutOfTimeError:
            ended = "max_seconds"
        except (UnresolvedError, SolveFailed) as error:
            # The grids before are an answer; that this one could not be solved is said, not hidden.
            ended = "no_finer_mesh"
            warnings.append(f"A finer grid could not be solved: {error}")
    finest = solutions[-1]
    preview, rough = (", as a preview", "two cells") if order(task.request.accuracy) == 1 else ("", "a cell")
    warnings.append(
        f"Solved on a grid of {1e3 * finest.size:.3g} mm cells that the surface cuts{preview}: walls and gaps of less "
        f"than about {rough} are followed roughly, and gaps of less than half of that are bridged."
    )
    if finest.missed > LEAST_MISSED:
        warnings.append(
            f"{100 * finest.missed:.2g} % of the surface has no cells beneath it: walls there are thinner than about "
            f"{1e3 * finest.size / 2:.2g} mm. They are left out, with what they would carry and how they would move."
        )
    if finest.unknowns > most:
        warnings.append(
            f"The grid has {finest.unknowns:,} unknowns, more than max_unknowns = {most:,}: the coarsest that follows "
            "the part."
        )
    return Ladder(tuple(solutions), ended, tuple(warnings))


def _first(task: Task, most: int, span: Span) -> StudySolution:
    """The first grid: as fine as the thinnest wall that is loaded or held needs, and `most` unknowns allow."""
    edge, least = _first_edge(task, most)
    while True:
        try:
            return _solve(task, edge, most, span)
        except UnresolvedError as error:
            finer = max(REFINEMENT[0] * edge, least)
            if finer > WORTH_IT * edge:
                raise UnresolvedError(f"{error} {_affordable(task, most)}", error.facts) from None
            edge = finer


def _affordable(task: Task, most: int) -> str:
    """What would do for a part whose walls are thinner than the cells that its unknowns allow."""
    wall = _wall(task)
    cells = task.volume / wall**3
    needed = cells * NODES_PER_CELL[order(task.request.accuracy)] * task.analysis.components
    allow = "Allow more unknowns (max_unknowns)"  # where they are thinner than in the mean
    if needed > most:
        allow = (
            f"Cells as large as its walls are thick, about {1e3 * wall:.2g} mm, make about "
            f"{float(f'{needed:.1g}'):,.0f} unknowns: allow that many (max_unknowns)"
        )
    return f"{allow}, thicken the walls, or ask for tetrahedra (discretisation='tet')."


def _wall(task: Task) -> float:
    """How thick the part's walls are in the mean [m]."""
    return 2 * task.volume / task.surface.area


def order(accuracy: float) -> int:
    """Of the elements that are to meet it."""
    return 1 if accuracy >= ROUGHLY else 2


def _first_edge(task: Task, most: float) -> tuple[float, float]:
    """Of the first grid's cells, and of the smallest that `most` unknowns allow [m]."""
    with task.watch.phase("grid"):
        volume, wall = task.volume, _wall(task)
    degree = order(task.request.accuracy)
    affordable = most / (NODES_PER_CELL[degree] * task.analysis.components)
    count = min(FIRST_CELLS[degree], affordable)
    least = (volume / affordable) ** (1 / 3)
    return float(max(min((volume / count) ** (1 / 3), wall / ACROSS[degree]), least)), float(least)


def _finer_edge(task: Task, solutions: list[StudySolution], most: float) -> float | Ending:
    """The next grid's cells [m], or why there is none."""
    finest = solutions[-1]
    refine = REFINEMENT[1]
    if len(solutions) > 1:
        worst = finest.worst_error(solutions[-2], task.analysis.decisive(task.request))
        if worst <= task.request.accuracy:
            return "accuracy"
        refine = float(np.clip(task.request.accuracy / worst, *REFINEMENT))
    if len(solutions) == MOST_GRIDS:
        return "no_finer_mesh"
    refine = max(refine, (finest.unknowns / most) ** (1 / 3))
    if refine > WORTH_IT:
        return "max_unknowns"
    return "max_seconds" if finest.seconds / refine**3 > task.remaining else refine * finest.size


def _cells(task: Task, edge: float, most: int, fraction: float) -> FilledCells:
    """Cells of `edge` [m], or of more where they would make more than `most` unknowns."""
    for attempt in range(MOST_FILLS):
        task.tell("mesh", fraction, f"filling cells of {1e3 * edge:.3g} mm")
        with task.watch.phase("grid"):
            try:
                cells = fill(task.surface, edge, order(task.request.accuracy))
            except GeometryError as error:
                raise UnresolvedError(str(error), error.facts) from error
        excess = task.analysis.components * len(cells.points) / most
        if excess <= 1 or attempt == MOST_FILLS - 1:
            break
        edge *= 1.02 * excess**0.5  # the cells of thin walls go with the area
    return cells


def _solve(task: Task, edge: float, most: int, span: Span) -> StudySolution:
    """Solve all cases on one grid; progress goes over `span`.

    Raises:
        UnresolvedError: the cells are too coarse for what is held or loaded, or for too much of the part
    """
    begun = time.perf_counter()
    cells = _cells(task, edge, most, span[0])
    edge = cells.lattice.edge
    task.tell("solve", span[0], f"setting up {len(cells):,} cells")
    with task.watch.phase("set-up"):
        boundary = ImmersedBoundary(task.surface, cells)
        vertices, triangles, _ = subdivide(task.surface.vertices, task.surface.triangles, 2 * edge)
        missed = boundary.missed(vertices[triangles])
        samples, _ = six_node_faces(vertices, triangles)
    cases = task.analysis.solve_on_grid(task, cells, boundary, span)
    samples = samples[boundary.inside(samples)]
    measured = {
        name: facets.with_geometry(task, boundary, case, _measure(task, boundary, samples, name, case))
        for name, case in cases.items()
    }
    shown = {name: _by_hexahedra(boundary, case) for name, case in cases.items()}
    seconds = time.perf_counter() - begun
    return StudySolution(Gridded(cells, boundary), shown, measured, edge, seconds, missed)


def _by_hexahedra(boundary: ImmersedBoundary, case: CaseSolution) -> CaseSolution:
    """With the error of each cell shared among the hexahedra that show it."""
    cell = boundary.hexahedra[1]
    share = case.flux.element_error / np.maximum(np.bincount(cell, minlength=len(boundary.cells)), 1)
    return replace(case, flux=replace(case.flux, element_error=share[cell]))


def _measure(
    task: Task, boundary: ImmersedBoundary, samples: Floats, name: str, case: CaseSolution
) -> estimates.Values:
    """Numbers of a case, at points of the surface and at nodes of whole cells: those of cut ones may lie outside."""
    flux = case.flux
    split = np.cumsum([case.field.shape[1], flux.nodal.shape[1]])
    nodal = np.hstack([case.field, flux.nodal, flux.nodal_error[:, None]])
    inner = np.unique(boundary.cells.nodes[boundary.cells.whole])
    points = np.concatenate([samples, boundary.points[inner]])
    every = np.concatenate([boundary.interpolate(nodal, samples), nodal[inner]])
    field, values, error = np.split(every, split, axis=1)
    within = Recovered(values, error[:, 0], flux.element_error, flux.energy)
    zone = task.zones.of(name).at(points)
    return task.analysis.measure(
        estimates.ON_GRID[boundary.cells.element.order], zone, replace(case, field=field, flux=within)
    )
