"""Sweeps: what the service costs for each design, and what is left of one that is killed again and again.

`python -m tests.benchmarks.sweeps [--parts overhead resume] [--designs N] [--kills N]`

    overhead   designs of an analysis that takes no time: seconds for each, by what the service does with them
    resume     a sweep whose service is killed with everything it has started, at random moments, beside one that is
               left alone: designs lost, designs computed again after they had ended, largest difference of values

Workers are fakes (tests/twin/service/fake_worker.py), so that nothing but the service is measured.
"""

from __future__ import annotations

import argparse
import datetime
import json
import random
import sqlite3
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import twin
from tests.benchmarks.solids import machine
from twin.sweeps.table import Table

sys.path.append(str(Path(__file__).parents[1] / "twin" / "service"))

from harness import cube, running

RESULTS = Path(__file__).parent / "results"
FORCE = twin.Range("force", "10 N", "60 N")
LONGEST = 3600.0  # seconds


def study() -> twin.StaticStress:
    """What the fake worker answers with the force, squared."""
    bottom = twin.Fixed(twin.select.plane((0, 0, 0), (0, 0, 1)))
    top = twin.Force((0, 0, FORCE), twin.select.plane((0, 0, 0.01), (0, 0, 1)))
    return twin.StaticStress("Ti-6Al-4V", [bottom], load_cases={"sweep": [top]})


def started(client: twin.Client, home: Path, designs: int) -> twin.Sweep:
    (home / "cube.stl").write_bytes(cube())
    return client.sweep(client.upload(home / "cube.stl"), study(), [FORCE], twin.Sobol(designs, seed=7))


def overhead(designs: int) -> dict[str, Any]:
    """Seconds for each design of a sweep in which nothing is computed."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with running(home) as server, twin.connect(server.address) as client:
            begun = time.perf_counter()
            sweep = started(client, home, designs)
            table = sweep.result(LONGEST)
            seconds = time.perf_counter() - begun
            begun = time.perf_counter()
            sweep.table()
            reading = time.perf_counter() - begun
        size = sum(path.stat().st_size for path in home.glob("twin.sqlite*"))
    done = int((table["state"] == "DONE").sum())
    return {
        "designs": designs,
        "done": done,
        "seconds": seconds,
        "milliseconds_each": 1e3 * seconds / designs,
        "of_which_the_fake_sleeps": 10.0,
        "seconds_to_read_the_table": reading,
        "bytes_each": size / designs,
    }


def resume(designs: int, kills: int, seed: int = 1) -> dict[str, Any]:
    """A sweep that is killed at random moments, against one that is not."""
    moments = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        whole, killed = Path(folder) / "whole", Path(folder) / "killed"
        with running(whole) as server, twin.connect(server.address) as client:
            expected = started(client, whole, designs).result(LONGEST)
        name, ended_before = "", []
        for kill in range(kills + 1):
            with running(killed) as server, twin.connect(server.address) as client:
                sweep = client.find_sweep(name) if name else started(client, killed, designs)
                name = sweep.name
                if kill == kills:
                    found = sweep.result(LONGEST)
                else:
                    more = moments.randint(0, 2 * designs // kills)  # so that it is killed all along its way
                    so_far = _succeeded(killed)
                    while _succeeded(killed) < min(so_far + more, designs):
                        time.sleep(0.02)
                    time.sleep(moments.uniform(0.0, 0.3))
                    server.kill_tree()
                    ended_before.append(_succeeded(killed))
        again = _succeeded(killed, more_than=1)
    return {
        "designs": designs,
        "kills": kills,
        "ended_at_each_kill": ended_before,
        "lost": designs - int((found["state"] == "DONE").sum()),
        "computed_again_after_they_had_ended": again,
        "largest_relative_difference": _difference(found, expected),
    }


def _succeeded(home: Path, more_than: int = 0) -> int:
    """Runs with so many successes in the database."""
    database = sqlite3.connect(home / "twin.sqlite")
    query = "SELECT count(*) FROM (SELECT run FROM events WHERE state = 'SUCCEEDED' GROUP BY run HAVING count(*) > ?)"
    (count,) = database.execute(query, (more_than,)).fetchone()
    database.close()
    return int(count)


def _difference(found: Table, expected: Table) -> float:
    if (found["force"] != expected["force"]).any():
        return float("inf")
    values = expected["max_displacement"]
    return float(np.max(np.abs(found["max_displacement"] - values) / np.abs(values)))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parts", nargs="+", choices=("overhead", "resume"), default=["overhead", "resume"])
    parser.add_argument("--designs", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--out", type=Path, help="the raw figures, in place of the folder of results")
    options = parser.parse_args()
    report: dict[str, Any] = {
        "date": datetime.date.today().isoformat(),
        "command": machine.command("tests.benchmarks.sweeps", None),
        "machine": machine.facts(),
    }
    for part in options.parts:
        report[part] = (
            overhead(options.designs) if part == "overhead" else resume(options.designs, options.kills)
        )
        print(part, json.dumps(report[part], indent=1))
    out = options.out or RESULTS / f"{report['date']}-{machine.facts()['cores']}-cores-sweeps.json"
    out.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
