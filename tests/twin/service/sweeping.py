"""What the tests of sweeps ask the fake worker, and who asks."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness import Server, cube

import twin
from twin.sdk.part import Part

FORCE = twin.Range("force", "10 N", "60 N")
LEAST = {"max_displacement": "min"}
ALLOWED = ["max_displacement > 900"]
TET = {"discretisation": "tet"}


def study(force: object) -> twin.StaticStress:
    """What fake_worker.py answers with the force, squared."""
    bottom = twin.Fixed(twin.select.plane((0, 0, 0), (0, 0, 1)))
    top = twin.Force((0, 0, force), twin.select.plane((0, 0, 0.01), (0, 0, 1)))
    return twin.StaticStress("Ti-6Al-4V", [bottom], load_cases={"sweep": [top]})


@contextmanager
def connected(server: Server) -> Iterator[tuple[twin.Client, Part]]:
    path = server.home / "cube.stl"
    path.write_bytes(cube())
    with twin.connect(server.address) as client:
        yield client, client.upload(path)


def runs_computed(home: Path) -> list[tuple[str, int]]:
    database = sqlite3.connect(home / "twin.sqlite")
    found = database.execute("SELECT id, fence FROM runs WHERE background").fetchall()
    database.close()
    return found
