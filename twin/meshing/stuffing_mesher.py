"""Isosurface stuffing (Labelle & Shewchuk 2007, ACM Trans. Graph. 26:57) in a child process.

It fills whatever has an inside by the winding number: surfaces with holes, crossing faces, overlapping bodies. The
lattice is finer at thin walls, narrow gaps and curved faces; sharp edges and corners are followed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twin.errors import MeshingFailed
from twin.geometry.occupancy import Occupancy
from twin.geometry.projection import Projection
from twin.geometry.surface import Surface
from twin.meshing.curve import compact
from twin.meshing.stuffing.features import attach, rebind
from twin.meshing.stuffing.improve import improve
from twin.meshing.stuffing.lattice import lattice, refine
from twin.meshing.stuffing.peel import peel
from twin.meshing.stuffing.sizes import size_field
from twin.meshing.stuffing.stuff import stuff
from twin.meshing.volume_mesh import dihedral_angles, pieces, straight_jacobians
from twin.sandbox.child import read_arrays, read_job, write_answer

Float64 = NDArray[np.float64]
Int32 = NDArray[np.int32]
Bools = NDArray[np.bool_]

_FLAT = 0.1  # quality below which a tetrahedron on the boundary is taken off where it can be
_DUST = 1e-3  # of the volume: smaller pieces are where a wall only just reaches into the lattice


def main(folder: Path) -> None:
    """Mesh what `job.json` and `input.npz` tell; answer with points [m] and tets (m, 4)."""
    job, arrays = read_job(folder), read_arrays(folder)
    surface = Surface(arrays["vertices"], arrays["triangles"], arrays["patch"])
    asked = arrays["refine_points"], arrays["refine_sizes"]
    points, tets, dropped = fill(surface, job["size"], job["grading"], *asked)
    least, most = dihedral_angles(points, tets)
    note = f"dihedral angles from {least:.1f} to {most:.1f} degrees"
    if dropped:
        note += f"; pieces that hang on too thin walls, {100 * dropped:.2g} % of the volume, were left out"
    write_answer(folder, {"note": note}, {"points": points, "tets": tets})


def fill(
    surface: Surface, size: float, grading: float, refine_points: Float64, refine_sizes: Float64
) -> tuple[Float64, Int32, float]:
    """Points (n, 3) [m] and tetrahedra (m, 4) of the sizes asked for [m]; of the volume, what was left out."""
    occupancy = Occupancy(surface)
    if not surface.is_one_body:
        surface, _ = occupancy.exposed(size)
    if len(surface.triangles) == 0:
        raise MeshingFailed(
            "no face of the surface bounds material: it is a sheet, or thinner than can be told"
        )
    on_surface = Projection(surface.vertices, surface.triangles)
    field = size_field(surface, on_surface, size, grading, refine_points, refine_sizes)
    lower, upper = map(np.array, surface.bounds)

    def near(centres: Float64, radius: float) -> Bools:
        result = occupancy.inside(centres)
        rest = np.flatnonzero(~result)
        result[rest] = on_surface(centres[rest])[0] <= radius
        return result

    points, cells = refine(*lattice(lower, upper, field.largest, near), field)
    points, cells = stuff(points, cells, occupancy, on_surface)
    if len(cells) == 0:
        raise MeshingFailed(
            "no part of the lattice lies inside the surface: it encloses nothing, or is too thin"
        )
    points, tets = compact(points, cells)
    kept, dropped = _without_dust(points, tets)
    points, tets = compact(points, peel(points, kept, _FLAT))
    points, bound_tets, features = attach(points, tets, surface, on_surface)
    points = improve(points, bound_tets, features)
    bound_tets = peel(points, bound_tets, _FLAT)
    points = improve(points, bound_tets, rebind(features, points, bound_tets))
    return *compact(points, bound_tets), dropped


def _without_dust(points: Float64, tets: Int32) -> tuple[Int32, float]:
    label = pieces(tets)
    volume = np.bincount(label, np.abs(straight_jacobians(points, tets)))
    small = volume <= _DUST * min(volume.sum(), 10 * volume.max())  # of many like bodies none is dust
    return tets[~small[label]], float(volume[small].sum() / volume.sum())
