"""STL, ASCII and binary."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from twin.errors import GeometryError
from twin.geometry.formats.names import Names
from twin.geometry.formats.soup import Int64, Soup

_RECORD = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
_HEADER = 84
_VERTEX = re.compile(rb"\bvertex\s+(\S+)\s+(\S+)\s+(\S+)", re.IGNORECASE)
_SOLID = re.compile(rb"^[ \t]*(end)?solid\b[ \t]*([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_FACET = re.compile(rb"\bfacet\s+normal\b", re.IGNORECASE)


def read(data: bytes) -> Soup:
    """Triangles of an STL file, three vertices each. Raises GeometryError."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        data = data.decode("utf-16", errors="replace").encode()
    if _is_binary(data):
        return _read_binary(data)
    if data.lstrip()[:5].lower() == b"solid":
        return _read_ascii(data)
    return _read_binary(data)


def _is_binary(data: bytes) -> bool:
    """The count decides: some programs begin the header of a binary file with "solid"."""
    return len(data) >= _HEADER and _HEADER + 50 * _count(data) == len(data)


def _count(data: bytes) -> int:
    return int.from_bytes(data[80:84], "little")


def _read_binary(data: bytes) -> Soup:
    if len(data) < _HEADER:
        raise GeometryError(
            f"This is not an STL file: it has {len(data)} bytes, fewer than an STL header. Export the part "
            f"again."
        )
    count, held = _count(data), (len(data) - _HEADER) / 50
    if count != held:
        raise GeometryError(
            f"The STL file says that it holds {count} triangles, but has the bytes of {held:g}: it is "
            f"damaged or was cut off on its way, or it isn't STL. Export the part again.",
            {"declared": count, "held": f"{held:g}"},
        )
    if count == 0:
        raise _empty()
    corners = np.frombuffer(data, dtype=_RECORD, offset=_HEADER)["corners"].astype(np.float64)
    return Soup(corners.reshape(-1, 3), _three_each(count))


def _read_ascii(data: bytes) -> Soup:
    found = _VERTEX.findall(data)
    facets = len(_FACET.findall(data))
    if not found and not facets:
        raise _empty()
    if len(found) != 3 * facets:
        raise GeometryError(
            f"The STL file has {facets} facets but {len(found)} vertices instead of {3 * facets}: it is "
            f"damaged or was cut off. Export the part again."
        )
    ends = [match for match in _SOLID.finditer(data) if match.group(1)]
    if not ends:
        raise GeometryError("The STL file ends without 'endsolid': it was cut off. Export the part again.")
    try:
        vertices = np.array(found, dtype="S").astype(np.float64).reshape(-1, 3)
    except ValueError as error:
        comma = any(b"," in word for triple in found[:100] for word in triple)
        advice = "it has decimal commas. Export with decimal points" if comma else "export the part again"
        raise GeometryError(f"A vertex of the STL file is not made of numbers: {advice}.") from error
    groups, warnings = _solids(data)
    return Soup(vertices, _three_each(facets), groups, warnings=warnings)


def _solids(data: bytes) -> tuple[Mapping[str, Int64], tuple[str, ...]]:
    """Names of solids where there are several."""
    starts = [(match.start(), match.group(2)) for match in _SOLID.finditer(data) if not match.group(1)]
    names = Names()
    if len(starts) > 1:
        facets = np.array([match.start() for match in _FACET.finditer(data)])
        first = np.append(np.searchsorted(facets, [start for start, _ in starts]), len(facets))
        for index, (_, name) in enumerate(starts):
            said = name.decode(errors="replace").strip() or f"solid {index + 1}"
            names.add(said, np.arange(first[index], first[index + 1]))
    return names.groups()


def _three_each(count: int) -> Int64:
    return np.arange(3 * count, dtype=np.int64).reshape(-1, 3)


def _empty() -> GeometryError:
    return GeometryError("The STL file holds no triangles. Was the part hidden when it was exported?")
