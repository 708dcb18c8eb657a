"""Which reader reads a file: by its first bytes, and by its name only where these don't tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePath

from twin.errors import GeometryError
from twin.geometry.formats import obj, ply, step, stl
from twin.geometry.formats.soup import Soup

READERS: Mapping[str, Callable[[bytes], Soup]] = {
    "STEP": step.read,
    "STL": stl.read,
    "OBJ": obj.read,
    "PLY": ply.read,
}

_SUFFIXES = {".step": "STEP", ".stp": "STEP", ".p21": "STEP", ".stl": "STL", ".stla": "STL", ".stlb": "STL",
             ".obj": "OBJ", ".ply": "PLY"}  # fmt: skip


def detect(data: bytes, filename: str) -> str:
    """A key of READERS. Raises GeometryError for an empty file or another format."""
    suffix = PurePath(filename).suffix.lower()
    if not data:
        raise GeometryError(f"'{filename}' is empty (0 bytes). Export or copy the part again.")
    head = data[:512]
    if b"ISO-10303-21" in head:
        return "STEP"
    if head[:3] == b"ply" and head[3:4] in b"\r\n":
        return "PLY"
    if suffix in _SUFFIXES:
        return _SUFFIXES[suffix]
    if head.lstrip()[:5].lower() == b"solid" or 84 + 50 * int.from_bytes(data[80:84], "little") == len(data):
        return "STL"
    raise GeometryError(
        f"'{filename}' is of a format that can't be read. Send {', '.join(READERS)}.",
        {"filename": filename, "formats": ", ".join(READERS)},
    )
