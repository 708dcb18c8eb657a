"""NETGEN in a child process: tetrahedra from a STEP file's own faces, or from triangles.

Lengths here are mm: NETGEN's absolute tolerances are made for them, and so OCC reads a STEP file of any unit.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.errors import MeshingFailed
from twin.sandbox.child import read_arrays, read_job, write_answer

MM = 1e-3  # [m]

_FROM_NETGEN = [0, 1, 2, 3, 4, 7, 5, 6, 8, 9]  # its mids: (0,1) (0,2) (0,3) (1,2) (1,3) (2,3)


def main(folder: Path) -> None:
    """Mesh what `job.json` and `input.npz` tell; answer with points [m] and tets, (m, 10) for STEP else (m,
    4).
    """
    import netgen.meshing

    job, arrays = read_job(folder), read_arrays(folder)
    netgen.meshing.SetMessageImportance(0)
    options: dict[str, Any] = {"maxh": job["size"] / MM, "grading": job["grading"]}
    if len(arrays["refine_points"]):
        options["meshsizefilename"] = str(_write_sizes(folder, arrays))
    try:
        if job["step"] is not None:
            mesh = _part(job["step"]).GenerateMesh(**options)
            mesh.SecondOrder()
        else:
            from netgen.stl import STLGeometry

            stl = _write_stl(folder / "surface.stl", arrays["vertices"] / MM, arrays["triangles"])
            mesh = STLGeometry(str(stl)).GenerateMesh(**options, **_edges(job["edge_angle"]))
    except netgen.meshing.NgException as error:
        raise MeshingFailed(f"NETGEN: {error}") from error
    nodes = mesh.Elements3D().NumPy()["nodes"].astype(np.int32) - 1
    if len(nodes) == 0:
        raise MeshingFailed("NETGEN made no tetrahedra")
    if nodes.shape[1] == 10:
        nodes = nodes[:, _FROM_NETGEN]
    write_answer(folder, {}, {"points": np.asarray(mesh.Coordinates()) * MM, "tets": nodes})


def _part(path: str) -> Any:
    """The geometry of a STEP file; solids that touch or overlap share faces, so that their meshes fit."""
    from netgen.occ import Glue, OCCGeometry

    geometry = OCCGeometry(path)
    solids = list(geometry.shape.solids)
    return OCCGeometry(Glue(solids)) if len(solids) > 1 else geometry


def _edges(angle: float) -> dict[str, float]:
    """Edges sharper than `angle` [degrees] are kept, weaker ones only where they continue such an edge."""
    return {"yangle": angle, "contyangle": angle - 10.0, "edgecornerangle": 60.0}


def _write_sizes(folder: Path, arrays: dict[str, NDArray[Any]]) -> Path:
    path = folder / "sizes.txt"
    table = np.column_stack([arrays["refine_points"], arrays["refine_sizes"]]) / MM
    with path.open("w") as file:
        file.write(f"{len(table)}\n")
        np.savetxt(file, table, fmt="%.9g")
        file.write("0\n")
    return path


def _write_stl(path: Path, vertices: NDArray[np.float64], triangles: NDArray[np.int32]) -> Path:
    """ASCII, since a binary STL keeps only seven digits."""
    facet = "facet normal 0 0 0\nouter loop\n" + 3 * "vertex %.16g %.16g %.16g\n" + "endloop\nendfacet\n"
    corners = vertices[triangles].reshape(-1, 9)
    with path.open("w") as file:
        file.write("solid part\n")
        file.writelines(facet % tuple(row) for row in corners.tolist())
        file.write("endsolid part\n")
    return path
