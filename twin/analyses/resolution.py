"""Element sizes: where to start, and how fine to go for the accuracy that was asked for."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from solvers.tet10.element import TETS_PER_CUBE
from twin.analyses.task import Regions
from twin.geometry.surface import Surface
from twin.meshing.sides import Sides
from twin.studies import Request

if TYPE_CHECKING:
    from twin.analyses.solution import StudySolution
    from twin.analyses.task import Task

Floats = NDArray[np.float64]

PILOT_TETS = 6_000
DEFAULT_UNKNOWNS = 1_000_000
NODES_PER_TET = 1.47  # of quadratic tetrahedra in a solid part
PER_REGION = 3.0  # elements across a small loaded or held region
# Elements over the width of one that is narrow: with nodes in the middle of their edges, some lie in it all along.
NARROW = 1.5
AIM = 0.6  # of the accuracy: where a mesh made for it comes out coarser, it should still be met
EVEN = 0.9  # smallest over largest factor, above which all sizes change alike
NEAR_PEAK = 0.7  # of the largest flux: what may be larger, or turn out to be on a finer mesh
FINEST = 0.2  # of an element's size: how far one step goes
MOST_POINTS = 20_000  # of a size field
WORTH_IT = 2.0  # times the elements of the mesh before
MESH_STRETCH = 1.2  # elements where a mesher was asked for finer ones come out this much longer
MESH_GROWTH = 1.5  # and there are so many more of them than asked for, since sizes change gradually


@dataclass(frozen=True)
class Sizes:
    """Target edge length of the part [m], and shorter ones at points (k, 3) [m], (k,) [m]."""

    size: float
    points: Floats
    lengths: Floats

    def coarser(self, factor: float) -> "Sizes":
        """All sizes times `factor`."""
        return Sizes(self.size * factor, self.points, self.lengths * factor)


def pilot(surface: Surface, volume: float, regions: Regions, request: Request, components: int) -> Sizes:
    """A first mesh: some thousand elements, no larger than the walls are thick, finer where small regions are.

    volume: of the part [m^3]; components: of the field at a node
    """
    most = (request.max_unknowns or DEFAULT_UNKNOWNS) / (NODES_PER_TET * components)
    thickness = 2 * volume / surface.area
    even = (TETS_PER_CUBE * volume / min(PILOT_TETS, most)) ** (1 / 3)
    least = (TETS_PER_CUBE * volume / most) ** (1 / 3)
    size = max(min(even, 1.5 * thickness), least)
    points, lengths = [], []
    for selection in regions.selections:
        across = min(np.sqrt(selection.area) / PER_REGION, NARROW * selection.width)
        if across < size:
            most = MOST_POINTS // 10
            centres = selection.centres(max(2 * across, np.sqrt(selection.area / most)))
            centres = centres[:: -(-len(centres) // most)]
            points.append(centres)
            lengths.append(np.full(len(centres), across))
    return Sizes(size, np.concatenate([np.zeros((0, 3)), *points]), np.concatenate([np.zeros(0), *lengths]))


def refined(
    task: "Task",
    mesh: Sides,
    finest: "StudySolution",
    coarser: "StudySolution | None",
    before: Sizes,
    growth: float,
) -> Sizes:
    """Sizes that should meet the accuracy in every case with the fewest elements.

    What an element adds to the error of a number falls with the fourth power of its size, the error of the flux with
    the second (smooth solution, quadratic elements). Of all sizes by which the sum falls to what is allowed, those
    that make the fewest elements go with the seventh root of what each adds.

    Args:
        growth: most elements, over those of `mesh`
    """
    analysis, request = task.analysis, task.request
    edge = element_sizes(mesh.points, mesh.tets)
    finer = np.ones(len(edge))
    for name, case in finest.cases.items():
        measured, errors = finest.measured[name], finest.errors(name, coarser)
        outside = task.zones.of(name).at(mesh.points) < 0
        for number, times in analysis.decisive(request).items():
            if not (errors.get(number, 0.0) > 0 and measured.scale(number) > 0):
                continue
            share = AIM * request.accuracy * measured.scale(number) / (times * errors[number])
            if number == analysis.peak:
                # as if the error of the largest flux were made wherever that of the flux is as large and it may peak
                off, own = case.flux.nodal_error, measured.indicators[number]["flux"]
                largest = analysis.laws[0].magnitude(case.flux.nodal) + measured.trust.flux * off
                high = largest > NEAR_PEAK * measured.values[number]
                off = np.where(outside & high, off, 0.0)[mesh.tets].max(1)
                finer = np.minimum(finer, np.sqrt(share * own / np.maximum(off, 1e-12 * own)))
            else:
                goal = case.goals.get(number)
                added = case.flux.element_error if goal is None else np.abs(goal.contributions)
                added = np.maximum(added / max(added.sum(), 1e-300), 1e-12)
                finer = np.minimum(finer, (share / (added ** (3 / 7)).sum()) ** 0.25 * added ** (-1 / 7))
    finer = np.clip(finer, FINEST, 1.0)
    graded = MESH_GROWTH if finer.min() < EVEN * finer.max() else 1.0
    planned = graded * float((finer**-3.0).mean())
    finer = finer * (planned / np.clip(planned, WORTH_IT, growth)) ** (1 / 3)
    wanted = edge * finer
    size = float(min(wanted.max(), before.size * finer.max()))
    chosen = np.flatnonzero(wanted < 0.9 * size)
    if len(chosen) > MOST_POINTS:
        chosen = chosen[np.argsort(wanted[chosen])[:MOST_POINTS]]
    points = np.concatenate([mesh.points[mesh.tets[chosen, :4]].mean(1), before.points])
    lengths = np.concatenate([wanted[chosen] / MESH_STRETCH, np.minimum(before.lengths, size)])
    return Sizes(size, points, lengths)


def element_sizes(points: Floats, tets: NDArray[np.int32]) -> Floats:
    """Edge [m] of the regular tetrahedron of each element's volume."""
    corners = points[tets[:, :4]]
    volume = np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1])) / 6
    return np.asarray((TETS_PER_CUBE * volume) ** (1 / 3))
