"""Do the supports hold the loads?"""

import numpy as np
from numpy.typing import NDArray

from twin.analyses.static_stress.loads import CaseLoads
from twin.results.outcome import Equilibrium

Floats = NDArray[np.float64]

# Loads that all but balance among themselves: their imbalance is told against this share of their sizes.
SELF_BALANCED = 0.01


def equilibrium(points: Floats, loads: CaseLoads, support_force: Floats) -> Equilibrium:
    """Loads against the force of the supports on each node (n, 3) [N] at points (n, 3) [m]."""
    applied, reaction = loads.force, support_force.sum(0)
    applied_moment = loads.moment(points)
    reaction_moment = np.cross(points, support_force).sum(0)
    size = np.abs(loads.nodal).sum() + sum(float(np.abs(r.force).sum()) for r in loads.rigid)
    scale = max(float(np.linalg.norm(applied)), SELF_BALANCED * float(size), 1e-300)
    if size == 0:  # prescribed displacements only: the supports balance among themselves
        scale = max(float(np.linalg.norm(support_force, axis=1).sum()), 1e-300)
    residual = float(np.linalg.norm(applied + reaction)) / scale
    return Equilibrium(
        tuple(applied), tuple(reaction), tuple(applied_moment), tuple(reaction_moment), residual
    )
