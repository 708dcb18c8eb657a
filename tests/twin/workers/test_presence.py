"""A worker is seen as alive exactly as long as its process lives."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from twin.store.home import Home
from twin.workers import presence
from twin.workers.scratch import clear_scratch

_HOLD = """
import sys, time, pathlib
from twin.workers import presence
with presence.announced(pathlib.Path(sys.argv[1]), sys.argv[2]):
    print("here", flush=True)
    time.sleep(60)
"""


def test_killed_means_gone(tmp_path: Path) -> None:
    name = presence.new_name(presence.machine(), "cpu")
    assert presence.of_this_machine(name)
    assert not presence.alive(tmp_path, name)
    command = [sys.executable, "-c", _HOLD, str(tmp_path), name]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert presence.alive(tmp_path, name)
        process.kill()
        process.wait()
    assert not presence.alive(tmp_path, name)
    assert list(tmp_path.iterdir()) == []


def test_names_are_never_used_again() -> None:
    assert len({presence.new_name(presence.machine(), "cpu") for _ in range(100)}) == 100


def test_what_the_dead_have_left_is_removed(tmp_path: Path) -> None:
    home = Home(tmp_path).create()
    living, dead, starting = (presence.new_name(presence.machine(), "cpu") for _ in range(3))
    old = time.time() - 3600
    for name in (living, dead, starting, "read-abc"):
        (home.scratch_of(name) / "mesh.npz").touch()
        if name != starting:
            os.utime(home.scratch / name, (old, old))
    with presence.announced(home.workers, living):
        clear_scratch(home)
        assert {path.name for path in home.scratch.iterdir()} == {living, starting, "read-abc"}
