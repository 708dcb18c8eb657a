"""Where the largest flux is looked for on a mesh, and how far it may be off there.

Near a singular place the flux falls steeply, so that outside of its zone it is often largest right at the border. The
nearest node outside says too little of it, by how far off it happens to lie: so the border gets points of its own.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from solvers.law import Recovered
from solvers.tet10.element import EDGES
from twin.analyses.analysis import CaseSolution
from twin.meshing import VolumeMesh
from twin.results.zones import Zones

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_MIDDLES = np.arange(4, 10)
_HALVES = np.concatenate(
    [np.column_stack([EDGES[:, end], _MIDDLES]) for end in (0, 1)]
)  # of an element's edges


def looked_at(mesh: VolumeMesh, zones: Zones, case: CaseSolution) -> tuple[Ints, CaseSolution]:
    """Zone of the points (n + k,) that a case is looked at in, -1 for none, and its field and flux there: at the nodes,
    and where edges of elements leave a zone.

    The flux is as far off as the worst of what is around it, zones left out: the largest may turn out to be at a node
    nearby.
    """
    zone = zones.at(mesh.points)
    outside = np.where((zone < 0) | (zone >= 0).all(), case.flux.nodal_error, 0.0)
    off = np.zeros(len(mesh.points))
    np.maximum.at(off, mesh.tets, outside[mesh.tets].max(1)[:, None])
    lines = np.unique(np.sort(mesh.tets[:, _HALVES].reshape(-1, 2), axis=1), axis=0)
    lines = lines[(zone[lines] < 0).sum(1) == 1]
    depth = zones.depth(mesh.points[lines.ravel()]).reshape(-1, 2)
    share = ((1 - depth[:, 0]) / (depth[:, 1] - depth[:, 0]))[:, None]

    def extended(nodal: Floats) -> Floats:
        first, second = nodal[lines[:, 0]], nodal[lines[:, 1]]
        return np.concatenate([nodal, (1 - share) * first + share * second])

    flux = case.flux
    there = Recovered(extended(flux.nodal), extended(off[:, None])[:, 0], flux.element_error, flux.energy)
    zone = np.concatenate([zone, np.full(len(lines), -1)])
    return zone, replace(case, field=extended(case.field), flux=there)
