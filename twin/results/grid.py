"""Values of a nodal field at any point of a grid of hexahedra."""

from __future__ import annotations

from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from solvers.cutcell.cells import lattice_of
from solvers.cutcell.element import LINEAR, VTK_ORDER
from twin.errors import InvalidInput

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

_MARGIN: Final = 0.5  # cells: a point on the surface may lie so far from the nearest cell that is filled


@final
class GridInterpolator:
    """Finds points in a grid. points (n, 3) [m]; hexahedra (m, 8) in VTK order."""

    def __init__(self, points: Floats, hexahedra: NDArray[np.int32]) -> None:
        self._corners: Final = hexahedra[:, np.argsort(VTK_ORDER)].astype(np.int64)
        self._lattice: Final = lattice_of(points, self._corners)

    @property
    def edge(self) -> float:
        """Of a cell [m]."""
        return self._lattice.edge

    def __call__(self, values: Floats, where: Floats) -> Floats:
        """Nodal values (n, c) at points (k, 3): (k, c). Raises InvalidInput for points outside of the grid."""
        if not np.isfinite(where).all():
            raise InvalidInput("a point to probe has a coordinate that is not a finite number")
        nodes, weights, outside = self.locate(where)
        strangers = np.flatnonzero(outside > _MARGIN)
        if len(strangers):
            first = int(strangers[0])
            x, y, z = 1e3 * where[first]
            raise InvalidInput(
                f"{len(strangers)} of {len(where)} points lie outside the part. The first is number {first}, at "
                f"({x:.6g}, {y:.6g}, {z:.6g}) mm, {1e3 * outside[first] * self.edge:.4g} mm from the nearest cell. "
                "Points are given in metres."
            )
        return np.asarray(np.einsum("ka,kac->kc", weights, values[nodes]))

    def locate(self, where: Floats) -> tuple[Indices, Floats, Floats]:
        """Nodes (k, 8) and their weights (k, 8) at points (k, 3), and how many cells each lies outside (k,)."""
        cell, local = self._lattice.locate(where)
        outside = np.maximum(np.maximum(-local, local - 1), 0).max(axis=1)
        return self._corners[cell], LINEAR.shape(local), outside
