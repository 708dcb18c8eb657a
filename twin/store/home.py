"""The folders of one installation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import final


@final
@dataclass(frozen=True)
class Home:
    """Everything of one installation lies below `root`."""

    root: Path

    @property
    def database(self) -> Path:
        return self.root / "twin.sqlite"

    @property
    def blobs(self) -> Path:
        return self.root / "blobs"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def workers(self) -> Path:
        """One file per worker process, locked as long as it lives."""
        return self.root / "workers"

    @property
    def scratch(self) -> Path:
        """Working folders of parsers and workers; nothing in it outlives its process for long."""
        return self.root / "scratch"

    def scratch_of(self, worker: str) -> Path:
        """The working folder of one worker, made where it isn't there."""
        folder = self.scratch / worker
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    def checkpoints_of(self, run: str) -> Path:
        """What another attempt at a run goes on from, made where it isn't there; it outlives the worker."""
        folder = self.checkpoints / run
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    @property
    def checkpoints(self) -> Path:
        return self.root / "checkpoints"

    @property
    def compile_cache(self) -> Path:
        return self.root / "compile-cache"

    def create(self) -> Home:
        """Make the folders, for this user's eyes only."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (
            self.blobs,
            self.logs,
            self.workers,
            self.scratch,
            self.checkpoints,
            self.compile_cache,
        ):
            folder.mkdir(mode=0o700, exist_ok=True)
        return self
