"""The ladder of mesh generators: the first whose mesh passes every check wins, and all attempts are told."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from solvers.tet10.element import TETS_PER_CUBE
from twin.errors import MeshingFailed
from twin.geometry.occupancy import Occupancy
from twin.geometry.surface import Surface
from twin.meshing import curve
from twin.meshing.checks import verify
from twin.meshing.solids import Solids, join_surfaces, solids
from twin.meshing.stuffing.sizes import SizeField
from twin.meshing.volume_mesh import VolumeMesh
from twin.sandbox import child

Float64 = NDArray[np.float64]
Int32 = NDArray[np.int32]
Refine = tuple[Float64, Float64]

_MOST_TETS = 3e7
_PLACES = 10_000  # where sizes are looked at to tell how many tetrahedra there will be


@dataclass(frozen=True)
class _Rung:
    """One attempt.

    size: of the elements, of what was asked for. edge_angle [degrees]: sharper edges of the triangles are
    kept by NETGEN.
    """

    name: str
    module: Literal["twin.meshing.netgen_mesher", "twin.meshing.stuffing_mesher"]
    from_step: bool = False
    size: float = 1.0
    edge_angle: float = 30.0


_NETGEN: Literal["twin.meshing.netgen_mesher"] = "twin.meshing.netgen_mesher"
_STUFFING: Literal["twin.meshing.stuffing_mesher"] = "twin.meshing.stuffing_mesher"
_STEP = _Rung("NETGEN on the faces of the STEP file", _NETGEN, from_step=True)
_ON_TRIANGLES = (
    _Rung("NETGEN on the triangles", _NETGEN),
    # where NETGEN crashes on a surface, it often doesn't with other edges
    _Rung("NETGEN on the triangles, edges above 20 degrees", _NETGEN, edge_angle=20.0),
)
_ANY_SURFACE = (
    _Rung("isosurface stuffing", _STUFFING),
    _Rung("isosurface stuffing, half the size", _STUFFING, size=0.5),
)
_LEAST_SHARE = 0.1  # of the time that is left, for even a small one of several solids


@dataclass(frozen=True, eq=False)
class _Task:
    """What all attempts share. deadline: on the clock of `time.monotonic`."""

    size: float
    source: Path | None
    refine: Refine
    grading: float
    workdir: Path | None
    check: Callable[[], None] | None
    deadline: float

    @property
    def remaining(self) -> float:
        """Seconds left."""
        return self.deadline - time.monotonic()

    def within(self, share: float) -> _Task:
        """The same with a share of the time that is left."""
        return replace(self, deadline=time.monotonic() + share * self.remaining)


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
    """Fill a surface with quadratic tetrahedra; bodies that touch or overlap are one, others stay apart.

    size: target edge length [m]; edges are shorter where the surface curves. source: the uploaded file; if
    it is STEP its own faces are meshed, and mids lie on them. refine: points (k, 3) [m] and edge lengths
    there (k,) [m]. grading: how fast sizes may grow, 0.1 (slowly) ... 0.9. time_limit [s] for all attempts
    together. workdir: where temporary folders may be made (removed again). check: called while waiting;
    what it raises ends the meshing.

    Raises MeshingFailed, which tells every attempt.
    """
    _refuse(surface, size, grading)
    started = time.monotonic()
    sizes = (np.zeros((0, 3)), np.zeros(0)) if refine is None else refine
    task = _Task(size, source, sizes, grading, workdir, check, started + time_limit)
    found = solids(surface)
    told: list[str] = []
    meshes = _from_step(task, found, told)
    if meshes is None:
        meshes = []
        for number, part in enumerate(found.surfaces):
            share = part.area / sum(other.area for other in found.surfaces[number:])
            meshes.append(_climb(task.within(max(share, _LEAST_SHARE)), part, found.sound, told))
    points = np.concatenate([mesh.points for mesh in meshes])
    first = np.cumsum([0, *(len(mesh.points) for mesh in meshes[:-1])])
    tets = np.concatenate([mesh.tets + offset for mesh, offset in zip(meshes, first, strict=True)])
    names = dict.fromkeys(mesh.mesher for mesh in meshes)
    notes = (*told, *(note for mesh in meshes for note in mesh.notes), *found.notes)
    return VolumeMesh(points, tets.astype(np.int32), " and ".join(names), time.monotonic() - started, notes)


def is_step(path: Path) -> bool:
    """Whether a file is STEP by its first bytes, whatever its name."""
    with path.open("rb") as file:
        return b"ISO-10303-21" in file.read(256)


def _refuse(surface: Surface, size: float, grading: float) -> None:
    if not (np.isfinite(size) and size > 0):
        raise MeshingFailed(f"the element size must be positive, not {size:g} m")
    if not 0.01 <= grading <= 1.0:
        raise MeshingFailed(f"the grading must lie between 0.01 and 1, not {grading:g}")
    expected = abs(surface.volume) * TETS_PER_CUBE / size**3
    if expected > _MOST_TETS:
        raise MeshingFailed(
            f"an element size of {1e3 * size:.3g} mm would make about {expected:.1e} tetrahedra of this "
            f"part, more than {_MOST_TETS:.0e}: ask for a larger size"
        )


def _from_step(task: _Task, found: Solids, told: list[str]) -> list[VolumeMesh] | None:
    if task.source is None or not is_step(task.source):
        return None
    whole = join_surfaces(found.surfaces)
    made = _try(task, _STEP, whole, found.sound, len(found.surfaces), 0.5 * task.remaining, told)
    return None if made is None else [made]


def _climb(task: _Task, surface: Surface, sound: bool, told: list[str]) -> VolumeMesh:
    """Mesh one solid, or a surface that is none, on the first rung that can."""
    if sound:
        patience = min(_patience(task, surface), 0.6 * task.remaining)
        begun = time.monotonic()
        for rung in _ON_TRIANGLES:
            left = patience - (time.monotonic() - begun)
            if left < patience / 3:
                told.append(f"{rung.name}: left out, the time for NETGEN was over")
                continue
            made = _try(task, rung, surface, sound, 1, left, told)
            if made is not None:
                return made
    for rung in _ANY_SURFACE:
        share = 1.0 if rung is _ANY_SURFACE[-1] else 0.7
        made = _try(task, rung, surface, sound, 1, share * task.remaining, told)
        if made is not None:
            return made
    raise MeshingFailed(
        f"no mesh generator could fill this part with tetrahedra. {'; '.join(told)}. Look for faces that cross "
        "or overlap and for gaps (part.report), try another accuracy, or simplify the part.",
        {"size": f"{task.size:g} m"},
    )


def _patience(task: _Task, surface: Surface) -> float:
    """Seconds after which NETGEN, which takes half of that if it works at all, is given up."""
    occupancy = Occupancy(surface)
    lower, upper = map(np.array, surface.bounds)
    places = lower + np.random.default_rng(0).random((_PLACES, 3)) * (upper - lower)
    places = places[occupancy.inside(places)]
    lengths = SizeField(task.size, task.grading, *task.refine)(places)
    tets = TETS_PER_CUBE * float((upper - lower).prod()) * (1 / lengths**3).sum() / _PLACES
    return 10.0 + 3e-5 * len(surface.triangles) + tets / 5000


def _try(
    task: _Task, rung: _Rung, surface: Surface, sound: bool, pieces: int, seconds: float, told: list[str]
) -> VolumeMesh | None:
    """One attempt, verified; None if it failed, and why is told."""
    begun = time.monotonic()
    try:
        points, tets, notes = _attempt(task, rung, surface, min(seconds, task.remaining))
        checked = verify(points, tets, surface, rung.size * task.size, sound=sound, pieces=pieces)
    except MeshingFailed as failure:
        told.append(f"{rung.name}: failed after {time.monotonic() - begun:.1f} s: {failure.message}")
        return None
    took = time.monotonic() - begun
    made = f"{rung.name}: {len(tets)} tetrahedra in {took:.1f} s"
    return VolumeMesh(points, tets, rung.name, took, (made, *notes, *checked))


def _attempt(
    task: _Task, rung: _Rung, surface: Surface, seconds: float
) -> tuple[Float64, Int32, tuple[str, ...]]:
    if seconds <= 0:
        raise MeshingFailed("no time was left")
    points, sizes = task.refine
    arrays: dict[str, NDArray[Any]] = {"refine_points": points, "refine_sizes": rung.size * sizes}
    if not rung.from_step:
        arrays |= {"vertices": surface.vertices, "triangles": surface.triangles, "patch": surface.patch}
    job: dict[str, Any] = {"size": rung.size * task.size, "grading": task.grading, "step": None}
    job |= {"edge_angle": rung.edge_angle}
    memory = int(0.75 * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    limits = child.Limits(seconds=seconds, memory=memory, file_size=8 << 30)
    with tempfile.TemporaryDirectory(prefix="twin-mesh-", dir=task.workdir) as name:
        folder = Path(name)
        if rung.from_step and task.source is not None:
            job["step"] = "part.step"  # OCC goes by the suffix, and a stored blob has none
            shutil.copyfile(task.source, folder / "part.step")
        try:
            answer, output = child.run(rung.module, folder, job, arrays, limits, task.check)
        except child.ChildFailed as failure:
            raise MeshingFailed(str(failure)) from failure
    notes: list[str] = [answer["note"]] if answer.get("note") else []
    points, tets = curve.compact(output["points"], output["tets"])
    if tets.shape[1] == 4:
        points, tets = curve.quadratic(points, tets)
        points = curve.follow(points, tets, surface)
    points, straightened = curve.straighten(points, tets)
    if straightened:
        notes.append(
            f"{straightened} mids were pulled towards the middle of their edges to keep elements valid"
        )
    return points, tets, tuple(notes)
