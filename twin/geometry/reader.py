"""In the child process: a foreign file becomes a surface and a report on it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from twin.errors import GeometryError
from twin.geometry.child import read_job, write_answer
from twin.geometry.formats.detect import read_soup
from twin.geometry.formats.soup import Soup
from twin.geometry.patches import describe_patches, find_patches
from twin.geometry.repair import Mesh, repair
from twin.geometry.surface import Report, Surface
from twin.units import length_unit

_LONGEST = 20.0  # [m]
_SHORTEST = 1e-4


def main(folder: Path) -> None:
    """Read the file that `job.json` names; answer with the report, and the surface in `surface.npz`."""
    job = read_job(folder)
    surface, report = read(Path(job["path"]).read_bytes(), job["unit"], job["filename"])
    surface.save(folder / "surface.npz")
    write_answer(folder, {"report": dataclasses.asdict(report)}, {})


def read(data: bytes, unit: str | None, filename: str) -> tuple[Surface, Report]:
    """Read, repair and describe the part in `data`. Raises GeometryError and UnitError."""
    soup = read_soup(data, filename)
    scale, name, warnings = _scale(soup, unit, filename)
    part = np.zeros(len(soup.triangles), dtype=np.int64) if soup.part is None else soup.part
    mesh = repair(
        Mesh(soup.vertices * scale, soup.triangles, soup.groups, part, warnings=(*soup.warnings, *warnings))
    )
    surface = Surface(
        mesh.vertices,
        mesh.triangles.astype(np.int32),
        find_patches(mesh.vertices, mesh.triangles),
        {group: ids.astype(np.int32) for group, ids in mesh.groups.items() if len(ids)},
    )
    return surface, _report(surface, mesh, name, soup.chord_error * scale)


def _scale(soup: Soup, unit: str | None, filename: str) -> tuple[float, str, tuple[str, ...]]:
    """Metres per unit of the vertices, the unit of the file, warnings. The unit in the file wins."""
    if soup.unit is None:
        if unit is None:
            raise GeometryError(
                f"'{filename}' has no unit of length in it. Say which one it is meant in, such as unit='mm'.",
                {"filename": filename},
            )
        return length_unit(unit), unit, ()
    scale = length_unit(soup.unit) if soup.scale is None else soup.scale
    conflict = unit is not None and length_unit(unit) != length_unit(soup.unit)
    if not conflict:
        return scale, soup.unit, ()
    return scale, soup.unit, (f"the file's own unit is {soup.unit}: the declared unit {unit} was not used",)


def _report(surface: Surface, mesh: Mesh, unit: str, chord_error: float) -> Report:
    warnings = list(mesh.warnings)
    closed = surface.closed
    bodies = int(surface.body.max()) + 1
    if closed and abs(surface.volume) < 1e-9 * surface.diagonal**3:
        warnings.append("the part has no volume: it is a sheet")
    if surface.diagonal < 1e-5 * float(np.abs(surface.vertices).max()):
        warnings.append("the part lies so far from the origin that its coordinates have lost digits: move it")
    if bodies > 1:
        warnings.append(f"the part has {bodies} bodies that are not connected")
    if surface.diagonal > _LONGEST or surface.diagonal < _SHORTEST:
        warnings.append(f"the part is {surface.diagonal:.3g} m long: is the unit '{unit}' right?")
    return Report(
        triangles=len(surface.triangles),
        watertight=closed,
        volume=surface.volume if closed else 0.0,
        area=surface.area,
        bounds=surface.bounds,
        bodies=bodies,
        patches=describe_patches(surface),
        groups=tuple(surface.groups),
        repairs=mesh.repairs,
        warnings=tuple(warnings),
        unit=unit,
        chord_error=chord_error,
    )
