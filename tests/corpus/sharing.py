"""The published loads as they were published: shared among the vertices of the clevis bores, each alike.

The brackets' files are the surfaces of the meshes that were published, and their distributing coupling counts nodes:
it pulls where these lie close, up to a millimetre or so from the centre of the pin, and more at rims. The service's
goes by area, which does not depend on a mesh. `python -m tests.corpus.sharing 417 393` prints displacements of both
kinds on one mesh, as ratios to the published ones.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Mapping
from functools import cache

import numpy as np
import trimesh
from numpy.typing import NDArray

from solvers import quadrature
from solvers.elasticity.coupling import distributed
from solvers.elasticity.law import lame
from solvers.iteration import SolveError
from solvers.precision import float64
from solvers.quadrature import FacetQuadrature
from solvers.tet10 import element, steady
from tests.corpus import brackets, published
from twin.analyses.boundary import MeshBoundary
from twin.errors import TwinError
from twin.geometry.reader import read
from twin.geometry.surface import Surface, closest
from twin.meshing import mesh_volume

TOLERANCE = 1e-4  # of the linear solver
UNITS = (0, 2, 5)  # of three forces and three moments: those that the load cases are made of
COARSE = 5e-3  # m: edges of elements that do for the ratio of two displacements
ON_BORE = 0.03  # mm: how far from the fitted cylinder a vertex of it may lie


def displacements(number: str, size: float) -> dict[str, dict[str, float]]:
    """Largest displacement [m] by case with the loads shared by "area" and by "vertices", on one mesh of edge [m]."""
    ply = brackets.surface_file(number)
    place = brackets.interface(ply)
    surface, _ = read(ply, "mm", f"{number}.ply")
    mesh = mesh_volume(surface, size)
    boundary = MeshBoundary(surface, mesh)
    study = brackets.study(place)
    count = len(mesh.points)
    held = np.zeros((count, 3, 3))
    held[boundary.nodes(study.supports[0].on).unique] = np.eye(3)
    law = float64(lame)(study.material.youngs_modulus, study.material.poissons_ratio)
    problem = steady.prepare(mesh.points, mesh.tets, law, held, np.zeros((count, 3)))
    clevis = study.cases[brackets.CASES[0]][0].on
    ways = {"area": boundary.quadrature(clevis), "vertices": _at_vertices(boundary, place, ply)}
    found = {
        name: largest(
            {
                unit: steady.solve(problem, _load(where, unit, count), tolerance=TOLERANCE).field
                for unit in UNITS
            }
        )
        for name, where in ways.items()
    }
    return {case: {name: found[name][case] for name in ways} for case in brackets.CASES}


def largest(fields: Mapping[int, NDArray[np.float64]]) -> dict[str, float]:
    """Largest displacement [m] by case, from those of all nodes under each unit load."""
    found = {}
    for case in brackets.CASES:
        given = (*brackets.FORCES[case], *brackets.MOMENTS.get(case, (0.0, 0.0, 0.0)))
        field = sum(given[unit] * field for unit, field in fields.items())
        found[case] = float(np.linalg.norm(np.reshape(field, (-1, 3)), axis=1).max())
    return found


def _load(where: FacetQuadrature, unit: int, count: int) -> NDArray[np.float64]:
    """Nodal forces of 1 N or 1 N m through the centroid."""
    force, moment = np.eye(6)[unit].reshape(2, 3)
    return quadrature.traction(where, distributed(where, force, moment, where.centroid), count)


@cache
def factors(number: str) -> dict[str, float]:
    """What sharing by vertices multiplies the largest displacement by, in each case; none where there is no mesh."""
    try:
        found = displacements(number, COARSE)
    except (TwinError, SolveError):
        return {}
    return {case: ways["vertices"] / ways["area"] for case, ways in found.items()}


def _at_vertices(boundary: MeshBoundary, place: brackets.Interface, ply: bytes) -> FacetQuadrature:
    """Points of weight one on the facets of a mesh where the file has vertices on the clevis bores."""
    vertices = trimesh.load(io.BytesIO(ply), file_type="ply", process=False).vertices
    on = np.zeros(len(vertices), bool)
    for bore in place.clevis:
        offset = vertices - bore.point
        along = offset @ bore.axis
        radius = np.linalg.norm(offset - along[:, None] * bore.axis, axis=1)
        on |= (np.abs(radius - bore.radius) < ON_BORE) & (np.abs(along) < bore.length / 2 + ON_BORE)
    points = 1e-3 * vertices[on]
    corners = Surface(boundary.points, boundary.facets[:, :3], np.zeros(len(boundary.facets), np.int32))
    _, facet, nearest = closest(corners, points)
    first, *others = corners.corners[facet].transpose(1, 0, 2)
    edges = np.stack([other - first for other in others], axis=2)
    along = (np.linalg.pinv(edges) @ (nearest - first)[:, :, None])[:, :, 0]
    return FacetQuadrature(
        facet,
        boundary.facets[facet],
        element.triangle_shape(along),
        points,
        np.zeros_like(points),
        np.ones(len(points)),
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("ids", nargs="+", metavar="ID", help="numbers of brackets")
    parser.add_argument("--size", type=float, default=3.5, help="edge of the elements [mm]")
    options = parser.parse_args()
    for number in options.ids:
        for case, found in displacements(number, 1e-3 * options.size).items():
            known = published.results(number)[case]["u"]
            ratios = ", ".join(f"{name} {value / known:.4f}" for name, value in found.items())
            print(f"{number:>4} {case}  {ratios}", flush=True)


if __name__ == "__main__":
    main()
