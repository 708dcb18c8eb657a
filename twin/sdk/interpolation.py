"""Values of a nodal field at any point of a mesh of quadratic tetrahedra."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from twin.errors import InvalidInput

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

_EDGES: Final = np.array([(0, 1), (1, 2), (2, 0), (0, 3), (1, 3), (2, 3)])
_NEWTON_STEPS: Final = 12
_ROUND_OFF: Final = 1e-9  # how negative the barycentric coordinates of a point on a face may come out
# The mesh stands inside the true surface by the height of a flat facet: that far a point may lie outside of
# it, as a fraction of the size of the nearest element.
_MARGIN: Final = 0.05


@final
class Interpolator:
    """Finds points in a mesh. points (n, 3) [m]; tets (m, 10) in VTK order."""

    def __init__(self, points: Floats, tets: NDArray[np.int32]) -> None:
        self._points: Final = points
        self._tets: Final = tets
        self._centroids: Final = cKDTree(points[tets[:, :4]].mean(axis=1))

    def __call__(self, values: Floats, where: Floats) -> Floats:
        """Nodal values (n, c) at points (k, 3): (k, c). Raises what `locate` raises."""
        cells, weights = self.locate(where)
        result: Floats = np.einsum("ka,kac->kc", shape_functions(weights), values[self._tets[cells]])
        return result

    def locate(self, where: Floats) -> tuple[Indices, Floats]:
        """The cell (k,) and the barycentric coordinates in it (k, 4) of each point (k, 3).

        A point outside, but no further than a curved surface is from its mesh, is taken at the nearest place
        of the mesh. Raises InvalidInput for one that lies further out, or is not finite.
        """
        if not np.isfinite(where).all():
            raise InvalidInput("a point to probe has a coordinate that is not a finite number")
        cells = np.full(len(where), -1, dtype=np.intp)
        weights = np.zeros((len(where), 4))
        missing = np.arange(len(where))
        for candidates in self._candidates(where):
            found_in, found_at = self._best(where[missing], candidates(missing))
            cells[missing], weights[missing] = found_in, found_at
            missing = missing[found_at.min(axis=1) < -_ROUND_OFF]
            if not len(missing):
                break
        self._refuse_strangers(where, cells, weights, missing)
        weights = np.clip(weights, 0.0, None)
        weights /= weights.sum(axis=1, keepdims=True)
        return cells, weights

    def _candidates(self, where: Floats) -> Iterator[Callable[[Indices], Indices]]:
        """Ever more cells to look into:

        the nearest, many near ones, all whose bounding box holds the point.
        """
        yield lambda these: self._nearest(where[these], 4)
        yield lambda these: self._nearest(where[these], 64)
        yield lambda these: self._by_box(where[these])

    def _nearest(self, where: Floats, count: int) -> Indices:
        _, cells = self._centroids.query(where, k=min(count, len(self._tets)))
        found: Indices = np.asarray(cells, dtype=np.intp).reshape(len(where), -1)
        return found

    def _by_box(self, where: Floats) -> Indices:
        nodes = self._points[self._tets]
        low, high = nodes.min(axis=1), nodes.max(axis=1)
        margin = _MARGIN * (high - low).max(axis=1, keepdims=True)
        holding = [np.flatnonzero(((low - margin <= p) & (p <= high + margin)).all(axis=1)) for p in where]
        nearest = self._nearest(where, 64)
        width = max(map(len, holding), default=0)
        padded = np.repeat(nearest[:, :1], width, axis=1)
        for row, cells in enumerate(holding):
            padded[row, : len(cells)] = cells
        return np.concatenate((padded, nearest), axis=1)

    def _best(self, where: Floats, candidates: Indices) -> tuple[Indices, Floats]:
        """Of the candidates (k, c) the one that each point lies in, or is least outside of."""
        count = candidates.shape[1]
        weights = self._barycentric(np.repeat(where, count, axis=0), candidates.ravel()).reshape(-1, count, 4)
        best = weights.min(axis=2).argmax(axis=1)
        rows = np.arange(len(where))
        return candidates[rows, best], weights[rows, best]

    def _barycentric(self, where: Floats, cells: Indices) -> Floats:
        """Newton's method on the map of each element (Zienkiewicz & Taylor, vol.

        1, 9.5), from the middle of it.
        """
        nodes = self._points[self._tets[cells]]
        local = np.full((len(where), 3), 0.25)
        for _ in range(_NEWTON_STEPS):
            weights = _full(local)
            gap = where - np.einsum("ka,kai->ki", shape_functions(weights), nodes)
            jacobian = np.einsum("kaj,kai->kij", _gradients(weights), nodes)
            # Far outside a curved element its map folds: stay near, such a point is not in it anyway.
            step = np.clip(_solve(jacobian, gap), -1.0, 1.0)
            local = np.clip(local + step, -2.0, 3.0)
            if np.abs(step).max(initial=0.0) < 1e-12:
                break
        return _full(local)

    def _refuse_strangers(self, where: Floats, cells: Indices, weights: Floats, outside: Indices) -> None:
        if not len(outside):
            return
        inside = np.clip(weights[outside], 0.0, None)
        inside /= inside.sum(axis=1, keepdims=True)
        nodes = self._points[self._tets[cells[outside]]]
        gap = np.linalg.norm(where[outside] - np.einsum("ka,kai->ki", shape_functions(inside), nodes), axis=1)
        size = np.ptp(nodes, axis=1).max(axis=1)
        strangers = outside[gap > _MARGIN * size]
        if len(strangers):
            index = int(strangers[0])
            distance, node = cKDTree(self._points).query(where[index])
            raise InvalidInput(
                f"{len(strangers)} of {len(where)} points lie outside the part. The first is number {index}, "
                f"at {_millimetres(where[index])}; the nearest node of the mesh is {1e3 * distance:.4g} mm "
                f"away, at {_millimetres(self._points[node])}. Points are given in metres."
            )


def shape_functions(barycentric: Floats) -> Floats:
    """(k, 10) from barycentric coordinates (k, 4)."""
    corners = barycentric * (2.0 * barycentric - 1.0)
    middles = 4.0 * barycentric[:, _EDGES[:, 0]] * barycentric[:, _EDGES[:, 1]]
    return np.concatenate((corners, middles), axis=1)


def _gradients(barycentric: Floats) -> Floats:
    """Derivatives (k, 10, 3) by the local coordinates, which are barycentric coordinates 1 to 3."""
    by_weight = np.zeros((len(barycentric), 10, 4))
    for corner in range(4):
        by_weight[:, corner, corner] = 4.0 * barycentric[:, corner] - 1.0
    for row, (a, b) in enumerate(_EDGES):
        by_weight[:, 4 + row, a] = 4.0 * barycentric[:, b]
        by_weight[:, 4 + row, b] = 4.0 * barycentric[:, a]
    return by_weight[:, :, 1:] - by_weight[:, :, :1]


def _solve(jacobian: Floats, gap: Floats) -> Floats:
    """jacobian[k, i, j] = d x_i / d local_j. Singular ones are regularised: their point is not inside."""
    scale = np.abs(jacobian).max(axis=(1, 2), keepdims=True)
    degenerate = np.abs(np.linalg.det(jacobian / scale)) < 1e-12
    regular = np.where(degenerate[:, None, None], scale * np.eye(3), jacobian)
    return np.asarray(np.linalg.solve(regular, gap[..., None])[..., 0], dtype=np.float64)


def _full(local: Floats) -> Floats:
    return np.concatenate((1.0 - local.sum(axis=1, keepdims=True), local), axis=1)


def _millimetres(point: Floats) -> str:
    return f"({', '.join(f'{1e3 * x:.6g}' for x in point)}) mm"
