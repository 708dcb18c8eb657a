"""A part as points on its surface, and what each place of it looks like from near and from afar.

Networks see no triangles: a file may have two on a large face and a thousand on a fillet. What they see is spread
evenly over the area, whatever the triangles are, and the same for the same surface.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

POINTS: Final = 4096
# Points that show what is round and what is sharp: fillets are smaller than the gaps of the others.
_FINE: Final = 32_768
SCALES: Final = (_FINE, POINTS, 1024, 256)
"""Points among which neighbours are looked for: the fewer, the further away they are."""
_EVEN: Final = 512  # of the points, from where on they come by chance
_CANDIDATES: Final = 2  # points for each that is taken
NEIGHBOURS: Final = 24
FEATURES: Final = 5 * len(SCALES) + 1  # of `Cloud.look`
_OPPOSITE: Final = -0.5  # of the cosine between normals, from where on a wall is seen as the other side
_FAR: Final = 1.0  # thickness where no other side is seen, in lengths


@dataclass(frozen=True, eq=False)
class Cloud:
    """Points all over a surface, in an order of which every beginning is spread over it too.

    points (n, 3) [m]; normals (n, 3), outward; fine, fine_normals (f, 3): many more, in no order, that neighbours are
    looked for among; area of the surface [m^2]; volume [m^3]
    """

    points: Floats
    normals: Floats
    fine: Floats
    fine_normals: Floats
    area: float
    volume: float

    @staticmethod
    def of(vertices: Floats, triangles: NDArray[np.integer], volume: float, count: int = POINTS) -> Cloud:
        """Of a surface: vertices (v, 3) [m], triangles (t, 3), counter-clockwise from outside."""
        corners = np.asarray(vertices, np.float64)[triangles]
        cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        sizes = np.linalg.norm(cross, axis=1)
        points, triangle = spread(corners, 0.5 * sizes, max(_FINE, _CANDIDATES * count))
        normals = cross[triangle] / sizes[triangle, None]
        order = _farthest_first(points[: _CANDIDATES * count], _EVEN)[:count]
        return Cloud(points[order], normals[order], points, normals, 0.5 * float(sizes.sum()), volume)

    @cached_property
    def centre(self) -> Floats:
        """Middle of the bounding box [m]."""
        return np.asarray(0.5 * (self.points.min(axis=0) + self.points.max(axis=0)))

    @cached_property
    def length(self) -> float:
        """The scale that lengths are measured in: half of the diagonal of the bounding box [m]."""
        return 0.5 * float(np.linalg.norm(np.ptp(self.points, axis=0)))

    @cached_property
    def trees(self) -> tuple[cKDTree, ...]:
        """Of the fine points, and of the beginnings of each other scale."""
        return cKDTree(self.fine), *(cKDTree(self.points[:count]) for count in SCALES[1:])

    @cached_property
    def seen(self) -> Floats:
        """What is to be seen from each of its points (n, FEATURES)."""
        return self.look(self.points, self.normals)

    def look(self, points: Floats, normals: Floats) -> Floats:
        """What the surface around each of some points (k, 3) [m] is like, seen along a normal (k, 3): (k, FEATURES).

        At each scale: the distance of the farthest neighbour; how far the neighbours lie in front, in the mean and in
        the mean square (curvature); how far their normals agree; how many of them turn away (walls). At last how thick
        the part is there.
        """
        found = []
        thickness = np.full(len(points), _FAR)
        around = [self.fine_normals, *(self.normals for _ in SCALES[1:])]
        for tree, normals_around in zip(self.trees, around, strict=True):
            distance, near = tree.query(points, k=min(NEIGHBOURS, tree.n), workers=-1)
            apart = tree.data[near] - points[:, None]
            radius = np.maximum(distance[:, -1], 1e-9 * self.length)[:, None]
            front = np.einsum("kij,kj->ki", apart, normals) / radius
            cosine = np.einsum("kij,kj->ki", normals_around[near], normals)
            opposite = cosine < _OPPOSITE
            found += [
                radius[:, 0] / self.length,
                front.mean(axis=1),
                (front**2).mean(axis=1),
                cosine.mean(axis=1),
                opposite.mean(axis=1),
            ]
            across = np.where(opposite & (front < 0), distance / self.length, _FAR)
            thickness = np.minimum(thickness, across.min(axis=1))
        return np.column_stack([*found, thickness])

    def below(self, points: Floats) -> tuple[Floats, Floats]:
        """How deep points (k, 3) [m] inside lie (k,) [m], and the normals (k, 3) of the surface nearest to them."""
        depth, nearest = self.trees[0].query(points, workers=-1)
        return depth, self.fine_normals[nearest]

    def nearest(self, points: Floats, count: int, among: int) -> tuple[Floats, Ints]:
        """Distances [m] and numbers of the nearest of the first `among` points: (k, count) each."""
        distance, near = cKDTree(self.points[:among]).query(points, k=count, workers=-1)
        return distance.reshape(-1, count), np.asarray(near, np.int64).reshape(-1, count)


def spread(corners: Floats, areas: Floats, count: int) -> tuple[Floats, Ints]:
    """Points spread over triangles (t, 3, 3) by their area, and the triangle (count,) that each lies in.

    By chance, and the same chance for the same triangles: an even pattern would show where one triangle ends.
    """
    random = np.random.default_rng(0)
    edges = np.cumsum(areas)
    triangle = np.searchsorted(edges, random.random(count) * edges[-1], side="right")
    triangle = np.minimum(triangle, len(areas) - 1)
    root, along = np.sqrt(random.random(count)), random.random(count)
    weights = np.stack([1 - root, root * (1 - along), root * along], axis=1)
    return np.einsum("ka,kad->kd", weights, corners[triangle]), triangle


def _farthest_first(points: Floats, count: int) -> Ints:
    """An order: each of the first `count` is the one farthest from all before it; then the others as they were."""
    distance, current = np.full(len(points), np.inf), 0
    chosen = np.empty(count, np.int64)
    for number in range(count):
        chosen[number] = current
        apart = points - points[current]
        np.minimum(distance, np.einsum("ij,ij->i", apart, apart), out=distance)
        current = int(distance.argmax())
    rest = np.setdiff1d(np.arange(len(points)), chosen)
    return np.concatenate([chosen, rest])
