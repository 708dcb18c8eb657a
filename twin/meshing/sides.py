"""The nodes of a mesh on the two sides of faces between materials, where fluxes jump."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Sides:
    """A mesh in which each material has nodes of its own: what is given on them may jump between materials.

    points: (s, 3) [m]; tets: (m, 10) of them; node: (s,) the node of the joined mesh that each is, ascending;
    material: (s,) of each. Of a mesh of one material the nodes are those of the mesh, and these two None.
    """

    points: Float64
    tets: Int32
    node: Int64 | None = None
    material: Int64 | None = None

    def of(self, nodal: Float64) -> Float64:
        """Nodal values of the joined mesh on both sides."""
        return nodal if self.node is None else nodal[self.node]

    def joined(self, values: Float64) -> Float64:
        """Of values here those of one side of each node of the joined mesh."""
        return values if self.node is None else values[np.unique(self.node, return_index=True)[1]]


def sides(points: Float64, tets: Int32, material: Int32 | None) -> Sides:
    """Part the nodes (n, 3) of elements (m, 10), each of which belongs to some, by the material (m,) of these."""
    if material is None:
        return Sides(points, tets)
    kinds = int(material.max()) + 1
    keys, parted = np.unique(tets.astype(np.int64) * kinds + material[:, None], return_inverse=True)
    node = keys // kinds
    return Sides(points[node], parted.reshape(-1, 10).astype(np.int32), node, keys % kinds)
