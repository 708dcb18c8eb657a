"""Fewer triangles for mesh generators that stumble over many small ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Int32 = NDArray[np.int32]


def decimate(vertices: Float64, triangles: Int32, count: int) -> tuple[Float64, Int32]:
    """Collapse edges by quadric error (Garland & Heckbert 1997) until about `count` triangles are left."""
    import fast_simplification

    if len(triangles) <= count:
        return vertices, triangles
    middle, scale = vertices.mean(axis=0), float(np.ptp(vertices, axis=0).max())
    unit = ((vertices - middle) / scale).astype(np.float32)  # it computes in single precision
    points, faces = fast_simplification.simplify(unit, triangles.astype(np.int32), target_count=count, agg=2)
    return np.asarray(points, dtype=np.float64) * scale + middle, np.asarray(faces, dtype=np.int32)
