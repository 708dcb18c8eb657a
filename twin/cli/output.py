"""What commands say:

a surface that is drawn on a terminal (terminal.py) or written as JSON lines (json_lines.py).
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twin.cli.doctor import Finding
    from twin.errors import TwinError
    from twin.materials import Material
    from twin.sdk.part import Part
    from twin.sdk.result import Result
    from twin.sdk.run import Run
    from twin.sdk.surrogate import Surrogate
    from twin.sdk.sweep import Sweep
    from twin.sdk.update import RunInfo, SweepInfo
    from twin.sweeps.table import Table


class Output(ABC):
    """One method for each kind of thing that a command has to say."""

    @abstractmethod
    def note(self, text: str) -> None:
        """A line about what happens now."""

    @abstractmethod
    def serving(self, address: str, home: Path) -> None:
        """The address of a server that is ready now."""

    @abstractmethod
    def part(self, part: Part) -> None:
        """A part that was uploaded, and what was found in its file."""

    @abstractmethod
    def follow(self, run: Run) -> None:
        """A run while it goes on; returns at its end, whichever it is."""

    @abstractmethod
    def result(self, result: Result) -> None:
        """The quantities of every case, and what there is to know about them."""

    @abstractmethod
    def wrote(self, path: Path) -> None:
        """A file that was written."""

    @abstractmethod
    def runs(self, runs: Sequence[RunInfo]) -> None:
        """Runs, newest first."""

    @abstractmethod
    def follow_sweep(self, sweep: Sweep) -> None:
        """A sweep while it goes on, design by design; returns at its end."""

    @abstractmethod
    def table(self, table: Table) -> None:
        """What a sweep has found, in short."""

    @abstractmethod
    def sweeps(self, sweeps: Sequence[SweepInfo]) -> None:
        """Sweeps, newest first."""

    @abstractmethod
    def surrogate(self, surrogate: Surrogate) -> None:
        """What is known of each version of a surrogate."""

    @abstractmethod
    def surrogates(self, surrogates: Sequence[Surrogate]) -> None:
        """Surrogates by their names."""

    @abstractmethod
    def materials(self, materials: Mapping[str, Material]) -> None:
        """Materials of the library by name."""

    @abstractmethod
    def findings(self, findings: Iterable[Finding]) -> None:
        """What `twin doctor` found."""

    @abstractmethod
    def error(self, error: TwinError) -> None:
        """What went wrong."""


def choose(json: bool) -> Output:
    """JSON lines where they were asked for or nobody looks."""
    if json or not sys.stdout.isatty():
        from twin.cli.json_lines import JsonLines

        return JsonLines(sys.stdout, sys.stderr)
    from rich.console import Console

    from twin.cli.terminal import Terminal

    return Terminal(Console(), Console(stderr=True))
