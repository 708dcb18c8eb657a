"""Seconds from a surface to cells: what is inside, and where the surface cuts the ways between cells.

python -m tests.benchmarks.flow.voxels [--cells 256] [--triangles 81920 327680]
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import trimesh

from solvers.lattice_boltzmann.velocities import D3Q19
from tests.benchmarks.solids.own_table import table
from twin.geometry.surface import Surface
from twin.geometry.voxels import voxelise


def measured(triangles: int, count: int) -> list[str]:
    """A ball of so many triangles, or four times fewer than the next count of them, in a box of cells."""
    finer = round(np.log(triangles / 20) / np.log(4))
    ball = trimesh.creation.icosphere(subdivisions=finer, radius=0.4)
    faces = np.asarray(ball.faces, np.int32)
    surface = Surface(np.asarray(ball.vertices, float), faces, np.zeros(len(faces), np.int32))
    begun = time.perf_counter()
    found = voxelise(surface, np.full(3, -0.5 + 0.5 / count), 1 / count, (count,) * 3, D3Q19.directions)
    seconds = time.perf_counter() - begun
    volume = found.inside.sum() / count**3 / (4 / 3 * np.pi * 0.4**3)
    return [
        f"{len(faces):,}",
        f"{count}^3",
        f"{len(found.crossings.distance):,}",
        f"{volume:.4f}",
        f"{seconds:.1f}",
    ]


def main(argv: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cells", type=int, default=256)
    parser.add_argument("--triangles", type=int, nargs="+", default=[81920, 327680])
    options = parser.parse_args(argv)
    rows = [measured(triangles, options.cells) for triangles in options.triangles]
    print("\n".join(table(["triangles", "cells", "cut ways", "volume, of the ball", "seconds"], rows)))


if __name__ == "__main__":
    main()
