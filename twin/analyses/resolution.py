"""Element sizes: where to start, and how fine to go for the accuracy that was asked for."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solvers.law import Recovered
from solvers.tet10.element import TETS_PER_CUBE
from twin.analyses.analysis import Analysis
from twin.analyses.task import Regions
from twin.geometry.surface import Surface
from twin.meshing import VolumeMesh
from twin.studies import Request

Floats = NDArray[np.float64]

PILOT_TETS = 6_000
DEFAULT_UNKNOWNS = 1_000_000
NODES_PER_TET = 1.47  # of quadratic tetrahedra in a solid part
PER_REGION = 3.0  # elements across a small loaded or held region
# Of the requested accuracy, what the estimates may take up: the rest is their safety factor.
FLUX_SHARE, ENERGY_SHARE = 0.22, 0.15
FINEST, COARSEST = 0.2, 0.66  # of the pilot's local size
MOST_POINTS = 20_000  # of a size field
WORTH_IT = 1.5  # times the elements of the first mesh
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
        across = np.sqrt(selection.area) / PER_REGION
        if across < size:
            centres = selection.triangles.mean(1)[: MOST_POINTS // 10]
            points.append(centres)
            lengths.append(np.full(len(centres), across))
    return Sizes(size, np.concatenate([np.zeros((0, 3)), *points]), np.concatenate([np.zeros(0), *lengths]))


def refined(
    mesh: VolumeMesh,
    fluxes: list[Recovered],
    before: Sizes,
    analysis: Analysis[Any],
    request: Request,
    affordable: float,
) -> Sizes | None:
    """Sizes that should meet the accuracy, from the errors of every case on a first mesh.

    Errors of the flux count relative to the case's largest and fall with the square of the size, the energy of the
    error with its fourth power (smooth solution, quadratic elements).

    Args:
        affordable: elements that there is time for

    Returns:
        None where there is no time for a mesh that is worth it
    """
    if affordable < WORTH_IT * len(mesh.tets):
        return None
    edge = element_sizes(mesh.points, mesh.tets)
    wanted = np.full(len(mesh.tets), np.inf)
    for flux in fluxes:
        peak = analysis.law.magnitude(flux.nodal).max()
        if peak == 0:
            continue
        if analysis.peak in analysis.decisive(request):
            local = flux.nodal_error[mesh.tets].max(1) / peak
            finer = np.sqrt(FLUX_SHARE * request.accuracy / np.maximum(local, 1e-12))
            wanted = np.minimum(wanted, edge * finer)
        allowed = ENERGY_SHARE * request.accuracy / max(flux.relative_energy_error**2, 1e-12)
        wanted = np.minimum(wanted, edge * allowed**0.25)
    wanted = np.clip(wanted, FINEST * edge, COARSEST * edge)
    allowed_tets = (request.max_unknowns or DEFAULT_UNKNOWNS) / (NODES_PER_TET * analysis.components)
    most = min(allowed_tets, affordable)
    count = MESH_GROWTH * ((edge / wanted) ** 3).sum()
    if count > most:
        wanted = wanted * (count / most) ** (1 / 3)
    size = float(min(wanted.max(), COARSEST * before.size))
    finer = np.flatnonzero(wanted < 0.9 * size)
    if len(finer) > MOST_POINTS:
        finer = finer[np.argsort(wanted[finer])[:MOST_POINTS]]
    points = np.concatenate([mesh.points[mesh.tets[finer, :4]].mean(1), before.points])
    lengths = np.concatenate([wanted[finer] / MESH_STRETCH, np.minimum(before.lengths, size)])
    return Sizes(size, points, lengths)


def element_sizes(points: Floats, tets: NDArray[np.int32]) -> Floats:
    """Edge [m] of the regular tetrahedron of each element's volume."""
    corners = points[tets[:, :4]]
    volume = np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1])) / 6
    return np.asarray((TETS_PER_CUBE * volume) ** (1 / 3))
