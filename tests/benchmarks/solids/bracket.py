"""The part of the benchmark: a stout L-bracket with two holes and a filleted corner, fixed at one end."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from netgen import occ

import twin
from tests.benchmarks.solids.case import Case
from twin.analyses.boundary import MeshBoundary
from twin.analyses.static_stress.loads import assemble
from twin.analyses.static_stress.supports import hold
from twin.geometry.parse import parse
from twin.meshing import mesh_volume

HEIGHT, WIDTH, THICKNESS = 80.0, 60.0, 22.0  # [mm]
HOLE_RADIUS, FILLET_RADIUS = 10.0, 15.0
LEG, OTHER_LEG = 100.0, 101.5  # of the part that is measured, and of another of nearly the same size
FORCE = (0.0, 500.0, -1000.0)  # [N] on the top, to the side and down

# Edge length [mm] that gives about so many unknowns.
SIZES = {
    "10k": 16.0, "30k": 5.6, "50k": 3.9, "100k": 3.8, "300k": 2.36, "1M": 1.66, "3M": 1.127, "5M": 0.951,
}  # fmt: skip
TIME_LIMIT = 1800.0  # of the mesher [s]


@dataclass(frozen=True)
class Meshed:
    """A case, and what it took to make it [s]: meshing; supports and loads from faces to nodes."""

    case: Case
    meshing: float
    boundary: float
    mesher: str


def unknowns(size: str) -> float:
    """About how many a size has, by its name."""
    return float(size.replace("k", "e3").replace("M", "e6"))


def shape(leg: float) -> Any:
    """The bracket as an OCC shape, in mm."""
    solid = occ.Box(occ.Pnt(0, 0, 0), occ.Pnt(leg, WIDTH, THICKNESS))
    solid += occ.Box(occ.Pnt(0, 0, 0), occ.Pnt(THICKNESS, WIDTH, HEIGHT))
    solid = solid.UnifySameDomain()
    at_corner = [e for e in solid.edges if abs(e.center.x - THICKNESS) + abs(e.center.z - THICKNESS) < 1e-6]
    solid = solid.MakeFillet(at_corner[:1], FILLET_RADIUS)  # each of its two faces lists the edge
    middle, through = WIDTH / 2, THICKNESS + 2
    solid -= occ.Cylinder(occ.Pnt(leg - 28, middle, -1), occ.Z, r=HOLE_RADIUS, h=through)
    solid -= occ.Cylinder(occ.Pnt(-1, middle, HEIGHT - 23), occ.X, r=HOLE_RADIUS, h=through)
    return solid


def meshed(size: float, leg: float, folder: Path) -> Meshed:
    """Mesh the bracket with edges of `size` [mm] by the way that an uploaded STEP file goes."""
    source = folder / f"bracket-{leg:g}.step"
    shape(leg).WriteStep(str(source))
    surface, _ = parse(source, None, source.name)
    begun = time.perf_counter()
    mesh = mesh_volume(surface, size / 1e3, source=source, time_limit=TIME_LIMIT)
    made = time.perf_counter()
    boundary = MeshBoundary(surface, mesh)
    end = twin.select.plane((leg / 1e3, 0, 0), (1, 0, 0))
    top = twin.select.plane((0, 0, HEIGHT / 1e3), (0, 0, 1))
    study = twin.StaticStress("Steel S235", [twin.Fixed(on=end)], [twin.Force(FORCE, on=top)])
    held = hold(boundary, study.supports)
    (loads,) = assemble(boundary, study.materials, study.cases).values()
    seconds = time.perf_counter() - made
    case = Case(mesh.points, mesh.tets, held.directions.any((1, 2)), loads.nodal)
    return Meshed(case, made - begun, seconds, mesh.mesher)


def main(size: str, leg: str, path: str) -> None:
    """Mesh a size and write its case as npz, its facts beside it as JSON."""
    out = Path(path)
    made = meshed(SIZES[size], float(leg), out.parent)
    made.case.save(out)
    record = {key: value for key, value in vars(made).items() if key != "case"}
    sizes = {"unknowns": made.case.unknowns, "elements": len(made.case.tets), "edge_mm": SIZES[size]}
    out.with_suffix(".json").write_text(json.dumps({**record, **sizes}))


if __name__ == "__main__":
    main(*sys.argv[1:])
