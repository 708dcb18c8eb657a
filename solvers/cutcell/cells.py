"""The cells of a Cartesian grid that a part fills, wholly or in part, and the nodes that carry a field on them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from solvers.cutcell.element import LINEAR, Element


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
    def neighbours(self) -> list[Int[np.ndarray, "2 f"]]:
        """Pairs of cells with a common face, the lower one first: of faces across x, y and z."""
        key = linear(self.index, self.shape)
        pairs = []
        for axis in range(3):
            beside = self.index + np.eye(3, dtype=np.int64)[axis]
            wanted = linear(beside, self.shape)
            found = np.searchsorted(key, wanted).clip(0, len(key) - 1)
            joined = np.flatnonzero((key[found] == wanted) & (beside[:, axis] < self.shape[axis]))
            pairs.append(np.stack([joined, found[joined]]))
        return pairs

    @cached_property
    def pieces(self) -> Int[np.ndarray, " c"]:
        """Which piece each cell belongs to, 0 ...; pieces are joined by whole faces."""
        pairs = np.concatenate(self.neighbours, axis=1)
        graph = coo_array((np.ones(pairs.shape[1], np.int8), pairs), shape=(len(self), len(self)))
        return connected_components(graph, directed=False)[1]

    @cached_property
    def numbering(self) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, "c 8"]]:
        """Linear indices of the corners, sorted, and those of each cell (`CORNERS`) as positions in them."""
        return _numbering(self, LINEAR)

    @cached_property
    def places(self) -> Int[np.ndarray, "n 3"]:
        """Of the corners along x, y, z, in units of the cell."""
        return np.stack(np.unravel_index(self.numbering[0], tuple(self.shape + 1)), axis=1)


@dataclass(frozen=True, eq=False)
class FilledCells:
    """Active cells, the elements that carry a field on them, and their quadrature over what is filled.

    weights: of the element's quadrature points, for a cell of unit edge
    """

    lattice: Lattice
    weights: Float[np.ndarray, "c q"]
    element: Element

    def __len__(self) -> int:
        return len(self.weights)

    def __getitem__(self, chosen: np.ndarray) -> "FilledCells":
        """The cells that a mask or a list of indices chooses."""
        lattice = self.lattice
        kept = Lattice(lattice.origin, lattice.edge, lattice.shape, lattice.index[chosen])
        return FilledCells(kept, self.weights[chosen], self.element)

    @cached_property
    def _numbering(self) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, "c a"]]:
        return self.lattice.numbering if self.element == LINEAR else _numbering(self.lattice, self.element)

    @property
    def nodes(self) -> Int[np.ndarray, "c a"]:
        """Of each cell, in the element's order."""
        return self._numbering[1]

    @cached_property
    def places(self) -> Int[np.ndarray, "n 3"]:
        """Of the nodes along x, y, z, in units of the edge over the element's order."""
        shape = self.element.order * self.lattice.shape + 1
        return np.stack(np.unravel_index(self._numbering[0], tuple(shape)), axis=1)

    @cached_property
    def points(self) -> Float[np.ndarray, "n 3"]:
        """Places of the nodes [m]."""
        return self.lattice.origin + self.lattice.edge / self.element.order * self.places

    @cached_property
    def linear(self) -> "FilledCells":
        """The same cells with elements of first order."""
        if self.element == LINEAR:
            return self
        factors = [LINEAR.values(along) for along in self.element.points.T]
        return FilledCells(self.lattice, self.weights @ LINEAR.products(*factors), LINEAR)

    @cached_property
    def fraction(self) -> Float[np.ndarray, " c"]:
        """How full each cell is."""
        return self.weights.sum(axis=1)

    @property
    def centroids(self) -> Float[np.ndarray, "c 3"]:
        """Of what is filled, in each cell's own coordinates."""
        return self.weights @ self.element.points / self.fraction[:, None]

    @property
    def volume(self) -> float:
        """Of what is filled [m^3]."""
        return float(self.fraction.sum()) * self.lattice.edge**3

    @property
    def whole(self) -> Bool[np.ndarray, " c"]:
        """Cells without a cut."""
        return self.fraction > 1 - 1e-9


def _numbering(lattice: Lattice, element: Element) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, "c a"]]:
    """Linear indices of the nodes, sorted, and those of each cell as positions in them."""
    keys = linear(
        (element.order * lattice.index[:, None] + element.steps).reshape(-1, 3),
        element.order * lattice.shape + 1,
    )
    used, position = np.unique(keys, return_inverse=True)
    return used, position.reshape(len(lattice), -1)


def lattice_of(points: Float[np.ndarray, "n 3"], corners: Int[np.ndarray, "c 8"]) -> Lattice:
    """The lattice of cells whose corners (order of `CORNERS`) are nodes of a uniform grid."""
    lowest, highest = points[corners[:, 0]], points[corners[:, 7]]
    edge = float((highest - lowest).mean())
    origin = lowest.min(0)
    index = np.rint((lowest - origin) / edge).astype(np.int64)
    return Lattice(origin, edge, index.max(0) + 1, index)


def linear(index: Int[np.ndarray, "n 3"], shape: Int[np.ndarray, "3"]) -> Int[np.ndarray, " n"]:
    """Position in a grid of the given shape, last axis fastest."""
    return (index[:, 0].astype(np.int64) * shape[1] + index[:, 1]) * shape[2] + index[:, 2]
