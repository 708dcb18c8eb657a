"""Designs per second with the real solver: packed, one at a time, and in a plain loop over scikit-fem.

`python -m tests.benchmarks.designs_per_second [--designs 32] [--workers 1]`

    loads      a bar under forces in any direction: the service computes them together
    alone      the same, each with a time limit of its own, so that each is computed by itself
    scikit-fem the same by its assembly, PARDISO and averaged stress, once for each design, on the mesh that ours ended
               with: no mesh is made, no error estimated
    shapes     the same bar by free-form deformation, a mesh for each

Everything is compiled before it is timed. The loop is what somebody would write who has no service. Busy: the share of
the time in which a worker computes, by the runs' own times; and the share in which it solves, which is what a GPU does
of it.
"""

from __future__ import annotations

import argparse
import datetime
import json
import sqlite3
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import trimesh

import twin
from tests.benchmarks.solids import machine
from tests.benchmarks.solids.case import POISSONS_RATIO, YOUNGS_MODULUS, Case
from tests.benchmarks.sweeps import LONGEST, RESULTS, running

SIZE = np.array([0.1, 0.02, 0.01])
STEEL = twin.Material(YOUNGS_MODULUS, POISSONS_RATIO, 7850.0)
ROOT = twin.select.plane((0, 0, 0), (1, 0, 0))
TIP = twin.select.plane((float(SIZE[0]), 0, 0), (1, 0, 0))
FORCES = [twin.Range(axis, "-100 N", "100 N") for axis in ("x", "y", "z")]
HEIGHT = twin.Range("height", "-3 mm", "3 mm")
ACCURACY = 0.05


def study(force: Any) -> twin.StaticStress:
    return twin.StaticStress(STEEL, [twin.Fixed(ROOT)], [twin.Force(force, TIP)])


def upload(client: twin.Client, folder: Path) -> Any:
    solid = trimesh.creation.box(extents=SIZE)
    solid.apply_translation(SIZE / 2)
    solid.export(folder / "bar.stl")
    return client.upload(folder / "bar.stl", unit="m")


def timed(
    home: Path, client: twin.Client, designs: int, *asked: Any, before: int = 2, **options: Any
) -> dict[str, Any]:
    """Seconds of a sweep whose programs are compiled: so many designs before see to that."""
    for count, seed in ((before, 11), (designs, 12)):
        begun = time.time()
        sweep = client.sweep(*asked, twin.Sobol(count, seed=seed), accuracy=ACCURACY, **options)
        table = sweep.result(LONGEST)
        seconds = time.time() - begun
        assert (table["state"] == "DONE").all(), table["reason"]
    return {
        "seconds": seconds,
        "designs_per_second": designs / seconds,
        **busy(home, table["run"], seconds),
    }


def busy(home: Path, runs: Any, seconds: float) -> dict[str, Any]:
    """Shares of a time in which runs were computed, and in which they were in each phase."""
    database = sqlite3.connect(home / "twin.sqlite")
    query = (
        "SELECT started, ended, manifest FROM runs JOIN results ON results.run = runs.id WHERE runs.id = ?"
    )
    found = [database.execute(query, (name.partition("/")[2],)).fetchone() for name in runs]
    database.close()
    computing, until = 0.0, 0.0
    for start, end in sorted((start, end) for start, end, _ in found):  # those of a pack are at the same time
        computing += max(end - max(start, until), 0.0)
        until = max(until, end)
    phases: dict[str, float] = {}
    for _, _, manifest in found:
        for phase, spent in json.loads(manifest)["cost"]["seconds"].items():
            phases[phase] = phases.get(phase, 0.0) + spent / seconds
    return {"busy": computing / seconds, "share_of_time": phases}


def scikit_fem(client: twin.Client, part: Any, designs: int) -> dict[str, Any]:
    """A plain loop on the mesh that an answer of ours has."""
    from tests.benchmarks.solids.peers.scikit_fem import run

    result = client.simulate(
        part, study((30.0, -50.0, 80.0)), accuracy=ACCURACY, discretisation="tet"
    ).result()
    points, tets = result.mesh.points, result.mesh.tets
    at_tip = np.isclose(points[:, 0], SIZE[0])
    forces = np.random.default_rng(0).uniform(-100, 100, (designs, 3))
    begun = time.perf_counter()
    for force in forces:
        nodal = np.where(at_tip[:, None], force / at_tip.sum(), 0.0)
        run([Case(points, tets, np.isclose(points[:, 0], 0.0), nodal)], "pardiso")
    seconds = time.perf_counter() - begun
    return {
        "seconds": seconds,
        "designs_per_second": designs / seconds,
        "unknowns": 3 * len(points),
        "ours_to_the_accuracy": dict(result.cost.seconds),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--designs", type=int, default=32)
    parser.add_argument("--workers", type=int, default=1, help="processes that share the device")
    parser.add_argument("--out", type=Path, help="the raw figures, in place of the folder of results")
    options = parser.parse_args()
    report: dict[str, Any] = {
        "date": datetime.date.today().isoformat(),
        "command": machine.command("tests.benchmarks.designs_per_second", None),
        "machine": machine.facts(),
        "designs": options.designs,
        "workers": options.workers,
    }
    settings = {"TWIN_WORKERS_PER_DEVICE": str(options.workers)}
    top = {(i, j, 1): (0, 0, HEIGHT) for i in (0, 1) for j in (0, 1)}
    box = [twin.FreeForm((0, 0, 0), SIZE, (2, 2, 2), top)]
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with (
            running(home, real=True, settings=settings) as server,
            twin.connect(server.address) as client,
        ):
            part = upload(client, home)
            bent, beside = study(tuple(FORCES)), {"discretisation": "tet"}
            for name, measure in (
                (
                    "loads",  # a pack as large as the one that is timed
                    lambda: timed(
                        home,
                        client,
                        options.designs,
                        part,
                        bent,
                        FORCES,
                        before=options.designs,
                        **beside,
                    ),
                ),
                (
                    "alone",
                    lambda: timed(
                        home, client, options.designs, part, bent, FORCES, max_seconds=600.0, **beside
                    ),
                ),
                ("scikit-fem", lambda: scikit_fem(client, part, options.designs)),
                (
                    "shapes",
                    lambda: timed(
                        home,
                        client,
                        options.designs,
                        part,
                        study((0, 0, 50.0)),
                        [HEIGHT],
                        shape=box,
                        **beside,
                    ),
                ),
            ):
                report[name] = measure()
                share = f", busy {report[name]['busy']:.0%}" if "busy" in report[name] else ""
                print(f"{name:12s} {report[name]['designs_per_second']:8.3f} designs/s{share}", flush=True)
    out = options.out or RESULTS / (
        f"{report['date']}-{machine.facts()['cores']}-cores-designs-{options.workers}-workers.json"
    )
    out.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
