"""The cells of a Cartesian grid that a part fills, wholly or in part."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from solvers.hex8 import element


@dataclass(frozen=True, eq=False)
class Lattice:
    """Active cells of a Cartesian grid, sorted by their linear index.

    origin: corner of the grid [m]; edge: of a cell [m]; shape: number of cells along x, y, z
    index: of each active cell along x, y, z
    """

    origin: Float[np.ndarray, "3"]
    edge: float
    shape: Int[np.ndarray, "3"]
    index: Int[np.ndarray, "c 3"]

    def __len__(self) -> int:
        return len(self.index)

    def locate(
        self, points: Float[np.ndarray, "p 3"], inward: Float[np.ndarray, "p 3"] | None = None
    ) -> tuple[Int[np.ndarray, " p"], Float[np.ndarray, "p 3"]]:
        """The active cell in which, or else beside which, points lie, and their coordinates in it.

        Args:
            points: [m]; inward: for points on the part's surface, unit vectors into it, which settle those that lie
                between two cells
        """
        towards = np.zeros_like(points) if inward is None else inward
        key = linear(self.index, self.shape)
        scaled = (points - self.origin) / self.edge
        cell = np.clip(np.floor(scaled + 1e-6 * towards).astype(int), 0, self.shape - 1)
        wanted = linear(cell, self.shape)
        found = np.searchsorted(key, wanted).clip(0, len(key) - 1)
        lost = np.flatnonzero(key[found] != wanted)
        if len(lost):
            found[lost] = cKDTree(self.index + 0.5).query(scaled[lost] + 0.25 * towards[lost])[1]
        return found, scaled - self.index[found]

    @cached_property
    def pieces(self) -> Int[np.ndarray, " c"]:
        """Which piece each cell belongs to, 0 ...; pieces are joined by whole faces."""
        key = linear(self.index, self.shape)
        links = []
        for axis in range(3):
            beside = self.index + np.eye(3, dtype=np.int64)[axis]
            wanted = linear(beside, self.shape)
            found = np.searchsorted(key, wanted).clip(0, len(key) - 1)
            joined = np.flatnonzero((key[found] == wanted) & (beside[:, axis] < self.shape[axis]))
            links.append(np.stack([joined, found[joined]]))
        pairs = np.concatenate(links, axis=1)
        graph = coo_array((np.ones(pairs.shape[1], np.int8), pairs), shape=(len(key), len(key)))
        return connected_components(graph, directed=False)[1]

    @cached_property
    def numbering(self) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, "c 8"]]:
        """Linear indices of the nodes, sorted, and each cell's corners (`element.CORNERS`) as positions in them."""
        keys = linear((self.index[:, None] + element.CORNERS).reshape(-1, 3), self.shape + 1)
        used, position = np.unique(keys, return_inverse=True)
        return used, position.reshape(-1, 8)

    @cached_property
    def places(self) -> Int[np.ndarray, "n 3"]:
        """Of the nodes along x, y, z, in units of the cell."""
        return np.stack(np.unravel_index(self.numbering[0], tuple(self.shape + 1)), axis=1)

    @cached_property
    def nodes(self) -> tuple[Float[np.ndarray, "n 3"], Int[np.ndarray, "c 8"]]:
        """Nodes [m], and those of each cell in the order of `element.CORNERS`."""
        return self.origin + self.edge * self.places, self.numbering[1]


@dataclass(frozen=True, eq=False)
class FilledCells:
    """Active cells, and what of them is filled: its moments, in each cell's own coordinates."""

    lattice: Lattice
    moments: Float[np.ndarray, "c 27"]

    def __len__(self) -> int:
        return len(self.moments)

    @property
    def fraction(self) -> Float[np.ndarray, " c"]:
        """How full each cell is."""
        return self.moments[:, 0]

    @property
    def volume(self) -> float:
        """Of what is filled [m^3]."""
        return float(self.fraction.sum()) * self.lattice.edge**3

    @property
    def whole(self) -> Bool[np.ndarray, " c"]:
        """Cells without a cut."""
        return self.fraction > 1 - 1e-9


def lattice_of(points: Float[np.ndarray, "n 3"], corners: Int[np.ndarray, "c 8"]) -> Lattice:
    """The lattice of cells whose corners (order of `element.CORNERS`) are nodes of a uniform grid."""
    lowest, highest = points[corners[:, 0]], points[corners[:, 7]]
    edge = float((highest - lowest).mean())
    origin = lowest.min(0)
    index = np.rint((lowest - origin) / edge).astype(np.int64)
    return Lattice(origin, edge, index.max(0) + 1, index)


def linear(index: Int[np.ndarray, "n 3"], shape: Int[np.ndarray, "3"]) -> Int[np.ndarray, " n"]:
    """Position in a grid of the given shape, last axis fastest."""
    return (index[:, 0].astype(np.int64) * shape[1] + index[:, 1]) * shape[2] + index[:, 2]
