"""The cells of a Cartesian grid that a part fills, wholly or in part."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.spatial import cKDTree

from solvers.hex8 import element


@dataclass(frozen=True, eq=False)
class FilledCells:
    """Active cells of a grid, sorted by their linear index.

    origin: corner of the grid [m]; edge: of a cell [m]; shape: number of cells along x, y, z
    index: of each active cell along x, y, z; moments: of what of it is filled, in its own coordinates
    """

    origin: Float[np.ndarray, "3"]
    edge: float
    shape: Int[np.ndarray, "3"]
    index: Int[np.ndarray, "c 3"]
    moments: Float[np.ndarray, "c 27"]

    def __len__(self) -> int:
        return len(self.index)

    @property
    def fraction(self) -> Float[np.ndarray, " c"]:
        """How full each cell is."""
        return self.moments[:, 0]

    @property
    def volume(self) -> float:
        """Of what is filled [m^3]."""
        return float(self.fraction.sum()) * self.edge**3

    @property
    def whole(self) -> Bool[np.ndarray, " c"]:
        """Cells without a cut."""
        return self.fraction > 1 - 1e-9

    @property
    def key(self) -> Int[np.ndarray, " c"]:
        """Linear index of each cell, ascending."""
        return linear(self.index, self.shape)

    @property
    def centroids(self) -> Float[np.ndarray, "c 3"]:
        """Centroid of what is filled of each cell [m]."""
        return self.origin + self.edge * (self.index + element.centroids(self.moments))

    def locate(
        self, points: Float[np.ndarray, "p 3"], inward: Float[np.ndarray, "p 3"]
    ) -> tuple[Int[np.ndarray, " p"], Float[np.ndarray, "p 3"]]:
        """The active cell in which, or beside which, points lie, and their coordinates in it.

        Args:
            points: on the part's surface [m]; inward: unit vectors into the part, which settle points that lie
                between two cells
        """
        key = self.key
        scaled = (points - self.origin) / self.edge
        cell = np.floor(scaled + 1e-6 * inward).astype(int)
        wanted = linear(np.clip(cell, 0, self.shape - 1), self.shape)
        found = np.searchsorted(key, wanted).clip(0, len(key) - 1)
        lost = np.flatnonzero(key[found] != wanted)
        if len(lost):
            found[lost] = cKDTree(self.index + 0.5).query(scaled[lost] + 0.25 * inward[lost])[1]
        return found, scaled - self.index[found]


def linear(index: Int[np.ndarray, "n 3"], shape: Int[np.ndarray, "3"]) -> Int[np.ndarray, " n"]:
    """Position in a grid of the given shape, last axis fastest."""
    return (index[:, 0].astype(np.int64) * shape[1] + index[:, 1]) * shape[2] + index[:, 2]


def number_nodes(
    cells: Int[np.ndarray, "c 3"], shape: Int[np.ndarray, "3"]
) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, "c 8"]]:
    """Sorted linear indices of the corners in use, and each cell's corners as positions in them."""
    corners = linear((cells[:, None] + element.CORNERS).reshape(-1, 3), shape + 1)
    keys, position = np.unique(corners, return_inverse=True)
    return keys, position.reshape(-1, 8)
