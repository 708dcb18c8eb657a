"""Small meshes of quadratic tetrahedra, made without a mesher."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from skfem import MeshTet

from solvers.tet10.element import EDGES

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]


def box(
    cells: tuple[int, int, int],
    lengths: tuple[float, float, float] = (1, 1, 1),
    bend: Callable[[Floats], Floats] | None = None,
) -> tuple[Floats, Ints]:
    """Points (n, 3) and elements (m, 10) of a box, every node moved by `bend`."""
    mesh = MeshTet.init_tensor(
        *(np.linspace(0, length, n + 1) for n, length in zip(cells, lengths, strict=True))
    )
    corners, tets = mesh.p.T, mesh.t.T.copy()
    edges = corners[tets]
    inverted = np.linalg.det(edges[:, 1:] - edges[:, :1]) < 0
    tets[inverted] = tets[inverted][:, [0, 2, 1, 3]]
    ends, number = np.unique(np.sort(tets[:, EDGES], axis=2).reshape(-1, 2), axis=0, return_inverse=True)
    points = np.vstack([corners, corners[ends].mean(1)])
    elements = np.hstack([tets, len(corners) + number.reshape(-1, 6)]).astype(np.int32)
    return (points if bend is None else bend(points)), elements


def distort(points: Floats, amount: float, seed: int = 0) -> Floats:
    """Move every node by a smooth field, so that elements are unequal but valid."""
    phase = np.random.default_rng(seed).uniform(0, 2 * np.pi, (3, 3))
    wave = sum(np.sin(3 * points[:, [k]] + phase[k]) for k in range(3))
    return points + amount * wave
