"""A surface under repair."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Mesh:
    """vertices (n, 3) [m], triangles (m, 3), groups, what was done, what is left to be said.

    part: (m,) what the file says is one solid; nothing is joined with another part.
    """

    vertices: Float64
    triangles: Int64
    groups: Mapping[str, Int64]
    part: Int64
    repairs: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def repaired(self, sentence: str, **changes: object) -> Mesh:
        """With other arrays, and what was done."""
        return replace(self, repairs=(*self.repairs, sentence), **changes)  # type: ignore[arg-type]

    def keep(self, kept: NDArray[np.bool_]) -> Mesh:
        """Only some of the triangles."""
        return self.exchange(self.triangles[kept], np.flatnonzero(kept))

    def exchange(self, triangles: Int64, source: Int64) -> Mesh:
        """With other triangles (k, 3), which are pieces of those in source (k,)."""
        groups = {}
        for name, ids in self.groups.items():
            member = np.zeros(len(self.triangles), dtype=bool)
            member[ids] = True
            groups[name] = np.flatnonzero(member[source])
        return replace(self, triangles=triangles, part=self.part[source], groups=groups)

    @property
    def diagonal(self) -> float:
        """Of the bounding box [m]."""
        return float(np.linalg.norm(np.ptp(self.vertices, axis=0)))

    @property
    def area(self) -> float:
        """Of all triangles [m^2]."""
        return float(areas(self.vertices, self.triangles).sum())

    @property
    def part_of_vertex(self) -> Int64:
        """(n,) the part that each vertex belongs to."""
        part = np.zeros(len(self.vertices), dtype=np.int64)
        part[self.triangles] = self.part[:, None]
        return part


def areas(vertices: Float64, triangles: Int64) -> Float64:
    """(m,) area of each triangle [m^2]."""
    a, b, c = vertices[triangles].transpose(1, 0, 2)
    return np.asarray(np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2)
