"""Which reader reads a file: by its first bytes, and by its name only where these don't tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePath

from twin.errors import GeometryError
from twin.geometry.formats import gltf, obj, off, ply, step, stl, threemf
from twin.geometry.formats.inflate import MAGIC, gunzip
from twin.geometry.formats.soup import Soup

READERS: Mapping[str, Callable[[bytes], Soup]] = {
    "STEP": step.read,
    "STL": stl.read,
    "OBJ": obj.read,
    "PLY": ply.read,
    "glTF": gltf.read,
    "3MF": threemf.read,
    "OFF": off.read,
}

_SUFFIXES = {".step": "STEP", ".stp": "STEP", ".p21": "STEP", ".stl": "STL", ".stla": "STL", ".stlb": "STL",
             ".obj": "OBJ", ".ply": "PLY", ".glb": "glTF", ".gltf": "glTF", ".3mf": "3MF", ".off": "OFF"}  # fmt: skip


def read_soup(data: bytes, filename: str) -> Soup:
    """What a file holds, inflated first if it is gzipped. Raises GeometryError."""
    if not data:
        raise GeometryError(f"'{filename}' is empty (0 bytes). Export or copy the part again.")
    if data[:2] == MAGIC:
        data, filename = gunzip(data), _without_gz(filename)
        if not data:
            raise GeometryError(f"'{filename}' in the gzip file is empty (0 bytes). Compress the part again.")
    return READERS[detect(data, filename)](data)


def detect(data: bytes, filename: str) -> str:
    """A key of READERS. Raises GeometryError for another format."""
    suffix = PurePath(filename).suffix.lower()
    head = data[:512]
    if data[257:262] == b"ustar" or head[:2] in (MAGIC, b"7z", b"Rar"):
        raise GeometryError(f"'{filename}' is an archive. Unpack it and send the part itself.")
    if b"ISO-10303-21" in head:
        return "STEP"
    if head[:3] == b"ply" and head[3:4] in b"\r\n":
        return "PLY"
    if head[:4] == gltf.MAGIC:
        return "glTF"
    if head[:4] == b"PK\x03\x04":
        return "3MF"
    if off.HEADER.match(head):
        return "OFF"
    if suffix in _SUFFIXES:
        return _SUFFIXES[suffix]
    if head.lstrip()[:5].lower() == b"solid" or 84 + 50 * int.from_bytes(data[80:84], "little") == len(data):
        return "STL"
    raise GeometryError(
        f"'{filename}' is of a format that can't be read. Send {', '.join(READERS)}, gzipped or not.",
        {"filename": filename, "formats": ", ".join(READERS)},
    )


def _without_gz(filename: str) -> str:
    path = PurePath(filename)
    return str(path.with_suffix("")) if path.suffix.lower() in (".gz", ".gzip") else filename
