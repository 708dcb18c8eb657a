"""How the ladder of mesh generators fares on real brackets: `python -m tests.benchmarks.meshing`.

Every bracket is meshed at the sizes of the analysis's first mesh and at 4 mm; one line of JSON per mesh is appended
to a file, and what stands there is not measured again. Seconds count everything from the surface to the checked
mesh, failed attempts included.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from twin import select as selectors
from twin.analyses import resolution
from twin.analyses.checks import SELECTION_RESOLUTION
from twin.analyses.task import Regions
from twin.errors import SelectionError, TwinError
from twin.geometry.parse import parse
from twin.geometry.selection import select
from twin.geometry.surface import Surface
from twin.meshing import mesh_volume
from twin.meshing.volume_mesh import quality, volume
from twin.studies import Fixed, Request

BRACKETS = Path(__file__).parents[3] / "shared" / "data" / "simjeb"
BOLTS = ((0.0, 0.0), (0.0, -148.125), (52.0472, 1.5805), (38.0833, -146.9685))
CLEVIS_POINT, CLEVIS_AXIS = (-0.0231919, 0.0, 0.0447246), (-0.030367, 1.0, 0.0)
LIMIT = 30.0  # [s] that a mesh may take to count


def main() -> None:
    """Measure what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ids", nargs="*", help="brackets, all by default")
    parser.add_argument("--results", type=Path, default=Path("build/meshing.jsonl"))
    parser.add_argument("--sizes", nargs="+", choices=("pilot", "4mm"), default=["pilot", "4mm"])
    parser.add_argument("--time-limit", type=float, default=60.0)
    options = parser.parse_args()
    options.results.parent.mkdir(parents=True, exist_ok=True)
    done = {(row["id"], row["size"]) for row in read(options.results)}
    for name in dict.fromkeys(options.ids) or sorted(
        file.name.split(".")[0] for file in BRACKETS.glob("*.ply.gz")
    ):
        missing = [size for size in options.sizes if (name, size) not in done]
        if not missing:
            continue
        surface = bracket(name)
        for size in missing:
            row = {"id": name, "size": size, **measure(surface, size, options.time_limit)}
            with options.results.open("a") as file:
                file.write(json.dumps(row) + "\n")
            print(line(row), flush=True)
    rows = read(options.results)
    for size in options.sizes:
        print(f"\n{size}\n" + "\n".join(summary([row for row in rows if row["size"] == size])))


def bracket(name: str) -> Surface:
    """One of the brackets, by its number."""
    with tempfile.NamedTemporaryFile(suffix=".ply") as file:
        file.write(gzip.decompress((BRACKETS / f"{name}.ply.gz").read_bytes()))
        file.flush()
        return parse(Path(file.name), "mm", f"{name}.ply")[0]


def read(path: Path) -> list[dict[str, Any]]:
    """The rows that were measured before."""
    return [json.loads(text) for text in path.read_text().splitlines()] if path.is_file() else []


def measure(surface: Surface, size: str, time_limit: float) -> dict[str, Any]:
    """Mesh once; sizes in mm, seconds of everything."""
    sizes = pilot(surface) if size == "pilot" else resolution.Sizes(4e-3, np.zeros((0, 3)), np.zeros(0))
    row: dict[str, Any] = {"triangles": len(surface.triangles), "mm": round(1e3 * sizes.size, 2)}
    refine = (sizes.points, sizes.lengths) if len(sizes.points) else None
    row["load"] = round(os.getloadavg()[0], 1)
    started, cpu_before = time.monotonic(), cpu_seconds()
    try:
        mesh = mesh_volume(surface, sizes.size, refine=refine, time_limit=time_limit)
    except TwinError as error:
        row["seconds"], row["cpu"] = time.monotonic() - started, cpu_seconds() - cpu_before
        return row | {"rung": None, "notes": [error.message]}
    row["seconds"], row["cpu"] = time.monotonic() - started, cpu_seconds() - cpu_before
    row |= {"rung": mesh.mesher, "tets": len(mesh.tets)}
    shapes = quality(mesh.points, mesh.tets)
    return row | {
        "worst": float(shapes.min()),
        "mean": float(shapes.mean()),
        "volume_error": volume(mesh.points, mesh.tets) / surface.volume - 1,
        "notes": list(mesh.notes),
    }


def cpu_seconds() -> float:
    """Of this process and the children that have ended: what others compute meanwhile does not count."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def pilot(surface: Surface) -> resolution.Sizes:
    """The analysis's first mesh for the brackets' published load cases."""
    cylinders = [selectors.cylinder((1e-3 * x, 1e-3 * y, 0), (0, 0, 1), 5.7e-3, 1.6e-2) for x, y in BOLTS]
    cylinders.append(selectors.cylinder(CLEVIS_POINT, CLEVIS_AXIS, 9.8e-3))
    found = []
    for selector in cylinders:
        try:
            region = select(surface, selector, surface.diagonal * SELECTION_RESOLUTION)
        except SelectionError:
            continue  # some brackets have no clean bore there
        found.append((Fixed(selector), region))
    return resolution.pilot(surface, surface.volume, Regions(tuple(found), ()), Request(), 3)


def line(row: dict[str, Any]) -> str:
    """One mesh as a line of the table."""
    start = (
        f"{row['id']:>4} {row['size']:>5} {row['triangles']:7} {row['mm']:6.2f} mm {row['seconds']:6.1f} s"
    )
    start += f" ({row['cpu']:.1f} s of CPU, load {row['load']:.1f})  "
    if row["rung"] is None:
        return start + "FAILED: " + row["notes"][0]
    shapes = f"quality {row['worst']:.3f} {row['mean']:.3f}"
    found = f"{row['tets']:7} tets, {shapes}, volume {100 * row['volume_error']:+.3f} %"
    failed = sum(": failed" in note for note in row["notes"])
    return start + found + f"  {row['rung']}" + (f" (after {failed} failed)" if failed else "")


def summary(rows: list[dict[str, Any]]) -> list[str]:
    """Shares, rungs and times."""
    if not rows:
        return ["nothing measured"]
    made = [row for row in rows if row["rung"] is not None]
    soon = [row for row in made if row["seconds"] <= LIMIT]
    lines = [
        f"{len(soon)} of {len(rows)} within {LIMIT:g} s ({100 * len(soon) / len(rows):.1f} %), {len(made)} at all"
    ]
    for rung in sorted({row["rung"] for row in made}):
        seconds = [row["seconds"] for row in made if row["rung"] == rung]
        lines.append(
            f"{len(seconds):4} {rung}: median {np.median(seconds):.1f} s, slowest {max(seconds):.1f} s"
        )
    lines += [f"failed or late: {line(row)}" for row in rows if row not in soon]
    return lines


if __name__ == "__main__":
    main()
