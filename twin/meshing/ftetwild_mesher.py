"""fTetWild (Hu et al. 2020) in a child process: slower than NETGEN, but takes nearly any triangles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.errors import MeshingFailed
from twin.geometry.child import read_arrays, read_job, write_answer
from twin.meshing.decimate import decimate

_GRID = 12  # cells of the size field along the longest side


def main(folder: Path) -> None:
    """Mesh what `job.json` and `input.npz` tell; answer with points [m] and tets (m, 4)."""
    from pytetwild.pytetwild import tetrahedralize

    job, arrays = read_job(folder), read_arrays(folder)
    vertices, triangles = arrays["vertices"], arrays["triangles"]
    vertices, triangles = decimate(vertices, triangles, job["triangles"] or len(triangles))
    origin, scale = vertices.mean(axis=0), float(np.linalg.norm(np.ptp(vertices, axis=0)))
    vertices = (vertices - origin) / scale
    size = job["size"] / scale
    sizes = {}
    if len(arrays["refine_points"]):
        points = (arrays["refine_points"] - origin) / scale
        sizes = _size_field(vertices, size, points, arrays["refine_sizes"] / scale)
    points, tets = tetrahedralize(
        np.ascontiguousarray(vertices, dtype=np.float64),
        np.ascontiguousarray(triangles, dtype=np.int32),
        edge_length_abs=size,
        epsilon=job["epsilon"],
        optimize=True,
        quiet=True,
        vtk_ordering=True,
        **sizes,
    )
    if len(tets) == 0:
        raise MeshingFailed("fTetWild made no tetrahedra")
    write_answer(
        folder,
        {"triangles": len(triangles)},
        {"points": points * scale + origin, "tets": tets.astype(np.int32)},
    )


def _size_field(
    vertices: NDArray[np.float64], size: float, points: NDArray[np.float64], sizes: NDArray[np.float64]
) -> dict[str, Any]:
    """Target edge lengths on a background of tetrahedra: as asked at the points, growing away from them."""
    from scipy.spatial import Delaunay, KDTree

    lower, upper = vertices.min(axis=0), vertices.max(axis=0)
    margin = 0.05 * float((upper - lower).max())
    step = float((upper - lower).max()) / _GRID
    axes = [
        np.linspace(a - margin, b + margin, 2 + int((b - a) / step))
        for a, b in zip(lower, upper, strict=True)
    ]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    nodes = np.concatenate([grid, points])
    count = min(8, len(points))
    distance, index = KDTree(points).query(nodes, k=count)
    distance, index = distance.reshape(len(nodes), count), index.reshape(len(nodes), count)
    values = np.minimum((sizes[index] + 0.3 * distance).min(axis=1), size)
    return {"bg_vertices": nodes, "bg_tets": Delaunay(nodes).simplices.astype(np.int32), "bg_values": values}
