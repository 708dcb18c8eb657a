"""Springs on a surface that cuts the cells of a grid: what holds a field there, or exchanges with the outside."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solvers.hex8 import immersed
from solvers.quadrature import FacetQuadrature, join

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Springs:
    """Springs on the surface, for a field of k components.

    where: the points (p,) that they act at; stiffness: per area (p, k, k)
    ground: the field that they hang on (p, k)
    """

    where: FacetQuadrature
    stiffness: Floats
    ground: Floats

    def force(self, field: Floats) -> Floats:
        """Nodal forces of the springs on the part (n, k) under a nodal field (n, k)."""
        stretch = self.ground - immersed.at_points(self.where, field)
        return immersed.spring_force(self.where, self.stiffness, stretch, len(field))


def joined(parts: list[Springs]) -> Springs:
    """All springs of several sets."""
    return Springs(
        join([part.where for part in parts]),
        np.concatenate([part.stiffness for part in parts]),
        np.concatenate([part.ground for part in parts]),
    )
