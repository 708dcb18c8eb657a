"""Working folders that nobody needs any more, most of processes that were killed."""

from __future__ import annotations

import shutil
import time
from typing import Final

from twin.store.home import Home
from twin.store.runs import Runs
from twin.workers import presence

_START: Final = 60.0  # seconds that a worker may take from its folder's making until it is seen as alive
_OLD: Final = 24 * 3600.0  # seconds after which a folder of nobody known goes too


def clear_checkpoints(home: Home, runs: Runs) -> None:
    """Remove the checkpoints of runs that have ended; another worker needs those of the others."""
    folders = {path.name: path for path in home.checkpoints.iterdir()}
    for name in folders.keys() - runs.active():
        shutil.rmtree(folders[name], ignore_errors=True)


def clear_scratch(home: Home) -> None:
    """Remove the folders of this machine's dead workers, and whatever is old."""
    now = time.time()
    for path in home.scratch.iterdir():
        try:
            age = now - path.stat().st_mtime
        except FileNotFoundError:
            continue
        worker = presence.of_this_machine(path.name)
        if (worker and age > _START and not presence.alive(home.workers, path.name)) or (
            not worker and age > _OLD
        ):
            shutil.rmtree(path, ignore_errors=True)
