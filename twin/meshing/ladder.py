"""The ladder of mesh generators: the first whose mesh passes every check wins, and all attempts are told."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from twin.errors import MeshingFailed
from twin.geometry import child
from twin.geometry.surface import Surface, closest
from twin.meshing import curve
from twin.meshing.volume_mesh import VolumeMesh, bodies, check_points, hull, jacobians, quality, volume

Float64 = NDArray[np.float64]
Int32 = NDArray[np.int32]
Refine = tuple[Float64, Float64]

_MOST_TETS = 3e7
_EPSILON = 5e-4  # envelope of fTetWild, of the diagonal
_MOST_VOLUME_ERROR = 0.02
_LEAST_QUALITY = 1e-4


@dataclass(frozen=True)
class _Rung:
    """One attempt.

    triangles: the surface is decimated to so many first, None keeps it. edge_angle [degrees]: sharper edges
    of the triangles are kept by NETGEN.
    """

    name: str
    module: Literal["twin.meshing.netgen_mesher", "twin.meshing.ftetwild_mesher"]
    from_step: bool = False
    triangles: int | None = None
    edge_angle: float = 30.0

    @property
    def off_surface(self) -> bool:
        """Whether its corners lie near the surface only."""
        return self.triangles is not None or self.module == "twin.meshing.ftetwild_mesher"


_NETGEN: Literal["twin.meshing.netgen_mesher"] = "twin.meshing.netgen_mesher"
_FTETWILD: Literal["twin.meshing.ftetwild_mesher"] = "twin.meshing.ftetwild_mesher"
_FEWEST_TO_HALVE = 4000
_FTETWILD_TRIANGLES = 6000  # above, it takes minutes


def _rungs(surface: Surface, source: Path | None) -> list[_Rung]:
    count = len(surface.triangles)
    rungs = [_Rung("NETGEN on the triangles", _NETGEN)]
    if source is not None and is_step(source):
        rungs.insert(0, _Rung("NETGEN on the faces of the STEP file", _NETGEN, from_step=True))
    # where NETGEN crashes on a surface, it often doesn't with other edges, or on fewer triangles
    rungs += [_Rung("NETGEN on the triangles, edges above 20 degrees", _NETGEN, edge_angle=20.0)]
    if count > _FEWEST_TO_HALVE:
        for part, angle in ((2, 30.0), (4, 20.0)):
            name = f"NETGEN on {count // part} triangles, edges above {angle:g} degrees"
            rungs.append(_Rung(name, _NETGEN, triangles=count // part, edge_angle=angle))
    fewer = _FTETWILD_TRIANGLES if count > _FTETWILD_TRIANGLES else None
    return [*rungs, _Rung("fTetWild", _FTETWILD, triangles=fewer)]


def mesh_volume(
    surface: Surface,
    size: float,
    *,
    source: Path | None = None,
    refine: Refine | None = None,
    time_limit: float = 300.0,
    workdir: Path | None = None,
    grading: float = 0.3,
    check: Callable[[], None] | None = None,
) -> VolumeMesh:
    """Fill a closed surface with quadratic tetrahedra.

    size: target edge length [m]; edges are shorter where the surface curves. source: the uploaded file; if
    it is STEP its own faces are meshed, and mids lie on them. refine: points (k, 3) [m] and edge lengths
    there (k,) [m]. grading: how fast sizes may grow, 0.1 (slowly) ... 0.9. time_limit [s] for all attempts
    together. workdir: where temporary folders may be made (removed again). check: called while waiting;
    what it raises ends the meshing.

    Raises MeshingFailed, which tells every attempt.
    """
    _refuse(surface, size, grading)
    started = time.monotonic()
    rungs = _rungs(surface, source)
    notes: list[str] = []
    for index, rung in enumerate(rungs):
        remaining = time_limit - (time.monotonic() - started)
        seconds = remaining if index == len(rungs) - 1 else remaining / 2
        attempt = time.monotonic()
        try:
            points, tets, told = _attempt(
                rung, surface, size, source, refine, seconds, workdir, grading, check
            )
            checked = verify(points, tets, surface, size)
        except MeshingFailed as failure:
            notes.append(f"{rung.name}: failed after {time.monotonic() - attempt:.1f} s: {failure.message}")
            continue
        notes.append(f"{rung.name}: {len(tets)} tetrahedra in {time.monotonic() - attempt:.1f} s")
        return VolumeMesh(points, tets, rung.name, time.monotonic() - started, (*notes, *told, *checked))
    raise MeshingFailed(
        "no mesh generator could fill this part with tetrahedra. "
        + "; ".join(notes)
        + ". Look for faces that cross "
        "or overlap and for gaps (part.report), try another accuracy, or simplify the part.",
        {"size": f"{size:g} m", "time_limit": f"{time_limit:g} s"},
    )


def is_step(path: Path) -> bool:
    """Whether a file is STEP by its first bytes, whatever its name."""
    with path.open("rb") as file:
        return b"ISO-10303-21" in file.read(256)


def verify(points: Float64, tets: Int32, surface: Surface, size: float) -> tuple[str, ...]:
    """Check a mesh against its surface; return what was found as notes, raise MeshingFailed if it can't be
    used.
    """
    least = jacobians(points, tets, check_points()).min()
    if least <= 0:
        raise MeshingFailed("some tetrahedra are inverted")
    shapes = quality(points, tets)
    if shapes.min() < _LEAST_QUALITY:
        raise MeshingFailed(f"the worst tetrahedron is all but flat (quality {shapes.min():.1e})")
    count = bodies(tets)
    if count > 1:
        raise MeshingFailed(f"the mesh has {count} pieces that are not joined by faces")
    notes = [f"element quality: worst {shapes.min():.3f}, mean {shapes.mean():.3f}"]
    if surface.closed:
        difference = volume(points, tets) / surface.volume - 1.0
        notes.append(f"volume differs from the surface's by {100 * difference:+.3f} %")
        if abs(difference) > _MOST_VOLUME_ERROR:
            raise MeshingFailed(f"the mesh's volume differs from the surface's by {100 * difference:+.1f} %")
    off = _distance(points, hull(tets), surface.vertices)
    notes.append(f"the surface's vertices lie at most {1e3 * off:.3g} mm from the mesh's hull")
    if off > max(0.5 * size, 2e-3 * surface.diagonal):
        raise MeshingFailed(f"the mesh misses a part of the surface by {1e3 * off:.3g} mm")
    straight = curve.count_straight(points, tets, surface)
    if straight.mids:
        notes.append(f"{straight.mids} of {straight.of} boundary mids lie off the surface's triangles")
    return tuple(notes)


def _refuse(surface: Surface, size: float, grading: float) -> None:
    if not (np.isfinite(size) and size > 0):
        raise MeshingFailed(f"the element size must be positive, not {size:g} m")
    if not 0.01 <= grading <= 1.0:
        raise MeshingFailed(f"the grading must lie between 0.01 and 1, not {grading:g}")
    expected = abs(surface.volume) / (size**3 / 8.5)
    if expected > _MOST_TETS:
        raise MeshingFailed(
            f"an element size of {1e3 * size:.3g} mm would make about {expected:.1e} tetrahedra of this "
            f"part, more than {_MOST_TETS:.0e}: ask for a larger size"
        )


def _attempt(
    rung: _Rung,
    surface: Surface,
    size: float,
    source: Path | None,
    refine: Refine | None,
    seconds: float,
    workdir: Path | None,
    grading: float,
    check: Callable[[], None] | None,
) -> tuple[Float64, Int32, tuple[str, ...]]:
    if seconds <= 0:
        raise MeshingFailed("no time was left")
    points, sizes = (np.zeros((0, 3)), np.zeros(0)) if refine is None else refine
    arrays: dict[str, NDArray[Any]] = {"refine_points": points, "refine_sizes": sizes}
    if not rung.from_step:
        arrays |= {"vertices": surface.vertices, "triangles": surface.triangles}
    job: dict[str, Any] = {"size": size, "grading": grading, "step": None, "epsilon": _EPSILON}
    job |= {"triangles": rung.triangles, "edge_angle": rung.edge_angle}
    memory = int(0.75 * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    limits = child.Limits(seconds=seconds, memory=memory, file_size=8 << 30)
    with tempfile.TemporaryDirectory(prefix="twin-mesh-", dir=workdir) as name:
        folder = Path(name)
        if rung.from_step and source is not None:
            job["step"] = "part.step"  # OCC goes by the suffix, and a stored blob has none
            shutil.copyfile(source, folder / "part.step")
        try:
            answer, output = child.run(rung.module, folder, job, arrays, limits, check)
        except child.ChildFailed as failure:
            raise MeshingFailed(str(failure)) from failure
    told: tuple[str, ...] = ()
    if rung.triangles is not None:
        before, after = len(surface.triangles), answer["triangles"]
        told = (f"the surface was decimated from {before} to {after} triangles for it",)
    points, tets = curve.compact(output["points"], output["tets"])
    if tets.shape[1] == 4:
        if rung.off_surface:
            points = curve.snap(points, tets, surface, within=4 * _EPSILON * surface.diagonal)
        points, tets = curve.quadratic(points, tets)
        points = curve.follow(points, tets, surface)
    points, straightened = curve.straighten(points, tets)
    if straightened:
        told = (
            *told,
            f"{straightened} mids were pulled towards the middle of their edges to keep elements valid",
        )
    return points, tets, told


def _distance(points: Float64, triangles: Int32, queries: Float64) -> float:
    faces = Surface(points, triangles, np.zeros(len(triangles), dtype=np.int32))
    distance, _, _ = closest(faces, queries)
    return float(distance.max(initial=0.0))
