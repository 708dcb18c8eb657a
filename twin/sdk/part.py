"""A part on the server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from twin.geometry import Patch, Report


@final
@dataclass(frozen=True)
class Part:
    """A geometry that was uploaded, in metres.

    id: "geometries/...", derived from the content of the file, its unit and the version of the reader: the
    same file is the same part. name: of the file. report: what was found in it and what was repaired.
    """

    id: str
    name: str
    report: Report

    @property
    def patches(self) -> tuple[Patch, ...]:
        """The faces found by feature angle; `twin.select.patch` takes their ids."""
        return self.report.patches

    @property
    def groups(self) -> tuple[str, ...]:
        """The names of faces in the file; `twin.select.group` takes them."""
        return self.report.groups

    def __repr__(self) -> str:
        return f"Part({self.name!r}, id={self.id!r})"
