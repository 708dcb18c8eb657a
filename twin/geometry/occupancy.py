"""Where material is, by the generalised winding number: holes, crossings and doubled faces do not upset it.

Jacobson et al. 2013, ACM Trans. Graph. 32:33; fast evaluation: Barill et al. 2018, ACM Trans. Graph. 37:43.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.geometry.projection import by_chunks
from twin.geometry.subdivision import subdivide
from twin.geometry.surface import TRIANGLE_DEGREE_2, Surface, closest

Float64 = NDArray[np.float64]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Bools = NDArray[np.bool_]

_SIDE = 1e-5  # of the diagonal: how far beside a face one looks whether material is there
# How many times a group of triangles' size away it is taken as one: three to nine times faster, and finer where that
# does not come out near a whole number.
_ROUGH, _FINE, _UNSURE = 1.0, 2.0, 0.1
_CELLS = 200_000
# Beside a flat sheet the winding number is one half, and the fast evaluation takes it beyond: near it, and anywhere.
_BESIDE_SHEET, _ENCLOSED = 0.52, 0.55
_PIECE = 0.01  # of the diagonal: edges of the pieces that volumes are summed over
_LONGEST = 0.05  # of the diagonal: the fast evaluation takes longer triangles for points, and errs


class Occupancy:
    """The inside of a surface."""

    def __init__(self, surface: Surface):
        self.surface = surface

    def winding(self, points: Float64) -> Float64:
        """(n,) winding number at points (n, 3) [m]."""
        winding = self._winding(points, _ROUGH)
        unsure = np.flatnonzero(np.abs(winding - np.rint(winding)) > _UNSURE)
        winding[unsure] = self._winding(points[unsure], _FINE)
        return winding

    def _winding(self, points: Float64, accuracy: float) -> Float64:
        if len(points) == 0:
            return np.zeros(0)
        found = [self._tree.winding_number(chunk, accuracy).reshape(-1) for chunk in by_chunks(points)]
        return np.concatenate(found)

    @cached_property
    def _tree(self) -> Any:
        import igl

        surface = self.surface
        vertices, triangles, _ = subdivide(surface.vertices, surface.triangles, _LONGEST * surface.diagonal)
        tree = igl.FastWindingNumberBVH()
        tree.init(np.array(vertices), np.array(triangles, dtype=np.int64))
        return tree

    def inside(self, points: Float64) -> Bools:
        """(n,) whether points (n, 3) [m] lie in the material."""
        return self.winding(points) > 0.5

    def bounding(self, points: Float64, normals: Float64) -> Float64:
        """(n,) how much each face at points (n, 3) [m] of the surface, with unit normals, counts as a boundary of
        material: 1 where it lies behind the face, -1 where it lies before it, 0 where it lies on both sides (walls
        inside, faces between bodies) or on none (sheets). Faces that coincide share the count.
        """
        step = _SIDE * self.surface.diagonal * normals
        behind, before = self.winding(points - step), self.winding(points + step)
        # each layer makes the winding number jump by one
        layers = np.maximum(np.abs(np.rint(behind - before)), 1.0)
        return ((behind > _BESIDE_SHEET).astype(np.float64) - (before > _BESIDE_SHEET)) / layers

    def exposed(self, longest: float) -> tuple[Surface, Int64]:
        """The surface without the pieces that bound no material: faces between bodies, walls inside, sheets.

        longest: edges [m] of the pieces that are judged, each as a whole. Returns the pieces kept, maybe none, and the
        triangle that each came from (k,).
        """
        surface = self.surface
        vertices, triangles, source = subdivide(surface.vertices, surface.triangles, longest)
        places = np.einsum("qa,kad->kqd", TRIANGLE_DEGREE_2, vertices[triangles])
        normals = np.repeat(surface.normals[source], len(TRIANGLE_DEGREE_2), axis=0)
        bounds = self.bounding(places.reshape(-1, 3), normals).reshape(len(triangles), -1) != 0
        kept = bounds.any(axis=1)
        used, corners = np.unique(triangles[kept], return_inverse=True)
        pieces = Surface(vertices[used], corners.reshape(-1, 3).astype(np.int32), surface.patch[source[kept]])
        return pieces, source[kept]

    @cached_property
    def volume(self) -> tuple[float, float]:
        """Volume of the material [m^3], however its bodies overlap and its holes gape, and its standard error."""
        return (self._enclosed(), 0.0) if self.surface.closed else self._sampled()

    def _enclosed(self) -> float:
        """By the divergence theorem over the pieces of the surface that bound material: walls may be thin."""
        surface = self.surface
        vertices, triangles, _ = subdivide(surface.vertices, surface.triangles, _PIECE * surface.diagonal)
        a, b, c = (vertices - vertices.mean(axis=0))[triangles].transpose(1, 0, 2)
        double_area = np.cross(b - a, c - a)
        length = np.linalg.norm(double_area, axis=1)
        normals = double_area / np.maximum(length, np.finfo(np.float64).tiny)[:, None]
        share = self.bounding(vertices[triangles].mean(axis=1), normals)
        return float(share @ np.einsum("ij,ij->i", a, double_area) / 6)

    def _sampled(self) -> tuple[float, float]:
        """By a point in each of many cells of the bounding box: the surface may have holes."""
        lower, upper = map(np.array, self.surface.bounds)
        cell = float(((upper - lower).prod() / _CELLS) ** (1 / 3)) or 1.0
        shape = np.maximum(np.ceil((upper - lower) / cell), 1).astype(np.int64)
        index = np.indices(shape).reshape(3, -1).T + np.random.default_rng(0).random((int(shape.prod()), 3))
        winding = self.winding(lower + index / shape * (upper - lower))
        if winding.max() < _ENCLOSED:
            return 0.0, 0.0
        inside = winding > 0.5
        share, box = float(inside.mean()), float((upper - lower).prod())
        return share * box, box * float(np.sqrt(share * (1 - share) / len(inside)))

    def closest(self, points: Float64) -> tuple[Float64, Int32, Float64]:
        """Distances (n,) [m] from the surface, its nearest triangles (n,) and nearest points (n, 3) [m]."""
        return closest(self.surface, points)
