"""The problem that every contender is given. Needs numpy alone: peers may run in environments of their own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
YOUNGS_MODULUS, POISSONS_RATIO = 210e9, 0.3
VOIGT = ((0, 0), (1, 1), (2, 2), (0, 1), (1, 2), (2, 0))


@dataclass(frozen=True)
class Case:
    """points (n, 3) [m]; tets (m, 10) in VTK order; fixed (n,): nodes that can't move; force (n, 3) at nodes [N]."""

    points: Floats
    tets: NDArray[np.int32]
    fixed: NDArray[np.bool_]
    force: Floats

    @property
    def unknowns(self) -> int:
        """Displacement components, held ones included."""
        return 3 * len(self.points)

    def save(self, path: Path) -> None:
        """Write as npz."""
        np.savez(path, points=self.points, tets=self.tets, fixed=self.fixed, force=self.force)

    @staticmethod
    def load(path: Path) -> Case:
        """Read what `save` wrote."""
        with np.load(path) as arrays:
            return Case(*(np.array(arrays[name]) for name in ("points", "tets", "fixed", "force")))


@dataclass(frozen=True)
class Answer:
    """What a contender makes of a case.

    seconds: by phase: assemble, setup (factorisation or preconditioner), solve, stress
    displacement (n, 3) [m]; von_mises (n,) [Pa] at the nodes, averaged over the elements around them
    residual: relative, as the contender tells it; details: anything else worth a line
    processor_seconds: of all threads; the child takes the time of the whole run where this is None
    compliance: [J], of a contender with a discretisation of its own, whose nodes are not the case's
    """

    label: str
    seconds: dict[str, float]
    displacement: Floats
    von_mises: Floats
    iterations: int | None = None
    residual: float | None = None
    details: dict[str, Any] | None = None
    processor_seconds: float | None = None
    compliance: float | None = None


def von_mises(stress: Floats) -> Floats:
    """Of stresses (..., 6) with components xx yy zz xy yz zx."""
    xx, yy, zz, xy, yz, zx = np.moveaxis(stress, -1, 0)
    normal = ((xx - yy) ** 2 + (yy - zz) ** 2 + (zz - xx) ** 2) / 2
    return np.asarray(np.sqrt(normal + 3 * (xy**2 + yz**2 + zx**2)))


def average_at_nodes(tets: NDArray[np.int32], values: Floats, count: int) -> Floats:
    """Mean over the elements at each node: (m, 10, c) -> (n, c)."""
    flat = tets.ravel()
    weight = np.bincount(flat, minlength=count)
    columns = values.reshape(len(flat), -1).T
    return np.stack([np.bincount(flat, column, minlength=count) / weight for column in columns], axis=1)
