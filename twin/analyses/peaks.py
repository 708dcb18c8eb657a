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
from twin.meshing.sides import Sides
from twin.results.zones import Zones

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_MIDDLES = np.arange(4, 10)
_HALVES = np.concatenate(
    [np.column_stack([EDGES[:, end], _MIDDLES]) for end in (0, 1)]
)  # of an element's edges


def looked_at(mesh: Sides, zones: Zones, case: CaseSolution) -> tuple[Ints, CaseSolution]:
    """Zone of the points (n + k,) that a case is looked at in, -1 for none, and its field and flux there: at the nodes,
    and where edges of elements leave a zone.

    The flux is as far off as the worst of what is around it: the largest may turn out to be at a node nearby. Around
    nodes outside zones are left out; the border's flux is made of that on both sides, and so is its error.
    """
    zone = zones.at(mesh.points)

    def worst_around(error: Floats) -> Floats:
        off = np.zeros(len(mesh.points))
        np.maximum.at(off, mesh.tets, error[mesh.tets].max(1)[:, None])
        return off

    everywhere = worst_around(case.flux.nodal_error)
    outside = worst_around(np.where((zone < 0) | (zone >= 0).all(), case.flux.nodal_error, 0.0))
    lines = np.unique(np.sort(mesh.tets[:, _HALVES].reshape(-1, 2), axis=1), axis=0)
    lines = lines[(zone[lines] < 0).sum(1) == 1]
    depth = zones.depth(mesh.points[lines.ravel()]).reshape(-1, 2)
    share = ((1 - depth[:, 0]) / (depth[:, 1] - depth[:, 0]))[:, None]

    def at_border(nodal: Floats) -> Floats:
        return np.asarray((1 - share) * nodal[lines[:, 0]] + share * nodal[lines[:, 1]])

    def extended(nodal: Floats) -> Floats:
        return np.concatenate([nodal, at_border(nodal)])

    flux = case.flux
    sides = np.where(zone < 0, outside, everywhere)
    off = np.concatenate([outside, at_border(sides[:, None])[:, 0]])
    there = Recovered(extended(flux.nodal), off, flux.element_error, flux.energy)
    zone = np.concatenate([zone, np.full(len(lines), -1)])
    material = None if case.material is None else np.concatenate([case.material, case.material[lines[:, 0]]])
    return zone, replace(case, field=extended(case.field), flux=there, material=material)
