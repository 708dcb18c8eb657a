"""In the child process: a foreign file becomes a surface and a report on it."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np

from twin.errors import GeometryError
from twin.geometry.crossings import find_crossings, find_overlaps
from twin.geometry.formats.detect import read_soup
from twin.geometry.formats.soup import Soup
from twin.geometry.mesh import Mesh
from twin.geometry.patches import MOST_DESCRIBED, describe_patches, find_patches
from twin.geometry.repair import repair
from twin.geometry.surface import Report, Surface
from twin.sandbox.child import read_job, write_answer
from twin.units import length_unit

_LONGEST = 20.0  # [m]
_SHORTEST = 1e-4
_MOST_BODIES = 100  # that become groups
_DIGITS, _TOO_FEW_DIGITS = 1e5, 1e3  # size of a part, in steps of its coordinates: doubtful, lost


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
    warnings = (*warnings, *_lost_digits(soup, scale))
    part = np.zeros(len(soup.triangles), dtype=np.int64) if soup.part is None else soup.part
    mesh = repair(
        Mesh(soup.vertices * scale, soup.triangles, soup.groups, part, warnings=(*soup.warnings, *warnings))
    )
    surface = _add_bodies(
        Surface(
            mesh.vertices,
            mesh.triangles.astype(np.int32),
            find_patches(mesh.vertices, mesh.triangles),
            {group: ids.astype(np.int32) for group, ids in mesh.groups.items() if len(ids)},
        )
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
    own = length_unit(soup.unit) if soup.metres is None else soup.metres
    scale = own if soup.scale is None else soup.scale
    if unit is None or math.isclose(length_unit(unit), own, rel_tol=1e-6):
        return scale, soup.unit, ()
    return scale, soup.unit, (f"the file's own unit is {soup.unit}: the declared unit {unit} was not used",)


def _lost_digits(soup: Soup, scale: float) -> tuple[str, ...]:
    """Whether coordinates far from the origin tell the vertices apart: binary files have seven digits."""
    named = np.zeros(len(soup.vertices), dtype=bool)
    named[soup.triangles] = True
    used = soup.vertices[named]
    used = used[np.isfinite(used).all(axis=1)]
    if len(used) == 0:
        return ()
    farthest = float(np.abs(used).max())
    with np.errstate(over="ignore"):
        single = bool((used.astype(np.float32) == used).all())
        size = float(np.linalg.norm(np.ptp(used, axis=0)))
    digit = float(np.spacing(np.float32(farthest) if single else farthest))
    if not size > 0 or size > _DIGITS * digit:
        return ()
    told = (
        f"the part lies {1e3 * scale * farthest:.3g} mm from the origin, where its coordinates are "
        f"{1e3 * scale * digit:.2g} mm apart, and is {1e3 * scale * size:.3g} mm large"
    )
    if size < _TOO_FEW_DIGITS * digit:
        raise GeometryError(f"Its shape is lost: {told}. Move it to the origin and export it again.")
    return (f"{told}: move it to the origin",)


def _add_bodies(surface: Surface) -> Surface:
    """With a group for each of several bodies that has no name of its own."""
    bodies = int(surface.body.max()) + 1
    if not (surface.closed and 1 < bodies <= _MOST_BODIES):
        return surface
    named = {np.unique(ids).tobytes() for ids in surface.groups.values()}
    groups = dict(surface.groups)
    for number in range(bodies):
        ids = np.flatnonzero(surface.body == number).astype(np.int32)
        if ids.tobytes() not in named:
            groups.setdefault(f"body_{number + 1}", ids)
    return dataclasses.replace(surface, groups=groups)


def _report(surface: Surface, mesh: Mesh, unit: str, chord_error: float) -> Report:
    warnings = list(mesh.warnings)
    closed = surface.closed
    bodies = int(surface.body.max()) + 1
    if closed and abs(surface.volume) < 1e-9 * surface.diagonal**3:
        warnings.append("the part has no volume: it is a sheet")
    if bodies > 1:
        warnings.append(_tell_bodies(surface, bodies))
    patches = int(surface.patch.max()) + 1
    if patches > MOST_DESCRIBED:
        warnings.append(f"the part has {patches} patches: only the {MOST_DESCRIBED} largest are listed")
    warnings += _tell_crossings(surface)
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


def _tell_bodies(surface: Surface, bodies: int) -> str:
    """How many, and how large the largest are."""
    if not surface.closed:
        return f"the surface has {bodies} pieces that are not connected"
    a, b, c = (surface.corners - surface.vertices.mean(axis=0)).transpose(1, 0, 2)
    volumes = np.bincount(surface.body, np.einsum("ij,ij->i", a, np.cross(b, c)) / 6.0)
    sizes = ", ".join(f"{1e9 * volume:.4g}" for volume in volumes[:4])
    largest = f"of {sizes} mm3" if bodies <= 4 else f"the largest of {sizes} mm3"
    return f"the part has {bodies} bodies that are not connected, {largest}"


def _tell_crossings(surface: Surface) -> list[str]:
    """Where the surface goes through itself, and which bodies overlap."""
    triangles = surface.triangles.astype(np.int64)
    found = find_crossings(surface.vertices, triangles)
    if found is None:
        return ["the surface is too detailed to look for places where it crosses itself"]
    pairs, places = found
    between = np.unique(np.sort(surface.body[pairs], axis=1), axis=0)
    between = between[between[:, 0] != between[:, 1]]
    told: list[str] = []
    if surface.closed and int(surface.body.max()) > 0:
        overlaps = find_overlaps(surface.vertices, triangles, surface.body.astype(np.int64))
        between = np.unique(np.concatenate([between, overlaps]), axis=0)
        if len(between):
            first, second = between[0] + 1
            more = f", and {len(between) - 1} more pairs" if len(between) > 1 else ""
            told.append(f"body_{first} and body_{second} overlap{more}: the volume counts that twice")
    if len(pairs):
        x, y, z = 1e3 * places[len(places) // 2]
        told.append(
            f"the surface crosses itself: {len(np.unique(pairs))} triangles go through others, one at "
            f"({x:.4g}, {y:.4g}, {z:.4g}) mm"
        )
    return told
