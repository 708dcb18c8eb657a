"""Linear tetrahedra about as many as published: `python -m tests.corpus.linear 246` prints ratios to what was.

They show what of the difference to converged solutions the published elements make. An independent code, scikit-fem;
loads shared among the nodes of the clevis bores, each alike.
"""

from __future__ import annotations

import argparse

import numpy as np
import scipy.sparse
from scipy.sparse.linalg import cg
from skfem import Basis, ElementTetP1, ElementVector, MeshTet
from skfem.models.elasticity import lame_parameters, linear_elasticity

from solvers.elasticity.coupling import distributed
from solvers.quadrature import FacetQuadrature
from tests.corpus import brackets, published, sharing
from twin.analyses.boundary import MeshBoundary
from twin.geometry.reader import read
from twin.meshing import mesh_volume


def displacements(number: str, size: float) -> tuple[int, dict[str, float]]:
    """How many elements of edge [m] there are; largest displacement [m] by case."""
    ply = brackets.surface_file(number)
    surface, _ = read(ply, "mm", f"{number}.ply")
    study = brackets.study(brackets.interface(ply))
    mesh = mesh_volume(surface, size)
    boundary = MeshBoundary(surface, mesh)
    corners, tets = np.unique(mesh.tets[:, :4], return_inverse=True)
    points, tets = mesh.points[corners], tets.reshape(-1, 4)
    bolts, clevis = (
        np.flatnonzero(np.isin(corners, boundary.nodes(on).unique))
        for on in (study.supports[0].on, study.cases[brackets.CASES[0]][0].on)
    )
    basis = Basis(
        MeshTet(np.ascontiguousarray(points.T), np.ascontiguousarray(tets.T)), ElementVector(ElementTetP1())
    )
    law = lame_parameters(study.material.youngs_modulus, study.material.poissons_ratio)
    held = np.isin(basis.nodal_dofs, basis.nodal_dofs[:, bolts]).T.ravel()
    order = basis.nodal_dofs.T.ravel()  # of the unknowns of each node
    stiffness = linear_elasticity(*law).assemble(basis).tocsr()[order][:, order][~held][:, ~held]
    jacobi = scipy.sparse.diags(1 / stiffness.diagonal())
    fields = {}
    for unit in sharing.UNITS:
        load = np.zeros((len(points), 3))
        load[clevis] = _among(points[clevis], unit)
        fields[unit] = np.zeros(3 * len(points))
        fields[unit][~held], failed = cg(stiffness, load.ravel()[~held], rtol=1e-6, M=jacobi)
        assert not failed
    return len(tets), sharing.largest(fields)


def _among(points: np.ndarray, unit: int) -> np.ndarray:
    """Forces (n, 3) on points that make up 1 N or 1 N m through their centroid."""
    count = len(points)
    alike = FacetQuadrature(
        np.arange(count), np.arange(count)[:, None], np.ones((count, 1)), points, 0 * points, np.ones(count)
    )
    force, moment = np.eye(6)[unit].reshape(2, 3)
    return distributed(alike, force, moment, alike.centroid)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("ids", nargs="+", metavar="ID", help="numbers of brackets")
    parser.add_argument(
        "--coarser", type=float, default=1.0, help="edge of the elements over the published one"
    )
    options = parser.parse_args()
    for number in options.ids:
        mesh = published.mesh(number)
        count, found = displacements(number, 1e-3 * options.coarser * mesh.edge)
        ratios = ", ".join(
            f"{case} {value / published.results(number)[case]['u']:.4f}" for case, value in found.items()
        )
        print(f"{number:>4}  {count} linear tetrahedra, published {mesh.elements}: {ratios}", flush=True)


if __name__ == "__main__":
    main()
