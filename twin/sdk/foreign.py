"""Results of other codes, read where the client is: fields at the nodes of a mesh, brought to its surface and to SI."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from twin.errors import InvalidInput
from twin.results import archive
from twin.results.imported import KINDS, SurfaceFields
from twin.units import quantity

if TYPE_CHECKING:
    import pyvista

Floats = NDArray[np.float64]

_OF_NINE: Final = [0, 4, 8, 1, 5, 2]  # xx yy zz xy yz zx of a tensor in rows
SUFFIXES: Final = (".vtu", ".vtk", ".vtp", ".npz")


def read(
    path: str | Path | Mapping[str, str | Path],
    cases: tuple[str, ...],
    names: Mapping[str, str] | None,
    length_unit: str,
    stress_unit: str,
) -> SurfaceFields:
    """Fields of all load cases; arguments as of `client.import_result`. Raises InvalidInput."""
    unknown = set(names or ()) - set(KINDS)
    if unknown:
        raise InvalidInput(f"{', '.join(sorted(unknown))} is imported of no result: {', '.join(KINDS)} are")
    called = {kind: (names or {}).get(kind, kind) for kind in KINDS}
    files = dict(path) if isinstance(path, Mapping) else dict.fromkeys(cases, path)
    if set(files) != set(cases):
        raise InvalidInput(
            f"files are given of load cases {', '.join(files)}, and the study has {', '.join(cases)}"
        )
    units = {"displacement": quantity(f"1 {length_unit}", "m"), "stress": quantity(f"1 {stress_unit}", "Pa")}
    surfaces = {file: _surface(Path(file).expanduser()) for file in set(files.values())}
    points, triangles, _ = surfaces[files[cases[0]]]
    found: dict[str, dict[str, Floats]] = {}
    for case in cases:
        own_points, own_triangles, fields = surfaces[files[case]]
        if not (np.array_equal(own_points, points) and np.array_equal(own_triangles, triangles)):
            raise InvalidInput(f"the mesh of load case {case} is another one than that of {cases[0]}")
        alone = list(files.values()).count(files[case]) == 1
        found[case] = {
            kind: units[kind] * _field(fields, case, called[kind], KINDS[kind], alone=alone) for kind in KINDS
        }
    return SurfaceFields(points * units["displacement"], triangles, found)


def _surface(path: Path) -> tuple[Floats, NDArray[np.int64], dict[str, NDArray[Any]]]:
    """Points, triangles and point data of the boundary of a mesh."""
    if not path.is_file():
        raise InvalidInput(f"there is no file {path}")
    match path.suffix.lower():
        case ".npz":
            arrays = archive.read(path)
            missing = [name for name in ("points", "triangles") if name not in arrays]
            if missing:
                raise InvalidInput(
                    f"{path.name} has no array {missing[0]!r}: it needs points (n, 3), triangles (t, 3)"
                )
            for name, values in arrays.items():
                kinds = "iu" if name == "triangles" else "iuf"
                if values.dtype.kind not in kinds:
                    wanted = "whole numbers" if name == "triangles" else "real numbers"
                    raise InvalidInput(f"array {name!r} of {path.name} holds {values.dtype}, not {wanted}")
            points, triangles = arrays.pop("points"), arrays.pop("triangles")
            return np.asarray(points, np.float64), np.asarray(triangles, np.int64), arrays
        case ".vtu" | ".vtk" | ".vtp":
            return _of_vtk(path)
    raise InvalidInput(f"{path.name}: results are imported from {', '.join(SUFFIXES)}")


def _of_vtk(path: Path) -> tuple[Floats, NDArray[np.int64], dict[str, NDArray[Any]]]:
    import pyvista

    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", "The VTK reader", UserWarning)  # how it tells of its errors
            mesh: Any = pyvista.read(path)
    except (OSError, ValueError, RuntimeError, UserWarning) as error:
        raise InvalidInput(f"{path.name} can't be read: {error}") from None
    if not isinstance(mesh, pyvista.DataSet) or mesh.n_cells == 0:
        raise InvalidInput(f"{path.name} holds no mesh")
    return _triangles(mesh, path.name)


def _triangles(mesh: pyvista.DataSet, file: str) -> tuple[Floats, NDArray[np.int64], dict[str, NDArray[Any]]]:
    surface = mesh.extract_surface(nonlinear_subdivision=1, algorithm="dataset_surface").triangulate()
    if surface.n_cells == 0:
        raise InvalidInput(f"{file} has no surface: is it a mesh of solid elements?")
    data = {name: np.asarray(surface.point_data[name]) for name in surface.point_data}
    at_cells = set(mesh.cell_data) - set(data)
    data.update({f"{name} (at cells)": np.zeros(0) for name in at_cells})  # named where a field is missed
    return np.asarray(surface.points, np.float64), surface.faces.reshape(-1, 4)[:, 1:].astype(np.int64), data


def _field(fields: Mapping[str, NDArray[Any]], case: str, name: str, width: int, *, alone: bool) -> Floats:
    """Of a load case "case/name"; where the file is of it alone, "name" as well."""
    known = [each for each in ((f"{case}/{name}", name) if alone else (f"{case}/{name}",)) if each in fields]
    if not known:
        there = ", ".join(sorted(fields)) or "none"
        raise InvalidInput(
            f"there is no field {name!r} of load case {case!r} at the nodes; there are {there}. "
            "Name fields by fields={'displacement': ..., 'stress': ...}; give one file for each load case as "
            "{'case': 'file'}, or name them 'case/field' in one file."
        )
    values = np.asarray(fields[known[0]], np.float64)
    if width == 6 and values.ndim == 2 and values.shape[1] == 9:
        values = values[:, _OF_NINE]
    return values
